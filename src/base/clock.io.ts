/** The real clock: the machine's monotonic time, which goes on from process to process until it starts anew, and Node's timers. */

import type { Clock } from './clock.ts';

/** The longest delay that Node's timers take, in ms: 24.8 days. One more and they fire at once. */
const delayMaxMs = 2 ** 31 - 1;

const [seconds, nanoseconds] = process.hrtime();
/** What Node's own count, which begins with the process, lacks. */
const sinceBootMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

export const systemClock: Clock = {
  nowMs: () => sinceBootMs + performance.now(),
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
