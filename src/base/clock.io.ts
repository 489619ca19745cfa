/** The real clock: Node's monotonic time and timers. */

import type { Clock } from './clock.ts';

/** The longest delay that Node's timers take, in ms: 24.8 days. One more and they fire at once. */
const delayMaxMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  arm(delayMs, fire) {
    const untilMs = performance.now() + delayMs;
    const wait = (leftMs: number): NodeJS.Timeout =>
      leftMs <= delayMaxMs
        ? setTimeout(fire, leftMs)
        : setTimeout(() => {
            timeout = wait(untilMs - performance.now());
          }, delayMaxMs);
    let timeout = wait(delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};
