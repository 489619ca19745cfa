/**
 * The service in a real Redis Cluster: the suite of all registries, then a master that is killed and a slot that is given to another,
 * while sessions come and go and are accounted for. redis-cluster.soak.ts has the suite of all deliveries, and a master that freezes.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RedisClient, replyMs } from '../../src/base/redis.io.ts';
import { script } from '../../src/base/redis-scripts.ts';
import { keysOf } from '../../src/session/registry/keys.ts';
import { recordsOf } from '../conformance/delivery.ts';
import { describeRegistry, promised, Walk } from '../conformance/registry.ts';
import { startNode } from './accounting-node.io.ts';
import { addressOf, RedisServer } from './redis.io.ts';
import { RedisCluster } from './redis-cluster.io.ts';
import { openSites, type RedisSite, worldOf } from './registry-site.io.ts';
import { within } from './within.io.ts';

const touch = script('touch', "return redis.call('EXISTS', KEYS[1])");

/** What is due at once is due within this, on a busy machine too. */
const until = within(30_000);

let services = 0;
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start();
}, 60_000);
afterAll(() => cluster.remove());

/** Of each fault; more are run by `REGISTRY_SEEDS=20`. */
const seeds = Number(process.env.REGISTRY_SEEDS ?? 1);

/** Whether no key of the service says anything of a session. */
async function isEmpty(service: string, sites: readonly RedisSite[]): Promise<boolean> {
  const { holders, users, addresses } = keysOf(service);
  const [{ redis }] = sites as [RedisSite, ...RedisSite[]];
  const count = await redis.raw.exists(holders, users, addresses).catch(() => undefined);
  return count === 0 && sites.every(({ registry }) => registry.unwritten === 0);
}

describeRegistry('redis cluster', async () => {
  const service = `suite${services++}`;
  const sites = await openSites(cluster.addressFor(service), service);
  return worldOf(sites, { isEmpty: () => isEmpty(service, sites), until });
});

describe('a cluster', () => {
  let sites: RedisSite[] = [];
  afterEach(async () => {
    await Promise.all(sites.map((site) => site.leave()));
    sites = [];
  });

  /** Each resolves when the cluster goes on without the server that had the service's keys. */
  const faults = {
    'a master that is killed': async (service: string) => {
      const owner = await cluster.ownerOf(service);
      await owner.kill();
      return () => owner.startAgain();
    },
    'a slot that is given to another master': async (service: string) => {
      const owner = await cluster.ownerOf(service);
      const other = await cluster.ownerOf(await serviceAt(owner));
      await cluster.move(service, owner, other);
      return async () => {};
    },
  } as const;

  /** A node that delivers accounting through the cluster alone. */
  async function openBooks(service: string) {
    const told = new Set<number>();
    const address = cluster.addressFor(service);
    const pace = { beatMs: 200, fallbackMs: 60_000 };
    const { delivery, redis } = startNode(
      { address, node: 'nas', service, pace, rest: { first: 5, last: 40 } },
      { send: (_entry, answered) => answered(true), done: (number) => told.add(number) },
    );
    await delivery.begin();
    let number = 0;
    return {
      told,
      keep(sessions: number) {
        for (let session = 0; session < sessions; session += 1) {
          for (const record of recordsOf(`s${number}`, 'start', 'stop')) {
            delivery.deliver({ number, record });
            number += 1;
          }
        }
      },
      async close() {
        await new Promise<void>((closed) => delivery.close(closed));
        redis.close();
      },
    };
  }

  /** A name of which another server has the keys. */
  async function serviceAt(notAt: RedisServer): Promise<string> {
    for (let at = 0; ; at += 1) if ((await cluster.ownerOf(`other${at}`)) !== notAt) return `other${at}`;
  }

  test.each(
    Object.entries(faults).flatMap(([name, fault]) =>
      Array.from({ length: seeds }, (_, at) => [name, at + 1, fault] as const),
    ),
  )(
    '%s: every call is answered, and nothing is lost (seed %i)',
    async (_, seed, fault) => {
      const service = `fault${services++}`;
      sites = await openSites(cluster.addressFor(service), service, {
        beatMs: 200,
        suspectAfterMs: 30_000,
        settleMs: 0,
      });
      const [here] = sites as [RedisSite, ...RedisSite[]];
      const walk = new Walk(sites, seed);
      const areEqual = () => sites.every(({ registry }) => registry.isOnline && registry.unwritten === 0);

      const books = await openBooks(service);
      for (let step = 0; step < 5; step++) await walk.round(10);
      books.keep(20);
      const mend = await fault(service);
      books.keep(20);
      for (let step = 0; step < 10; step++) await walk.round(10);
      await until(areEqual, 'the nodes have found the successor');
      books.keep(20);
      for (let step = 0; step < 5; step++) await walk.round(10);
      await until(() => books.told.size === 120, 'all records are told');
      await books.close();
      await until(() => {
        walk.obey();
        return areEqual() && walk.broken.length === 0;
      }, `no user over his limit, no address twice, seed ${seed}`);

      expect(walk.slowestMs, `seed ${seed}`).toBeLessThan(replyMs + 500);
      const listed = (await promised.list(here.registry)).map(({ sessionId }) => sessionId);
      expect(listed.toSorted()).toEqual(walk.alive.toSorted());
      walk.endAll();
      await until(() => isEmpty(service, sites), `all freed, seed ${seed}`);
      await mend();
      await cluster.whenWell();
    },
    60_000,
  );

  test('whose first nodes are dead is found by the others, and says nothing else', async () => {
    const service = `suite${services++}`;
    const address = cluster.addressFor(service);
    const { nodes: known = [], key = '' } = address.cluster ?? {};
    const lines: string[] = [];
    const nowhere = { host: '127.0.0.1', port: 1 };
    const client = new RedisClient(
      { ...address, cluster: { nodes: [nowhere, ...known], key } },
      (_, __, text) => lines.push(text),
    );

    expect(await client.whenReady(10 * replyMs)).toBe(true);
    client.close();
    expect(lines).toEqual([]);
  });

  test.each([
    [
      'a node of a cluster that is given as a single server',
      'REDIS_IS_CLUSTER',
      async (service: string) => addressOf((await cluster.ownerOf(`${service} of another`)).port),
    ],
    [
      'a single server that is given as a node of a cluster',
      'REDIS_NO_CLUSTER',
      async (service: string) => ({
        ...cluster.addressFor(service),
        cluster: { nodes: [{ host: '127.0.0.1', port: single.port }], key: service },
      }),
    ],
  ] as const)('%s is told with what to do, once', async (_, code, addressFor) => {
    const lines: unknown[] = [];
    let told: () => void;
    const line = new Promise<void>((resolve) => {
      told = resolve;
    });
    const client = new RedisClient(await addressFor('fault'), (severity, _topics, _text, facts) => {
      lines.push({ severity, code: facts?.code });
      told();
    });

    if (await client.whenReady(replyMs / 2)) {
      // Keys of all servers: two of three commands are refused.
      for (let key = 0; key < 100; key += 1) await client.run(touch, [`${key}`], []).catch(() => {});
    }
    await line;
    client.close();
    expect(lines).toEqual([{ severity: 'error', code }]);
  });

  let single: RedisServer;
  beforeAll(async () => {
    single = await RedisServer.start();
  });
  afterAll(() => single.remove());
});
