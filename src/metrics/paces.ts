/**
 * How fast each call is: from its counters at one census to those at the next. Enter: a call's handle, its octets, the time. Leaves:
 * bits per second. Pure.
 *
 * Numbers in tables by Call ID: a value for each of fifty thousand calls, made anew every few seconds, would have the collector of
 * garbage stop everybody. What stands there of a call that is over goes when its id is used again.
 */

import { callIdMax, callIdOf } from '../session/call-ids.ts';

export interface Rate {
  readonly receiveBps: number;
  readonly transmitBps: number;
}

export const still: Rate = { receiveBps: 0, transmitBps: 0 };

const table = () => new Float64Array(callIdMax + 1);

export class Paces {
  /** The calls that the rest is of. */
  readonly #calls = new Uint32Array(callIdMax + 1);
  readonly #atMs = table();
  readonly #received = table();
  readonly #transmitted = table();
  readonly #receiveBps = table();
  readonly #transmitBps = table();

  /** These are its octets since it began. */
  note(call: number, received: number, transmitted: number, atMs: number): void {
    const id = callIdOf(call);
    const isKnown = this.#calls[id] === call;
    const elapsedMs = isKnown ? atMs - (this.#atMs[id] ?? 0) : 0;
    this.#receiveBps[id] = bps(received - (this.#received[id] ?? 0), elapsedMs);
    this.#transmitBps[id] = bps(transmitted - (this.#transmitted[id] ?? 0), elapsedMs);
    this.#calls[id] = call;
    this.#atMs[id] = atMs;
    this.#received[id] = received;
    this.#transmitted[id] = transmitted;
  }

  /** Zero before its second census. */
  of(call: number): Rate {
    const id = callIdOf(call);
    if (this.#calls[id] !== call) return still;
    return { receiveBps: this.#receiveBps[id] ?? 0, transmitBps: this.#transmitBps[id] ?? 0 };
  }
}

/** Octets in a time as bits per second; counters that seem to go back are a call that began anew. */
export function bps(octets: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (Math.max(0, octets) * 8 * 1000) / elapsedMs : 0;
}
