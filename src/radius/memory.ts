/** What is remembered for a while: at most so many things, the oldest forgotten first. Knows no clock; times are its caller's. */

interface Remembered<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

export class Memory<Value> {
  readonly #size: number;
  /** In the order of remembering, which a Map keeps. */
  readonly #things = new Map<string, Remembered<Value>>();

  /** Holds `size` things. */
  constructor(size: number) {
    this.#size = size;
  }

  /** What was remembered under `key`, if that is still so at `nowMs`. */
  recall(key: string, nowMs: number): Value | undefined {
    const thing = this.#things.get(key);
    return thing !== undefined && nowMs < thing.untilMs ? thing.value : undefined;
  }

  /** Remembers `value` until `untilMs`, in place of what stood under `key`. */
  remember(key: string, value: Value, nowMs: number, untilMs: number): void {
    this.#things.delete(key);
    this.#forget(nowMs);
    this.#things.set(key, { value, untilMs });
  }

  /** Whatever has lasted its time, as far as it is among the oldest; and the oldest, if there is no room. */
  #forget(nowMs: number): void {
    for (const [key, { untilMs }] of this.#things) {
      if (nowMs < untilMs && this.#things.size < this.#size) return;
      this.#things.delete(key);
    }
  }
}
