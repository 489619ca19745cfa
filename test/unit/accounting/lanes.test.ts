/** Lanes: what is pending of each stream, and what a newer Interim-Update replaces. */

import { expect, test } from 'vitest';
import { Lanes, superseded } from '../../../src/accounting/lanes.ts';
import { recordsOf } from '../../conformance/delivery.ts';

function lanesOf(...kinds: ('start' | 'interim' | 'stop')[]): Lanes {
  const lanes = new Lanes();
  for (const [number, record] of recordsOf('a', ...kinds).entries()) lanes.append({ number, record });
  return lanes;
}

const numbersOf = (entries: Iterable<{ readonly number: number }> | undefined) =>
  [...(entries ?? [])].map(({ number }) => number);

test('a lane keeps the order of its entries, and is gone with the last', () => {
  const lanes = lanesOf('start', 'stop');

  expect(numbersOf(lanes.find('a')?.entries)).toEqual([0, 1]);
  expect(lanes.remove(0)).toBe('a');
  expect(numbersOf(lanes.find('a')?.entries)).toEqual([1]);
  lanes.remove(1);
  expect(lanes.find('a')).toBeUndefined();
  expect(lanes.size).toBe(0);
});

test('an entry that is not here is not removed twice', () => {
  const lanes = lanesOf('start', 'stop');
  lanes.remove(0);

  expect(lanes.remove(0)).toBeUndefined();
  expect(lanes.size).toBe(1);
});

test('of Interim-Updates in a row only the last is needed', () => {
  const lane = lanesOf('start', 'interim', 'interim', 'interim', 'stop').find('a');

  expect(numbersOf(lane && superseded(lane))).toEqual([1, 2]);
});

test('an Interim-Update that is being told is not replaced', () => {
  const lane = lanesOf('interim', 'interim', 'interim').find('a');
  if (lane !== undefined) lane.isAsked = true;

  expect(numbersOf(lane && superseded(lane))).toEqual([1]);
});

test('the last Interim-Update before a Stop is told: it is what a server knows if the Stop is lost', () => {
  const lane = lanesOf('start', 'interim', 'stop').find('a');

  expect(lane && superseded(lane)).toEqual([]);
});
