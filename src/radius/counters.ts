/** What is counted of a server in one role, in RouterOS's words (`/radius monitor`), and how it is shown. */

import { type Distribution, distribution } from '../base/observe.ts';
import type { ServerState } from './health.ts';
import type { Role } from './query.ts';

/** In seconds: from a server in the same rack to one that is asked a third time. */
const replyBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class Counters {
  /** Sent for the first time. */
  requests = 0;
  /** Access-Accepts, Accounting-Responses. */
  accepts = 0;
  rejects = 0;
  challenges = 0;
  /** Copies sent. */
  resends = 0;
  /** Requests that no transmission brought a reply to. */
  timeouts = 0;
  /** Packets discarded because they answer nothing or lack a proof: with CHAP, all that a wrong secret shows. */
  badReplies = 0;
  /** From the first transmission to the reply. */
  lastRequestRttMs: number | undefined;
  averageRttMs: number | undefined;
  /** The same of all replies, in seconds. */
  readonly replies: Distribution = distribution(replyBounds);

  answered(replyMs: number): void {
    this.lastRequestRttMs = replyMs;
    this.replies.add(replyMs / 1000);
    // The weights of RFC 6298 section 2.
    this.averageRttMs = this.averageRttMs === undefined ? replyMs : (7 * this.averageRttMs + replyMs) / 8;
  }
}

/** A server in one role at a moment. */
export interface RoleMonitor extends Readonly<Omit<Counters, 'answered'>> {
  readonly role: Role;
  /** `192.0.2.1:1812`. */
  readonly server: string;
  readonly state: ServerState;
  /** Await a reply. */
  readonly pending: number;
  /** Wait for a place among those. */
  readonly queued: number;
}

/** An entry of `/radius` at a moment: both roles together, and each by itself. */
export interface ServerMonitor extends Omit<RoleMonitor, 'role' | 'server' | 'averageRttMs' | 'replies'> {
  readonly address: string;
  readonly comment: string;
  readonly roles: readonly RoleMonitor[];
}

const added = [
  'pending',
  'queued',
  'requests',
  'accepts',
  'rejects',
  'challenges',
  'resends',
  'timeouts',
  'badReplies',
] as const;

const byConcern: readonly ServerState[] = ['dead', 'zombie', 'alive'];

/** The state is that of the role that is worse off, the time that of the slower one. */
export function together(address: string, comment: string, roles: readonly RoleMonitor[]): ServerMonitor {
  const sums = Object.fromEntries(
    added.map((name) => [name, roles.reduce((sum, role) => sum + role[name], 0)]),
  ) as Record<(typeof added)[number], number>;
  const timesMs = roles.flatMap(({ lastRequestRttMs }) => lastRequestRttMs ?? []);
  return {
    address,
    comment,
    state: byConcern.find((state) => roles.some((role) => role.state === state)) ?? 'alive',
    ...sums,
    lastRequestRttMs: timesMs.length === 0 ? undefined : Math.max(...timesMs),
    roles,
  };
}
