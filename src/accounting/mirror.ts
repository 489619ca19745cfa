/**
 * What a node keeps of its accounting in Redis: a copy of the records that no server has acknowledged yet, so that other nodes
 * can deliver what a dead one left. The journal is the truth about a node's records; the copy is made equal to it again and
 * again, and may be lost at any time.
 *
 * Enter: streams with all that is pending of them, claims, beats. Leave: scripts for Redis. Layout, under `{pptp:SERVICE}:acct:`,
 * whose braces keep it on one server of a Redis Cluster (OWNER is a node with a journal):
 *
 *     owners              sorted set of owners by the time until which they are believed alive
 *     marker              random; another one tells that Redis lost its keys
 *     streams:OWNER       set of the streams below
 *     stream:OWNER:S      hash of number to record
 *     lease:OWNER:S       the node that may tell the records of S, while it lasts
 *     settled:OWNER       set of numbers that others have delivered and OWNER does not know of yet
 *
 * Times are those of Redis, so that the nodes' clocks need not agree. Pure: the runner of scripts is a port.
 */

import type { Clock } from '../base/clock.ts';
import type { ScriptRunner } from '../base/redis.io.ts';
import { script } from '../base/redis-scripts.ts';

/** All of a stream that is pending; nothing, if all has been delivered. */
export interface Copy {
  readonly stream: string;
  readonly records: readonly { readonly number: number; readonly text: string }[];
}

export interface Beat {
  readonly marker: string;
  /** True if this owner was believed dead, or not known at all: others may have delivered for it. */
  readonly wasLost: boolean;
  /** Owners that have not been heard of in time. */
  readonly lost: readonly string[];
}

/** A record that a dead owner left. */
export interface Bequest {
  readonly number: number;
  readonly text: string;
}

/** In ms: how long owners and leases last without being renewed, and how late a command may still have its effect. */
export interface Terms {
  readonly ownerMs: number;
  readonly leaseMs: number;
  readonly replyMs: number;
}

/** How long numbers wait for an owner that does not come back, in s: a node under repair is back within a month. */
const settledSeconds = 30 * 86_400;

const redisNow = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

const beat = script(
  'acctBeat',
  `${redisNow}
local owners, marker = KEYS[1], KEYS[2]
local me, lasts, fresh = ARGV[1], tonumber(ARGV[2]), ARGV[3]
redis.call('SET', marker, fresh, 'NX')
local until_ = redis.call('ZSCORE', owners, me)
redis.call('ZADD', owners, now + lasts, me)
local was_lost = (not until_ or tonumber(until_) < now) and 1 or 0
return { redis.call('GET', marker), was_lost, redis.call('ZRANGEBYSCORE', owners, '-inf', now), now }`,
);

/**
 * After `deadline` it does nothing: what was sent to a Redis that froze must not undo, when it thaws, what happened since.
 * A number that others have delivered is not put back; it is told to the caller.
 */
const keep = script(
  'acctKeep',
  `${redisNow}
if now > tonumber(ARGV[2]) then return redis.error_reply('LATE the command came after its deadline') end
local streams, done, me = KEYS[1], KEYS[2], ARGV[1]
local settled, at = {}, 3
for key = 3, #KEYS, 2 do
  local records, lease = KEYS[key], KEYS[key + 1]
  local stream, count = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  local pending = {}
  for _ = 1, count do
    local number, text = ARGV[at], ARGV[at + 1]
    at = at + 2
    if redis.call('SISMEMBER', done, number) == 1 then
      settled[#settled + 1] = number
    else
      pending[number] = true
      redis.call('HSETNX', records, number, text)
    end
  end
  for _, number in ipairs(redis.call('HKEYS', records)) do
    if not pending[number] then redis.call('HDEL', records, number) end
  end
  if next(pending) then
    redis.call('SADD', streams, stream)
  else
    redis.call('SREM', streams, stream)
    if redis.call('GET', lease) == me then redis.call('DEL', lease) end
  end
end
return settled`,
);

const claim = script(
  'acctClaim',
  `local lease, done = KEYS[1], KEYS[2]
local me, lasts = ARGV[1], ARGV[2]
local holder = redis.call('GET', lease)
if holder and holder ~= me then return false end
redis.call('SET', lease, me, 'PX', lasts)
local settled = {}
for at = 3, #ARGV do
  if redis.call('SISMEMBER', done, ARGV[at]) == 1 then settled[#settled + 1] = ARGV[at] end
end
return settled`,
);

const renew = script(
  'acctRenew',
  `for _, lease in ipairs(KEYS) do
  local holder = redis.call('GET', lease)
  if not holder or holder == ARGV[1] then redis.call('SET', lease, ARGV[1], 'PX', ARGV[2]) end
end`,
);

const inherit = script(
  'acctInherit',
  `${redisNow}
local owners, lease, records = KEYS[1], KEYS[2], KEYS[3]
local me, lasts, owner = ARGV[1], ARGV[2], ARGV[3]
local until_ = redis.call('ZSCORE', owners, owner)
if not until_ or tonumber(until_) >= now then return false end
local holder = redis.call('GET', lease)
if holder and holder ~= me then return false end
local left = redis.call('HGETALL', records)
if #left > 0 then redis.call('SET', lease, me, 'PX', lasts) end
return left`,
);

const settle = script(
  'acctSettle',
  `local lease, records, streams, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local me, stream, number, lasts = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local mine = redis.call('GET', lease) == me
redis.call('SADD', done, number)
redis.call('EXPIRE', done, lasts)
redis.call('HDEL', records, number)
if redis.call('EXISTS', records) == 0 then
  redis.call('SREM', streams, stream)
  if mine then redis.call('DEL', lease) end
end
return mine and 1 or 0`,
);

const members = script('acctMembers', `return redis.call('SMEMBERS', KEYS[1])`);

const forget = script('acctForget', `return redis.call('SREM', KEYS[1], unpack(ARGV))`);

const bury = script(
  'acctBury',
  `${redisNow}
local owners, streams, owner = KEYS[1], KEYS[2], ARGV[1]
local until_ = redis.call('ZSCORE', owners, owner)
if until_ and tonumber(until_) < now and redis.call('EXISTS', streams) == 0 then redis.call('ZREM', owners, owner) end`,
);

/** Numbers in one command: Lua's stack takes 8,000 arguments. */
const numbersMax = 1_000;

/**
 * What a node is in Redis: its name, and what its journal was named when it was made, because a node with a new journal knows
 * nothing of the records of the old one. Without colons, which part keys.
 */
export function ownerOf(node: string, journal: string): string {
  return `${encodeURIComponent(node)}@${encodeURIComponent(journal)}`;
}

/** An owner is taken for dead only when its leases have ended. A command's effect is due within `replyMs` of base/redis.io.ts. */
export const customaryTerms: Terms = { ownerMs: 15_000, leaseMs: 10_000, replyMs: 1_000 };

export class Mirror {
  readonly #redis: ScriptRunner;
  readonly #clock: Clock;
  readonly owner: string;
  readonly terms: Terms;
  readonly #prefix: string;
  /** Redis's time less ours, as of the last beat; a clock that was set is known again after the next. */
  #aheadMs = 0;

  constructor(redis: ScriptRunner, clock: Clock, service: string, owner: string, terms: Terms) {
    this.#redis = redis;
    this.#clock = clock;
    this.owner = owner;
    this.terms = terms;
    this.#prefix = `{pptp:${service}}:acct`;
  }

  /** Tells that this owner lives. `fresh` is random. */
  beat(fresh: string): Promise<Beat> {
    const keys = [`${this.#prefix}:owners`, `${this.#prefix}:marker`];
    return this.#redis.run(beat, keys, [this.owner, this.terms.ownerMs, fresh]).then((reply) => {
      const [marker, wasLost, lost, redisMs] = reply as [string, number, string[], number];
      this.#aheadMs = redisMs - this.#clock.nowMs();
      return { marker, wasLost: wasLost === 1, lost };
    });
  }

  /** Makes the copies say what is pending, within `replyMs` or not at all. Gives the numbers that others have delivered. */
  keep(copies: readonly Copy[]): Promise<readonly number[]> {
    const keys = copies.flatMap(({ stream }) => [this.#records(stream), this.#lease(stream)]);
    const args = copies.flatMap(({ stream, records }) => [
      stream,
      records.length,
      ...records.flatMap(({ number, text }) => [number, text]),
    ]);
    const deadline = Math.round(this.#clock.nowMs() + this.terms.replyMs + this.#aheadMs);
    return this.#redis
      .run(keep, [this.#streams(), this.#settled(), ...keys], [this.owner, deadline, ...args])
      .then(asNumbers);
  }

  /** Asks to be the one who tells a stream's records. Gives those of `numbers` that others have delivered, or that another tells. */
  claim(stream: string, numbers: readonly number[]): Promise<readonly number[] | 'taken'> {
    const keys = [this.#lease(stream), this.#settled()];
    return this.#redis
      .run(claim, keys, [this.owner, this.terms.leaseMs, ...numbers])
      .then((reply) => (reply === null ? 'taken' : asNumbers(reply)));
  }

  /** Prolongs the leases of these streams, each with its dead owner. */
  renew(streams: readonly (readonly [owner: string, stream: string])[]): Promise<unknown> {
    if (streams.length === 0) return Promise.resolve();
    const keys = streams.map(([owner, stream]) => this.#lease(stream, owner));
    return this.#redis.run(renew, keys, [this.owner, this.terms.leaseMs]);
  }

  /** The streams of which there is a copy. */
  streams(owner = this.owner): Promise<readonly string[]> {
    return this.#redis.run(members, [this.#streams(owner)], []).then((reply) => reply as string[]);
  }

  /** What others have delivered for this owner. */
  settled(): Promise<readonly number[]> {
    return this.#redis.run(members, [this.#settled()], []).then(asNumbers);
  }

  /** Those of `settled` that the journal has forgotten too. */
  forget(numbers: readonly number[]): Promise<unknown> {
    const parts = Array.from({ length: Math.ceil(numbers.length / numbersMax) }, (_, part) =>
      numbers.slice(part * numbersMax, (part + 1) * numbersMax),
    );
    return Promise.all(parts.map((part) => this.#redis.run(forget, [this.#settled()], part)));
  }

  /** Asks to tell what a dead owner left of a stream, in order. `kept`: it is not dead, or another node is at it. */
  inherit(owner: string, stream: string): Promise<readonly Bequest[] | 'kept'> {
    const keys = [`${this.#prefix}:owners`, this.#lease(stream, owner), this.#records(stream, owner)];
    return this.#redis.run(inherit, keys, [this.owner, this.terms.leaseMs, owner]).then((reply) => {
      if (reply === null) return 'kept';
      const words = reply as string[];
      const left = words.flatMap((word, at) =>
        at % 2 === 0 ? [{ number: Number(word), text: words[at + 1] ?? '' }] : [],
      );
      return left.toSorted((one, other) => one.number - other.number);
    });
  }

  /** A dead owner's record is with a server. False if the lease has gone, so that the next may be another's. */
  settle(owner: string, stream: string, number: number): Promise<boolean> {
    const [lease, records] = [this.#lease(stream, owner), this.#records(stream, owner)];
    const keys = [lease, records, this.#streams(owner), this.#settled(owner)];
    return this.#redis
      .run(settle, keys, [this.owner, stream, number, settledSeconds])
      .then((reply) => reply === 1);
  }

  /** Nothing is left of a dead owner: it is no longer looked at. It comes back with its next beat. */
  bury(owner: string): Promise<unknown> {
    return this.#redis.run(bury, [`${this.#prefix}:owners`, this.#streams(owner)], [owner]);
  }

  #streams(owner = this.owner): string {
    return `${this.#prefix}:streams:${owner}`;
  }

  #records(stream: string, owner = this.owner): string {
    return `${this.#prefix}:stream:${owner}:${stream}`;
  }

  #lease(stream: string, owner = this.owner): string {
    return `${this.#prefix}:lease:${owner}:${stream}`;
  }

  #settled(owner = this.owner): string {
    return `${this.#prefix}:settled:${owner}`;
  }
}

function asNumbers(reply: unknown): readonly number[] {
  return (reply as string[]).map(Number);
}
