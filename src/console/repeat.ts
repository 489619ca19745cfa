/** Commands that show the same again and again until the operator has seen enough. Pure. */

import type { Desk } from './desk.ts';
import { pause, type Run } from './run.ts';

/** Stands below what will be shown again. */
const footer = '-- [Q quit]\n';

/**
 * Does `show` every `intervalMs`, or once if there is no interval. On a terminal each round takes the place of the one before;
 * elsewhere an empty line parts them.
 */
export function* repeated(
  intervalMs: number | undefined,
  { form: { width, json }, surroundings: { clock } }: Desk,
  show: () => Run,
): Run {
  if (intervalMs === undefined) return yield* show();
  const isTerminal = width !== undefined;
  for (;;) {
    let lines = 0;
    yield* watched(show(), (text) => {
      lines += text.split('\n').length - 1;
    });
    if (isTerminal) yield footer;
    yield* pause(clock, intervalMs);
    // Up to where the round began, or to the top of the terminal if it is longer; then away with all below.
    if (isTerminal) yield `\x1b[${lines + 1}A\r\x1b[J`;
    else if (!json) yield '\n';
  }
}

/** `run`, with all its text told to `see`. */
function* watched(run: Run, see: (text: string) => void): Run {
  try {
    let answer: unknown;
    for (;;) {
      const { done, value } = run.next(answer);
      if (done) return;
      if (typeof value === 'string') see(value);
      answer = yield value;
    }
  } finally {
    run.return();
  }
}
