/**
 * What FreeRADIUS was told of each session, every thing once. A record whose acknowledgement was lost is told again, word for word but
 * for its delay; FreeRADIUS keeps no replies to accounting and writes such a copy down behind the first. Servers that bill know
 * copies by session and kind. Pure.
 */

import type { Recorded } from './freeradius.io.ts';

export interface Telling {
  /** By Acct-Session-Id, in the order in which they came. */
  readonly told: ReadonlyMap<string, readonly Recorded[]>;
  readonly copies: number;
}

export function withoutCopies(records: readonly Recorded[]): Telling {
  const told = new Map<string, Recorded[]>();
  let copies = 0;
  for (const record of records) {
    const sessionId = record.get('Acct-Session-Id') ?? '';
    const before = told.get(sessionId) ?? [];
    const last = before.at(-1);
    if (last !== undefined && wordsOf(last) === wordsOf(record)) copies += 1;
    else told.set(sessionId, [...before, record]);
  }
  return { told, copies };
}

/** All that a record says but when it came, and how late. */
function wordsOf(record: Recorded): string {
  const words = record.attributes.filter(([name]) => name !== 'Timestamp' && name !== 'Acct-Delay-Time');
  return JSON.stringify(words);
}
