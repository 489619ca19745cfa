/**
 * The sessions of a service in Redis: which script does what, and how its arguments and replies are written. Everything is asked for
 * in this owner's name, and done within `replyMs` of base/redis.io.ts or not at all. Promises are broken when Redis is away, answers
 * late, or does not count this owner. Layout: keys.ts. Pure: the runner of scripts is a port.
 */

import type { Clock } from '../../base/clock.ts';
import { formatIpv4 } from '../../base/ip.ts';
import { replyMs, type ScriptRunner } from '../../base/redis.io.ts';
import type { Script } from '../../base/redis-scripts.ts';
import { type Keys, nodeOf } from './keys.ts';
import type { NodeKeys } from './nodes.ts';
import type { OwnSession } from './own-sessions.ts';
import type {
  AddressClaim,
  ConflictCause,
  Known,
  Search,
  SessionRef,
  SessionRow,
  UserClaim,
} from './registry.ts';
import { knownText, rowsOf, rowText } from './row-form.ts';

/** The files of scripts/, each with claims.lua before it. */
export const scriptFiles = {
  claimUser: 'claim-user',
  claimAddress: 'claim-address',
  assert: 'assert',
  usage: 'usage',
  end: 'end',
  held: 'held',
  find: 'find',
  owners: 'owners',
  page: 'page',
} as const;

export type Scripts = Readonly<Record<keyof typeof scriptFiles, Script>>;

/** The addresses that a dead node may serve still are kept by nodes.ts. */
type SessionKeys = Keys & Pick<NodeKeys, 'quarantine'>;

/** A claim as Redis granted it. */
export interface SharedGrant {
  readonly epoch: number;
  readonly victims: readonly SessionRef[];
}

/** A session of any node that has to end. */
export interface Loser extends SessionRef {
  readonly why: ConflictCause;
}

/** Own sessions, as Redis has them. */
export interface Held {
  readonly sessionIds: readonly string[];
  readonly leaving: readonly string[];
}

/** Rows in one page of a list: a few milliseconds of Redis's time. */
const pageRows = 500;

export class SharedSessions {
  readonly #redis: ScriptRunner;
  readonly #scripts: Scripts;
  readonly #keys: SessionKeys;
  readonly #owner: string;
  readonly #clock: Clock;
  /** Redis's time less ours, as of the last `held`. Two clocks drift apart by less than a command takes until the next. */
  #aheadMs = 0;

  constructor(redis: ScriptRunner, scripts: Scripts, keys: SessionKeys, owner: string, clock: Clock) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#owner = owner;
    this.#clock = clock;
  }

  claimUser({ sessionId, user, limit, policy }: UserClaim): Promise<SharedGrant | undefined> {
    return this.#run('claimUser', [this.#deadline(), sessionId, nameOf(user), limit ?? '-', policy]).then(
      grantOf,
    );
  }

  claimAddress(claim: AddressClaim): Promise<SharedGrant | undefined> {
    const { sessionId, user, address, policy, isDrawn = false } = claim;
    const words = [sessionId, nameOf(user), formatIpv4(address), policy, isDrawn ? 1 : 0];
    return this.#run('claimAddress', [this.#deadline(), ...words]).then(grantOf);
  }

  /** Writes sessions as they are here. `startedAtMs` is of those that have but claims. Gives those that have to end. */
  assert(sessions: readonly OwnSession[], startedAtMs: number): Promise<readonly Loser[]> {
    const words = sessions.flatMap(({ sessionId, user, epoch, limit, address, row }) => [
      sessionId,
      nameOf(user),
      epoch,
      Math.round(row?.startedAtMs ?? startedAtMs),
      limit ?? '-',
      address === undefined ? '-' : formatIpv4(address),
      row === undefined ? '' : rowText(row),
      row === undefined ? '' : knownText(row.known),
    ]);
    return this.#run('assert', [this.#deadline(), ...words]).then((reply) => losersOf(reply as string[]));
  }

  /** Gives the sessions of which Redis knows nothing. */
  usage(rows: readonly { readonly sessionId: string; readonly known: Known }[]): Promise<readonly string[]> {
    const words = rows.flatMap(({ sessionId, known }) => [sessionId, knownText(known)]);
    return this.#run('usage', [this.#deadline(), ...words]).then((reply) => reply as string[]);
  }

  end(sessionIds: readonly string[]): Promise<unknown> {
    return this.#run('end', [...sessionIds]);
  }

  /** What Redis believes this owner to have, and which of it has given way to others. */
  held(): Promise<Held> {
    return this.#run('held', []).then((reply) => {
      const [redisMs, sessionIds, leaving] = reply as [number, string[], string[]];
      this.#aheadMs = redisMs - this.#clock.nowMs();
      return { sessionIds, leaving };
    });
  }

  find({ sessionId = '', address, user = '' }: Search): Promise<SessionRow[]> {
    const place = address === undefined ? '' : formatIpv4(address);
    const beginnings = [this.#keys.sessions(''), this.#keys.known('')];
    const words = [sessionId, place, nameOf(user), ...beginnings];
    return this.#redis
      .run(this.#scripts.find, this.#common, words)
      .then((reply) => rowsOf(reply as string[]));
  }

  /** All owners that count, but this one. */
  others(): Promise<readonly string[]> {
    return this.#redis
      .run(this.#scripts.owners, this.#common, [])
      .then((reply) => (reply as string[]).filter((owner) => owner !== this.#owner));
  }

  /** Some rows of an owner, and where to go on; the cursor '0' is before the first and after the last. Some may come twice. */
  page(owner: string, cursor: string): Promise<{ readonly next: string; readonly rows: SessionRow[] }> {
    const keys = [...this.#common, this.#keys.sessions(owner), this.#keys.known(owner)];
    return this.#redis.run(this.#scripts.page, keys, [cursor, pageRows]).then((reply) => {
      const [next, words] = reply as [string, string[]];
      return { next, rows: rowsOf(words) };
    });
  }

  /** A script that this owner asks for. */
  #run(name: keyof Scripts, words: readonly (string | number)[]): Promise<unknown> {
    const { sessions, known, quarantine } = this.#keys;
    const keys = [...this.#common, sessions(this.#owner), known(this.#owner), quarantine];
    return this.#redis.run(this.#scripts[name], keys, [this.#owner, ...words]);
  }

  /** What claims.lua expects first. */
  get #common(): readonly string[] {
    const { owners, holders, users, addresses, epoch } = this.#keys;
    return [owners, holders, users, addresses, epoch];
  }

  /** In Redis's time: later the sender has given the command up. */
  #deadline(): number {
    return Math.round(this.#clock.nowMs() + this.#aheadMs + replyMs);
  }
}

/** A user's name in Redis has no spaces. */
function nameOf(user: string): string {
  return encodeURIComponent(user);
}

function grantOf(reply: unknown): SharedGrant | undefined {
  if (reply === null) return undefined;
  const [epoch, ...words] = reply as string[];
  const victims = words.flatMap((owner, at) =>
    at % 2 === 0 ? [{ node: nodeOf(owner), sessionId: words[at + 1] ?? '' }] : [],
  );
  return { epoch: Number(epoch), victims };
}

/** Each session once, for the first reason. */
function losersOf(words: readonly string[]): readonly Loser[] {
  const losers = new Map<string, Loser>();
  for (let at = 0; at < words.length; at += 3) {
    const [owner = '', sessionId = '', why] = words.slice(at, at + 3);
    if (losers.has(sessionId)) continue;
    losers.set(sessionId, { node: nodeOf(owner), sessionId, why: why as ConflictCause });
  }
  return [...losers.values()];
}
