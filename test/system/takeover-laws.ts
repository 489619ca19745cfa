/** What must hold of sessions whose control process came and went. Pure. */

import { expect } from 'vitest';
import type { Recorded } from './freeradius.io.ts';
import type { Ridden } from './takeover-ride.io.ts';

/** No session ended, no packet was lost that is not lost without it, and accounting tells of each session once, with counters that only grow. */
export function expectUnnoticed({ sessions, calm, stormy, ended, resumed, told }: Ridden): void {
  expect(ended).toEqual([]);
  expect(new Set(resumed)).toEqual(new Set([sessions]));
  if (Object.keys(calm.lost).length === 0) expect(stormy.lost).toEqual({});
  const ofSessions = [...told.values()].filter(
    ([first]) => first?.get('Acct-Session-Id') !== undefined && isOfSession(first),
  );
  expect(ofSessions).toHaveLength(sessions);
  for (const records of ofSessions) {
    const kinds = records.map((record) => record.get('Acct-Status-Type'));
    expect([kinds.at(0), kinds.at(-1)]).toEqual(['Start', 'Stop']);
    expect(new Set(kinds.slice(1, -1))).toEqual(new Set(['Interim-Update']));
    const counted = records.slice(1).map(countersOf);
    expect(counted).toEqual(
      counted.map((each, at) => each.map((value, which) => Math.max(value, counted[at - 1]?.[which] ?? 0))),
    );
    expect(records.at(-1)?.get('Acct-Terminate-Cause')).toBe('Admin-Reboot');
  }
}

function isOfSession(record: Recorded): boolean {
  return !['Accounting-On', 'Accounting-Off'].includes(record.get('Acct-Status-Type') ?? '');
}

function countersOf(record: Recorded): readonly number[] {
  return [
    'Acct-Session-Time',
    'Acct-Input-Octets',
    'Acct-Output-Octets',
    'Acct-Input-Packets',
    'Acct-Output-Packets',
  ].map((name) => Number(record.get(name)));
}
