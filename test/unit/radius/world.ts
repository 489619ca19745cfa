/**
 * A network of RADIUS servers on a virtual clock: what the exchange sends is written down with its time, and each server
 * answers as a test tells it to. A socket opens in its own turn, a packet arrives a millisecond after it was sent.
 */

import { VirtualClock } from '../../../src/base/clock.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { type Log, silent } from '../../../src/base/observe.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { Secret } from '../../../src/base/secret.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import { Exchange } from '../../../src/radius/exchange.ts';
import { codes, decodePacket, type Packet } from '../../../src/radius/packet.ts';
import type { Outcome, Query } from '../../../src/radius/query.ts';
import { type RadiusServer, radiusMenu } from '../../../src/radius/settings.ts';
import { sealReply } from '../../../src/radius/sign.ts';
import type { Wire, WireEnds, WireEvents } from '../../../src/radius/wire.ts';

export const secretText = 'testing123';
const secret = new Secret(secretText).octets;

/** A request as a server gets it. */
export interface Arrival {
  readonly atMs: number;
  /** `192.0.2.1:1812`. */
  readonly server: string;
  readonly fromPort: number;
  readonly octets: Uint8Array;
  readonly packet: Packet;
  /** Sends octets back to where the request came from, at once or later. */
  reply(octets: Uint8Array, delayMs?: number): void;
  /** Sends the true reply. */
  accept(delayMs?: number): void;
}

type Behaviour = (arrival: Arrival) => void;

export const answering: Behaviour = (arrival) => arrival.accept();
export const mute: Behaviour = () => {};
/** Answers all but Status-Server, as servers do that have never heard of it. */
export const ignorant: Behaviour = (arrival) => {
  if (arrival.packet.code !== codes.statusServer) arrival.accept();
};

interface FakeWire {
  readonly ends: WireEnds;
  readonly port: number;
  readonly events: WireEvents;
  isOpen: boolean;
}

export class World {
  readonly clock = new VirtualClock();
  readonly arrivals: Arrival[] = [];
  readonly lines: string[] = [];
  readonly exchange: Exchange;
  /** By address; who is not here is mute. */
  readonly behaviours = new Map<string, Behaviour>();
  /** Sockets towards these addresses do not open. */
  readonly unreachable = new Set<string>();
  readonly takenPorts = new Set<number>();
  readonly wires: FakeWire[] = [];
  #nextPort = 40_000;

  constructor(servers: readonly Partial<RadiusServer>[] = [{}], seed = 1) {
    const log: Log = (severity, _, text) => void this.lines.push(`${severity}: ${text}`);
    this.exchange = new Exchange({
      clock: this.clock,
      random: seededRandom(seed),
      openWire: (ends, events) => this.#open(ends, events),
      log: servers.length === 0 ? silent : log,
    });
    this.exchange.configure(servers.map((settings) => server(settings)));
    this.clock.advance(0);
  }

  /** Asks, and keeps what comes of it. */
  ask(query: Partial<Query> = {}): Answer {
    const outcomes: { outcome: Outcome; atMs: number }[] = [];
    const { cancel } = bound(
      this.exchange.ask({ ...accessRequest, ...query }, (outcome) => {
        outcomes.push({ outcome, atMs: this.clock.nowMs() });
      }),
    );
    return { outcomes, got: () => outcomes.map(({ outcome }) => outcome.got).join(), cancel };
  }

  /** Requests of users, without Status-Servers, as `server@ms`. */
  get journey(): string[] {
    return this.requests.map(({ server: name, atMs }) => `${name.split(':')[0]}@${Math.round(atMs)}`);
  }

  get requests(): Arrival[] {
    return this.arrivals.filter(({ packet }) => packet.code !== codes.statusServer);
  }

  get probes(): Arrival[] {
    return this.arrivals.filter(({ packet }) => packet.code === codes.statusServer);
  }

  /** Breaks every open socket. */
  breakWires(why = 'reset'): void {
    for (const wire of this.wires.filter(({ isOpen }) => isOpen)) {
      wire.isOpen = false;
      wire.events.lost(why);
    }
  }

  #open(ends: WireEnds, events: WireEvents): Wire {
    const port = ends.sourcePort ?? this.#nextPort++;
    const wire: FakeWire = { ends, port, events, isOpen: false };
    this.wires.push(wire);
    let isClosed = false;
    this.clock.arm(0, () => {
      if (isClosed) return;
      if (this.unreachable.has(ends.address) || this.takenPorts.has(port)) {
        events.lost('not today');
      } else {
        wire.isOpen = true;
        events.opened('192.0.2.100', port);
      }
    });
    return {
      send: (octets) => {
        if (wire.isOpen) this.#deliver(octets, wire);
      },
      close: () => {
        isClosed = true;
        wire.isOpen = false;
      },
    };
  }

  #deliver(octets: Uint8Array, wire: FakeWire): void {
    const { ends, port, events } = wire;
    const packet = decodePacket(octets);
    if (packet instanceof Malformed) throw new Error(`the exchange has sent ${packet}`);
    const reply = (answer: Uint8Array, delayMs = 0): void => {
      this.clock.arm(delayMs, () => {
        if (wire.isOpen) events.received(answer);
      });
    };
    const arrival: Arrival = {
      atMs: this.clock.nowMs(),
      server: `${ends.address}:${ends.port}`,
      fromPort: port,
      octets,
      packet,
      reply,
      accept: (delayMs) => reply(replyTo(packet), delayMs),
    };
    this.arrivals.push(arrival);
    this.clock.arm(1, () => (this.behaviours.get(ends.address) ?? mute)(arrival));
  }
}

export interface Answer {
  readonly outcomes: readonly { readonly outcome: Outcome; readonly atMs: number }[];
  /** The outcomes' names; one, if all is well. */
  got(): string;
  cancel(): void;
}

function bound(asked: { cancel(): void }): { cancel(): void } {
  return { cancel: () => asked.cancel() };
}

/** What a true server answers. */
export function replyTo(packet: Packet, code?: number, key = secret): Uint8Array {
  const { identifier } = packet;
  const usual = packet.code === codes.accountingRequest ? codes.accountingResponse : codes.accessAccept;
  return sealReply({ code: code ?? usual, identifier, attributes: new Uint8Array() }, packet, key);
}

/** The same without Message-Authenticator, as the FreeRADIUS of Debian 12 answers. */
export function unsignedReplyTo(packet: Packet): Uint8Array {
  return replyTo({ ...packet, attributes: new Uint8Array() });
}

export function server(settings: Partial<RadiusServer> = {}): RadiusServer {
  return {
    ...defaultsOf(radiusMenu),
    service: ['ppp'],
    address: '192.0.2.1',
    secret: new Secret(secretText),
    ...settings,
  };
}

export const accessRequest: Query = {
  role: 'authentication',
  code: codes.accessRequest,
  attributes: () => Uint8Array.of(1, 3, 0x61),
  urgency: 'urgent',
};

export const accountingRequest: Query = {
  role: 'accounting',
  code: codes.accountingRequest,
  attributes: () => Uint8Array.of(40, 6, 0, 0, 0, 1),
  urgency: 'urgent',
};
