/** What holds a call back, by the same laws in the fake engine and the real one: rates and quotas. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CounterRow, contractVersion, direction } from '../../src/datapath/contract.ts';
import { fakeWorld } from './fake-world.ts';
import { realWorld } from './real-world.io.ts';
import { leftCall, linkName, openBridges, openTunnel, rightCall, rows, until } from './tunnel.ts';
import type { Pair, Side, World } from './world.ts';

/** Octets of a datagram's payload, and of the IP packet that it becomes in the real world at least. */
const size = 1000;
const payloads = Array.from({ length: 30 }, (_, at) => new Uint8Array(size).fill(at));

/** So slow that what the bucket does not hold waits for seconds. */
const slow = { limit: 8_000n, burst: 0n, threshold: 0n, burstTimeMs: 0 };
const unlimited = { ...slow, limit: 0n };
const noQuota = { receiveOctets: 0n, transmitOctets: 0n, totalOctets: 0n };

describe.each([
  ['the fake engine', () => fakeWorld],
  ['the real engine', realWorld],
] as const)('%s', (_, makeWorld) => {
  let world: World;
  let pair: Pair;
  let left: Side;
  let right: Side;

  beforeAll(() => {
    world = makeWorld();
  });
  afterAll(() => world?.remove());
  beforeEach(async () => {
    pair = await world.open();
    ({ left, right } = pair);
    await openTunnel(pair);
  });
  afterEach(() => pair.close());

  describe('a rate towards the peer', () => {
    test('has packets wait, loses none, and keeps their order when it changes', async () => {
      await shape(left, 'transmit', slow);
      await sendAll(left);

      await until(pair, async () => (await row(left)).transmittedPackets >= 3n);
      const before = await row(left);
      await shape(left, 'transmit', unlimited);

      expect(before.transmittedPackets).toBeLessThan(10n);
      expect(await next(right, payloads.length)).toEqual(payloads.map(([mark]) => mark));
      expect(await row(left)).toMatchObject({ shaped: 0n, dropped: 0 });
    });

    test('lets them pass as credit comes', async () => {
      await shape(left, 'transmit', { ...slow, limit: 1_000_000n });

      await sendAll(left);

      expect(await next(right, payloads.length)).toEqual(payloads.map(([mark]) => mark));
      expect(await row(left)).toMatchObject({ shaped: 0n, dropped: 0 });
    });

    test('leaves the other direction alone, and control’s frames', async () => {
      await shape(left, 'transmit', slow);
      await sendAll(left);
      await until(pair, async () => (await row(left)).transmittedPackets >= 3n);

      left.control.send({
        kind: 'call-frame',
        call: leftCall,
        protocol: 0xc021,
        information: new Uint8Array(4),
      });
      await sendAll(right);

      await right.control.next('frame');
      await next(left, payloads.length);
    });
  });

  describe('a rate from the peer', () => {
    test('drops what is beyond it, and counts it apart', async () => {
      await shape(right, 'receive', slow);

      await sendAll(left);

      await until(pair, async () => {
        const { receivedPackets, shaped } = await row(right);
        return receivedPackets + shaped === BigInt(payloads.length);
      });
      const { receivedPackets, dropped, lost } = await row(right);
      expect(receivedPackets).toBeGreaterThanOrEqual(14n);
      expect(receivedPackets).toBeLessThan(20n);
      expect({ dropped, lost }).toEqual({ dropped: 0, lost: 0 });
    });

    test('ends at once when it is taken away', async () => {
      await shape(right, 'receive', slow);
      await sendAll(left);
      await until(pair, async () => (await row(right)).shaped > 0n);

      await shape(right, 'receive', unlimited);
      const { shaped } = await row(right);
      await left.sendPacket(linkName, new Uint8Array([0xee]));

      await until(pair, async () => (await next(right, 1))[0] === 0xee);
      expect(await row(right)).toMatchObject({ shaped });
    });
  });

  describe('a burst', () => {
    test('passes at its own rate while the average is below the threshold', async () => {
      // The average is looked at 16 times in the burst time: until 3.75 s have passed all may go at the burst's rate.
      const burst = { limit: 8_000n, burst: 100_000_000n, threshold: 1_000n, burstTimeMs: 60_000 };
      await shape(left, 'transmit', burst);

      await sendAll(left);

      expect(await next(right, payloads.length)).toHaveLength(payloads.length);
    });
  });

  describe('a quota', () => {
    test.each([
      ['of what is received', { receiveOctets: 2_500n }],
      ['of both directions', { totalOctets: 2_500n }],
    ])('%s is said once; what comes after it does not pass', async (_name, quota) => {
      right.control.send({ kind: 'call-quota', call: rightCall, ...noQuota, ...quota });
      await rows(right.control);

      await sendAll(left);

      expect(await right.control.next('quota')).toEqual({ kind: 'quota', call: rightCall });
      await until(pair, async () => (await row(right)).shaped === BigInt(payloads.length - 3));
      expect(await row(right)).toMatchObject({ receivedPackets: 3n, dropped: 0 });
      expect(right.control.untaken).not.toContain('quota');
    });

    test('of what is sent ends that direction only', async () => {
      left.control.send({ kind: 'call-quota', call: leftCall, ...noQuota, transmitOctets: 1n });
      await rows(left.control);

      await sendAll(left);

      await left.control.next('quota');
      await until(pair, async () => (await row(left)).shaped === BigInt(payloads.length - 1));
      await sendAll(right);
      await next(left, payloads.length);
    });

    test('of both directions ends both', async () => {
      left.control.send({ kind: 'call-quota', call: leftCall, ...noQuota, totalOctets: 1n });
      await rows(left.control);
      await left.sendPacket(linkName, new Uint8Array(size));
      await left.control.next('quota');

      await right.sendPacket(linkName, new Uint8Array(size));

      await until(pair, async () => (await row(left)).shaped === 1n);
      expect(await row(left)).toMatchObject({ receivedPackets: 0n, transmittedPackets: 1n });
    });

    test('counts what has passed before it was set; a larger one lets packets pass again', async () => {
      await left.sendPacket(linkName, new Uint8Array(size));
      await next(right, 1);

      for (const _again of [1, 2]) {
        right.control.send({ kind: 'call-quota', call: rightCall, ...noQuota, receiveOctets: 1_000n });
        await right.control.next('quota');
      }
      right.control.send({ kind: 'call-quota', call: rightCall, ...noQuota, receiveOctets: 5_000n });
      await rows(right.control);
      await left.sendPacket(linkName, new Uint8Array(size));

      await next(right, 1);
      expect(right.control.untaken).not.toContain('quota');
    });

    test('that is used up while control is away is told to the next one', async () => {
      right.control.send({ kind: 'call-quota', call: rightCall, ...noQuota, receiveOctets: 1n });
      await rows(right.control);
      await right.leave();
      await left.sendPacket(linkName, new Uint8Array(size));
      await next(right, 1);

      const control = await right.join();
      control.send({ kind: 'hello', version: contractVersion });

      expect(await control.next('quota')).toEqual({ kind: 'quota', call: rightCall });
    });
  });

  describe('bridged frames', () => {
    beforeEach(async () => {
      await openBridges(pair);
      // The hosts have found each other's addresses.
      await left.sendBridged(new Uint8Array(1));
      await next(right, 1);
    });

    test('share the rate with network packets, and neither starves the other', async () => {
      const bridgedMark = 100;
      await shape(left, 'transmit', { ...slow, limit: 1_000_000n });
      for (const payload of payloads) {
        await left.sendPacket(linkName, payload);
        await left.sendBridged(payload.map((mark) => mark + bridgedMark));
      }

      const marks = (await next(right, 2 * payloads.length)).map(Number);

      const [packets, frames] = [false, true].map((isBridged) =>
        marks.filter((mark) => mark >= bridgedMark === isBridged),
      );
      expect(packets).toEqual(payloads.map(([mark]) => mark));
      expect(frames).toEqual(payloads.map(([mark = 0]) => mark + bridgedMark));
      const early = marks.slice(0, payloads.length).filter((mark) => mark >= bridgedMark);
      expect(early.length).toBeGreaterThan(payloads.length / 4);
      expect(early.length).toBeLessThan((3 * payloads.length) / 4);
      expect(await row(left)).toMatchObject({ shaped: 0n });
    });

    test('are held to a rate and a quota of what comes', async () => {
      await shape(right, 'receive', slow);
      for (const payload of payloads) await left.sendBridged(payload);
      await until(pair, async () => (await row(right)).shaped >= 10n);

      await shape(right, 'receive', unlimited);
      const { shaped } = await row(right);
      right.control.send({ kind: 'call-quota', call: rightCall, ...noQuota, receiveOctets: 1n });
      expect(await right.control.next('quota')).toEqual({ kind: 'quota', call: rightCall });
      await left.sendBridged(new Uint8Array(size));

      await until(pair, async () => (await row(right)).shaped > shaped);
    });
  });

  /** Resolves when the rate holds. */
  async function shape(side: Side, half: keyof typeof direction, rate: typeof slow): Promise<void> {
    const call = side === left ? leftCall : rightCall;
    side.control.send({ kind: 'call-shape', call, direction: direction[half], ...rate });
    await rows(side.control);
  }

  async function sendAll(side: Side): Promise<void> {
    for (const payload of payloads) await side.sendPacket(linkName, payload);
  }

  /** The first octets of the next datagrams. */
  async function next(side: Side, count: number): Promise<(number | undefined)[]> {
    const marks: (number | undefined)[] = [];
    while (marks.length < count) marks.push((await side.nextPacket())[0]);
    return marks;
  }
});

/** The counters of the only call. */
async function row(side: Side): Promise<CounterRow> {
  const [only] = await rows(side.control);
  if (only === undefined) throw new Error('the call is held');
  return only;
}
