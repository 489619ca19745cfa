/**
 * Accounting records: what happened, self-contained, in no server's words. A record is made once and never changes; how it
 * is told to RADIUS is by-radius.ts's, how it is kept journal.io.ts's. Types, and the numbers of why sessions end.
 */

import type { NasIdentity, SessionIdentity } from '../aaa/identity.ts';
import type { Ipv4 } from '../base/ip.ts';

/** What all records of a session say, fixed when it comes up but for what CoA may change. */
export interface SessionFacts {
  readonly identity: SessionIdentity;
  /** As authentication has it, or as the server's User-Name renamed it. */
  readonly user: string;
  readonly authentic: 'local' | 'radius';
  /** Of the user. */
  readonly framedAddress: Ipv4;
  /** Values of Class in the order that the server gave them. */
  readonly classes: readonly Uint8Array[];
}

/** `received` is what the user has sent: RADIUS's Input. */
export interface Usage {
  readonly receivedOctets: bigint;
  readonly transmittedOctets: bigint;
  readonly receivedPackets: bigint;
  readonly transmittedPackets: bigint;
}

/** Acct-Terminate-Cause (RFC 2866 section 5.10). */
export const acctTerminateCause = {
  userRequest: 1,
  lostCarrier: 2,
  lostService: 3,
  idleTimeout: 4,
  sessionTimeout: 5,
  adminReset: 6,
  adminReboot: 7,
  portError: 8,
  nasError: 9,
  nasRequest: 10,
  nasReboot: 11,
  portPreempted: 13,
  serviceUnavailable: 15,
  userError: 17,
} as const;

interface OfSession {
  readonly facts: SessionFacts;
  /** When it happened, in ms since 1970. */
  readonly atMs: number;
}

interface OfUse extends OfSession {
  readonly uptimeMs: number;
  readonly usage: Usage;
}

export interface Start extends OfSession {
  readonly kind: 'start';
}

export interface Interim extends OfUse {
  readonly kind: 'interim';
}

export interface Stop extends OfUse {
  readonly kind: 'stop';
  /** Acct-Terminate-Cause (RFC 2866 section 5.10). */
  readonly terminateCause: number;
}

/** The node itself: ready for sessions (Accounting-On), or no more (Accounting-Off). */
export interface NodeRecord {
  readonly kind: 'on' | 'off';
  readonly nas: NasIdentity;
  /** Acct-Session-Id of the node's own records. */
  readonly sessionId: string;
  readonly atMs: number;
}

export type AccountingRecord = Start | Interim | Stop | NodeRecord;

/** Records of one stream are told in order: a session's, or the node's. */
export function streamOf(record: AccountingRecord): string {
  return 'facts' in record ? record.facts.identity.sessionId : record.sessionId;
}
