/**
 * Blocks of addresses in a real Redis: the scripts against their model, step by step, and three nodes that share a pool while Redis is
 * killed, frozen, emptied, and comes back with old data.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.io.ts';
import { addressRange } from '../../src/base/kind.ts';
import { silent } from '../../src/base/observe.ts';
import { below, seededRandom } from '../../src/base/random.ts';
import { RedisClient } from '../../src/base/redis.io.ts';
import { type Script, script } from '../../src/base/redis-scripts.ts';
import { Refusal } from '../../src/base/setting.ts';
import { Addresses } from '../../src/session/addresses.ts';
import { RedisBlockBooks } from '../../src/session/registry/blocks.io.ts';
import {
  type Block,
  type BlockTerms,
  customaryTerms,
  type Granted,
  type Kept,
} from '../../src/session/registry/blocks.ts';
import { BlockLeases } from '../../src/session/registry/blocks-leases.ts';
import { rotated } from '../../src/session/registry/blocks-reserve.ts';
import type { Pool } from '../../src/session/settings.ts';
import { ModelBooks } from '../unit/session/registry/blocks-model.ts';
import { RedisServer } from './redis.io.ts';

const range = (text: string) => {
  const parsed = addressRange.parse(text);
  if (parsed instanceof Refusal) throw new Error(text);
  return parsed;
};
const ask = <A>(question: (answer: (answer: A) => void) => void): Promise<A> => new Promise(question);

let redis: RedisServer;
let client: RedisClient;
beforeAll(async () => {
  redis = await RedisServer.start();
  client = new RedisClient(redis.address, silent);
  await client.whenReady(5_000);
});
afterAll(async () => {
  client.close();
  await redis.remove();
});

describe('the scripts', () => {
  const owners = ['a@1', 'a@2', 'b@1', 'c@1'].map((name) => {
    const [node = '', bootId = ''] = name.split('@');
    return { name, owner: { node, bootId } };
  });
  const pools = [
    { pool: 'small', ranges: [range('10.0.0.2-10.0.0.30')], bits: 1 },
    { pool: 'large', ranges: [range('10.0.0.0/24'), range('192.0.2.7-192.0.2.99')], bits: 4 },
    { pool: 'last', ranges: [range('255.255.255.240/28'), range('0.0.0.0/29')], bits: 2 },
  ];

  it.each([1, 2, 3, 4, 5, 6])('do as their model does (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    // Everything expires and rests within the test; the service is a new one, and settles for a moment.
    const terms: BlockTerms = { ...customaryTerms, leaseMs: 40, quarantineMs: 20, settleMs: 10, lookMs: 5 };
    const service = `model${seed}`;
    const model = new ModelBooks(terms);
    const said: Block[] = [];
    let granted = 0;
    let lost = 0;
    for (let step = 0; step < 700; step++) {
      const { name, owner } = owners[below(random, owners.length)] ?? {
        name: '',
        owner: { node: '', bootId: '' },
      };
      const now = { ms: 0 };
      const books = new RedisBlockBooks(timed(now), service, owner, terms, silent);
      const kind = below(random, 10);
      const some = said.filter(() => below(random, 4) === 0).slice(0, 20);
      let [real, modelled]: [unknown, unknown] = [undefined, undefined];
      if (kind < 3) {
        const { pool, ranges, bits } = pools[below(random, pools.length)] ?? {
          pool: '',
          ranges: [],
          bits: 0,
        };
        const wish = {
          pool,
          ranges: rotated(ranges, below(random, 25), bits),
          addresses: 1 + below(random, 60),
          isBadly: below(random, 2) === 0,
          bits,
        };
        const grant = await ask<Granted | undefined>((answer) => books.lease(wish, answer));
        [real, modelled] = [grant, model.lease(name, now.ms, wish)];
        said.push(...(grant?.blocks ?? []));
        granted += grant?.blocks.length ?? 0;
      } else if (kind < 6) {
        const held = below(random, 10);
        const unlike = disjointOnly(some);
        const kept = await ask<Kept | undefined>((answer) => books.keep(unlike, held, answer));
        const { mark: _, lost: realLost = [], renumbered = [], ...rest } = kept ?? {};
        const { mark: __, ...expected } = model.keep(name, now.ms, unlike, held);
        [real, modelled] = [{ ...rest, lost: places(realLost), renumbered: [...renumbered] }, expected];
        lost += realLost.length;
      } else if (kind < 7) {
        const whose = below(random, 2) === 0 ? 'node' : 'boot';
        const taken = await ask<Granted | undefined>((answer) => books.take(whose, answer));
        const sorted = taken && { ...taken, blocks: taken.blocks.toSorted((a, b) => a.first - b.first) };
        [real, modelled] = [sorted, model.take(name, now.ms, whose)];
        said.push(...(taken?.blocks ?? []));
      } else if (kind < 8) {
        await ask((answer) => books.give(some, answer));
        model.give(name, some);
      } else await pause(below(random, 15));
      expect(real, `seed ${seed} step ${step}`).toEqual(modelled);
      said.splice(0, said.length - 60);
    }
    expect(granted).toBeGreaterThan(100);
    expect(lost).toBeGreaterThan(100);
  });

  /** Runs scripts, and tells Redis's time as they saw it. */
  function timed(now: { ms: number }): Pick<RedisClient, 'run'> {
    return {
      run: async (untimed, keys, args) => {
        const reply = (await client.run(timedOf(untimed), keys, args)) as [number, unknown];
        now.ms = reply[0];
        return reply[1];
      },
    };
  }

  const known = new Map<string, Script>();

  /** The same script, which tells its time before its answer. */
  function timedOf({ name, lua }: Script): Script {
    const timedLua = lua
      .replace(/^return (.*)$/gm, 'return { now, $1 }')
      .replace(/then return \{(.*)\} end/g, 'then return { now, {$1} } end');
    const timedScript = known.get(name) ?? script(`${name}Timed`, timedLua);
    known.set(name, timedScript);
    return timedScript;
  }

  const places = (ranges: readonly { first: number; last: number }[]) =>
    ranges.map(({ first, last }) => ({ first, last }));

  /** What one node holds does not overlap. */
  function disjointOnly(blocks: readonly Block[]): readonly Block[] {
    const chosen: Block[] = [];
    for (const block of blocks) {
      if (chosen.every((other) => block.last < other.first || other.last < block.first)) chosen.push(block);
    }
    return chosen;
  }
});

/** A node of which only the addresses are real. */
class Node {
  readonly sessions = new Map<string, number>();
  readonly leases: BlockLeases;
  lost = 0;
  readonly #addresses: Addresses;
  readonly #client: RedisClient;
  readonly #name: string;
  #calls = 0;

  constructor(
    name: string,
    service: string,
    server: RedisServer,
    terms: BlockTerms,
    pool: Pool,
    seed: number,
  ) {
    const random = seededRandom(seed);
    this.#name = name;
    this.#client = new RedisClient(server.address, silent);
    const owner = { node: name, bootId: String(seed) };
    const leases = new BlockLeases({
      clock: systemClock,
      random,
      log: silent,
      terms,
      books: new RedisBlockBooks(this.#client, service, owner, terms, silent),
      usedIn: (range) => this.#addresses.usedIn(range),
      lost: (range) => {
        for (const holder of this.#addresses.drawersIn(range)) {
          this.lost += 1;
          this.hangUp(holder);
        }
      },
    });
    this.leases = leases;
    this.#addresses = new Addresses({ random, leases });
    this.#addresses.configure([pool]);
    leases.configure([pool]);
    this.#client.listen(
      () => leases.online(),
      () => {},
    );
    leases.begin();
  }

  call(pool: string): boolean {
    const holder = `${this.#name}:${this.#calls++}`;
    const address = this.#addresses.takeRemote({ pool }, holder, holder);
    if (typeof address === 'number') this.sessions.set(holder, address);
    return typeof address === 'number';
  }

  hangUp(holder: string): void {
    this.#addresses.release(holder);
    this.sessions.delete(holder);
  }

  leave(): Promise<void> {
    return new Promise((resolve) => this.leases.close(resolve));
  }

  cut(): void {
    this.#client.close();
  }
}

const flush = script('flushForTest', "return redis.call('FLUSHALL')");

describe('three nodes that share a pool', () => {
  const terms: BlockTerms = {
    leaseMs: 6_000,
    quarantineMs: 2_000,
    renewMs: 300,
    lookMs: 60,
    settleMs: 600,
    emptyMs: 500,
    blockSize: 16,
  };
  const pool: Pool = { name: 'p', ranges: [range('10.0.0.2-10.0.3.250')], nextPool: undefined, comment: '' };

  it.each([1, 2])(
    'lose no session and give no address twice, whatever happens to Redis (seed %i)',
    async (seed) => {
      const server = await RedisServer.start();
      const random = seededRandom(seed);
      const service = `faults${seed}`;
      const nodes = ['a', 'b', 'c'].map(
        (name, at) => new Node(name, service, server, terms, pool, seed * 10 + at),
      );
      const observer = new RedisClient(server.address, silent);
      const all = () => nodes.flatMap(({ sessions }) => [...sessions.values()]);

      const live = async (forMs: number, until: () => boolean = () => false): Promise<void> => {
        const endMs = systemClock.nowMs() + forMs;
        while (systemClock.nowMs() < endMs && !until()) {
          const node = nodes[below(random, 3)];
          const isFew = all().length < 500;
          if (below(random, 100) < (isFew ? 60 : 40)) node?.call('p');
          else
            for (const holder of node?.sessions.keys() ?? [])
              if (below(random, 60) === 0) node?.hangUp(holder);
          expect(new Set(all()).size, `seed ${seed}`).toBe(all().length);
          await pause(3);
        }
      };
      /** All nodes have addresses again, and callers get them. */
      const serve = async (): Promise<void> => {
        const isReady = () => nodes.every((node) => (node.leases.useOf('p')?.free ?? 0) >= 10);
        await live(20_000, isReady);
        for (const node of nodes) expect(node.call('p'), `seed ${seed}`).toBe(true);
        await live(700);
      };
      const faults: (() => Promise<void>)[] = [
        async () => {
          await server.kill();
          await live(800);
          await server.startAgain();
        },
        async () => {
          server.freeze();
          await live(1_500);
          server.thaw();
        },
        async () => {
          await server.kill();
          await live(300);
          await server.startEmpty();
        },
        async () => {
          await observer.run(flush, [], []);
        },
        async () => {
          const parts = ['owners', 'expiry', 'places', 'counts', 'marker', 'wanted'];
          const keys = parts.map((part) => `{pptp:${service}}:blocks:${part}`);
          const old = await Promise.all(keys.map((key) => observer.raw.dumpBuffer(key)));
          await live(800);
          // Old data in a server that has not begun to listen: what a failover to a replica that was behind looks like.
          await server.kill();
          await server.startEmpty();
          await observer.whenReady(5_000);
          for (const [at, key] of keys.entries()) {
            const data = old[at];
            if (data) await observer.raw.restore(key, 0, data, 'REPLACE');
          }
        },
      ];

      try {
        await serve();
        for (const fault of faults.sort(() => below(random, 3) - 1)) {
          await observer.whenReady(5_000);
          await fault();
          await serve();
          expect(nodes.map((node) => node.lost)).toEqual([0, 0, 0]);
        }
        for (const node of nodes) for (const holder of [...node.sessions.keys()]) node.hangUp(holder);
        await observer.whenReady(5_000);
        await Promise.all(nodes.map((node) => node.leave()));
        const left = await observer.raw.hlen(`{pptp:${service}}:blocks:owners`);
        expect(left).toBe(0);
      } finally {
        observer.close();
        for (const node of nodes) node.cut();
        await server.remove();
      }
    },
    120_000,
  );
});
