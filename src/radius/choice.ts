/**
 * Which servers a query may go to, best first. Pure: a list of servers as they stand, and a query, give an order.
 *
 *     1  alive, or dead and due for a trial
 *     2  alive, but a backup
 *     3  zombies, in the order of the list
 *     4  dead ones likewise: when all are dead the first is asked all the same
 *
 * Within 1 and 2 the server with the least load for its weight; those without a weight follow, in the order of the list.
 */

import type { ServerState } from './health.ts';
import type { Query, Role } from './query.ts';
import type { RadiusServer } from './settings.ts';

/** A server in one role, as much as a choice needs. */
export interface Candidate {
  readonly name: string;
  readonly role: Role;
  readonly settings: RadiusServer;
  readonly state: ServerState;
  readonly isTrialDue: boolean;
  /** Requests that await its reply or a place. */
  readonly load: number;
}

/** The servers that `query` may be sent to. One that is named in `preferred` is the first while it is not dead. */
export function choose<C extends Candidate>(
  candidates: readonly C[],
  query: Query,
  preferred: string | undefined,
): readonly C[] {
  const fitting = candidates.filter(({ role, settings }) => role === query.role && fits(settings, query));
  return fitting
    .map((candidate, at) => ({ candidate, at }))
    .sort(
      (one, other) =>
        rankOf(one.candidate, preferred) - rankOf(other.candidate, preferred) ||
        pressure(one.candidate) - pressure(other.candidate) ||
        one.at - other.at,
    )
    .map(({ candidate }) => candidate);
}

/** A server that names a called address or a domain is for that one only. */
function fits({ calledId, domain }: RadiusServer, query: Query): boolean {
  return (
    (calledId === '' || calledId === query.calledId) && (domain === '' || isSameDomain(domain, query.domain))
  );
}

/** NetBIOS knows no case. */
function isSameDomain(one: string, other = ''): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function rankOf(
  { name, role, settings, state, isTrialDue }: Candidate,
  preferred: string | undefined,
): number {
  if (name === preferred && state !== 'dead') return 0;
  const isBackup = settings.backup || (role === 'accounting' && settings.accountingBackup);
  if (state === 'alive' || isTrialDue) return isBackup ? 2 : 1;
  return state === 'zombie' ? 3 : 4;
}

/** What one more request would make of the load, for the weight. */
function pressure({ settings: { weight }, load, state, isTrialDue }: Candidate): number {
  if (state !== 'alive' && !isTrialDue) return 0;
  return weight === 0 ? Number.MAX_VALUE : (load + 1) / weight;
}
