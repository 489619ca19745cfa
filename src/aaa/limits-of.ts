/**
 * The limits that RADIUS attributes ask for, in an Access-Accept (reply.ts) as in a CoA-Request (here): times, rates, octets,
 * filters and address lists. Attributes in, limits out. What is not said is not in them; a value that cannot be read spoils
 * them all. Pure.
 */

import { isSayable } from '../net/filter-plan.ts';
import type { AttributeName, Attributes } from '../radius/attribute.ts';
import { type ErrorCause, errorCauses } from '../radius/error-cause.ts';
import type { Change } from './change.ts';
import { isListName } from './firewall-name.ts';
import type { Limits } from './grant.ts';
import { isRate, ratesOf } from './rates-of.ts';
import { together, Unreadable } from './reading.ts';

type Part = Partial<Limits> | Unreadable;

const readers: readonly ((attributes: Attributes) => Part)[] = [times, rates, quota, filters, addressLists];

export function limitsOf(attributes: Attributes): Part {
  return together(readers.map((read) => read(attributes)));
}

/** Zero is no limit. */
function times(attributes: Attributes): Part {
  const session = attributes.first('Session-Timeout');
  const idle = attributes.first('Idle-Timeout');
  return {
    ...(session !== undefined && { sessionTimeoutMs: 1000 * session || undefined }),
    ...(idle !== undefined && { idleTimeoutMs: 1000 * idle || undefined }),
  };
}

function rates(attributes: Attributes): Part {
  const said = ratesOf(attributes);
  return said === undefined || said instanceof Unreadable ? (said ?? {}) : { rates: said };
}

/** Octets are counted from the session's beginning. Who says one of them says them all: zero or nothing is no limit. */
function quota(attributes: Attributes): Part {
  if (!quotaNames.flat().some((name) => attributes.has(name))) return {};
  const [receiveOctets, transmitOctets, totalOctets] = quotaNames.map(([low, high]) =>
    octetsOf(attributes.first(low), attributes.first(high)),
  );
  return { quota: { receiveOctets, transmitOctets, totalOctets } };
}

/** From the user, to him, and both together: the lower 32 bits, and the upper ones. */
const quotaNames = [
  ['Mikrotik-Recv-Limit', 'Mikrotik-Recv-Limit-Gigawords'],
  ['Mikrotik-Xmit-Limit', 'Mikrotik-Xmit-Limit-Gigawords'],
  ['Mikrotik-Total-Limit', 'Mikrotik-Total-Limit-Gigawords'],
] as const;

/** Eight petabytes is no limit either. */
function octetsOf(low = 0, high = 0): number | undefined {
  return Math.min(high * 2 ** 32 + low, Number.MAX_SAFE_INTEGER) || undefined;
}

/**
 * Filter-Id names a chain; behind it `.in` is for what the user sends, `.out` for what he gets, nothing for both. Of several
 * the last for each direction counts. Who names one says both directions.
 */
function filters(attributes: Attributes): Part {
  const names = attributes.all('Filter-Id').filter((name) => !isRate(name));
  if (names.length === 0) return {};
  let incoming: string | undefined;
  let outgoing: string | undefined;
  for (const name of names) {
    const [, chain = '', way] = /^(.*?)(\.in|\.out)?$/.exec(name) ?? [];
    if (!isSayable(chain)) return new Unreadable('Filter-Id', name);
    if (way !== '.out') incoming = chain;
    if (way !== '.in') outgoing = chain;
  }
  return { filters: { incoming, outgoing } };
}

function addressLists(attributes: Attributes): Part {
  const lists = attributes.all('Mikrotik-Address-List');
  const wrong = lists.find((name) => !isListName(name));
  if (wrong !== undefined) return new Unreadable('Mikrotik-Address-List', wrong);
  return lists.length === 0 ? {} : { addressLists: [...new Set(lists)] };
}

/** RFC 2869 section 5.16: no server may ask for less. */
const shortestInterim = 60;

/** Acct-Interim-Interval in ms, at least a minute; 0: none. Undefined if nothing is said. */
export function interimMsOf(attributes: Attributes): number | undefined {
  const interval = attributes.first('Acct-Interim-Interval');
  if (interval === undefined || interval === 0) return interval;
  return 1000 * Math.max(interval, shortestInterim);
}

/** What CoA may change. */
const changeable: ReadonlySet<AttributeName> = new Set([
  'Session-Timeout',
  'Idle-Timeout',
  'Acct-Interim-Interval',
  'Class',
  'Filter-Id',
  'Mikrotik-Address-List',
  'Mikrotik-Rate-Limit',
  'Ascend-Data-Rate',
  'Ascend-Xmit-Rate',
  'WISPr-Bandwidth-Max-Up',
  'WISPr-Bandwidth-Max-Down',
  'WISPr-Bandwidth-Min-Up',
  'WISPr-Bandwidth-Min-Down',
  'Cisco-AVPair',
  ...quotaNames.flat(),
]);

/** Why a CoA-Request changes nothing, and the attribute that is the reason. */
export interface ChangeRefusal {
  readonly errorCause: ErrorCause;
  readonly attribute: AttributeName;
}

/**
 * What a CoA-Request changes a session to: all that it says, or nothing. A time that it sets counts from now. `attributes` are
 * those that ask for something; who is asked, and what proves it, has been taken out.
 */
export function changeOf(attributes: Attributes): Change | ChangeRefusal {
  const unsupported = attributes.names.find((name) => !changeable.has(name));
  if (unsupported !== undefined) {
    return { errorCause: errorCauses.unsupportedAttribute, attribute: unsupported };
  }
  const limits = limitsOf(attributes);
  if (limits instanceof Unreadable) {
    return { errorCause: errorCauses.invalidAttributeValue, attribute: limits.attribute };
  }
  const classes = attributes.all('Class');
  const interimMs = interimMsOf(attributes);
  return {
    ...limits,
    ...(classes.length > 0 && { classes }),
    ...(interimMs !== undefined && { interimMs }),
  };
}
