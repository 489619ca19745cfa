/**
 * What the counters of many calls come to, one number each, for metrics. As plain numbers, which are exact up to 2^53: no node
 * lives to count so many octets.
 */

/** Of those of the contract's counter row, what may be added up. */
export const summedCounters = [
  'receivedOctets',
  'transmittedOctets',
  'receivedPackets',
  'transmittedPackets',
  'shaped',
  'receivedFrames',
  'transmittedFrames',
  'duplicates',
  'late',
  'reordered',
  'lost',
  'malformed',
  'undecryptable',
  'unencrypted',
  'dropped',
  'fragmentsLost',
  'fragmentsLate',
] as const;
export type SummedCounter = (typeof summedCounters)[number];

export class CallSums {
  readonly #sums = new Float64Array(summedCounters.length);

  get(counter: SummedCounter): number {
    return this.#sums[summedCounters.indexOf(counter)] ?? 0;
  }

  add(counters: Readonly<Record<SummedCounter, number | bigint>>): void {
    for (const [at, counter] of summedCounters.entries()) this.addAt(at, Number(counters[counter]));
  }

  /** What both come to, as they are now. */
  plus(other: CallSums): CallSums {
    const sums = new CallSums();
    for (const at of summedCounters.keys()) sums.addAt(at, (this.#sums[at] ?? 0) + (other.#sums[at] ?? 0));
    return sums;
  }

  /** `at` is the place among `summedCounters`. */
  addAt(at: number, value: number): void {
    this.#sums[at] = (this.#sums[at] ?? 0) + value;
  }
}
