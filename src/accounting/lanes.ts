/**
 * The entries of this node that are on their way, a lane for each stream. Entries come in and go out by their number; a lane
 * that is empty is gone. What a record says is not looked at, but that of two Interim-Updates in a row the newer one is enough
 * (RFC 5080 erratum 4623). Pure.
 */

import type { Entry } from './delivery.ts';
import { streamOf } from './record.ts';

export interface Lane {
  readonly stream: string;
  /** In order; the first is the one to tell. */
  readonly entries: Entry[];
  /** Who tells them just now: nobody else may. */
  driver: 'job' | 'embedded' | undefined;
  /** True while the first entry is with the sender. */
  isAsked: boolean;
  /** True if Redis may have forgotten the drain that runs, and would then not run it again: another is wanted. */
  mustDrain: boolean;
  /** Until when the stream's lease is surely ours, in ms of the clock. */
  heldUntilMs: number;
}

export class Lanes {
  readonly #byStream = new Map<string, Lane>();
  readonly #streamOf = new Map<number, string>();

  /** Entries in all lanes. */
  get size(): number {
    return this.#streamOf.size;
  }

  has(number: number): boolean {
    return this.#streamOf.has(number);
  }

  find(stream: string): Lane | undefined {
    return this.#byStream.get(stream);
  }

  [Symbol.iterator](): IterableIterator<Lane> {
    return this.#byStream.values();
  }

  append(entry: Entry): Lane {
    const stream = streamOf(entry.record);
    const lane = this.#byStream.get(stream) ?? {
      stream,
      entries: [],
      driver: undefined,
      isAsked: false,
      mustDrain: false,
      heldUntilMs: 0,
    };
    lane.entries.push(entry);
    this.#byStream.set(stream, lane);
    this.#streamOf.set(entry.number, stream);
    return lane;
  }

  /** Takes an entry out. Gives its stream; undefined if it is not here. */
  remove(number: number): string | undefined {
    const stream = this.#streamOf.get(number);
    const lane = stream === undefined ? undefined : this.#byStream.get(stream);
    if (lane === undefined) return undefined;
    this.#streamOf.delete(number);
    lane.entries.splice(
      lane.entries.findIndex((entry) => entry.number === number),
      1,
    );
    if (lane.entries.length === 0) this.#byStream.delete(lane.stream);
    return lane.stream;
  }
}

/** Interim-Updates with a newer one right behind them, but for one that is being told just now. */
export function superseded({ entries, isAsked }: Lane): readonly Entry[] {
  return entries.filter(({ record }, at) => {
    if (at === 0 && isAsked) return false;
    return record.kind === 'interim' && entries[at + 1]?.record.kind === 'interim';
  });
}
