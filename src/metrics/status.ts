/** The node as its own page shows it: one value for JSON. Enter: a moment and its rates. Leaves: what a person looks at first. Pure. */

import { formatIpv4 } from '../base/ip.ts';
import { encryptionOf } from './census.ts';
import type { Moment } from './collect.ts';
import type { Point, Rates } from './rates.ts';

/** Sessions that the page lists: the fastest. */
export const topSessions = 15;

export function* statusOf(
  { subject, census }: Pick<Moment, 'subject' | 'census'>,
  rates: Rates,
  { sinceMs, isNaming }: { readonly sinceMs: number; readonly isNaming: boolean },
): Generator<undefined, object> {
  const { node, version, clock, licence, accounting } = subject;
  const fastest = isNaming ? yield* rates.fastest(census.up, topSessions) : [];
  return {
    node,
    version,
    atMs: clock.wallMs(),
    unreadiness: subject.unreadiness,
    isDraining: subject.isDraining,
    sessions: Object.fromEntries(census.states),
    licence: {
      level: licence.level,
      used: licence.used,
      limit: Number.isFinite(licence.limit) ? licence.limit : null,
    },
    rates: rates.whole,
    radius: subject.radius.flatMap(({ comment, roles }) =>
      roles.map(
        ({ server, role, state, requests, rejects, timeouts, pending, queued, averageRttMs = null }) => ({
          server,
          comment,
          role,
          state,
          requests,
          rejects,
          timeouts,
          pending: pending + queued,
          averageRttMs,
        }),
      ),
    ),
    accounting: {
      pending: accounting.pending,
      oldestAgeMs: clock.wallMs() - (accounting.oldestAtMs ?? clock.wallMs()),
      journalBytes: accounting.journalBytes,
      isHealthy: accounting.isHealthy,
    },
    nodes: subject.nodes.map(({ node: name, sessions, isSuspect, isDraining }) => ({
      node: name,
      sessions,
      isSuspect,
      isDraining,
    })),
    points: rates.points.filter(({ atMs }) => atMs > sinceMs).map(rowOf),
    fastest: fastest.map((served) => ({
      user: served.user,
      interface: served.session.name,
      address: served.row === undefined ? '' : formatIpv4(served.row.framedAddress),
      callerId: formatIpv4(served.identity.peerAddress),
      uptimeMs: Math.round(served.session.uptimeMs),
      encryption: encryptionOf(served),
      ...rates.of(served),
    })),
  };
}

/** As the page's charts take it: time, sessions, receive, transmit, requests at RADIUS, records pending. */
function rowOf(point: Point): readonly number[] {
  const { atMs, sessions, receiveBps, transmitBps, radiusPending, accountingPending } = point;
  return [atMs, sessions, Math.round(receiveBps), Math.round(transmitBps), radiusPending, accountingPending];
}
