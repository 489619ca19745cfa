import { expect, test } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { systemRandom } from '../../../src/base/random.io.ts';
import { below, seededRandom } from '../../../src/base/random.ts';

test('the same seed gives the same octets, another seed others', () => {
  expect(toHex(seededRandom(1)(32))).toBe(toHex(seededRandom(1)(32)));
  expect(toHex(seededRandom(1)(32))).not.toBe(toHex(seededRandom(2)(32)));
});

test('octets and choices are spread evenly', () => {
  const random = seededRandom(42);
  const counts = new Array<number>(10).fill(0);
  for (let times = 0; times < 10_000; times++) {
    const choice = below(random, 10);
    counts[choice] = (counts[choice] ?? 0) + 1;
  }

  for (const count of counts) {
    expect(count).toBeGreaterThan(850);
    expect(count).toBeLessThan(1150);
  }
});

test('the kernel gives as many octets as asked for, never the same', () => {
  expect(systemRandom(20)).toHaveLength(20);
  expect(toHex(systemRandom(16))).not.toBe(toHex(systemRandom(16)));
});
