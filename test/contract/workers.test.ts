/** What the real engine tells of its workers: what they cost, and what they were too slow for. The kernel alone knows both. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EventOf, type WorkerRow, workerRow } from '../../src/datapath/contract.ts';
import { type RealWorld, realWorld } from './real-world.io.ts';
import { callOpen, frame, greet, leftCall, rightCall, slotOf, totals, until } from './tunnel.ts';
import type { Pair } from './world.ts';

/** More than the buffer of a GRE socket takes: 16 MiB with the kernel's own bookkeeping. */
const flood = Array.from({ length: 12_000 }, () => new Uint8Array(1400));

let world: RealWorld;
let pair: Pair;

beforeAll(() => {
  world = realWorld();
});
afterAll(() => world?.remove());
beforeEach(async () => {
  pair = await world.open();
});
afterEach(() => pair.close());

function workersOf({ workers }: EventOf<'totals'>): readonly WorkerRow[] {
  return Array.from(
    { length: workers.length / workerRow.size },
    (_, at) => workerRow.decode(workers.subarray(at * workerRow.size)) as WorkerRow,
  );
}

const dropsOf = (told: EventOf<'totals'>) =>
  workersOf(told).reduce((sum, { socketDrops }) => sum + socketDrops, 0);
const processorUsOf = (told: EventOf<'totals'>) =>
  workersOf(told).reduce((sum, { processorUs }) => sum + processorUs, 0n);

test('what the kernel threw away while the engine did not read is counted, and what it did is processor time', async () => {
  const { left, right } = pair;
  await greet(left.control);
  const { hello } = await greet(right.control);
  left.control.send(callOpen(left, leftCall, right, slotOf(rightCall)));
  right.control.send(callOpen(right, rightCall, left, slotOf(leftCall)));
  const before = await totals(right.control);

  process.kill(hello.pid, 'SIGSTOP');
  for (const octets of flood) left.control.send(frame(leftCall, octets));
  await until(pair, async () => (await totals(left.control)).transmittedPackets >= BigInt(flood.length));
  process.kill(hello.pid, 'SIGCONT');

  await until(pair, async () => {
    const told = await totals(right.control);
    return told.receivedPackets > before.receivedPackets && dropsOf(told) > 0;
  });
  const after = await totals(right.control);
  expect(workersOf(after)).toHaveLength(hello.workers);
  expect(dropsOf(before)).toBe(0);
  expect(dropsOf(after)).toBeLessThan(flood.length);
  expect(processorUsOf(after)).toBeGreaterThan(processorUsOf(before));
});
