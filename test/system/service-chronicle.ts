/**
 * What has been, from what all nodes of a service said and what FreeRADIUS wrote down: who was up where, with which address, from when
 * to when. Enter: lines of logs, the moments at which a node was killed or cut off, accounting records. Leave: what must not have been,
 * a sentence for each. Pure.
 */

import { withoutCopies } from './accounting-copies.ts';
import type { Line } from './concentrator.io.ts';
import type { Recorded } from './freeradius.io.ts';

/** From one moment to another, in ms since 1970; a moment that is to come is infinite. */
export interface While {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A session on its node. */
export interface Stay extends While {
  readonly node: string;
  readonly user: string;
  readonly address: string;
  readonly sessionId: string;
}

/** A time in which a node could not be heard, or could not hear: from the fault to its end. */
export interface CutOff extends While {
  readonly node: string;
}

/** One run of a node's control process; `killedMs` if it was killed. */
export interface Boot {
  readonly node: string;
  readonly lines: readonly Line[];
  readonly killedMs: number | undefined;
}

/** A node that is heard of again writes its sessions within this time, in ms; what must end then takes as long to say goodbye. */
const returnMs = 6_000;

export function staysOf(boots: readonly Boot[]): readonly Stay[] {
  return boots.flatMap(staysOfBoot);
}

function staysOfBoot({ node, lines, killedMs = Number.POSITIVE_INFINITY }: Boot): readonly Stay[] {
  const stays: Stay[] = [];
  const open = new Map<string, Omit<Stay, 'toMs'>[]>();
  for (const line of lines) {
    const { msg, time } = line;
    const [, user = '', address = ''] = /^(\S+) logged in, (\S+) from/.exec(msg) ?? [];
    if (address !== '') {
      const { sessionId = '' } = line as { readonly sessionId?: string };
      const stay = { node, user, address, sessionId, fromMs: Date.parse(time) };
      open.set(user, [...(open.get(user) ?? []), stay]);
      continue;
    }
    const [, leaver = ''] = /^(\S+) logged out,/.exec(msg) ?? [];
    const [first, ...others] = open.get(leaver) ?? [];
    if (first === undefined) continue;
    stays.push({ ...first, toMs: Date.parse(time) });
    open.set(leaver, others);
  }
  return [...stays, ...[...open.values()].flat().map((stay) => ({ ...stay, toMs: killedMs }))];
}

/** Nobody has an address while another has it; but for one that was named, while a node was cut off. */
export function addressTroubles(
  stays: readonly Stay[],
  isNamed: (user: string) => boolean,
  cuts: readonly CutOff[],
): readonly string[] {
  return overlaps(stays, 'address').flatMap(([one, other]) => {
    if (one.user === other.user) return [];
    const isExcused = (isNamed(one.user) || isNamed(other.user)) && wasCut(one, other, cuts);
    return isExcused ? [] : [`${one.address} was twice at a time: ${told(one)}, ${told(other)}`];
  });
}

/** Nobody has two sessions at a time, but while a node was cut off. */
export function userTroubles(stays: readonly Stay[], cuts: readonly CutOff[]): readonly string[] {
  return overlaps(stays, 'user').flatMap(([one, other]) =>
    wasCut(one, other, cuts) ? [] : [`${one.user} was up twice at a time: ${told(one)}, ${told(other)}`],
  );
}

/** The most that were up at a time on one node. */
export function mostAtATime(stays: readonly Stay[]): number {
  const steps = stays.flatMap(({ fromMs, toMs }) => [[fromMs, 1] as const, [toMs, -1] as const]);
  let [now, most] = [0, 0];
  for (const [, step] of steps.toSorted(([at, one], [other, two]) => at - other || one - two)) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}

/** Pairs that share `what` and some time; the earlier one first. */
function overlaps(stays: readonly Stay[], what: 'address' | 'user'): readonly (readonly [Stay, Stay])[] {
  const groups = new Map<string, Stay[]>();
  for (const stay of stays.toSorted((one, other) => one.fromMs - other.fromMs)) {
    const group = groups.get(stay[what]) ?? [];
    groups.set(stay[what], [...group, stay]);
  }
  return [...groups.values()].flatMap((sorted) => {
    return sorted.flatMap((one, at) =>
      sorted
        .slice(at + 1)
        .filter((other) => other.fromMs < one.toMs)
        .map((other) => [one, other] as const),
    );
  });
}

/** Whether the later of the two began while the node of either was cut off. */
function wasCut(one: Stay, other: Stay, cuts: readonly CutOff[]): boolean {
  return cuts.some(
    ({ node, fromMs, toMs }) =>
      (node === one.node || node === other.node) && other.fromMs >= fromMs && other.fromMs <= toMs + returnMs,
  );
}

function told({ node, user, sessionId, fromMs, toMs }: Stay): string {
  const time = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(11, 23) : '…');
  return `${sessionId} of ${user} on ${node} from ${time(fromMs)} to ${time(toMs)}`;
}

/** What a node has just said, a busy Redis may not have read when the node dies, in ms. */
const unheardMs = 1_000;

/** What accounting may have of a session beside one Start and one Stop. */
export interface Windows {
  /** Ended while its node was cut off: if the node was given up, another has told its Stop as well. */
  readonly unheard: ReadonlySet<string>;
  /** Died with its node, or ended so shortly before that nobody heard: if its Start had not been told, it is not told behind the Stop. */
  readonly died: ReadonlySet<string>;
}

export function windowsOf(boots: readonly Boot[], cuts: readonly CutOff[]): Windows {
  const died = boots.flatMap((boot) =>
    staysOfBoot(boot).filter(({ toMs }) => (boot.killedMs ?? Number.POSITIVE_INFINITY) - toMs < unheardMs),
  );
  return {
    unheard: endedUnheard(staysOf(boots), cuts),
    died: new Set(died.map(({ sessionId }) => sessionId)),
  };
}

function endedUnheard(stays: readonly Stay[], cuts: readonly CutOff[]): ReadonlySet<string> {
  const ended = stays.filter((stay) =>
    cuts.some(
      ({ node, fromMs, toMs }) => node === stay.node && stay.toMs >= fromMs && stay.toMs <= toMs + returnMs,
    ),
  );
  return new Set(ended.map(({ sessionId }) => sessionId));
}

/**
 * Each session has one Start and, unless it is among `live`, one Stop, in this order, with Interim-Updates between them, but for what
 * `windows` allow. A record whose acknowledgement was lost is told again: copies are one.
 */
export function accountingTroubles(
  records: readonly Recorded[],
  live: ReadonlySet<string>,
  { unheard, died }: Windows,
): readonly string[] {
  const { told } = withoutCopies(records);
  const isSession = ([, [first]]: readonly [string, readonly Recorded[]]) =>
    !/^Accounting-/.test(kindOf(first));
  const untold = [...live]
    .filter((sessionId) => !told.has(sessionId))
    .map((sessionId) => `${sessionId} is up, and accounting knows nothing of it`);
  const wrong = [...told].filter(isSession).flatMap(([sessionId, kept]) => {
    const kinds = kept.map(kindOf).filter((kind) => kind !== 'Interim-Update');
    const due = live.has(sessionId) ? 'Start' : 'Start Stop';
    // A Start whose acknowledgement was lost may be told again, as long as a Stop follows it.
    if (unheard.has(sessionId) && /^(Start )?Stop (Start )?Stop$/.test(kinds.join(' '))) return [];
    if (died.has(sessionId) && kinds.join(' ') === 'Stop') return [];
    const nodes = [...new Set(kept.map((record) => record.get('NAS-Identifier')))];
    const user = kept[0]?.get('User-Name');
    return kinds.join(' ') === due ? [] : [`${sessionId} of ${user} on ${nodes}: ${kinds}, not ${due}`];
  });
  return [...untold, ...wrong];
}

function kindOf(record: Recorded | undefined): string {
  return record?.get('Acct-Status-Type') ?? '';
}
