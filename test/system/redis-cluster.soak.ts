/**
 * The suite of all deliveries in a real Redis Cluster, and what is felt of a master that freezes or dies. Beside redis-cluster.test.ts, which
 * is quicker.
 */

import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { RedisClient, replyMs } from '../../src/base/redis.io.ts';
import { describeDelivery } from '../conformance/delivery.ts';
import { type LocalNode, startNode } from './accounting-node.io.ts';
import { Lifeline, RedisCluster } from './redis-cluster.io.ts';
import { within } from './within.io.ts';

/** What is due at once is due within this, on a busy machine too. */
const until = within(30_000);

let services = 0;
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start();
}, 60_000);
afterAll(() => cluster.remove());

describeDelivery('bullmq in a redis cluster', async () => {
  const service = `suite${services++}`;
  const address = cluster.addressFor(service);
  const lives: { node: LocalNode; line: Lifeline }[] = [];
  return {
    clock: systemClock,
    async start(surroundings) {
      const line = new Lifeline();
      const pace = { beatMs: 200, fallbackMs: 60_000 };
      const options = { address, node: 'nas', service, pace, rest: { first: 5, last: 40 } };
      const node = line.run(() => startNode(options, surroundings));
      lives.push({ node, line });
      await once(node.redis.raw, 'ready');
      // After what is left has been delivered to it, which happens at once.
      line.run(() => setImmediate(() => void node.delivery.begin()));
      return node.delivery;
    },
    async kill() {
      lives.at(-1)?.line.cut();
    },
    until,
    async close() {
      for (const { node, line } of lives) {
        node.redis.close();
        node.delivery.close(() => {});
        line.cut();
      }
    },
  };
});

test('a master that freezes or dies refuses within seconds, and its replica goes on', async () => {
  const service = `suite${services++}`;
  const client = new RedisClient(cluster.addressFor(service), silent);
  await client.whenReady(replyMs);
  const owner = await cluster.ownerOf(service);

  owner.freeze();
  const frozenMs = await refusalMs(client);
  await until(() => !client.isReady);
  expect(await client.whenReady(20 * replyMs)).toBe(true);
  const successor = await cluster.ownerOf(service);
  expect(successor).not.toBe(owner);

  await successor.kill();
  await until(() => !client.isReady);
  const deadMs = await refusalMs(client);
  client.close();

  expect(frozenMs).toBeLessThan(2 * replyMs);
  expect(deadMs).toBeLessThan(replyMs / 2);
});

async function refusalMs(client: RedisClient): Promise<number> {
  const askedMs = systemClock.nowMs();
  await expect(client.checkEviction()).rejects.toThrow();
  return systemClock.nowMs() - askedMs;
}
