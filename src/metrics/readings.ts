/**
 * A reading of the engine's counters at one moment: of each call those that are told one by one, and what all calls come to. Enter: the
 * messages of the engine's answer, each as it comes, for megabytes that wait to be read would have the collector of garbage stop
 * everybody. Leave: numbers, exact up to 2^53.
 */

import { type CounterRow, counterRow } from '../datapath/contract.ts';
import { callIdMax, callIdOf } from '../session/call-ids.ts';
import { CallSums, type SummedCounter, summedCounters } from '../session/call-sums.ts';
import type { Switchboard } from '../session/switchboard.ts';

/** What series of single sessions tell. */
export const toldCounters = [
  'receivedOctets',
  'transmittedOctets',
  'receivedPackets',
  'transmittedPackets',
  'shaped',
  'lost',
] as const;
export type ToldCounter = (typeof toldCounters)[number];

type Calls = Pick<Switchboard, 'holdsCall' | 'closedCalls' | 'adoptedCalls'>;

/** Rows in one block of memory. */
const rowsPerBlock = 4096;
const none = -1;

export class Readings {
  readonly #calls: Calls;
  readonly #live = new CallSums();
  readonly #placeById = new Int32Array(callIdMax + 1).fill(none);
  /** In blocks, `toldCounters` of each row, one row behind the other. */
  readonly #told: Float64Array[] = [];
  #rows = 0;
  #all: CallSums | undefined;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Reads one message of the table; what stands in `octets` afterwards is nothing to it. */
  add(octets: Uint8Array): void {
    const count = octets.length / counterRow.size;
    if (!Number.isInteger(count)) throw new Error('a table of counters that ends within a row');
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    for (let row = 0; row < count; row += 1) this.#addRow(view, row * counterRow.size);
  }

  /** The table is complete. Calls that end from now on count as they are in it. */
  complete(): this {
    this.#all = this.#live.plus(this.#calls.closedCalls);
    return this;
  }

  /** Of all calls since the process began, those that are over included. */
  sum(counter: SummedCounter): number {
    return (this.#all ?? this.#live).get(counter);
  }

  has(call: number): boolean {
    return this.#placeById[callIdOf(call)] !== none;
  }

  /** Of a call that it has. */
  read(call: number, counter: ToldCounter): number {
    const place = this.#placeById[callIdOf(call)] ?? none;
    const block = this.#told[Math.floor(place / rowsPerBlock)];
    if (block === undefined) throw new RangeError(`no row of call ${call}`);
    return block[(place % rowsPerBlock) * toldCounters.length + toldCounters.indexOf(counter)] ?? 0;
  }

  #addRow(view: DataView, from: number): void {
    const call = view.getUint32(from + callOffset, true);
    // One whose `closed` has come is among those that are over.
    if (!this.#calls.holdsCall(call)) return;
    addRow(this.#live, view, from, 1);
    // What it had counted before this process began is not of this process.
    if (this.#calls.adoptedCalls.delete(call)) addRow(this.#calls.closedCalls, view, from, -1);
    const place = this.#rows;
    this.#rows += 1;
    this.#placeById[callIdOf(call)] = place;
    const block = this.#told[Math.floor(place / rowsPerBlock)] ?? this.#addBlock();
    let at = (place % rowsPerBlock) * toldColumns.length;
    for (const column of toldColumns) {
      block[at] = read(view, from, column);
      at += 1;
    }
  }

  #addBlock(): Float64Array {
    const block = new Float64Array(rowsPerBlock * toldColumns.length);
    this.#told.push(block);
    return block;
  }
}

/** Where a counter stands in a row. */
interface Column {
  readonly offset: number;
  readonly isLong: boolean;
}

function columnOf(name: keyof CounterRow): Column {
  const field = counterRow.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`no counter ${name}`);
  return { offset: field.offset, isLong: field.kind === 'u64' };
}

const callOffset = columnOf('call').offset;
const toldColumns: readonly Column[] = toldCounters.map(columnOf);
const summedColumns: readonly Column[] = summedCounters.map(columnOf);

function read(view: DataView, from: number, { offset, isLong }: Column): number {
  const low = view.getUint32(from + offset, true);
  return isLong ? low + view.getUint32(from + offset + 4, true) * 2 ** 32 : low;
}

function addRow(sums: CallSums, view: DataView, from: number, sign: 1 | -1): void {
  let at = 0;
  for (const column of summedColumns) {
    sums.addAt(at, sign * read(view, from, column));
    at += 1;
  }
}
