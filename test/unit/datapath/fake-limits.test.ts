/** The fake's token bucket alone; what a call makes of it stands in test/contract/limits.test.ts. */

import { expect, test } from 'vitest';
import type { CommandOf } from '../../../src/datapath/contract.ts';
import { bucketDepths, TokenBucket } from '../../../src/datapath/fake-limits.ts';

const size = 500;

const terms = (limit: number, burst = 0, threshold = 0, burstTimeMs = 0): CommandOf<'call-shape'> => ({
  kind: 'call-shape',
  call: 1,
  direction: 1,
  limit: BigInt(limit),
  burst: BigInt(burst),
  threshold: BigInt(threshold),
  burstTimeMs,
});

/** Octets that pass between two moments, in packets that come as fast as they may. */
function greedy(bucket: TokenBucket, fromMs: number, untilMs: number): number {
  let octets = 0;
  for (let nowMs = fromMs; nowMs < untilMs; ) {
    if (bucket.mayPass(nowMs)) {
      bucket.spend(size);
      octets += size;
    } else {
      expect(bucket.dueMs).toBeGreaterThan(nowMs);
      nowMs = bucket.dueMs;
    }
  }
  return octets;
}

test('the rate is kept within one in a hundred', () => {
  const bucket = new TokenBucket(bucketDepths.transmit);
  bucket.set(terms(1_000_000), 0);
  greedy(bucket, 0, 1000);

  const octets = greedy(bucket, 1000, 11_000);

  expect(Math.abs(octets - 1_250_000)).toBeLessThan(12_500);
});

test('a burst lasts until the average reaches the threshold, and comes again after a pause', () => {
  const bucket = new TokenBucket(bucketDepths.transmit);
  bucket.set(terms(256_000, 512_000, 192_000, 8000), 0);

  const burst = greedy(bucket, 0, 3000);
  greedy(bucket, 3000, 4000);
  const limited = greedy(bucket, 4000, 8000);
  greedy(bucket, 20_000, 20_500);
  const again = greedy(bucket, 20_500, 21_500);

  expect(Math.abs(burst - 192_000)).toBeLessThan(6000);
  expect(Math.abs(limited - 128_000)).toBeLessThan(3000);
  expect(Math.abs(again - 64_000)).toBeLessThan(3000);
});

test('without a limit everything passes, and a limit begins with a full bucket', () => {
  const bucket = new TokenBucket(bucketDepths.receive);
  expect(bucket.mayPass(0)).toBe(true);

  bucket.set(terms(8000), 1000);
  let octets = 0;
  for (; bucket.mayPass(1000); octets += size) bucket.spend(size);

  expect(octets).toBe(bucketDepths.receive.octets);
});
