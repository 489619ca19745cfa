/** What metrics read of the program: its parts as they stand, each asked anew whenever somebody looks. Types only. */

import type { Clock } from '../base/clock.ts';
import type { Licence } from '../licence/licence.ts';
import type { ServerMonitor } from '../radius/counters.ts';
import type { DynamicAuthorization } from '../radius/dynamic.ts';
import type { PoolUsage } from '../session/addresses.ts';
import type { NodeRow } from '../session/registry/registry.ts';
import type { ServedSession } from '../session/served-session.ts';
import type { Switchboard } from '../session/switchboard.ts';

/** Accounting at a moment. */
export interface AccountingState {
  /** Sessions that are accounted for. */
  readonly sessions: number;
  /** Records that no server has acknowledged. */
  readonly pending: number;
  /** When the oldest of them was made, since 1970; undefined if there is none. */
  readonly oldestAtMs: number | undefined;
  /** Octets of the journal's newest segment. */
  readonly journalBytes: number;
  /** The disk takes the journal. */
  readonly isHealthy: boolean;
  /** New sessions are refused because there is hardly room left for records. */
  readonly isFull: boolean;
}

export interface PoolState extends PoolUsage {
  readonly name: string;
}

/** How the files of the configuration were read last. */
export interface Reload {
  /** What they say is in force. */
  readonly isSuccessful: boolean;
  /** When that was so last, since 1970. */
  readonly successAtMs: number;
}

export interface Subject {
  /** The system identity. */
  readonly node: string;
  readonly version: string;
  readonly clock: Clock;
  readonly switchboard: Pick<Switchboard, 'counterOctets' | 'holdsCall' | 'closedCalls' | 'adoptedCalls'>;
  readonly licence: Pick<Licence, 'level' | 'limit' | 'used'>;
  /** Of this node's server, in any state. */
  readonly sessions: Iterable<ServedSession>;
  readonly isDraining: boolean;
  /** Why no client should be sent here now; empty if it is well. */
  readonly unreadiness: readonly string[];
  readonly radius: readonly ServerMonitor[];
  readonly radiusIncoming: Pick<DynamicAuthorization, 'monitor' | 'tally'>;
  readonly accounting: AccountingState;
  readonly pools: readonly PoolState[];
  readonly lastReload: Reload;
  /** Sessions are told to others, so that scripts run in Redis. */
  readonly hasRedis: boolean;
  /** Answers of the registry come from all nodes. */
  readonly isOnline: boolean;
  readonly nodes: readonly NodeRow[];
}
