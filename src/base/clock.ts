/**
 * Time as a port. Who needs time is given a `Clock`; the real one stands in clock.io.ts, the virtual one here, where a test
 * or the simulation moves it by hand. Times are milliseconds.
 */

/** A deadline that has been set. Cancelling it twice, or after it fired, is harmless. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic: for durations and deadlines. */
  nowMs(): number;
  /** Since 1970: for records and logs only. */
  wallMs(): number;
  /** Calls `fire` once, `delayMs` from now. */
  arm(delayMs: number, fire: () => void): Timer;
}

interface Deadline {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/** A clock that stands still until it is moved; deadlines fire in the order of their times, ties in the order of arming. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #armed = 0;
  readonly #heap: Deadline[] = [];
  readonly #epochMs: number;

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#epochMs + this.#nowMs;
  }

  arm(delayMs: number, fire: () => void): Timer {
    const deadline = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#armed++,
      fire,
      cancelled: false,
    };
    this.#push(deadline);
    return {
      cancel: () => {
        deadline.cancelled = true;
      },
    };
  }

  /** Moves to the next deadline and fires it. False if there is none. */
  step(): boolean {
    for (let next = this.#pop(); next !== undefined; next = this.#pop()) {
      if (next.cancelled) continue;
      this.#nowMs = next.atMs;
      next.fire();
      return true;
    }
    return false;
  }

  /** Fires all that is due within `durationMs`, then stands there. */
  advance(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    for (let head = this.#heap[0]; head !== undefined && head.atMs <= untilMs; head = this.#heap[0]) {
      if (head.cancelled) this.#pop();
      else this.step();
    }
    this.#nowMs = untilMs;
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap;
    let at = heap.push(deadline) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(deadline, heap[parent])) break;
      heap[at] = heap[parent] as Deadline;
      at = parent;
    }
    heap[at] = deadline;
  }

  #pop(): Deadline | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (before(heap[child + 1], heap[child])) child += 1;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child] as Deadline;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(one: Deadline | undefined, other: Deadline | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
