/**
 * Records a second through BullMQ and a real Redis, to a RADIUS server that answers after a few milliseconds; without Redis for
 * comparison. Prints figures; claims nothing but that every record arrives.
 */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Delivery, EmbeddedDelivery } from '../../src/accounting/delivery.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { recordsOf } from '../conformance/delivery.ts';
import { startNode } from '../system/accounting-node.io.ts';
import { RedisServer } from '../system/redis.io.ts';

const sessions = Number(process.env.BENCH_SESSIONS ?? 10_000);
const answerMs = 5;

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.remove());

/** Gives all records of all sessions at once; resolves when all are done. Gives records a second. */
function rate(make: (done: () => void) => Delivery): Promise<number> {
  const records = Array.from({ length: sessions }, (_, at) => recordsOf(`s${at}`, 'start', 'stop')).flat();
  return new Promise((resolve) => {
    let left = records.length;
    const startMs = systemClock.nowMs();
    const delivery = make(() => {
      left -= 1;
      if (left > 0) return;
      resolve(records.length / ((systemClock.nowMs() - startMs) / 1000));
      delivery.close(() => {});
    });
    for (const [number, record] of records.entries()) delivery.deliver({ number, record });
  });
}

const send = (_: unknown, done: (delivered: boolean) => void) =>
  void systemClock.arm(answerMs, () => done(true));

it('embedded', async () => {
  const ports = { send, clock: systemClock, random: systemRandom, log: silent };
  const perSecond = await rate((done) => new EmbeddedDelivery({ ...ports, done }));

  console.log(`embedded: ${Math.round(perSecond)} records/s of ${sessions} sessions`);
  expect(perSecond).toBeGreaterThan(0);
});

it('through BullMQ', async () => {
  const perSecond = await rate((done) => {
    const { delivery } = startNode({ address: redis.address, node: 'bench' }, { send, done });
    setImmediate(() => void delivery.begin());
    return delivery;
  });

  console.log(`BullMQ: ${Math.round(perSecond)} records/s of ${sessions} sessions`);
  expect(perSecond).toBeGreaterThan(0);
});
