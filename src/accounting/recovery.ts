/**
 * Recovery: what the segments of a process before amount to. The newest segment whose opening is whole says all that was true
 * when it was begun; those before it add nothing, those after it were never finished and only add to it.
 *
 * A kill tears the last line, a disk can mangle any. Each such line is told with its file and number, and reading goes on
 * behind it. Pure.
 */

import { decodeLine, type JournalLine } from './journal.ts';
import { LedgerState } from './ledger.ts';

export interface Segment {
  readonly file: string;
  readonly octets: Uint8Array;
}

/** A line that cannot be used. `torn`: the last one, of which only the beginning was written; nobody was promised it. */
export interface Damage {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly is: 'corrupt' | 'unknown' | 'torn';
}

/** `segments` from the oldest to the newest. */
export function recover(segments: readonly Segment[], tell: (damage: Damage) => void): LedgerState {
  const read = segments.map((segment) => linesOf(segment, tell));
  const newestWhole = read.findLastIndex((lines) => lines.some((line) => line.is === 'whole'));
  const state = new LedgerState();
  for (const lines of read.slice(Math.max(0, newestWhole))) for (const line of lines) state.apply(line);
  return state;
}

const lineFeed = 10;

function linesOf({ file, octets }: Segment, tell: (damage: Damage) => void): JournalLine[] {
  const lines: JournalLine[] = [];
  for (let from = 0, number = 1; from < octets.length; number++) {
    const found = octets.indexOf(lineFeed, from);
    const to = found < 0 ? octets.length : found;
    const line = decodeLine(octets.subarray(from, to));
    if (typeof line !== 'string') lines.push(line);
    else tell({ file, line: number, is: found < 0 && line === 'corrupt' ? 'torn' : line });
    from = to + 1;
  }
  return lines;
}
