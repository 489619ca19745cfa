/**
 * The census: all sessions and all counters of the engine at one moment, and what they come to. Enter: the subject and the
 * engine's table. Leaves: one value that metrics, the node's page and the series of sessions are made of.
 *
 * It is a generator that stops after every few hundred sessions, so that whoever runs it can let others have their turn.
 */

import type { EventOf } from '../datapath/contract.ts';
import { callIdMax, callIdOf } from '../session/call-ids.ts';
import { CallSums, type SummedCounter, summedCounters } from '../session/call-sums.ts';
import type { LifeState } from '../session/lifecycle.ts';
import type { ServedSession } from '../session/served-session.ts';
import { type Column, CounterRows, columnOf } from './counter-rows.ts';
import type { Subject } from './subject.ts';

export interface Census {
  /** Of the monotonic clock. */
  readonly atMs: number;
  readonly rows: CounterRows;
  readonly totals: EventOf<'totals'>;
  readonly states: ReadonlyMap<LifeState, number>;
  /** Sessions that are up, by `kindOf`. */
  readonly kinds: ReadonlyMap<string, number>;
  /** Those that are up and have a row in the engine's table. */
  readonly up: readonly ServedSession[];
  /** The row of one of those. */
  rowOf(served: ServedSession): number;
  /** Of all calls since the process began, those that are over included. */
  sum(counter: SummedCounter): number;
}

/** Rows, or sessions, between two stops: half a millisecond. */
const stride = 500;

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
  // By Call ID. A table of numbers costs the collector of garbage nothing.
  const rowById = new Int32Array(callIdMax + 1).fill(none);
  for (let row = 0; row < rows.count; row++) {
    if (row % stride === stride - 1) yield;
    const call = rows.read(row, callColumn);
    // One that has been closed meanwhile is among those that are over.
    if (!switchboard.holdsCall(call)) continue;
    rowById[callIdOf(call)] = row;
    // What it had counted before this process began is not of this process.
    const isAdopted = switchboard.adoptedCalls.delete(call);
    if (isAdopted) addRow(switchboard.closedCalls, rows, row, -1);
    addRow(live, rows, row, 1);
  }

  const states = new Map<LifeState, number>();
  const kinds = new Map<string, number>();
  const rowOf = ({ session }: ServedSession) => rowById[callIdOf(session.place.call)] ?? none;
  const up: ServedSession[] = [];
  let seen = 0;
  for (const served of subject.sessions) {
    seen += 1;
    if (seen % stride === 0) yield;
    const { state } = served.session;
    states.set(state, (states.get(state) ?? 0) + 1);
    if (state !== 'up') continue;
    const kind = kindOf(served.method ?? 'none', encryptionOf(served));
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (rowOf(served) !== none) up.push(served);
  }
  const over = switchboard.closedCalls;
  const sum = (counter: SummedCounter) => live.get(counter) + over.get(counter);
  return { atMs, rows, totals, states, kinds, up, rowOf, sum };
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
