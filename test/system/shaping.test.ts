/**
 * What TCP makes of a call's rates: two engines on one cable, one call between them, iperf3 through it. The left engine is the
 * concentrator's, whose call is shaped; the right one is the subscriber's.
 */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CommandOf, direction } from '../../src/datapath/contract.ts';
import { type RealWorld, realWorld } from '../contract/real-world.io.ts';
import { leftCall, openTunnel, rows } from '../contract/tunnel.ts';
import type { Pair } from '../contract/world.ts';
import { run } from './traffic.io.ts';

/** The concentrator's end of the tunnel: `inner.left` as people write it. */
const concentrator = '10.9.0.1';

const megabit = 1e6;

let world: RealWorld;
let pair: Pair;

beforeAll(() => {
  world = realWorld();
});
afterAll(() => world?.remove());
beforeEach(async () => {
  pair = await world.open();
  await openTunnel(pair);
});
afterEach(() => pair.close());

test('one flow gets nearly the whole rate each way, and no more', async () => {
  await shape('transmit', { limit: 10 * megabit });
  await shape('receive', { limit: 5 * megabit });

  const down = await flow('down', { seconds: 4, omitSeconds: 1 });
  const up = await flow('up', { seconds: 6, omitSeconds: 1 });

  const figures = `of 10 Mbit/s down ${megabits(down.bps)}, of 5 up ${megabits(up.bps)}`;
  expect(down.bps, figures).toBeGreaterThan(8.5 * megabit);
  expect(down.bps, figures).toBeLessThan(10.2 * megabit);
  expect(up.bps, figures).toBeGreaterThan(4.2 * megabit);
  expect(up.bps, figures).toBeLessThan(5.2 * megabit);
});

test('what waits for credit is not dropped by the engine, and what is beyond the rate from the peer is counted', async () => {
  await shape('transmit', { limit: 10 * megabit });
  await shape('receive', { limit: 5 * megabit });

  await flow('down', { seconds: 2 });
  const [afterDown] = await rows(pair.left.control);
  await flow('up', { seconds: 2 });
  const [afterUp] = await rows(pair.left.control);

  expect(afterDown).toMatchObject({ shaped: 0n, dropped: 0 });
  expect(afterUp?.shaped).toBeGreaterThan(0n);
});

test('a burst goes at its own rate until the average is at the threshold', async () => {
  // 40 Mbit/s for 2 s bring the average over 8 s to 10 Mbit/s.
  const burst = { burst: 40 * megabit, threshold: 10 * megabit, burstTimeMs: 8000 };
  await shape('transmit', { limit: 5 * megabit, ...burst });

  const { intervals } = await flow('down', { seconds: 6, intervalSeconds: 0.5 });

  const figures = intervals.map(megabits).join(' ');
  const [, early = 0] = intervals;
  const late = intervals.slice(8, 12);
  expect(early, figures).toBeGreaterThan(30 * megabit);
  expect(Math.max(...late), figures).toBeLessThan(7 * megabit);
  expect(Math.min(...late), figures).toBeGreaterThan(3.5 * megabit);
});

test('a change of the rate is there within a second, in the middle of a flow', async () => {
  await shape('transmit', { limit: 20 * megabit });
  const flowing = flow('down', { seconds: 8, intervalSeconds: 1 });
  await transmitted(5_000_000n);

  await shape('transmit', { limit: 4 * megabit });
  const { intervals } = await flowing;

  const figures = intervals.map(megabits).join(' ');
  const slower = intervals.findIndex((bps) => bps < 5 * megabit);
  expect(slower, figures).toBeGreaterThan(0);
  // Between the last whole second at the old rate and the first at the new one there is at most one that has both.
  expect(
    intervals.slice(0, slower - 1).every((bps) => bps > 15 * megabit),
    figures,
  ).toBe(true);
  expect(
    intervals.slice(slower).every((bps) => bps > 3 * megabit && bps < 5 * megabit),
    figures,
  ).toBe(true);
});

type Half = keyof typeof direction;
type Rate = { limit: number; burst?: number; threshold?: number; burstTimeMs?: number };

/** Asks until so many octets have gone to the subscriber; a flow that stands still ends the test by its own time. */
async function transmitted(octets: bigint): Promise<void> {
  for (;;) {
    const [row] = await rows(pair.left.control);
    if (row !== undefined && row.transmittedOctets >= octets) return;
    await pair.pass();
  }
}

/** Has the left engine's call shaped; resolves when it is so. */
async function shape(half: Half, rate: Rate): Promise<void> {
  pair.left.control.send(callShape(half, rate));
  await rows(pair.left.control);
}

function callShape(
  half: Half,
  { limit, burst = 0, threshold = 0, burstTimeMs = 0 }: Rate,
): CommandOf<'call-shape'> {
  const rates = { limit: BigInt(limit), burst: BigInt(burst), threshold: BigInt(threshold) };
  return { kind: 'call-shape', call: leftCall, direction: direction[half], ...rates, burstTimeMs };
}

interface Flow {
  /** Of what arrived, bits per second of TCP's payload. */
  readonly bps: number;
  /** The same of each interval, at the end that iperf3 reports: the receiver's for `down`. */
  readonly intervals: readonly number[];
}

/** One TCP flow from the subscriber (`up`) or to him. */
async function flow(
  way: 'up' | 'down',
  { seconds = 4, omitSeconds = 0, intervalSeconds = 1 } = {},
): Promise<Flow> {
  const { left, right } = world.namespaces;
  const listener = left.start(['iperf3', '--server', '--one-off', '--forceflush', '--bind', concentrator], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (listener.stdout === null) throw new Error('the listener needs a pipe');
  const ended = once(listener, 'close');
  for await (const line of createInterface({ input: listener.stdout })) {
    if (line.startsWith('Server listening')) break;
  }
  listener.stdout.resume();
  const words = ['--json', '--client', concentrator, '--time', seconds, '--omit', omitSeconds];
  words.push('--interval', intervalSeconds, ...(way === 'down' ? ['--reverse'] : []));
  const report = JSON.parse(await run(right, 'iperf3', ...words.map(String)));
  if (report.error !== undefined) throw new Error(`iperf3: ${report.error}`);
  await ended;
  return {
    bps: (8 * report.end.sum_received.bytes) / seconds,
    intervals: report.intervals.map(({ sum }: { sum: { bits_per_second: number } }) => sum.bits_per_second),
  };
}

function megabits(bps: number): string {
  return (bps / megabit).toFixed(1);
}
