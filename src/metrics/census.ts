/**
 * The census: all sessions at one moment, with a reading of the engine's counters. Enter: the subject and the engine's answer.
 * Leaves: one value that metrics, the node's page and the series of sessions are made of.
 *
 * It is a generator that stops after every few hundred sessions, so that whoever runs it can let others have their turn.
 */

import type { EventOf } from '../datapath/contract.ts';
import type { LifeState } from '../session/lifecycle.ts';
import type { ServedSession } from '../session/served-session.ts';
import { mppeNames } from './catalogue.ts';
import type { Readings } from './readings.ts';
import type { Subject } from './subject.ts';

export interface Census {
  /** Of the monotonic clock. */
  readonly atMs: number;
  readonly readings: Readings;
  readonly totals: EventOf<'totals'>;
  readonly states: ReadonlyMap<LifeState, number>;
  /** Sessions that are up, by authentication and by encryption. */
  readonly kinds: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Those that are up and have been read. */
  readonly up: readonly ServedSession[];
}

/** Sessions between two stops: a fifth of a millisecond. */
const stride = 500;

/** What the engine has answered. */
export interface Answer {
  readonly atMs: number;
  readonly readings: Readings;
  readonly totals: EventOf<'totals'>;
}

export function* takeCensus(
  sessions: Subject['sessions'],
  { atMs, readings, totals }: Answer,
): Generator<undefined, Census> {
  const states = new Map<LifeState, number>();
  const kinds = new Map<string, Map<string, number>>();
  const up: ServedSession[] = [];
  let seen = 0;
  for (const served of sessions) {
    seen += 1;
    if (seen % stride === 0) yield;
    const { state, place } = served.session;
    add(states, state);
    if (state !== 'up') continue;
    const method = served.method ?? 'none';
    const ofMethod = kinds.get(method) ?? new Map<string, number>();
    kinds.set(method, ofMethod);
    add(ofMethod, encryptionOf(served));
    if (readings.has(place.call)) up.push(served);
  }
  return { atMs, readings, totals, states, kinds, up };
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export function encryptionOf({ session }: ServedSession): string {
  const mppe = session.agreed?.mppe;
  return (mppe && mppeNames.get(mppe.bits)) ?? 'none';
}
