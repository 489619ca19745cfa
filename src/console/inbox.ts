/** What others tell a command while it runs: log lines, echo replies. Holds no more than its bound: the oldest go. Pure. */

import { ask, type Run } from './run.ts';

export class Inbox<T> {
  readonly #capacity: number;
  #held: T[] = [];
  #waiting: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  put(value: T): void {
    if (this.#held.length === this.#capacity) this.#held.shift();
    this.#held.push(value);
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** All that has come, at least one: waits for it. */
  *take(): Run<readonly T[]> {
    if (this.#held.length === 0) {
      yield* ask<void>((resume) => {
        this.#waiting = resume;
        return () => {
          this.#waiting = undefined;
        };
      });
    }
    const taken = this.#held;
    this.#held = [];
    return taken;
  }
}
