/** What goes over all sessions does so in steps, and reads the engine's table where it came, in however many parts. */

import { beforeAll, describe, expect, it } from 'vitest';
import { type CounterRow, counterRow } from '../../../src/datapath/contract.ts';
import { zeroCounters } from '../../../src/datapath/fake-call.ts';
import { type Census, takeCensus } from '../../../src/metrics/census.ts';
import { CounterRows, columnOf } from '../../../src/metrics/counter-rows.ts';
import { Rates } from '../../../src/metrics/rates.ts';
import { SessionLines } from '../../../src/metrics/session-lines.ts';
import { Crowd } from './crowd.ts';

/** More than the rows of one part of the crowd's table. */
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

describe('with many sessions', () => {
  const crowd = new Crowd(sessions);
  let counters: Parameters<Parameters<typeof crowd.switchboard.counterOctets>[0]>;
  let census: Census;

  beforeAll(() => {
    crowd.count(8_500, { receivedOctets: 5_000_000_000n });
    crowd.switchboard.counterOctets((...told) => {
      counters = told;
    });
    census = stepsOf(takeCensus(crowd, ...counters)).made;
  });

  it('a census is taken in steps, and reads rows of every part', () => {
    const { steps, made } = stepsOf(takeCensus(crowd, ...counters));
    expect(counters[0].length).toBe(2);
    expect(steps).toBeGreaterThan((2 * sessions) / sessionsPerStep);
    expect(made.up.length).toBe(sessions);
    expect(made.sum('receivedOctets')).toBe(5_000_000_000);
  });

  it('rates are followed, and the fastest found, in steps', () => {
    const rates = new Rates();
    expect(stepsOf(rates.follow(census)).steps).toBeGreaterThan(sessions / sessionsPerStep);
    crowd.clock.advance(1_000);
    crowd.count(8_500, { receivedOctets: 5_000_001_000n });
    crowd.switchboard.counterOctets((...told) => {
      const later = stepsOf(takeCensus(crowd, ...told)).made;
      stepsOf(rates.follow(later));
    });
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

describe('a table of counters', () => {
  const row = (call: number): Uint8Array => {
    const counted: CounterRow = { call, ...zeroCounters, silentMs: 0, idleMs: 0 };
    return counterRow.encode(counted);
  };
  const part = (...calls: number[]) => new Uint8Array(Buffer.concat(calls.map(row)));
  const callsIn = (rows: CounterRows) =>
    Array.from({ length: rows.count }, (_, at) => rows.read(at, columnOf('call')));

  it.each([
    ['in one part', [part(1, 2, 3)], [1, 2, 3]],
    ['in parts, the last one shorter', [part(1, 2), part(3, 4), part(5)], [1, 2, 3, 4, 5]],
    ['without a row', [part()], []],
    ['without a part', [], []],
  ])('is read %s', (_, parts, calls) => {
    expect(callsIn(new CounterRows(parts))).toEqual(calls);
  });

  it.each([
    ['a part in the middle is shorter', [part(1, 2), part(3), part(4, 5)]],
    ['a row is cut', [part(1, 2).subarray(1)]],
    ['the last part is the longest', [part(1), part(2, 3)]],
  ])('is refused if %s', (_, parts) => {
    expect(() => new CounterRows(parts)).toThrow('not alike');
  });

  it('has no row after the last', () => {
    expect(() => new CounterRows([part(1, 2)]).read(2, columnOf('call'))).toThrow(RangeError);
  });
});
