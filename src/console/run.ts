/**
 * A command on its way, as a coroutine: it gives pieces of text, and waits where others have to answer first. Who drives it
 * writes the pieces as fast as the reader takes them, and may rest between any two: that is why a long command also gives
 * empty ones. Pure; it ends by returning, or by throwing a `Fault`.
 *
 * The operator may interrupt it: the driver throws `Interrupted` into it where it stands. A command that has a last word to say
 * catches that; most do not. Of one whose operator is gone only the `finally` blocks run.
 */

import type { Clock } from '../base/clock.ts';
import type { Fault } from '../base/fault.ts';

/** Something that others answer, once. */
export interface Wait {
  /** Gives back how to stop waiting; what gives nothing back has begun something that will be finished, as a change is. */
  readonly begin: (resume: (value: unknown) => void) => (() => void) | void;
}

export type Step = string | Wait;
export type Run<T = void> = Generator<Step, T, unknown>;

/** The operator wants no more of it. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** Items handled between two rests: a hundred rows take about a millisecond. */
const itemsBetweenRests = 100;

/** Waits for what `begin` answers. */
export function* ask<T>(begin: (answer: (value: T) => void) => (() => void) | void): Run<T> {
  return (yield { begin: begin as Wait['begin'] }) as T;
}

/** Waits for something that may fail. Throws its fault. */
export function* done(begin: (answer: (fault: Fault | undefined) => void) => void): Run {
  const fault = yield* ask(begin);
  if (fault !== undefined) throw fault;
}

/** Waits for `delayMs`. */
export function* pause(clock: Clock, delayMs: number): Run {
  yield* ask<void>((resume) => {
    const timer = clock.arm(delayMs, resume);
    return () => timer.cancel();
  });
}

/** Calls `act` for each item, with rests. */
export function* forEach<T>(items: Iterable<T>, act: (item: T) => void): Run {
  let count = 0;
  for (const item of items) {
    act(item);
    count += 1;
    if (count % itemsBetweenRests === 0) yield '';
  }
}
