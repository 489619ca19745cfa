/**
 * The fake engine's receive window (RFC 2637 section 4.3), in the terms of native/window.h: any first number is the base, a
 * packet that comes early waits for those before it, each number is given out at most once. When to give up is the caller's.
 * Pure. Numbers do not wrap: no simulation sends four thousand million packets.
 */

export type Arrival = 'in-order' | 'early' | 'late' | 'duplicate';

/** Numbers behind the one that is due which are remembered, to tell late from duplicate. */
const remembered = 256;

/** Early packets that may wait; one more, and the gap before them is given up at once. */
const heldMax = 32;

export class ReceiveWindow<Item> {
  #due: number | undefined;
  readonly #held = new Map<number, Item>();
  /** Numbers given up, which may still come late. */
  readonly #missing = new Set<number>();

  /** True if early packets wait. */
  get waits(): boolean {
    return this.#held.size > 0;
  }

  /** Takes a packet. A late one is the caller's to use; all others come out of `ready`. */
  received(sequence: number, item: Item): Arrival {
    if (this.#due === undefined) {
      // What was sent before the first to arrive has not been seen, and may come late.
      for (let before = Math.max(0, sequence - remembered); before < sequence; before++)
        this.#missing.add(before);
      this.#due = sequence;
    }
    if (sequence < this.#due) return this.#missing.delete(sequence) ? 'late' : 'duplicate';
    if (this.#held.has(sequence)) return 'duplicate';
    this.#held.set(sequence, item);
    return sequence === this.#due ? 'in-order' : 'early';
  }

  /** What can be given out now, in order. */
  ready(): readonly Item[] {
    const items: Item[] = [];
    for (let due = this.#due ?? 0; this.#held.has(due); this.#due = ++due) {
      items.push(this.#held.get(due) as Item);
      this.#held.delete(due);
    }
    return items;
  }

  get full(): boolean {
    return this.#held.size > heldMax;
  }

  /** Waits no longer for the first gap, and says how many packets it was. */
  giveUp(): number {
    const from = this.#due ?? 0;
    const to = Math.min(...this.#held.keys());
    for (let sequence = Math.max(from, to - remembered); sequence < to; sequence++)
      this.#missing.add(sequence);
    for (const sequence of this.#missing) if (sequence < to - remembered) this.#missing.delete(sequence);
    this.#due = to;
    return to - from;
  }
}
