/**
 * Accounting through a real Redis: the suite of all deliveries, then a Redis that is killed, frozen and emptied while hundreds of
 * records a second go through it, and nodes that die with records undelivered.
 */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Entry, Sender } from '../../src/accounting/delivery.ts';
import { Mirror } from '../../src/accounting/mirror.ts';
import { streamOf } from '../../src/accounting/record.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { below, type Random, seededRandom } from '../../src/base/random.ts';
import { RedisClient, replyMs } from '../../src/base/redis.io.ts';
import { scriptFates } from '../../src/base/redis-scripts.ts';
import { describeDelivery, recordsOf } from '../conformance/delivery.ts';
import { ChildNode, type LocalNode, type NodePorts, startNode } from './accounting-node.io.ts';
import { Cable, RedisServer } from './redis.io.ts';
import { within } from './within.io.ts';

const quick = { first: 5, last: 40 } as const;

/** What is due at once is due within this, on a busy machine too. */
const until = within(30_000);

let services = 0;
let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.remove());

describeDelivery('bullmq', async () => {
  const service = `suite${services++}`;
  const lives: { node: LocalNode; cable: Cable }[] = [];
  return {
    clock: systemClock,
    async start(surroundings) {
      const cable = await Cable.to(redis.port);
      const pace = { beatMs: 200, fallbackMs: 60_000 };
      const options = { address: cable.address, node: 'nas', service, pace, rest: quick };
      const node = startNode(options, surroundings);
      lives.push({ node, cable });
      await once(node.redis.raw, 'ready');
      // After what is left has been delivered to it, which happens at once.
      setImmediate(() => void node.delivery.begin());
      return node.delivery;
    },
    async kill() {
      lives.at(-1)?.cable.cut();
    },
    until,
    async close() {
      for (const { node, cable } of lives) {
        node.redis.close();
        node.delivery.close(() => {});
        cable.remove();
      }
    },
  };
});

/** The RADIUS server's view: who told what, in which order. Slow now and then, silent now and then. */
class Billing {
  readonly told = new Map<string, { node: string; number: number; kind: string }[]>();
  count = 0;
  silencePercent = 10;
  slowPercent = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  senderOf(node: string): Sender {
    return (entry, done) => {
      const isSilent = below(this.#random, 100) < this.silencePercent;
      if (!isSilent) this.#tell(node, entry);
      // Some answers come when Redis has been away for so long that the node delivers by itself.
      const isSlow = below(this.#random, 100) < this.slowPercent;
      systemClock.arm(isSlow ? 2_500 : below(this.#random, 20), () => done(!isSilent));
    };
  }

  #tell(node: string, { number, record }: Entry): void {
    const stream = streamOf(record);
    const told = this.told.get(stream) ?? [];
    told.push({ node, number, kind: record.kind });
    this.told.set(stream, told);
    this.count += 1;
  }
}

/** A node's journal and its delivery. */
class Site {
  readonly entries: Entry[] = [];
  readonly done = new Set<number>();
  delivery: { deliver(entry: Entry): void } | undefined;

  ports(send: Sender): NodePorts {
    return {
      send,
      done: (number) => {
        expect(this.done.has(number), `entry ${number} is done once`).toBe(false);
        this.done.add(number);
      },
    };
  }

  keep(record: Entry['record']): void {
    const entry = { number: this.entries.length, record };
    this.entries.push(entry);
    this.delivery?.deliver(entry);
  }

  get left(): number {
    return this.entries.length - this.done.size;
  }
}

function expectWhole(billing: Billing, streams: readonly string[], seed: number): void {
  const wrong: Record<string, string[]> = {};
  for (const stream of streams) {
    const told = billing.told.get(stream) ?? [];
    const kinds = told.map(({ kind }) => kind);
    const numbers = told.map(({ number }) => number);
    const isOrdered = numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0));
    const isWhole = kinds[0] === 'start' && kinds.at(-1) === 'stop';
    if (!isOrdered || !isWhole)
      wrong[stream] = told.map(({ node, number, kind }) => `${node} ${number} ${kind}`);
  }
  expect(wrong, `seed ${seed}`).toEqual({});
}

describe('under load', () => {
  const open: LocalNode[] = [];
  let server: RedisServer;
  afterEach(async () => {
    const closed = open.splice(0).map(async ({ delivery, redis }) => {
      await new Promise<void>((done) => delivery.close(done));
      redis.close();
    });
    server.thaw();
    await Promise.all(closed);
    await server.remove();
  });

  const outages: Record<
    string,
    { away: (server: RedisServer) => unknown; back: (server: RedisServer) => unknown }
  > = {
    'is killed and comes back with its data': { away: (it) => it.kill(), back: (it) => it.startAgain() },
    'is killed and comes back empty': { away: (it) => it.kill(), back: (it) => it.startEmpty() },
    freezes: { away: (it) => it.freeze(), back: (it) => it.thaw() },
    'is emptied while it runs': { away: () => open[0]?.redis.raw.flushall(), back: () => {} },
  };

  test.each(Object.keys(outages))(
    'nothing is lost, doubled or disordered when redis %s',
    async (name) => {
      const seed = 20_261_121 + name.length;
      const random = seededRandom(seed);
      const billing = new Billing(random);
      billing.slowPercent = 2;
      server = await RedisServer.start();
      const sites = ['one', 'two'].map((node) => {
        const site = new Site();
        const options = {
          address: server.address,
          node,
          pace: { beatMs: 300, fallbackMs: 1_500 },
          rest: quick,
        };
        const local = startNode(options, site.ports(billing.senderOf(node)));
        site.delivery = local.delivery;
        open.push(local);
        return { node, site, delivery: local.delivery };
      });
      await Promise.all(sites.map(({ delivery }) => delivery.begin()));
      await until(() => sites.every(({ delivery }) => delivery.isOnline), 'meeting redis');

      const load = new Load(sites, random, 600);
      await until(() => load.made > 600, 'load before');
      await outages[name]?.away(server);
      const before = billing.count;
      const madeBefore = load.made;
      await until(() => load.made > madeBefore + 3_000, 'load while away');
      await until(() => billing.count - before > 1_000, 'telling while redis is away');
      await outages[name]?.back(server);
      await until(() => sites.every(({ delivery }) => delivery.isOnline), 'redis back');
      await until(() => load.made > madeBefore + 4_000, 'load after');
      const streams = load.end();
      // By chance alone a stream may meet silence for as long as one waits; at the end it need not.
      billing.silencePercent = 0;
      await until(() => sites.every(({ site }) => site.left === 0), 'all told');

      expectWhole(billing, streams, seed);
      await until(() => sites.every(({ delivery }) => delivery.pending === 0));
      console.log(`redis ${name}: ${load.made} records of ${streams.length} sessions, seed ${seed}`);
    },
    90_000,
  );
});

describe('two nodes', () => {
  const open: LocalNode[] = [];
  const children: ChildNode[] = [];
  const service = () => `pair${services++}`;
  const pace = { beatMs: 200 };
  const terms = { ownerMs: 1_500, leaseMs: 1_000 };
  const streams = Array.from({ length: 100 }, (_, at) => `s${at}`);
  let cable: Cable | undefined;
  afterEach(async () => {
    cable?.remove();
    await Promise.all(children.splice(0).map((child) => child.kill()));
    for (const { delivery, redis } of open.splice(0)) {
      await new Promise<void>((done) => delivery.close(done));
      redis.close();
    }
  });

  /** A node in this process, begun. */
  async function node(name: string, of: string, site: Site, send: Sender, way?: Cable) {
    const { address } = way ?? redis;
    // Who is cut off for a short time must not be taken for dead, and begins to tell by itself long before.
    const haste = way === undefined ? { pace, terms } : { pace: { ...pace, fallbackMs: 600 } };
    const options = { address, node: name, service: of, rest: quick, ...haste };
    const local = startNode(options, site.ports(send));
    open.push(local);
    site.delivery = local.delivery;
    for (const entry of site.entries) if (!site.done.has(entry.number)) local.delivery.deliver(entry);
    await local.delivery.begin();
    await until(() => local.delivery.isOnline, 'meeting redis');
    return local;
  }

  async function child(name: string, of: string, site: Site, send: Sender): Promise<ChildNode> {
    const options = { address: redis.address, node: name, service: of, pace, terms, rest: quick };
    const made = new ChildNode(options, site.ports(send));
    children.push(made);
    site.delivery = made;
    await made.begun();
    return made;
  }

  /** Until Redis has a copy of `count` streams of a node. */
  async function untilCopied(other: LocalNode, of: string, name: string, count: number): Promise<void> {
    const key = `{pptp:${of}}:acct:streams:${name}@first`;
    while ((await other.redis.raw.scard(key)) !== count) await pause(10);
  }

  test('what a node that was killed leaves, the other tells; back again, the node knows of it', async () => {
    const of = service();
    const billing = new Billing(seededRandom(1));
    const [one, two] = [new Site(), new Site()];
    const survivor = await node('two', of, two, billing.senderOf('two'));
    const victim = await child('one', of, one, (_, done) => void systemClock.arm(5, () => done(false)));
    for (const stream of streams)
      for (const record of recordsOf(stream, 'start', 'interim', 'stop')) one.keep(record);
    await untilCopied(survivor, of, 'one', streams.length);

    await victim.kill();
    const killedMs = systemClock.nowMs();
    await until(() => billing.count === 3 * streams.length, 'the heir tells all');
    const tookMs = systemClock.nowMs() - killedMs;
    await untilCopied(survivor, of, 'one', 0);
    await node('one', of, one, billing.senderOf('one'));
    await until(() => one.left === 0, 'the node knows');

    expectWhole(billing, streams, 1);
    expect(billing.count).toBe(3 * streams.length);
    expect(two.done.size).toBe(0);
    console.log(`heir: ${billing.count} records told ${Math.round(tookMs)} ms after the kill`);
  });

  test('of a stream whose node is killed at work, no more than the record told last is told again', async () => {
    const of = service();
    const seed = 7;
    const billing = new Billing(seededRandom(seed));
    const [one, two] = [new Site(), new Site()];
    let isDeaf = true;
    const tell = billing.senderOf('one');
    const survivor = await node('two', of, two, billing.senderOf('two'));
    const victim = await child('one', of, one, (entry, done) => {
      if (isDeaf) systemClock.arm(5, () => done(false));
      else tell(entry, done);
    });
    for (const stream of streams)
      for (const record of recordsOf(stream, 'start', 'interim', 'stop')) one.keep(record);
    await untilCopied(survivor, of, 'one', streams.length);
    isDeaf = false;
    await until(() => billing.count > streams.length, 'a third told');

    await victim.kill();
    await untilCopied(survivor, of, 'one', 0);

    let doubled = 0;
    for (const stream of streams) {
      const told = billing.told.get(stream) ?? [];
      const numbers = told.map(({ number }) => number);
      const by = (name: string) => told.filter((each) => each.node === name).map(({ number }) => number);
      expect(numbers, `order of ${stream}, seed ${seed}`).toEqual(numbers.toSorted((a, b) => a - b));
      expect(new Set(numbers).size, `records of ${stream}, seed ${seed}`).toBe(3);
      expect(numbers.length, `told of ${stream}, seed ${seed}`).toBeLessThanOrEqual(4);
      doubled += by('one').filter((number) => by('two').includes(number)).length;
    }
    console.log(`killed at work: ${doubled} of ${billing.count - doubled} told again, seed ${seed}`);
  });

  test('a node that stood still for too long does not tell what others told for it', async () => {
    const of = service();
    const billing = new Billing(seededRandom(3));
    const [one, two] = [new Site(), new Site()];
    let isDeaf = true;
    const tell = billing.senderOf('one');
    const survivor = await node('two', of, two, billing.senderOf('two'));
    const sleeper = await child('one', of, one, (entry, done) => {
      if (isDeaf) systemClock.arm(5, () => done(false));
      else tell(entry, done);
    });
    for (const stream of streams) for (const record of recordsOf(stream, 'start', 'stop')) one.keep(record);
    await untilCopied(survivor, of, 'one', streams.length);

    sleeper.freeze();
    await until(() => billing.count === 2 * streams.length, 'the heir tells all');
    isDeaf = false;
    sleeper.thaw();
    await until(() => one.left === 0, 'the sleeper knows');

    expectWhole(billing, streams, 3);
    expect(billing.count).toBe(2 * streams.length);
  });

  test('a node that is cut off from redis tells by itself, and nothing twice when it is joined again', async () => {
    const of = service();
    const billing = new Billing(seededRandom(4));
    const [one, two] = [new Site(), new Site()];
    cable = await Cable.to(redis.port);
    await node('two', of, two, billing.senderOf('two'));
    const { delivery } = await node('one', of, one, billing.senderOf('one'), cable);
    for (const stream of streams) for (const record of recordsOf(stream, 'start')) one.keep(record);
    await until(() => one.left === 0, 'Starts told');

    cable.cut();
    for (const stream of streams) for (const record of recordsOf(stream, 'stop')) one.keep(record);
    await until(() => one.left === 0, 'Stops told');
    cable.mend();
    await until(() => delivery.isOnline, 'joined again');
    for (const record of recordsOf('later', 'start', 'stop')) one.keep(record);
    await until(() => one.left === 0, 'later records told');

    expectWhole(billing, [...streams, 'later'], 4);
    expect(billing.count).toBe(2 * streams.length + 2);
  });
});

describe('redis itself', () => {
  const server = { one: undefined as RedisServer | undefined };
  afterEach(() => server.one?.remove());

  test('is refused if it may throw keys away', async () => {
    server.one = await RedisServer.start('--maxmemory-policy', 'allkeys-lru');
    const { delivery, redis } = startNode(
      { address: server.one.address, node: 'nas' },
      { send: () => {}, done: () => {} },
    );

    await expect(delivery.begin()).rejects.toMatchObject({ code: 'REDIS_EVICTS', owner: 'operator' });
    await new Promise<void>((done) => delivery.close(done));
    redis.close();
  });

  test('does nothing, once thawed, of what it was told while it was frozen', async () => {
    server.one = await RedisServer.start();
    const client = new RedisClient(server.one.address, silent);
    await client.whenReady(replyMs);
    const mirror = new Mirror(client, systemClock, 'late', 'nas@first', {
      ownerMs: 9_000,
      leaseMs: 9_000,
      replyMs,
    });
    await mirror.beat('fresh');
    const copy = (stream: string) => ({ stream, records: [{ number: 1, text: '{}' }] });
    const fates = () =>
      Array.from([scriptFates.get('acctKeep'), scriptFates.get('acctBeat')], (fate) => [
        fate?.seconds.counts.reduce((sum, count) => sum + count, 0) ?? 0,
        fate?.failures ?? 0,
      ]).flat();
    const before = fates();
    await mirror.keep([copy('before')]);

    server.one.freeze();
    await expect(mirror.keep([copy('while frozen')])).rejects.toThrow('timed out');
    server.one.thaw();
    await client.whenReady(10 * replyMs);
    const streams = await mirror.streams();

    expect(streams).toEqual(['before']);
    expect(fates().map((count, at) => count - (before[at] ?? 0))).toEqual([1, 1, 0, 0]);
    client.close();
  });

  test('lets one node at a time tell a stream, and tells its owner what the heir has told', async () => {
    server.one = await RedisServer.start();
    const client = new RedisClient(server.one.address, silent);
    await client.whenReady(replyMs);
    const terms = { ownerMs: 100, leaseMs: 60_000, replyMs };
    const [owner, heir, other] = ['owner@1', 'heir@1', 'other@1'].map(
      (name) => new Mirror(client, systemClock, 'lease', name, terms),
    ) as [Mirror, Mirror, Mirror];
    const records = [1, 2].map((number) => ({ number, text: `${number}` }));
    await owner.beat('fresh');
    await owner.keep([{ stream: 's', records }]);
    expect(await heir.inherit('owner@1', 's')).toBe('kept');
    while (!(await heir.beat('fresh')).lost.includes('owner@1')) await pause(20);

    expect(await heir.inherit('owner@1', 's')).toEqual(records);
    expect(await other.inherit('owner@1', 's')).toBe('kept');
    expect(await heir.settle('owner@1', 's', 1)).toBe(true);
    expect(await owner.claim('s', [1, 2])).toBe('taken');
    // The owner, back, says again what it believes: 1 does not come back.
    expect(await owner.keep([{ stream: 's', records }])).toEqual([1]);
    expect(await heir.settle('owner@1', 's', 2)).toBe(true);
    expect(await owner.claim('s', [1, 2])).toEqual([1, 2]);
    expect(await owner.streams()).toEqual([]);
    client.close();
  });

  test('a connection that is frozen or dead refuses within seconds', async () => {
    server.one = await RedisServer.start();
    const client = new RedisClient(server.one.address, silent);
    await client.whenReady(replyMs);

    server.one.freeze();
    const frozenMs = await refusalMs(client);
    server.one.thaw();
    await server.one.kill();
    await until(() => !client.isReady);
    const deadMs = await refusalMs(client);

    expect(frozenMs).toBeLessThan(2 * replyMs);
    expect(deadMs).toBeLessThan(replyMs / 2);
    client.close();
  });

  async function refusalMs(client: RedisClient): Promise<number> {
    const askedMs = systemClock.nowMs();
    await expect(client.checkEviction()).rejects.toThrow();
    return systemClock.nowMs() - askedMs;
  }
});

interface LoadedSite {
  readonly node: string;
  readonly site: Site;
}

/** Sessions that come, are counted and go, `perSecond` records on all nodes together. */
class Load {
  made = 0;
  readonly #sites: readonly LoadedSite[];
  readonly #random: Random;
  readonly #lives: { site: Site; stream: string; rest: Entry['record'][] }[] = [];
  readonly #streams: string[] = [];
  readonly #perTick: number;
  #isOver = false;

  constructor(sites: readonly LoadedSite[], random: Random, perSecond: number) {
    this.#sites = sites;
    this.#random = random;
    this.#perTick = Math.ceil(perSecond / 100);
    this.#tick();
  }

  /** Ends all sessions. Gives their streams. */
  end(): readonly string[] {
    this.#isOver = true;
    for (const { site, rest } of this.#lives) for (const record of rest) this.#keep(site, record);
    return this.#streams;
  }

  #tick(): void {
    if (this.#isOver) return;
    for (let count = 0; count < this.#perTick; count++) this.#step();
    systemClock.arm(10, () => this.#tick());
  }

  #step(): void {
    if (this.#lives.length < 200) this.#begin();
    const at = below(this.#random, this.#lives.length);
    const life = this.#lives[at];
    const record = life?.rest.shift();
    if (life === undefined || record === undefined) return;
    this.#keep(life.site, record);
    if (life.rest.length === 0) this.#lives.splice(at, 1);
  }

  #begin(): void {
    const { site, node } = this.#sites[below(this.#random, this.#sites.length)] ?? {};
    if (site === undefined) throw new Error('no node');
    const stream = `${node}-${this.#streams.length}`;
    this.#streams.push(stream);
    const interims = Array.from({ length: below(this.#random, 4) }, () => 'interim' as const);
    this.#lives.push({ site, stream, rest: [...recordsOf(stream, 'start', ...interims, 'stop')] });
  }

  #keep(site: Site, record: Entry['record']): void {
    this.made += 1;
    site.keep(record);
  }
}
