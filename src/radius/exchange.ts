/**
 * The exchange with RADIUS servers: queries enter, each ends with exactly one outcome. Here is who is configured and who asks;
 * what becomes of a query stands in inquiry.ts, of a round with one server in attempt.ts, of a server in target.ts. Pure: the
 * clock, randomness and the sockets are handed in.
 */

import type { Clock } from '../base/clock.ts';
import { type Ipv4, parseIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { Random } from '../base/random.ts';
import { choose } from './choice.ts';
import type { ServerMonitor } from './counters.ts';
import { Inquiry } from './inquiry.ts';
import type { Outcome, Query, Role } from './query.ts';
import { Server } from './server.ts';
import type { RadiusServer } from './settings.ts';
import type { Target } from './target.ts';
import type { OpenWire } from './wire.ts';

export interface ExchangePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly openWire: OpenWire;
  readonly log: Log;
}

export class Exchange {
  readonly #ports: ExchangePorts;
  readonly #inquiries = new Set<Inquiry>();
  readonly #listeners: ((server: string, role: Role) => void)[] = [];
  /** In the operator's order. */
  #servers: readonly Server[] = [];
  /** Configured no more, with requests still under way. */
  #retired: Server[] = [];

  constructor(ports: ExchangePorts) {
    this.#ports = ports;
  }

  /** The address that the first server sees us under, if it is IPv4 and a socket is open. */
  get nasAddress(): Ipv4 | undefined {
    const address = this.#servers[0]?.localAddress;
    return address === undefined ? undefined : parseIpv4(address);
  }

  /** The servers from now on. What is under way to one that is gone or changed may finish; what waits goes to another. */
  configure(servers: readonly RadiusServer[]): void {
    const former = [...this.#servers];
    this.#servers = servers.filter(isAsked).map((settings) => {
      const at = former.findIndex((server) => server.reconfigure(settings));
      const [kept] = at === -1 ? [] : former.splice(at, 1);
      return kept ?? this.#add(settings);
    });
    for (const server of former) server.retire();
    this.#retired = [...this.#retired, ...former].filter(({ targets }) =>
      targets.some(({ isDrained }) => !isDrained),
    );
  }

  /** Asks. `done` is told the one outcome, never before this returns; not after `cancel`. */
  ask(query: Query, done: (outcome: Outcome) => void): { cancel(): void } {
    const inquiry = new Inquiry(query, done, {
      clock: this.#ports.clock,
      targetsFor: (asked, preferred) => choose(this.#targets(), asked, preferred),
      over: (over) => void this.#inquiries.delete(over),
    });
    this.#inquiries.add(inquiry);
    inquiry.begin();
    return inquiry;
  }

  /** Calls `listener` whenever a server that had fallen silent answers again. */
  onRevived(listener: (server: string, role: Role) => void): void {
    this.#listeners.push(listener);
  }

  /** Every server as it stands, in the operator's order. */
  monitor(): readonly ServerMonitor[] {
    return this.#servers.map((server) => server.monitor());
  }

  /** Closes all sockets; what is still asked ends with `silence`. */
  close(): void {
    const servers = [...this.#servers, ...this.#retired];
    this.#servers = [];
    this.#retired = [];
    for (const inquiry of [...this.#inquiries]) inquiry.end({ got: 'silence' });
    for (const server of servers) {
      server.retire();
      server.close();
    }
  }

  #targets(): readonly Target[] {
    return this.#servers.flatMap(({ targets }) => targets);
  }

  #add(settings: RadiusServer): Server {
    return new Server(settings, { ...this.#ports, revived: (target) => this.#revived(target) });
  }

  #revived(target: Target): void {
    for (const other of this.#targets()) {
      if (other.role === target.role && other.state !== 'alive') other.reconsider();
    }
    for (const listener of this.#listeners) listener(target.name, target.role);
  }
}

function isAsked({ disabled, service }: RadiusServer): boolean {
  return !disabled && service.includes('ppp');
}
