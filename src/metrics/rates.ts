/**
 * How fast each session is, from one census to the next, and the last hour of the whole node in steps of some seconds. Enter:
 * censuses. Leave: rates in bits per second, and the points of the hour. Pure; like the census, a generator that stops often.
 */

import type { ServedSession } from '../session/served-session.ts';
import type { Census, Counted } from './census.ts';
import { columnOf } from './counter-rows.ts';

export interface Rate {
  readonly receiveBps: number;
  readonly transmitBps: number;
}

/** The node at a step. */
export interface Point extends Rate {
  /** Since 1970. */
  readonly atMs: number;
  readonly sessions: number;
  readonly radiusPending: number;
  readonly accountingPending: number;
}

interface Pace extends Rate {
  readonly received: number;
  readonly transmitted: number;
}

/** An hour of the node's page. */
const pointsMax = 720;
const stride = 500;
const still: Rate = { receiveBps: 0, transmitBps: 0 };

export const octetColumns = {
  received: columnOf('receivedOctets'),
  transmitted: columnOf('transmittedOctets'),
} as const;

export class Rates {
  readonly #points: Point[] = [];
  #paces: ReadonlyMap<ServedSession, Pace> = new Map();
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
    return this.#paces.get(served) ?? still;
  }

  *follow(census: Census): Generator<undefined, void> {
    const last = this.#last;
    const now = {
      atMs: census.atMs,
      received: census.sum('receivedOctets'),
      transmitted: census.sum('transmittedOctets'),
    };
    const elapsedMs = last === undefined ? 0 : now.atMs - last.atMs;
    const paces = new Map<ServedSession, Pace>();
    for (const [at, { served, row }] of census.up.entries()) {
      if (at % stride === stride - 1) yield;
      const received = census.rows.read(row, octetColumns.received);
      const transmitted = census.rows.read(row, octetColumns.transmitted);
      const before = this.#paces.get(served);
      paces.set(served, {
        received,
        transmitted,
        receiveBps: before === undefined ? 0 : bps(received - before.received, elapsedMs),
        transmitBps: before === undefined ? 0 : bps(transmitted - before.transmitted, elapsedMs),
      });
    }
    this.#paces = paces;
    this.#last = now;
    if (last === undefined) return;
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
  *fastest(up: readonly Counted[], count: number): Generator<undefined, readonly Counted[]> {
    const speed = ({ served }: Counted): number => {
      const { receiveBps, transmitBps } = this.of(served);
      return receiveBps + transmitBps;
    };
    let best: { readonly counted: Counted; readonly bps: number }[] = [];
    for (const [at, counted] of up.entries()) {
      best.push({ counted, bps: speed(counted) });
      if (best.length < count + stride) continue;
      best = firstOf(best, count);
      if (at % stride === stride - 1) yield;
    }
    return firstOf(best, count).map(({ counted }) => counted);
  }
}

function firstOf<T extends { readonly bps: number }>(all: T[], count: number): T[] {
  return all.sort((one, other) => other.bps - one.bps).slice(0, count);
}

/** Octets in a time as bits per second; counters that seem to go back are a call that began anew. */
function bps(octets: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (Math.max(0, octets) * 8 * 1000) / elapsedMs : 0;
}
