/**
 * Gives out Call IDs, which are the handles of calls (datapath/contract.ts): random, never 0, never one that is in use, and
 * rested after use, because a stray GRE packet of the call before carries no generation. Pure.
 *
 * The Call ID is all that inbound GRE is told apart by when several subscribers share one address behind a NAT
 * (RFC 2637 section 4.1), so it is unique on this node, not per peer.
 */

import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { below, type Random } from '../base/random.ts';

/** Call IDs are from 1 to this (RFC 2637 section 2.7). */
export const callIdMax = 0xffff;
/** Random draws before the table is searched in order: with nine ids of ten in use, 16 draws fail once in five. */
const drawsMax = 16;

export class CallIds {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #generations = new Uint16Array(callIdMax + 1);
  /** When an id may be used again, in ms; `inUse` while it is held, 0 if it never was. */
  readonly #freeAtMs = new Float64Array(callIdMax + 1);
  #held = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get held(): number {
    return this.#held;
  }

  /** The handle of a new call, or undefined if every id is in use or rests. */
  take(): number | undefined {
    const nowMs = this.#clock.nowMs();
    for (let draw = 0; draw < drawsMax; draw += 1) {
      const id = 1 + below(this.#random, callIdMax);
      if (this.#isFree(id, nowMs)) return this.#hold(id);
    }
    const start = below(this.#random, callIdMax);
    for (let offset = 0; offset < callIdMax; offset += 1) {
      const id = 1 + ((start + offset) % callIdMax);
      if (this.#isFree(id, nowMs)) return this.#hold(id);
    }
    return undefined;
  }

  /** A call of a process before this one goes on. */
  hold(handle: number): void {
    const id = callIdOf(handle);
    if (this.#freeAtMs[id] === inUse) throw new Error(`the id of call ${handle} is held`);
    this.#generations[id] = handle >>> 16;
    this.#freeAtMs[id] = inUse;
    this.#held += 1;
  }

  /** Puts the id of `handle` to rest. */
  release(handle: number): void {
    const id = callIdOf(handle);
    if (this.#freeAtMs[id] !== inUse || this.#generations[id] !== handle >>> 16) {
      throw new Error(`call ${handle} is not held`);
    }
    this.#freeAtMs[id] = this.#clock.nowMs() + limits.callIdRestMs;
    this.#held -= 1;
  }

  #isFree(id: number, nowMs: number): boolean {
    return (this.#freeAtMs[id] ?? 0) <= nowMs;
  }

  #hold(id: number): number {
    const generation = ((this.#generations[id] ?? 0) % 0xffff) + 1;
    this.#generations[id] = generation;
    this.#freeAtMs[id] = inUse;
    this.#held += 1;
    return handleOf(generation, id);
  }
}

const inUse = Number.POSITIVE_INFINITY;

function handleOf(generation: number, slot: number): number {
  return ((generation << 16) | slot) >>> 0;
}

/** The Call ID of a call's handle. */
export function callIdOf(handle: number): number {
  return handle & 0xffff;
}

/** Gives out the handles of links: a slot that was used before if one is free, so that the engine's table stays short. */
export class LinkHandles {
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  get held(): number {
    return this.#generations.length - this.#free.length;
  }

  /** A link of a process before this one goes on. */
  hold(handle: number): void {
    const slot = handle & 0xffff;
    while (this.#generations.length <= slot) this.#free.push(this.#generations.push(0) - 1);
    const place = this.#free.indexOf(slot);
    if (place < 0) throw new Error(`the slot of link ${handle} is held`);
    this.#free.splice(place, 1);
    this.#generations[slot] = handle >>> 16;
  }

  take(): number {
    const slot = this.#free.pop() ?? this.#generations.length;
    const generation = ((this.#generations[slot] ?? 0) % 0xffff) + 1;
    this.#generations[slot] = generation;
    return handleOf(generation, slot);
  }

  release(handle: number): void {
    this.#free.push(handle & 0xffff);
  }
}
