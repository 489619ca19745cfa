/**
 * Who changes the configuration now. A program may send many changes without waiting; each is made on what the one before has
 * left, so they take turns. Pure.
 */

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** Calls `go` when it is one's turn; gives back how to stop waiting for it. */
  take(go: () => void): () => void {
    if (!this.#isTaken) {
      this.#isTaken = true;
      go();
      return () => {};
    }
    this.#waiting.push(go);
    return () => {
      const at = this.#waiting.indexOf(go);
      if (at >= 0) this.#waiting.splice(at, 1);
    };
  }

  /** Passes the turn on. */
  pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }
}
