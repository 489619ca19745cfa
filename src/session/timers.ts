/** Named deadlines over a clock: arming a name again replaces it. What machines ask for by `arm` and `disarm` effects. Pure. */

import type { Clock, Timer } from '../base/clock.ts';

export class Timers<Name extends string> {
  readonly #clock: Clock;
  readonly #armed = new Map<Name, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  arm(name: Name, delayMs: number, fire: () => void): void {
    this.disarm(name);
    const timer = this.#clock.arm(delayMs, () => {
      this.#armed.delete(name);
      fire();
    });
    this.#armed.set(name, timer);
  }

  disarm(name: Name): void {
    this.#armed.get(name)?.cancel();
    this.#armed.delete(name);
  }

  disarmAll(): void {
    for (const timer of this.#armed.values()) timer.cancel();
    this.#armed.clear();
  }
}
