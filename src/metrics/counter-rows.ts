/**
 * The engine's table of counters, read number by number where it stands: as plain numbers, for tens of thousands of calls in
 * a few milliseconds. Enter: the octets of `counters` events. Leave: numbers, exact up to 2^53.
 */

import { type CounterRow, counterRow } from '../datapath/contract.ts';

/** Read where they came: to put ten megabytes together holds everybody up for as long as to read them all. */
export class CounterRows {
  readonly count: number;
  readonly #parts: readonly DataView[];
  /** In each part but the last, which may have less: as many as the engine puts into a message. */
  readonly #rowsPerPart: number;

  constructor(parts: readonly Uint8Array[]) {
    const whole = parts[0]?.length ?? 0;
    const areAlike = parts.every(({ length }, at) =>
      at === parts.length - 1 ? length <= whole : length === whole,
    );
    this.#rowsPerPart = whole / counterRow.size;
    this.count = parts.reduce((sum, { length }) => sum + length, 0) / counterRow.size;
    if (!areAlike || !Number.isInteger(this.#rowsPerPart) || !Number.isInteger(this.count))
      throw new Error('a table of counters in parts that are not alike');
    this.#parts = parts.map((part) => new DataView(part.buffer, part.byteOffset, part.byteLength));
  }

  /** The number of `column` in a row, counted from 0. */
  read(row: number, { offset, isLong }: Column): number {
    const part = Math.floor(row / this.#rowsPerPart);
    const view = this.#parts[part];
    if (view === undefined) throw new RangeError(`row ${row} of ${this.count}`);
    const at = (row - part * this.#rowsPerPart) * counterRow.size + offset;
    const low = view.getUint32(at, true);
    return isLong ? low + view.getUint32(at + 4, true) * 2 ** 32 : low;
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
