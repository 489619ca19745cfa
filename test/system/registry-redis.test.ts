/**
 * The registry in a real Redis: the suite of all registries over three nodes, then a Redis that is killed, frozen and emptied while
 * sessions come and go.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { RedisClient, type RedisConnection, replyMs } from '../../src/base/redis.io.ts';
import { keysOf } from '../../src/session/registry/keys.ts';
import { describeRegistry, promised, rowOf, Walk } from '../conformance/registry.ts';
import { Cable, RedisServer } from './redis.io.ts';
import { openSite, openSites, type RedisSite, worldOf } from './registry-site.io.ts';
import { within } from './within.io.ts';

/** What is due at once is due within this, on a busy machine too. */
const until = within(20_000);

let services = 0;
let redis: RedisServer;
let client: RedisClient;
let raw: RedisConnection;
beforeAll(async () => {
  redis = await RedisServer.start();
  client = new RedisClient(redis.address, silent);
  await client.whenReady(replyMs);
  raw = client.raw;
});
afterAll(async () => {
  client.close();
  await redis.remove();
});

/** Of each fault; more are run by `REGISTRY_SEEDS=20`. */
const seeds = Number(process.env.REGISTRY_SEEDS ?? 2);

/** Whether no key of the service says anything of a session. */
async function isEmpty(service: string, sites: readonly RedisSite[]): Promise<boolean> {
  const { holders, users, addresses, sessions, known } = keysOf(service);
  if (!(await client.whenReady(replyMs))) return false;
  const owners = await raw.zrange(keysOf(service).owners, '0', '-1');
  const keys = [holders, users, addresses, ...owners.flatMap((owner) => [sessions(owner), known(owner)])];
  return (await raw.exists(...keys)) === 0 && sites.every(({ registry }) => registry.unwritten === 0);
}

describeRegistry('redis', async () => {
  const service = `suite${services++}`;
  // Beats are so far apart that none is in the way, but for news of nodes.
  const sites = await openSites(redis.address, service);
  return worldOf(sites, { isEmpty: () => isEmpty(service, sites), until });
});

describe('with Redis', () => {
  let sites: RedisSite[] = [];
  afterEach(async () => {
    redis.thaw();
    await Promise.all(sites.map((site) => site.leave()));
    sites = [];
  });
  const open = async () => {
    const service = `fault${services++}`;
    sites = await openSites(redis.address, service, { beatMs: 200, suspectAfterMs: 30_000, settleMs: 0 });
    return { service, here: sites[0] as RedisSite, there: sites[1] as RedisSite };
  };
  const allEqual = () =>
    until(
      () => sites.every(({ registry }) => registry.isOnline && registry.unwritten === 0),
      'all nodes have written all',
    );
  const claim = (sessionId: string, user = 'jack') =>
    ({ user, sessionId, limit: 1, policy: 'reject' }) as const;

  test('every key of a service ends by itself', async () => {
    const { service, here } = await open();
    await promised.claimUser(here.registry, claim('a'));
    await promised.claimAddress(here.registry, {
      address: 7,
      sessionId: 'a',
      user: 'jack',
      policy: 'reject',
    });
    here.registry.up(rowOf(here, 'a', 'jack', 7));
    here.registry.usage([{ sessionId: 'a', known: rowOf(here, 'a', 'jack', 7).known }]);
    await allEqual();

    const keys = await raw.keys(`{pptp:${service}}:*`);
    const lasting = await Promise.all(keys.map(async (key) => [key, await raw.ttl(key)] as const));

    expect(keys.length).toBeGreaterThan(8);
    expect(lasting.filter(([key, seconds]) => seconds < 0 && !key.includes(':nodes:'))).toEqual([]);
  });

  test('what an owner that does not count has is free', async () => {
    const { service, here, there } = await open();
    await promised.claimUser(here.registry, claim('a'));
    await promised.claimAddress(here.registry, {
      address: 7,
      sessionId: 'a',
      user: 'jack',
      policy: 'reject',
    });
    await here.leave();

    expect((await promised.claimUser(there.registry, claim('b'))).granted).toBe(true);
    const again = { address: 7, sessionId: 'b', user: 'jack', policy: 'reject' } as const;
    expect((await promised.claimAddress(there.registry, again)).granted).toBe(true);
    expect(await raw.hkeys(keysOf(service).holders)).toEqual(['b']);
  });

  test('who has to give way on another node is told so until it hears', async () => {
    const service = `fault${services++}`;
    const [near, far] = [await Cable.to(redis.port), await Cable.to(redis.port)];
    const pace = { beatMs: 200, suspectAfterMs: 30_000, settleMs: 0 };
    const here = await openSite({ address: near.address, service, node: 'anna', pace });
    const there = await openSite({ address: far.address, service, node: 'bert', pace, deafTo: 1 });
    sites = [here, there];
    near.cut();
    far.cut();
    await until(() => sites.every(({ registry }) => !registry.isOnline), 'both are alone');
    const both = [
      [here, 'a', 7],
      [there, 'b', 8],
    ] as const;
    for (const [site, sessionId, address] of both) {
      expect((await promised.claimUser(site.registry, claim(sessionId))).granted).toBe(true);
      site.registry.up(rowOf(site, sessionId, 'jack', address));
    }

    far.mend();
    await until(() => there.registry.isOnline && there.registry.unwritten === 0, 'one is back');
    near.mend();

    await until(() => there.performed.length > 0, 'it has heard');
    expect(there.performed).toEqual([{ kind: 'kick', sessionIds: ['b'], cause: 'replaced' }]);
    for (const cable of [near, far]) cable.remove();
  });

  test('a command that a frozen Redis meets too late has no effect', async () => {
    const { service, here } = await open();
    redis.freeze();

    const outcome = await promised.claimUser(here.registry, claim('a'));
    here.registry.ended('a');
    redis.thaw();
    await allEqual();

    expect(outcome).toEqual({ granted: true, victims: [] });
    expect(await raw.exists(keysOf(service).holders)).toBe(0);
  });

  test('that is away, a node decides by what it knows, at once', async () => {
    const { here } = await open();
    await promised.claimUser(here.registry, claim('a'));
    here.registry.up(rowOf(here, 'a', 'jack', 7));
    await allEqual();
    await redis.kill();

    const startMs = systemClock.nowMs();
    const [same, other] = await Promise.all([
      promised.claimUser(here.registry, claim('b')),
      promised.claimUser(here.registry, claim('c', 'jill')),
    ]);
    const address = { address: 7, sessionId: 'c', user: 'jill', policy: 'reject' } as const;
    const taken = await promised.claimAddress(here.registry, address);
    const found = await promised.find(here.registry, { address: 7 });
    const tookMs = systemClock.nowMs() - startMs;
    await redis.startAgain();

    expect([same.granted, other.granted, taken.granted]).toEqual([false, true, false]);
    expect(found.map(({ sessionId }) => sessionId)).toEqual(['a']);
    expect(tookMs).toBeLessThan(replyMs);
  });

  test('that came back empty, all nodes write all again', async () => {
    const { here, there } = await open();
    for (let at = 0; at < 500; at++) {
      await promised.claimUser(here.registry, claim(`s${at}`, `u${at}`));
      here.registry.up(rowOf(here, `s${at}`, `u${at}`, at + 1));
    }
    await allEqual();
    await redis.kill();
    await redis.startEmpty();
    await allEqual();

    await until(async () => (await promised.list(there.registry)).length === 500, 'all are back');
    expect((await promised.claimUser(there.registry, claim('x', 'u7'))).granted).toBe(false);
    const wanted = { address: 8, sessionId: 'y', user: 'other', policy: 'reject' } as const;
    expect((await promised.claimAddress(there.registry, wanted)).granted).toBe(false);
  });

  test('two nodes that decided alone agree when it is back: the earlier start stays', async () => {
    const { here, there } = await open();
    await redis.kill();
    for (const [site, sessionId, startedAtMs] of [
      [here, 'late', Date.UTC(2026, 1, 2)],
      [there, 'early', Date.UTC(2026, 1, 1)],
    ] as const) {
      expect((await promised.claimUser(site.registry, claim(sessionId))).granted).toBe(true);
      site.registry.up({ ...rowOf(site, sessionId, 'jack', 7), startedAtMs });
    }
    await redis.startAgain();

    const told = () => [
      ...here.conflicts,
      ...here.performed.flatMap((each) => (each.kind === 'kick' ? each.sessionIds : [])),
    ];
    await until(() => told().includes('late'), 'the later one is told to end');

    here.registry.ended('late');
    await allEqual();
    await until(
      async () =>
        (await promised.find(here.registry, { address: 7 })).some(({ sessionId }) => sessionId === 'early'),
      'the earlier one has the address',
    );
    expect(there.conflicts).toEqual([]);
  });

  test('what Redis granted stays, whatever another node decided alone', async () => {
    const { here, there } = await open();
    await promised.claimUser(here.registry, claim('granted'));
    here.registry.up({ ...rowOf(here, 'granted', 'jack', 7), startedAtMs: Date.UTC(2026, 5, 1) });
    await allEqual();
    await redis.kill();
    expect((await promised.claimUser(there.registry, claim('alone'))).granted).toBe(true);
    there.registry.up({ ...rowOf(there, 'alone', 'jack', 7), startedAtMs: Date.UTC(2026, 1, 1) });
    await redis.startEmpty();

    const told = () => [
      ...there.conflicts,
      ...there.performed.flatMap((each) => (each.kind === 'kick' ? each.sessionIds : [])),
    ];
    await until(() => told().includes('alone'), 'the other one is told to end');
    expect(here.conflicts).toEqual([]);
  });

  test.each(
    (['killed', 'frozen', 'emptied', 'flushed'] as const).flatMap((fault) =>
      Array.from({ length: seeds }, (_, at) => [fault, at + 1] as const),
    ),
  )('%s again and again, every call is answered and all agrees in the end (seed %i)', async (fault, seed) => {
    const { service, here } = await open();
    const walk = new Walk(sites, seed);

    for (let round = 0; round < 3; round++) {
      for (let step = 0; step < 4; step++) await walk.round(10);
      const during = walk.round(20);
      await faults[fault]();
      await during;
      for (let step = 0; step < 4; step++) await walk.round(5);
      await ends[fault]();
      for (let step = 0; step < 4; step++) await walk.round(5);
    }
    await allEqual();
    await until(async () => {
      walk.obey();
      await allEqual();
      return walk.broken.length === 0;
    }, `no user over his limit, no address twice, seed ${seed}`);

    expect(walk.slowestMs, `seed ${seed}`).toBeLessThan(replyMs + 500);
    await until(
      async () => (await promised.list(here.registry)).length === walk.alive.length,
      'Redis has what the nodes have',
    );
    expect((await promised.list(here.registry)).map(({ sessionId }) => sessionId).toSorted()).toEqual(
      walk.alive.toSorted(),
    );
    walk.endAll();
    await until(() => isEmpty(service, sites), `all freed, seed ${seed}`);
  });

  const faults = {
    killed: () => redis.kill(),
    frozen: () => Promise.resolve(redis.freeze()),
    emptied: () => redis.kill(),
    flushed: () => raw.flushall(),
  } as const;
  const ends = {
    killed: () => redis.startAgain(),
    frozen: () => Promise.resolve(redis.thaw()),
    emptied: () => redis.startEmpty(),
    flushed: () => Promise.resolve(),
  } as const;
});
