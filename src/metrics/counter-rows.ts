/**
 * The engine's table of counters, read number by number where it stands: as plain numbers, for tens of thousands of calls in
 * a few milliseconds. Enter: the octets of `counters` events. Leave: numbers, exact up to 2^53.
 */

import { concat } from '../base/bytes.ts';
import { type CounterRow, counterRow } from '../datapath/contract.ts';

export class CounterRows {
  readonly count: number;
  readonly #view: DataView;

  constructor(parts: readonly Uint8Array[]) {
    const octets = concat(...parts);
    this.count = octets.length / counterRow.size;
    if (!Number.isInteger(this.count)) throw new Error('a table of counters that ends within a row');
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  }

  /** The number of `column` in a row, counted from 0. */
  read(row: number, { offset, isLong }: Column): number {
    const at = row * counterRow.size + offset;
    const low = this.#view.getUint32(at, true);
    return isLong ? low + this.#view.getUint32(at + 4, true) * 2 ** 32 : low;
  }
}

/** Where a counter stands in a row. */
export interface Column {
  readonly offset: number;
  readonly isLong: boolean;
}

export function columnOf(name: keyof CounterRow): Column {
  const field = counterRow.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`no counter ${name}`);
  return { offset: field.offset, isLong: field.kind === 'u64' };
}
