/**
 * Everything that runs, built of the services below it in the order a call needs it: RADIUS, who judges users, accounting, the
 * server with its sessions, our own clients. main.ts brings it to life, and says when to end.
 */

import { lookup } from 'node:dns';
import { UserAuthority } from '../aaa/authority.ts';
import type { DynamicTarget } from '../aaa/dynamic.ts';
import type { Journal } from '../accounting/journal.io.ts';
import type { Usage } from '../accounting/record.ts';
import { systemClock } from '../base/clock.io.ts';
import { parseIpv4 } from '../base/ip.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import type { Resolve } from '../client/dialer.ts';
import { Dialers } from '../client/dialers.ts';
import type { Configuration } from '../config/configuration.ts';
import { type MppePolicy, mppeBits } from '../ppp/ccp/options.ts';
import { Addresses } from '../session/addresses.ts';
import { CallIds, LinkHandles } from '../session/call-ids.ts';
import { acctTerminateCause } from '../session/ending.ts';
import { Firewall } from '../session/firewall.ts';
import { InterfaceNames } from '../session/interface-names.ts';
import { Server } from '../session/server.ts';
import type { FinalCounters } from '../session/session.ts';
import type { Switchboard } from '../session/switchboard.ts';
import { Accounting } from './accounting.ts';
import { Radius } from './radius.ts';

/** What the peer chooses from; stateless is preferred. */
const everyMppe: MppePolicy = { strengths: new Set(mppeBits), stateful: 'allowed' };

export interface Ground {
  readonly log: Log;
  readonly identity: string;
  readonly switchboard: Switchboard;
  readonly journal: Journal;
  readonly journalName: string;
  readonly configuration: Configuration;
}

export class Concentrator {
  readonly #log: Log;
  readonly #switchboard: Switchboard;
  readonly #journal: Journal;
  readonly #addresses = new Addresses({ random: systemRandom });
  readonly #firewall: Firewall;
  readonly #radius: Radius;
  readonly #accounting: Accounting;
  readonly #authority: UserAuthority;
  readonly #identity: string;
  #configuration: Configuration;
  #server: Server | undefined;
  #dialers: Dialers | undefined;

  /** Nobody is served before `begin`. */
  constructor(ground: Ground) {
    const { log, identity, switchboard, journal, configuration } = ground;
    this.#log = log;
    this.#identity = identity;
    this.#switchboard = switchboard;
    this.#journal = journal;
    this.#configuration = configuration;
    this.#firewall = new Firewall(switchboard, log);
    this.#radius = new Radius(log, identity, () => this.#targets());
    this.#radius.configure(configuration);
    const { aaa, cluster } = configuration;
    this.#accounting = new Accounting(
      { ...ground, cluster, radius: this.#radius, readUsage: (read) => this.#readUsage(read) },
      aaa,
    );
    const { exchange, codec } = this.#radius;
    const ask: typeof exchange.ask = (query, done) => exchange.ask(query, done);
    this.#authority = new UserAuthority({ ask, codec, clock: systemClock, log }, usersOf(configuration));
  }

  /** Takes the books over from the process before; `held` are the sessions that the engine still has. */
  recover(held: ReadonlySet<string>): void {
    this.#accounting.accountant.recover(this.#journal.recovered, (sessionId) => held.has(sessionId));
  }

  /** A session of the process before is over. */
  orphanEnded(sessionId: string, usage: FinalCounters): void {
    this.#accounting.accountant.ended(sessionId, { usage, terminateCause: acctTerminateCause.nasReboot });
  }

  /** Serves, and dials. Rejects with a `Fault` if something that was configured may not be used. */
  async begin(): Promise<void> {
    await this.#accounting.begin();
    if (this.#radius.hasAccounting) this.#accounting.accountant.nodeUp(this.#radius.nas);
    await new Promise<void>((done) => this.#firewall.start(done));
    const services = {
      switchboard: this.#switchboard,
      log: this.#log,
      identity: this.#identity,
      clock: systemClock,
      random: systemRandom,
      links: new LinkHandles(),
      mppe: everyMppe,
      callIds: new CallIds(systemClock, systemRandom),
      names: new InterfaceNames(),
      firewall: this.#firewall,
    };
    this.#addresses.configure(this.#configuration.pools);
    this.#server = new Server(
      {
        ...services,
        addresses: this.#addresses,
        authority: this.#authority,
        books: this.#accounting,
        nas: () => this.#radius.nas,
        newSessionId: () => this.#accounting.newSessionId(),
      },
      this.#configuration,
    );
    this.#dialers = new Dialers({ ...services, resolve });
    this.#dialers.configure(this.#configuration.clients, this.#configuration.profiles);
  }

  configure(configuration: Configuration): void {
    this.#configuration = configuration;
    const { pools, clients, profiles, aaa } = configuration;
    this.#addresses.configure(pools);
    this.#authority.configure(usersOf(configuration));
    this.#radius.configure(configuration);
    this.#accounting.configure(aaa);
    this.#server?.configure(configuration);
    this.#dialers?.configure(clients, profiles);
  }

  /** Says goodbye to every peer, then to the RADIUS servers; resolves when all have gone, or the time is up. */
  async end(): Promise<void> {
    const server = new Promise<void>((done) => (this.#server ? this.#server.end('shut-down', done) : done()));
    const dialers = new Promise<void>((done) =>
      this.#dialers ? this.#dialers.end('shut-down', done) : done(),
    );
    const overdue = new Promise<void>((done) => {
      systemClock.arm(limits.shutdownMs, () => {
        this.#log('warning', 'system', 'some sessions did not end in time');
        done();
      });
    });
    await Promise.race([Promise.all([server, dialers]), overdue]);
    await this.#accounting.end();
    this.#radius.close();
    await new Promise<void>((closed) => this.#journal.ledger.close(closed));
  }

  *#targets(): Iterable<DynamicTarget> {
    for (const { target } of this.#server?.sessions.values() ?? []) if (target !== undefined) yield target;
  }

  #readUsage(read: (usageOf: (sessionId: string) => Usage | undefined) => void): void {
    this.#switchboard.counters(({ rows }) => {
      const byCall = new Map(rows.map((row) => [row.call, row]));
      const bySession = new Map<string, Usage>();
      for (const { identity, session } of this.#server?.sessions.values() ?? []) {
        const row = byCall.get(session.place.call);
        if (row !== undefined) bySession.set(identity.sessionId, row);
      }
      read((sessionId) => bySession.get(sessionId));
    });
  }
}

function usersOf({ secrets, profiles, aaa }: Configuration) {
  return { secrets: byName(secrets), profiles: byName(profiles), aaa };
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

const resolve: Resolve = (hostName, found) => {
  lookup(hostName, { family: 4 }, (error, address) => found(error === null ? parseIpv4(address) : undefined));
};
