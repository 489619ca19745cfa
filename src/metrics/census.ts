/**
 * The census: all sessions and all counters of the engine at one moment, and what they come to. Enter: the subject and the
 * engine's table. Leaves: one value that metrics, the node's page and the series of sessions are made of.
 *
 * It is a generator that stops after every few hundred sessions, so that whoever runs it can let others have their turn.
 */

import type { EventOf } from '../datapath/contract.ts';
import { CallSums, type SummedCounter, summedCounters } from '../session/call-sums.ts';
import type { LifeState } from '../session/lifecycle.ts';
import type { ServedSession } from '../session/served-session.ts';
import { type Column, CounterRows, columnOf } from './counter-rows.ts';
import type { Subject } from './subject.ts';

/** A session that is up, with its place in the engine's table. */
export interface Counted {
  readonly served: ServedSession;
  readonly row: number;
}

export interface Census {
  /** Of the monotonic clock. */
  readonly atMs: number;
  readonly rows: CounterRows;
  readonly totals: EventOf<'totals'>;
  readonly states: ReadonlyMap<LifeState, number>;
  /** Sessions that are up, by `kindOf`. */
  readonly kinds: ReadonlyMap<string, number>;
  readonly up: readonly Counted[];
  /** Of all calls since the process began, those that are over included. */
  sum(counter: SummedCounter): number;
}

/** Rows, or sessions, between two stops: half a millisecond. */
const stride = 500;

/** Of a call's handle: our Call ID. */
const slotMask = 0xffff;
const slots = slotMask + 1;
const none = -1;

const callColumn = columnOf('call');
const columns: readonly Column[] = summedCounters.map(columnOf);

export function* takeCensus(
  subject: Subject,
  parts: readonly Uint8Array[],
  totals: EventOf<'totals'>,
): Generator<undefined, Census> {
  const { switchboard, clock } = subject;
  const rows = new CounterRows(parts);
  const atMs = clock.nowMs();
  const live = new CallSums();
  // By slot: of calls that are held, no two have the same. A table of numbers costs the collector of garbage nothing.
  const rowOf = new Int32Array(slots).fill(none);
  for (let row = 0; row < rows.count; row++) {
    if (row % stride === stride - 1) yield;
    const call = rows.read(row, callColumn);
    // One that has been closed meanwhile is among those that are over.
    if (!switchboard.holdsCall(call)) continue;
    rowOf[call & slotMask] = row;
    // What it had counted before this process began is not of this process.
    const isAdopted = switchboard.adoptedCalls.delete(call);
    if (isAdopted) addRow(switchboard.closedCalls, rows, row, -1);
    addRow(live, rows, row, 1);
  }

  const states = new Map<LifeState, number>();
  const kinds = new Map<string, number>();
  const up: Counted[] = [];
  let seen = 0;
  for (const served of subject.sessions) {
    seen += 1;
    if (seen % stride === 0) yield;
    const { state, place } = served.session;
    states.set(state, (states.get(state) ?? 0) + 1);
    if (state !== 'up') continue;
    const kind = kindOf(served.method ?? 'none', encryptionOf(served));
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const row = rowOf[place.call & slotMask] ?? none;
    if (row !== none) up.push({ served, row });
  }
  const over = switchboard.closedCalls;
  return { atMs, rows, totals, states, kinds, up, sum: (counter) => live.get(counter) + over.get(counter) };
}

function addRow(sums: CallSums, rows: CounterRows, row: number, sign: 1 | -1): void {
  let at = 0;
  for (const column of columns) {
    sums.addAt(at, sign * rows.read(row, column));
    at += 1;
  }
}

/** The key of `kinds`. */
export function kindOf(authentication: string, encryption: string): string {
  return `${authentication} ${encryption}`;
}

export function encryptionOf({ session }: ServedSession): string {
  const mppe = session.agreed?.mppe;
  return mppe === undefined ? 'none' : `mppe${mppe.bits}`;
}
