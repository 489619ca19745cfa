/** What goes over all sessions does so in steps, and reads the engine's table as it comes, in however many messages. */

import { beforeAll, describe, expect, it } from 'vitest';
import { type CounterRow, counterRow } from '../../../src/datapath/contract.ts';
import { zeroCounters } from '../../../src/datapath/fake-call.ts';
import { type Answer, type Census, takeCensus } from '../../../src/metrics/census.ts';
import { Rates } from '../../../src/metrics/rates.ts';
import { Readings } from '../../../src/metrics/readings.ts';
import { SessionLines } from '../../../src/metrics/session-lines.ts';
import { Crowd } from './crowd.ts';

/** More than the rows of one message. */
const sessions = 9_000;
/** So many sessions a step at most, over which no step of ours may take a millisecond. */
const sessionsPerStep = 1_000;

/** Runs `work` to its end; how many steps it took, and what it made. */
function stepsOf<T>(work: Generator<unknown, T>): { readonly steps: number; readonly made: T } {
  for (let steps = 1; ; steps += 1) {
    const { done, value } = work.next();
    if (done === true) return { steps, made: value as T };
  }
}

/** The engine of `crowd` answers. */
function ask(crowd: Crowd): Answer {
  const readings = new Readings(crowd.switchboard);
  let answer: Answer | undefined;
  crowd.switchboard.counterOctets(
    (octets) => readings.add(octets),
    (totals) => {
      answer = { atMs: crowd.clock.nowMs(), readings: readings.complete(), totals };
    },
  );
  if (answer === undefined) throw new Error('a crowd answers at once');
  return answer;
}

describe('with many sessions', () => {
  const crowd = new Crowd(sessions);
  let census: Census;

  beforeAll(() => {
    crowd.count(8_500, { receivedOctets: 5_000_000_000n });
    census = stepsOf(takeCensus(crowd.sessions, ask(crowd))).made;
  });

  it('a census is taken in steps', () => {
    const { steps, made } = stepsOf(takeCensus(crowd.sessions, ask(crowd)));
    expect(steps).toBeGreaterThan(sessions / sessionsPerStep);
    expect(made.up.length).toBe(sessions);
  });

  it('rates are followed, and the fastest found, in steps', () => {
    const rates = new Rates();
    expect(stepsOf(rates.follow(census)).steps).toBeGreaterThan(sessions / sessionsPerStep);
    crowd.clock.advance(1_000);
    crowd.count(8_500, { receivedOctets: 5_000_001_000n });
    stepsOf(rates.follow(stepsOf(takeCensus(crowd.sessions, ask(crowd))).made));
    const { steps, made } = stepsOf(rates.fastest(census.up, 15));
    expect(steps).toBeGreaterThan(sessions / sessionsPerStep);
    expect(made.length).toBe(15);
    expect(made[0]?.user).toBe('user8500');
    expect(made.map((served) => rates.of(served).receiveBps).slice(0, 2)).toEqual([8_000, 0]);
  });

  it('their series are told in steps', () => {
    const { steps } = stepsOf(new SessionLines().text(census, census.up));
    expect(steps).toBeGreaterThan((10 * sessions) / sessionsPerStep);
  });
});

describe('a reading', () => {
  it('is of every row of every message', () => {
    const crowd = new Crowd(sessions);
    crowd.count(0, { receivedOctets: 1n });
    crowd.count(4_096, { receivedOctets: 2n ** 40n, shaped: 7n });
    crowd.count(8_999, { transmittedPackets: 3n });
    const { readings } = ask(crowd);
    const callOf = (at: number) => crowd.sessions[at]?.session.place.call ?? 0;
    expect(readings.read(callOf(0), 'receivedOctets')).toBe(1);
    expect(readings.read(callOf(4_096), 'receivedOctets')).toBe(2 ** 40);
    expect(readings.read(callOf(4_096), 'shaped')).toBe(7);
    expect(readings.read(callOf(8_999), 'transmittedPackets')).toBe(3);
    expect(readings.sum('receivedOctets')).toBe(2 ** 40 + 1);
  });

  it('counts a call that ends after it once', () => {
    const crowd = new Crowd(2);
    crowd.count(0, { receivedOctets: 500n });
    const { readings } = ask(crowd);
    crowd.end(0);
    expect(readings.sum('receivedOctets')).toBe(500);
    expect(ask(crowd).readings.sum('receivedOctets')).toBe(500);
  });

  it('keeps nothing of the octets that it was given', () => {
    const crowd = new Crowd(1);
    const call = crowd.sessions[0]?.session.place.call ?? 0;
    const counted: CounterRow = { call, ...zeroCounters, lost: 9, silentMs: 0, idleMs: 0 };
    const octets = counterRow.encode(counted);
    const readings = new Readings(crowd.switchboard);
    readings.add(octets);
    octets.fill(0xff);
    expect(readings.read(call, 'lost')).toBe(9);
  });

  it('has no row of a call that the engine did not tell of', () => {
    const { readings } = ask(new Crowd(1));
    expect(readings.has(0x20005)).toBe(false);
    expect(() => readings.read(0x20005, 'lost')).toThrow(RangeError);
  });

  it('refuses a message that ends within a row', () => {
    const crowd = new Crowd(1);
    expect(() => new Readings(crowd.switchboard).add(new Uint8Array(counterRow.size + 1))).toThrow(
      'within a row',
    );
  });
});
