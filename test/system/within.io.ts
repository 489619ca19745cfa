/** Waits for what has to come true by itself, in tests of real processes: looks often, and gives up after a bound. */

import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.io.ts';

/** Between two looks, in ms. */
const lookMs = 2;

/** Holds when its condition does, and fails if that takes more than `patienceMs`. */
export function within(patienceMs: number) {
  return async (condition: () => Promise<boolean> | boolean, what = 'the condition'): Promise<void> => {
    const untilMs = systemClock.nowMs() + patienceMs;
    while (!(await condition())) {
      if (systemClock.nowMs() > untilMs) throw new Error(`${what}: did not come true`);
      await pause(lookMs);
    }
  };
}
