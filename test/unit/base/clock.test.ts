import { expect, test } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { below, seededRandom } from '../../../src/base/random.ts';

test('deadlines fire in the order of their times, ties in the order of arming', () => {
  const seed = 5;
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const fired: number[] = [];
  const delays = Array.from({ length: 500 }, () => below(random, 50));
  delays.forEach((delayMs, at) => {
    clock.arm(delayMs, () => fired.push(at));
  });

  clock.advance(50);

  const expected = delays.map((_, at) => at).sort((a, b) => (delays[a] ?? 0) - (delays[b] ?? 0) || a - b);
  expect(fired, `seed ${seed}`).toEqual(expected);
});

test('time stands still until it is moved, and jumps from deadline to deadline', () => {
  const clock = new VirtualClock(1000);
  const seen: number[] = [];
  clock.arm(20, () => seen.push(clock.nowMs()));
  clock.arm(10, () => clock.arm(5, () => seen.push(clock.nowMs())));

  clock.advance(9);
  expect(seen).toEqual([]);
  clock.advance(100);

  expect(seen).toEqual([15, 20]);
  expect([clock.nowMs(), clock.wallMs()]).toEqual([109, 1109]);
});

test('a cancelled deadline does not fire, and cancelling twice is harmless', () => {
  const clock = new VirtualClock();
  const timer = clock.arm(1, () => expect.unreachable());
  timer.cancel();
  timer.cancel();

  expect(clock.step()).toBe(false);
});

test('advance does not fire what a cancelled deadline stood in front of', () => {
  const clock = new VirtualClock();
  let fired = 0;
  clock.arm(1, () => fired++).cancel();
  clock.arm(100, () => fired++);

  clock.advance(50);

  expect([fired, clock.nowMs()]).toEqual([0, 50]);
});
