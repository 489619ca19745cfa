/** What happens in accounting, counted. Each name is a metric; limits that are hit are among them. */

import { type Tally, tally } from '../base/observe.ts';

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

export const accountingTally: Tally<keyof typeof happenings> = tally('accounting', happenings);
