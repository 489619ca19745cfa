/**
 * The network between fake engines: IPv4 addresses with an engine behind each, GRE that may be lost, doubled, delayed or
 * reordered, and TCP that is delayed and cut anywhere but complete and in order. Time is the clock's, chance is the seed's:
 * a run repeats itself exactly. Pure.
 */

import type { Clock } from '../base/clock.ts';
import type { Ipv4 } from '../base/ip.ts';
import { below, type Random } from '../base/random.ts';

/** What the network does to traffic. Rates are 0 … 1. May be replaced at any time. */
export interface Conditions {
  readonly delayMs: number;
  /** Up to so much is added to each packet's delay, by chance: this is what reorders. */
  readonly jitterMs: number;
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** How often a piece of a TCP stream arrives in two. */
  readonly splitRate: number;
  /** False: a firewall on the way drops GRE, the commonest trouble of PPTP's users. */
  readonly grePasses: boolean;
}

export const calm: Conditions = {
  delayMs: 1,
  jitterMs: 0,
  lossRate: 0,
  duplicateRate: 0,
  splitRate: 0,
  grePasses: true,
};

/** How an encrypted packet is marked: which key (bits, mode and start key), its place, and whether it restarts the stream. */
export interface Seal {
  readonly key: string;
  readonly count: number;
  readonly flushed: boolean;
}

export type Payload =
  | Fragment
  | { readonly is: 'frame'; readonly protocol: number; readonly information: Uint8Array }
  | ({ readonly is: 'packet' } & Data);

/** The information field of a network packet, or of a bridged frame. */
export interface Data {
  readonly octets: Uint8Array;
  readonly isBridged: boolean;
  readonly seal?: Seal | undefined;
}

/** A part of a packet (RFC 1990 section 3). Its kind and seal are the packet's, and go with each of its parts. */
export interface Fragment extends Data {
  readonly is: 'fragment';
  readonly sequence: number;
  readonly begins: boolean;
  readonly ends: boolean;
}

/** An enhanced GRE packet (RFC 2637 section 4.1) of which only what matters is left. */
export interface GrePacket {
  /** Of the receiver. */
  readonly callId: number;
  readonly sequence: number;
  readonly payload: Payload;
}

/** One direction of a TCP connection: what is put in arrives later, in order. */
export type Lane = (arrive: () => void) => void;

/** One end of a TCP connection, as the other end sees it. */
export interface RemoteEnd {
  data(bytes: Uint8Array): void;
  /** The stream ends (errno 0) or breaks. */
  closed(errno: number): void;
}

/** Who is behind an address. */
export interface Station {
  gre(from: Ipv4, packet: GrePacket): void;
  /** A connection is asked for: our end of it, or undefined if nobody listens on `port`. `lane` leads to the dialler. */
  dialled(
    dialler: RemoteEnd,
    from: { address: Ipv4; port: number },
    port: number,
    lane: Lane,
  ): RemoteEnd | undefined;
}

/** TCP's first retransmission timeout is a second; on a connection in use it is near this. */
const retransmissionMs = 200;

export class Wire {
  conditions: Conditions;
  readonly clock: Clock;
  readonly #random: Random;
  readonly #stations = new Map<Ipv4, Station>();

  constructor(options: { clock: Clock; random: Random; conditions?: Conditions }) {
    this.clock = options.clock;
    this.#random = options.random;
    this.conditions = options.conditions ?? calm;
  }

  attach(address: Ipv4, station: Station): void {
    this.#stations.set(address, station);
  }

  detach(address: Ipv4): void {
    this.#stations.delete(address);
  }

  station(address: Ipv4): Station | undefined {
    return this.#stations.get(address);
  }

  sendGre(from: Ipv4, to: Ipv4, packet: GrePacket): void {
    const copies = this.#chance(this.conditions.duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (!this.conditions.grePasses || this.#chance(this.conditions.lossRate)) continue;
      this.clock.arm(this.#delayMs(), () => this.#stations.get(to)?.gre(from, packet));
    }
  }

  lane(): Lane {
    let lastMs = 0;
    return (arrive) => {
      const nowMs = this.clock.nowMs();
      const lostMs = this.#chance(this.conditions.lossRate) ? retransmissionMs : 0;
      lastMs = Math.max(lastMs, nowMs + this.#delayMs() + lostMs);
      this.clock.arm(lastMs - nowMs, arrive);
    };
  }

  /** The pieces in which a stream's octets arrive. */
  cut(bytes: Uint8Array): readonly Uint8Array[] {
    if (bytes.length < 2 || !this.#chance(this.conditions.splitRate)) return [bytes];
    const at = 1 + below(this.#random, bytes.length - 1);
    return [bytes.subarray(0, at), bytes.subarray(at)];
  }

  #delayMs(): number {
    const { delayMs, jitterMs } = this.conditions;
    return jitterMs === 0 ? delayMs : delayMs + below(this.#random, 1000 * jitterMs) / 1000;
  }

  /** No randomness is spent on what cannot happen, so that a calm wire needs none. */
  #chance(rate: number): boolean {
    return rate > 0 && below(this.#random, 1 << 24) < rate * (1 << 24);
  }
}
