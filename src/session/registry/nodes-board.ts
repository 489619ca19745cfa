/**
 * The nodes of a service in Redis: which script does what, and how its arguments and replies are written. Everything is asked for in
 * this owner's name; promises are broken when Redis is away or answers late. Layout: nodes.ts. Pure: the runner of scripts is a port.
 */

import type { Clock } from '../../base/clock.ts';
import { replyMs, type ScriptRunner } from '../../base/redis.io.ts';
import type { Script } from '../../base/redis-scripts.ts';
import { type Keys, nodeOf, ownerName } from './keys.ts';
import { burialRowsMax, type NodeKeys, namesMax, type Pace, reapedSeconds, statusText } from './nodes.ts';
import type { NodeRow, NodeStatus, Owner, SessionRow } from './registry.ts';
import { rowsOf } from './row-form.ts';

/** Each a file `node-….lua` of scripts/; those of the first line stand behind claims.lua. */
export const nodeScriptNames = {
  behindClaims: ['beat', 'reap', 'leave'],
  alone: ['exhume', 'bury', 'list', 'send', 'answer', 'reaped', 'remember'],
} as const;

type ScriptName = (typeof nodeScriptNames)['behindClaims' | 'alone'][number];
export type NodeScripts = Readonly<Record<ScriptName, Script>>;

/** How Redis took a sign of life. Times are Redis's, in ms. */
export interface Beat {
  /** Of this boot, for the next beat. */
  readonly generation: string;
  readonly marker: string;
  readonly markerAgeMs: number;
  /** Whether this owner was one before. */
  readonly counted: boolean;
  /** Whether it came before this owner was suspect. */
  readonly onTime: boolean;
  readonly atMs: number;
  readonly dead: readonly string[];
  readonly graves: readonly { readonly number: string; readonly digger: string; readonly isDug: boolean }[];
}

/** Some sessions of a grave: `size` of them, from `first` on. Rows of another release cannot be read. */
export interface Coffins {
  readonly first: string;
  readonly size: number;
  readonly rows: readonly SessionRow[];
}

/** A command on its way; the deadline is Redis's time, in ms. */
export interface Letter {
  readonly node: string;
  readonly id: string;
  readonly body: string;
}

export class Board {
  readonly #redis: ScriptRunner;
  readonly #scripts: NodeScripts;
  readonly #keys: Keys & NodeKeys;
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #node: string;
  /** As Redis calls it. */
  readonly owner: string;
  /** Redis's time less ours is between these, as of the last beat: it looked at its clock between question and answer. */
  #aheadMs = { least: 0, most: 0 };

  constructor(
    redis: ScriptRunner,
    scripts: NodeScripts,
    keys: Keys & NodeKeys,
    owner: Owner,
    clock: Clock,
    pace: Pace,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#keys = keys;
    this.#clock = clock;
    this.#pace = pace;
    this.#node = encodeURIComponent(owner.node);
    this.owner = ownerName(owner);
  }

  /** Whether this time of Redis's may have passed, in ms. */
  isPast(deadlineMs: number): boolean {
    return this.#clock.nowMs() + this.#aheadMs.most > deadlineMs;
  }

  /** `generation` is '0' before the first beat of a boot, `fresh` random, `watchingSinceMs` a time of Redis's. */
  beat(
    generation: string,
    status: NodeStatus,
    fresh: string,
    watchingSinceMs: number,
  ): Promise<Beat | 'fenced'> {
    const { beats, boots, marker, graves, sessions, known } = this.#keys;
    const askedMs = this.#clock.nowMs();
    const { suspectAfterMs, deadAfterMs } = this.#pace;
    const times = [suspectAfterMs, deadAfterMs, watchingSinceMs];
    const words = [this.owner, this.#node, generation, statusText.write(status), fresh, ...times];
    return this.#redis
      .run(
        this.#scripts.beat,
        [...this.#common, beats, boots, marker, graves],
        [...words, sessions(''), known('')],
      )
      .then((reply) => {
        const [is, ...facts] = reply as readonly unknown[];
        if (is === 'fenced') return is;
        const beat = beatOf(facts);
        this.#aheadMs = { least: beat.atMs - this.#clock.nowMs(), most: beat.atMs + 1 - askedMs };
        return beat;
      });
  }

  /** Gives a dead owner up. Gives the grave and how many sessions lie in it; undefined if it lives, or another was faster. */
  reap(dead: string): Promise<{ readonly grave: string; readonly size: number } | undefined> {
    const { beats, graves, reaped, quarantine, sessions, known, grave } = this.#keys;
    const { deadAfterMs, quarantineMs } = this.#pace;
    const keys = [...this.#common, beats, graves, reaped, quarantine, sessions(dead), known(dead)];
    const words = [
      this.owner,
      this.#deadline(replyMs),
      dead,
      deadAfterMs,
      quarantineMs,
      reapedSeconds,
      grave(''),
    ];
    return this.#redis.run(this.#scripts.reap, keys, words).then((reply) => {
      if (reply === null) return undefined;
      const [number, size] = reply as [string, number];
      return { grave: number, size };
    });
  }

  /** The first sessions of a grave, which this owner then buries. Undefined if another does. */
  exhume(number: string): Promise<Coffins | undefined> {
    const { owners, graves, grave } = this.#keys;
    const keys = [owners, graves, grave(number)];
    return this.#redis.run(this.#scripts.exhume, keys, [this.owner, number, burialRowsMax]).then((reply) => {
      if (reply === null) return undefined;
      const words = reply as string[];
      return { first: words[0] ?? '', size: words.length / 3, rows: rowsOf(words) };
    });
  }

  /**
   * The Stops of these are in this node's journal. Gives whether they are this node's to tell, and how many are left in the grave. What
   * Redis has forgotten is this node's: nobody else can know of it.
   */
  bury(
    number: string,
    { first, size }: Coffins,
  ): Promise<{ readonly isOurs: boolean; readonly left: number }> {
    const { graves, grave, stones } = this.#keys;
    const keys = [graves, grave(number), stones(number)];
    return this.#redis
      .run(this.#scripts.bury, keys, [this.owner, number, first, size, reapedSeconds])
      .then((reply) => {
        const [digger, left] = (reply as [string, number] | null) ?? [this.owner, 0];
        return { isOurs: digger === this.owner, left };
      });
  }

  list(): Promise<readonly NodeRow[]> {
    return this.#redis.run(this.#scripts.list, [this.#keys.owners, this.#keys.beats], []).then((reply) => {
      const [nowMs, beats, statuses] = reply as [number, string[], string[]];
      const statusOf = new Map(pairsOf(statuses));
      return pairsOf(beats).flatMap(([owner, at]) => {
        const status = statusText.read(statusOf.get(owner) ?? '');
        if (status === undefined) return [];
        const isSuspect = nowMs - Number(at) > this.#pace.suspectAfterMs;
        return [{ ...status, node: nodeOf(owner), bootId: bootOf(owner), atMs: Number(at), isSuspect }];
      });
    });
  }

  /** Puts a command into a node's inbox, to be carried out within `withinMs`. False if the node does not live. */
  send({ node, id, body }: Letter, withinMs: number): Promise<boolean> {
    const { owners, boots, inbox } = this.#keys;
    const place = [encodeURIComponent(node), this.#pace.suspectAfterMs, inbox('')];
    return this.#redis
      .run(this.#scripts.send, [owners, boots], [...place, this.#deadline(withinMs), this.owner, id, body])
      .then((reply) => reply === 1);
  }

  answer(owner: string, id: string, body: string): Promise<unknown> {
    return this.#redis.run(this.#scripts.answer, [this.#keys.inbox(owner)], [id, body]);
  }

  /** Which of these sessions were given up with their node. */
  wasReaped(sessionIds: readonly string[]): Promise<ReadonlySet<string>> {
    const asked = partsOf(sessionIds).map((part) =>
      this.#redis.run(this.#scripts.reaped, [this.#keys.reaped], part),
    );
    return Promise.all(asked).then((replies) => new Set(replies.flatMap((reply) => reply as string[])));
  }

  /** Sessions that this node buried, for a Redis that has forgotten. */
  remember(sessionIds: readonly string[]): Promise<unknown> {
    const told = partsOf(sessionIds).map((part) =>
      this.#redis.run(this.#scripts.remember, [this.#keys.reaped], [reapedSeconds, ...part]),
    );
    return Promise.all(told);
  }

  leave(): Promise<unknown> {
    const { beats, inbox, sessions, known } = this.#keys;
    const own = [beats, inbox(this.owner), sessions(this.owner), known(this.owner)];
    return this.#redis.run(this.#scripts.leave, [...this.#common, ...own], [this.owner]);
  }

  /** What claims.lua expects first. */
  get #common(): readonly string[] {
    const { owners, holders, users, addresses, epoch } = this.#keys;
    return [owners, holders, users, addresses, epoch];
  }

  #deadline(withinMs: number): number {
    return Math.floor(this.#clock.nowMs() + this.#aheadMs.least + withinMs);
  }
}

function beatOf(facts: readonly unknown[]): Beat {
  const [generation, marker, markerAgeMs, counted, onTime, atMs, dead, graves] = facts as [
    string,
    string,
    number,
    number,
    number,
    number,
    string[],
    (string | number)[],
  ];
  return {
    generation,
    marker,
    markerAgeMs,
    counted: counted === 1,
    onTime: onTime === 1,
    atMs,
    dead,
    graves: Array.from({ length: graves.length / 3 }, (_, at) => ({
      number: String(graves[3 * at]),
      digger: String(graves[3 * at + 1]),
      isDug: graves[3 * at + 2] === 1,
    })),
  };
}

function bootOf(owner: string): string {
  return decodeURIComponent(owner.slice(owner.indexOf('@') + 1));
}

function pairsOf(words: readonly string[]): (readonly [string, string])[] {
  return words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? ''] as const] : []));
}

function partsOf(names: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(names.length / namesMax) }, (_, part) =>
    names.slice(part * namesMax, (part + 1) * namesMax),
  );
}
