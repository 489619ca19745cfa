/**
 * How fast each session is, from one census to the next, and the last hour of the whole node in steps of some seconds. Enter:
 * censuses. Leave: rates in bits per second, and the points of the hour. Pure; like the census, a generator that stops often.
 */

import type { ServedSession } from '../session/served-session.ts';
import type { Census } from './census.ts';
import { bps, Paces, type Rate, still } from './paces.ts';

/** The node at a step. */
export interface Point extends Rate {
  /** Since 1970. */
  readonly atMs: number;
  readonly sessions: number;
  readonly radiusPending: number;
  readonly accountingPending: number;
}

interface Paced {
  readonly served: ServedSession;
  readonly bps: number;
}

/** An hour of the node's page. */
const pointsMax = 720;
const stride = 500;

export class Rates {
  readonly #points: Point[] = [];
  readonly #paces = new Paces();
  #whole: Rate = still;
  #last: { readonly atMs: number; readonly received: number; readonly transmitted: number } | undefined;

  /** From the oldest. */
  get points(): readonly Point[] {
    return this.#points;
  }

  get whole(): Rate {
    return this.#whole;
  }

  of(served: ServedSession): Rate {
    return this.#paces.of(served.session.place.call);
  }

  *follow(census: Census): Generator<undefined, void> {
    const last = this.#last;
    const { readings, atMs } = census;
    const now = {
      atMs,
      received: readings.sum('receivedOctets'),
      transmitted: readings.sum('transmittedOctets'),
    };
    for (const [at, { session }] of census.up.entries()) {
      if (at % stride === stride - 1) yield;
      const { call } = session.place;
      const received = readings.read(call, 'receivedOctets');
      const transmitted = readings.read(call, 'transmittedOctets');
      this.#paces.note(call, received, transmitted, atMs);
    }
    this.#last = now;
    if (last === undefined) return;
    const elapsedMs = now.atMs - last.atMs;
    this.#whole = {
      receiveBps: bps(now.received - last.received, elapsedMs),
      transmitBps: bps(now.transmitted - last.transmitted, elapsedMs),
    };
  }

  note(point: Omit<Point, keyof Rate>): void {
    this.#points.push({ ...point, ...this.#whole });
    if (this.#points.length > pointsMax) this.#points.shift();
  }

  /** The `count` fastest sessions, both ways together, the fastest first. */
  *fastest(up: readonly ServedSession[], count: number): Generator<undefined, readonly ServedSession[]> {
    let best: Paced[] = [];
    for (const served of up) {
      const { receiveBps, transmitBps } = this.of(served);
      best.push({ served, bps: receiveBps + transmitBps });
      if (best.length < count + stride) continue;
      best = firstOf(best, count);
      yield;
    }
    return firstOf(best, count).map(({ served }) => served);
  }
}

function firstOf(all: Paced[], count: number): Paced[] {
  return all.sort((one, other) => other.bps - one.bps).slice(0, count);
}
