import { expect, test } from 'vitest';
import { step, type Table } from '../../../src/base/machine.ts';

const door: Table<'open' | 'shut', 'push' | 'pull', 'creak'> = {
  push: { open: { actions: ['creak'], next: 'shut' }, shut: undefined },
  pull: { open: undefined, shut: { actions: [], next: 'open' } },
};

test('a cell gives actions and the next state', () => {
  expect(step(door, 'open', 'push')).toEqual({ actions: ['creak'], next: 'shut' });
  expect(step(door, 'shut', 'pull')).toEqual({ actions: [], next: 'open' });
});

test('a cell where the event cannot happen is undefined', () => {
  expect(step(door, 'shut', 'push')).toBeUndefined();
});
