/**
 * Who may come in, decided before any work: connections in all, connections of one address that have not said anything
 * useful yet, and whether the node takes new calls at all. Pure; the caller logs the reason.
 */

import type { Ipv4 } from '../base/ip.ts';
import { limits } from '../base/limits.ts';
import { tally } from '../base/observe.ts';

export type Refusal = 'too many connections' | 'too many half-open connections of this address';

export const admissionTally = tally('admission', {
  connectionsRefused: 'control connections closed at once because the node holds too many',
  halfOpenRefused:
    'control connections closed at once because their address holds too many that have no call yet',
});

export class Admission {
  #connections = 0;
  readonly #halfOpen = new Map<Ipv4, number>();

  /** Counts a new connection of `peer` in, or says why not. */
  admit(peer: Ipv4): Refusal | undefined {
    if (this.#connections >= limits.connections) {
      admissionTally.add('connectionsRefused');
      return 'too many connections';
    }
    const halfOpen = this.#halfOpen.get(peer) ?? 0;
    if (halfOpen >= limits.halfOpenConnectionsPerAddress) {
      admissionTally.add('halfOpenRefused');
      return 'too many half-open connections of this address';
    }
    this.#connections += 1;
    this.#halfOpen.set(peer, halfOpen + 1);
    return undefined;
  }

  /** A connection of a process before this one, which has a call, goes on. */
  resume(): void {
    this.#connections += 1;
  }

  /** The connection has its first call: it is half-open no more. */
  established(peer: Ipv4): void {
    const halfOpen = this.#halfOpen.get(peer) ?? 0;
    if (halfOpen > 1) this.#halfOpen.set(peer, halfOpen - 1);
    else this.#halfOpen.delete(peer);
  }

  /** The connection is gone. */
  gone(peer: Ipv4, wasEstablished: boolean): void {
    this.#connections -= 1;
    if (!wasEstablished) this.established(peer);
  }
}
