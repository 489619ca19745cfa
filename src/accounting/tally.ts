/** What happens in accounting, counted. Each name is a metric; limits that are hit are among them. */

import { type Tally, tally } from '../base/observe.ts';
import type { AccountingRecord } from './record.ts';

const happenings = {
  starts: 'Accounting-Requests of sessions that came up, made.',
  interims: 'Interim-Updates made.',
  stops: 'Accounting-Requests of sessions that ended, made.',
  recoveredStops: 'Stops made for sessions that a process before this one left open.',
  delivered: 'Records that a server has acknowledged.',
  superseded: 'Interim-Updates that a newer one replaced before a server had them (RFC 5080 erratum 4623).',
  undelivered: 'Attempts to deliver a record that no server answered; it is tried again.',
  strays: 'Ends of sessions that were not known: ended already, or never up.',
  unread: 'Sweeps without counters: the engine did not answer in time.',
  lateNodeRecords:
    'Accounting-Ons that were not acknowledged in time; sessions were told without waiting longer.',
  journalFaults: 'Times that the disk stopped taking the journal.',
  journalDamage: 'Damaged lines met when the journal was read.',
  journalSegments: 'Journal segments begun.',
} as const;

/** By what they tell: of sessions, and of the node. */
const kinds = {
  start: 'records that a session came up',
  interim: 'records of a session that goes on',
  stop: 'records that a session ended',
  on: 'records that the node takes sessions',
  off: 'records that the node takes no more',
} as const satisfies Readonly<Record<AccountingRecord['kind'], string>>;
export const recordKinds = Object.keys(kinds) as readonly (keyof typeof kinds)[];

/** Records that are this node's to tell, and those that servers have acknowledged to it, also of processes and nodes before. */
export const recordTallies: Readonly<Record<'made' | 'acknowledged', Tally<keyof typeof kinds>>> = {
  made: tally('accounting-records', kinds),
  acknowledged: tally('accounting-records', kinds),
};

export const accountingTally: Tally<keyof typeof happenings> = tally('accounting', happenings);
