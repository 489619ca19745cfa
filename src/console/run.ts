/**
 * A command on its way, as a coroutine: it gives pieces of text, and waits where others have to answer first. Who drives it
 * writes the pieces as fast as the reader takes them, and may rest between any two: that is why a long command also gives
 * empty ones. Pure; it ends by returning, or by throwing a `Fault`.
 */

import type { Fault } from '../base/fault.ts';

/** Something that others answer, once. */
export interface Wait {
  readonly begin: (resume: (value: unknown) => void) => void;
}

export type Step = string | Wait;
export type Run<T = void> = Generator<Step, T, unknown>;

/** Items handled between two rests: a hundred rows take about a millisecond. */
const itemsBetweenRests = 100;

/** Waits for what `begin` answers. */
export function* ask<T>(begin: (answer: (value: T) => void) => void): Run<T> {
  return (yield { begin: begin as Wait['begin'] }) as T;
}

/** Waits for something that may fail. Throws its fault. */
export function* done(begin: (answer: (fault: Fault | undefined) => void) => void): Run {
  const fault = yield* ask(begin);
  if (fault !== undefined) throw fault;
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
