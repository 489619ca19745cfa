/**
 * RADIUS as the program has it: the exchange with the servers, and the port on which they may change and end sessions. Knows
 * no session; it is told who they are.
 */

import type { DynamicPorts, DynamicTarget } from '../aaa/dynamic.ts';
import type { NasIdentity } from '../aaa/identity.ts';
import { changeOf } from '../aaa/limits-of.ts';
import { systemClock } from '../base/clock.io.ts';
import { anyAddress, type Ipv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import type { Configuration } from '../config/configuration.ts';
import { attributeCodec } from '../radius/codec.io.ts';
import { IncomingSocket } from '../radius/dynamic.io.ts';
import { type Answer, type Asker, DynamicAuthorization, type DynamicRequest } from '../radius/dynamic.ts';
import { Exchange } from '../radius/exchange.ts';
import { openRadsec } from '../radius/radsec.io.ts';
import type { RadiusServer } from '../radius/settings.ts';
import { openUdp } from '../radius/udp.io.ts';

type Act = (request: DynamicRequest, answer: Answer) => void;

export class Radius {
  readonly exchange: Exchange;
  /** Asks the servers: each query ends with one outcome. */
  readonly ask: Exchange['ask'] = (query, done) => this.exchange.ask(query, done);
  readonly codec = attributeCodec;
  readonly dynamic: DynamicAuthorization;
  readonly #identity: string;
  readonly #incoming: IncomingSocket;
  /** What the sessions of this node are to CoA. */
  readonly local: DynamicPorts;
  #servers: readonly RadiusServer[] = [];
  #address: Ipv4 | undefined;

  /** `targets` are the sessions of this node that servers may change; `act` is told what a server wants, wherever its sessions are. */
  constructor(log: Log, identity: string, targets: () => Iterable<DynamicTarget>, act: Act) {
    this.#identity = identity;
    this.local = { nas: () => this.nas, targets, changeOf, severalSessions: () => 'all' };
    this.exchange = new Exchange({
      clock: systemClock,
      random: systemRandom,
      log,
      openWire: (ends, events) =>
        ends.protocol === 'radsec' ? openRadsec(ends, events) : openUdp(ends, events),
    });
    this.dynamic = new DynamicAuthorization({
      clock: systemClock,
      codec: attributeCodec,
      log,
      askerAt: (address) => this.#askerAt(address),
      act,
      send: (octets, to) => this.#incoming.send(octets, to),
    });
    this.#incoming = new IncomingSocket({
      clock: systemClock,
      log,
      address: anyAddress,
      received: (octets, source) => this.dynamic.received(octets, source),
    });
  }

  /** How this node calls itself. Its address stays what it was first: servers close all sessions of an address at once. */
  get nas(): NasIdentity {
    this.#address ??= this.exchange.nasAddress;
    return { identifier: this.#identity, address: this.#address };
  }

  /** True if there is a server to tell of sessions. */
  get hasAccounting(): boolean {
    return this.#servers.some(({ accountingPort }) => accountingPort !== 0);
  }

  configure({ radiusServers, radiusIncoming }: Configuration): void {
    this.#servers = radiusServers.filter(({ service, disabled }) => !disabled && service.includes('ppp'));
    this.exchange.configure(radiusServers);
    this.#incoming.configure(radiusIncoming);
  }

  close(): void {
    this.#incoming.close();
    this.exchange.close();
  }

  #askerAt(address: string): Asker | undefined {
    const server = this.#servers.find((each) => each.address === address);
    return (
      server && {
        secret: server.secret.octets,
        // That setting is about replies; senders of CoA rarely sign twice, and the authenticator covers all of a request.
        requireMessageAuthenticator: false,
      }
    );
  }
}
