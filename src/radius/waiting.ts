/**
 * Who waits for a free place with a server: urgent ones overtake patient ones, and otherwise who came first goes first.
 * Bounded. Pure.
 */

import type { Query } from './query.ts';

type Urgency = Query['urgency'];

/**
 * Of one server in one role. A server that answers a thousand a second works these off in half the time that a subscriber's
 * PPP waits; whoever came after them would wait in vain, and does better to ask another server or to come again.
 */
export const waitingMax = 16_384;

export class Waiting<Item extends { readonly urgency: Urgency }> {
  readonly #urgent = new Set<Item>();
  readonly #patient = new Set<Item>();

  get size(): number {
    return this.#urgent.size + this.#patient.size;
  }

  /** In the order in which they will go. */
  items(): readonly Item[] {
    return [...this.#urgent, ...this.#patient];
  }

  /** False if there is no room. An urgent one makes room by sending away the patient one that has waited longest: `displaced` is told. */
  enter(item: Item, displaced: (item: Item) => void): boolean {
    if (this.size < waitingMax) {
      this.#of(item).add(item);
      return true;
    }
    const [longest] = item.urgency === 'urgent' ? this.#patient : [];
    if (longest === undefined) return false;
    this.#patient.delete(longest);
    this.#urgent.add(item);
    displaced(longest);
    return true;
  }

  leave(item: Item): boolean {
    return this.#of(item).delete(item);
  }

  first(): Item | undefined {
    const [urgent] = this.#urgent;
    if (urgent !== undefined) return urgent;
    const [patient] = this.#patient;
    return patient;
  }

  #of(item: Item): Set<Item> {
    return item.urgency === 'urgent' ? this.#urgent : this.#patient;
  }
}
