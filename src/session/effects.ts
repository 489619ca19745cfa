/**
 * Performs the effects of a machine one after the other, in the order that they were emitted, also when performing one makes
 * the machine emit more: those wait for their turn. Without it a nested answer could overtake what was said before it.
 */

export class Effects<Effect> {
  readonly #perform: (effect: Effect) => void;
  readonly #waiting: Effect[] = [];
  #busy = false;

  constructor(perform: (effect: Effect) => void) {
    this.#perform = perform;
  }

  run(effects: readonly Effect[]): void {
    this.#waiting.push(...effects);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        this.#perform(next);
    } finally {
      this.#busy = false;
    }
  }
}
