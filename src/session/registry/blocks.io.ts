/**
 * The books of blocks in Redis: scripts in scripts/block-*.lua, each of which reads and writes all that it decides about in one go. Questions
 * enter, replies or their absence leave. Keys, under `{pptp:SERVICE}:blocks:`, are explained in scripts/block-books.lua.
 */

import { readFileSync } from 'node:fs';
import { formatPrefix } from '../../base/ip.ts';
import { type AddressRange, addressRange } from '../../base/kind.ts';
import type { Log } from '../../base/observe.ts';
import type { ScriptRunner } from '../../base/redis.io.ts';
import { type Script, script } from '../../base/redis-scripts.ts';
import { Refusal } from '../../base/setting.ts';
import { sizeOf } from '../address-ranges.ts';
import type { Block, BlockBooks, BlockTerms, BlockWish, Granted, Kept } from './blocks.ts';
import { ownerName } from './keys.ts';
import type { Owner } from './registry.ts';

/** Blocks that one search looks at: a few milliseconds of Redis. The next search begins elsewhere. */
const looks = 2_000;

const luaOf = (file: string) => readFileSync(new URL(`scripts/${file}.lua`, import.meta.url), 'utf8');
const books = luaOf('block-books');
const scriptOf = (name: string, file: string) => script(name, `${books}\n${luaOf(file)}`);

const keep = scriptOf('blockKeep', 'block-keep');
const lease = scriptOf('blockLease', 'block-lease');
const take = scriptOf('blockTake', 'block-take');
const give = scriptOf('blockGive', 'block-give');

export class RedisBlockBooks implements BlockBooks {
  readonly #redis: ScriptRunner;
  readonly #owner: string;
  readonly #terms: BlockTerms;
  readonly #log: Log;
  readonly #keys: readonly string[];

  constructor(redis: ScriptRunner, service: string, owner: Owner, terms: BlockTerms, log: Log) {
    this.#redis = redis;
    this.#log = log;
    this.#owner = ownerName(owner);
    this.#terms = terms;
    const names = ['owners', 'expiry', 'places', 'counts', 'marker', 'wanted'];
    this.#keys = names.map((name) => `{pptp:${service}}:blocks:${name}`);
  }

  keep(blocks: readonly Block[], held: number, answer: (kept: Kept | undefined) => void): void {
    this.#run(keep, [held, ...wordsOf(blocks)], keptOf, answer);
  }

  lease(wish: BlockWish, answer: (granted: Granted | undefined) => void): void {
    const { pool, addresses, isBadly, bits, ranges } = wish;
    const { quarantineMs, lookMs } = this.#terms;
    // Others look within `lookMs`, and the blocks that they give are asked for with our next look.
    const wantMs = 3 * lookMs;
    const bounds = ranges.flatMap(({ first, last }) => [first, last]);
    const args = [pool, addresses, isBadly ? 1 : 0, bits, quarantineMs, wantMs, looks, ...bounds];
    this.#run(lease, args, grantedOf, answer);
  }

  take(whose: 'node' | 'boot', answer: (granted: Granted | undefined) => void): void {
    const [node] = this.#owner.split('@');
    this.#run(take, [whose === 'node' ? `${node}@` : `${this.#owner} `], grantedOf, answer);
  }

  give(blocks: readonly Block[], answer: (isDone: boolean) => void): void {
    this.#run(
      give,
      wordsOf(blocks),
      () => true,
      (isDone) => answer(isDone === true),
    );
  }

  #run<R>(
    script: Script,
    args: readonly (string | number)[],
    read: (reply: never) => R,
    answer: (read: R | undefined) => void,
  ): void {
    const { leaseMs, settleMs } = this.#terms;
    this.#redis.run(script, this.#keys, [this.#owner, leaseMs, settleMs, ...args]).then(
      (reply) => answer(read(reply as never)),
      (error: Error) => {
        // That Redis is away is said by others; this is what it says itself.
        if (error.name === 'ReplyError') this.#log('warning', 'system', `redis: ${error.message}`);
        answer(undefined);
      },
    );
  }
}

function keptOf(reply: [number, string, number, string[], string[]]): Kept {
  const [settlingMs, mark, strays, wanted, changed] = reply;
  const blocks = blocksOf(changed);
  return {
    settlingMs,
    mark,
    hasStrays: strays === 1,
    wanted: new Set(wanted),
    lost: blocks.filter(({ epoch }) => epoch === 0),
    renumbered: blocks.filter(({ epoch }) => epoch !== 0),
  };
}

function grantedOf([settlingMs, epoch, names]: [number, string, string[]]): Granted {
  return { settlingMs, blocks: names.map((name) => ({ ...rangeOf(name), epoch: Number(epoch) })) };
}

function wordsOf(blocks: readonly Block[]): (string | number)[] {
  return blocks.flatMap((block) => [nameOf(block), block.epoch]);
}

function blocksOf(words: readonly string[]): Block[] {
  return words.flatMap((word, at) =>
    at % 2 === 0 ? [{ ...rangeOf(word), epoch: Number(words[at + 1]) }] : [],
  );
}

/** `10.0.0.64/26`. */
function nameOf(block: AddressRange): string {
  return formatPrefix({ address: block.first, length: 32 - Math.log2(sizeOf(block)) });
}

function rangeOf(name: string): AddressRange {
  const range = addressRange.parse(name);
  if (range instanceof Refusal) throw new Error(`redis has ${name} for a block`);
  return range;
}
