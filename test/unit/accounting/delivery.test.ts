import { expect, test } from 'vitest';
import { type Delivery, EmbeddedDelivery, type Entry } from '../../../src/accounting/delivery.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/observe.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { type DeliveryWorld, describeDelivery, recordsOf } from '../../conformance/delivery.ts';

describeDelivery('the embedded one', async (): Promise<DeliveryWorld> => {
  const clock = new VirtualClock();
  return {
    clock,
    start: async (surroundings) => new EmbeddedDelivery({ ...surroundings, clock, log: silent }),
    kill: async () => {},
    until: async (condition) => {
      while (!condition()) expect(clock.step(), 'something is still to happen').toBe(true);
    },
    close: async () => {},
  };
});

interface Embedded {
  readonly clock: VirtualClock;
  readonly delivery: Delivery;
  /** Entries asked for, with when. */
  readonly asked: { readonly entry: Entry; readonly atMs: number }[];
}

function embedded(answer: (entry: Entry) => boolean): Embedded {
  const clock = new VirtualClock();
  const asked: Embedded['asked'] = [];
  const delivery = new EmbeddedDelivery({
    send: (entry, done) => {
      asked.push({ entry, atMs: clock.nowMs() });
      done(answer(entry));
    },
    done: () => {},
    clock,
    random: seededRandom(1),
    log: silent,
  });
  return { clock, delivery, asked };
}

test('an outage costs a few questions, however many sessions wait', () => {
  const { clock, delivery, asked } = embedded(() => false);

  for (let at = 0; at < 20_000; at++) delivery.deliver(entryOf(at));
  clock.advance(600_000);

  // At most one in half a pause of 5 s, after the first 256 and those of the shorter pauses.
  expect(asked.length).toBeLessThan(256 + 20 + 600_000 / 2_500);
  expect(delivery.pending).toBe(20_000);
});

test('after an outage the backlog drains without a pause', () => {
  let isAway = true;
  const { clock, delivery } = embedded(() => !isAway);
  for (let at = 0; at < 20_000; at++) delivery.deliver(entryOf(at));
  clock.advance(600_000);

  isAway = false;
  delivery.hurry();

  expect(delivery.pending).toBe(0);
});

test('a server that comes back unnoticed is found within seconds', () => {
  let isAway = true;
  const { clock, delivery } = embedded(() => !isAway);
  for (let at = 0; at < 1_000; at++) delivery.deliver(entryOf(at));
  clock.advance(3_600_000);

  isAway = false;
  clock.advance(5_000);

  expect(delivery.pending).toBeLessThan(1_000);
  clock.advance(60_000);
  expect(delivery.pending).toBe(0);
});

test('what a process before has sent is repeated in the first question only', () => {
  let silences = 3;
  const { clock, delivery, asked } = embedded(() => silences-- <= 0);
  const sent = { server: '192.0.2.1:1813', port: 40_000, octets: new Uint8Array([4]) };

  delivery.deliver({ ...entryOf(1), sent });
  clock.advance(60_000);

  expect(asked.map(({ entry }) => entry.sent)).toEqual([sent, undefined, undefined, undefined]);
});

test('the rest of a failing session doubles up to a minute', () => {
  const { clock, delivery, asked } = embedded(() => false);

  delivery.deliver(entryOf(1));
  clock.advance(3_600_000);

  const rests = asked.slice(1).map(({ atMs }, at) => atMs - (asked[at]?.atMs ?? 0));
  expect(rests[0]).toBeLessThanOrEqual(1_000);
  expect(Math.max(...rests)).toBeGreaterThan(30_000);
  expect(Math.max(...rests)).toBeLessThanOrEqual(65_000);
});

function entryOf(number: number): Entry {
  const [record] = recordsOf(`session-${number}`, 'start');
  return { number, record };
}
