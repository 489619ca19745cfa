/**
 * Fields as data. One table of fields gives a message's type, its decoder, its encoder and its printed description, so that
 * none of the four can disagree with the others. Pure; knows no protocol.
 *
 *     const echoRequest = layout('big', { identifier: u32 });
 *     type EchoRequest = Of<typeof echoRequest>;            // { identifier: number }
 */

import { type ByteOrder, Reader, toBytes, toText, unwritten, Writer } from './bytes.ts';
import { Malformed } from './fault.ts';

/** One field. `T` is what the program sees; `never` marks a field that carries nothing (reserved, constant). */
export interface Field<T> {
  /** What stands on the wire, for descriptions: `u16`, `bytes[16]`, `tail`. */
  readonly kind: string;
  /** Octets on the wire; of a tail, which takes what is left, the fewest. */
  readonly size: number;
  readonly tail?: true;
  /** True if the value is not part of the derived type. */
  readonly silent?: true;
  /** Reads the field, or says what is wrong with it: the code of a `Malformed`. */
  read(from: Reader): T | Wrong;
  /** Octets that `value` takes. */
  write(into: Writer, value: T): void;
}

/** What a field's `read` found wrong. */
export class Wrong {
  readonly code: string;
  constructor(code: string) {
    this.code = code;
  }
}

export type Fields = Readonly<
  Record<string, Field<never> | Field<number> | Field<bigint> | Field<string> | Field<Uint8Array>>
>;
type Visible<F extends Fields> = {
  [K in keyof F as F[K] extends Field<infer T> ? ([T] extends [never] ? never : K) : never]: F[K];
};
export type ValueOf<F extends Fields> = {
  -readonly [K in keyof Visible<F>]: F[K] extends Field<infer T> ? T : never;
};

/** The type that a layout describes. */
export type Of<L> = L extends Layout<infer F> ? ValueOf<F> : never;

export interface FieldDescription {
  readonly name: string;
  readonly kind: string;
  readonly offset: number;
}

export interface Layout<F extends Fields> {
  /** Octets of all fields; with a tail, the fewest. */
  readonly size: number;
  /** True if the last field takes all that is left. */
  readonly open: boolean;
  /** The value in `bytes`. Octets after the last field are ignored: a longer message is a later version's. */
  decode(bytes: Uint8Array): ValueOf<F> | Malformed;
  /** The octets of `value`, every one of them written. A value out of its field's range is a bug and throws. */
  encode(value: Readonly<ValueOf<F>>): Uint8Array;
  readonly fields: readonly FieldDescription[];
}

function integer(kind: string, size: 1 | 2 | 4): Field<number> {
  const limit = 2 ** (8 * size);
  const read = { 1: (r: Reader) => r.u8(), 2: (r: Reader) => r.u16(), 4: (r: Reader) => r.u32() }[size];
  const write = {
    1: (w: Writer, v: number) => w.u8(v),
    2: (w: Writer, v: number) => w.u16(v),
    4: (w: Writer, v: number) => w.u32(v),
  }[size];
  return {
    kind,
    size,
    read,
    write(into, value) {
      if (!Number.isInteger(value) || value < 0 || value >= limit)
        throw new RangeError(`${value} is no ${kind}`);
      write(into, value);
    },
  };
}

export const u8: Field<number> = integer('u8', 1);
export const u16: Field<number> = integer('u16', 2);
export const u32: Field<number> = integer('u32', 4);
export const u64: Field<bigint> = {
  kind: 'u64',
  size: 8,
  read: (from) => from.u64(),
  write: (into, value) => void into.u64(value),
};

/** Octets of a fixed number. */
export function bytes(size: number): Field<Uint8Array> {
  return {
    kind: `bytes[${size}]`,
    size,
    read: (from) => from.bytes(size),
    write(into, value) {
      if (value.length !== size) throw new RangeError(`${value.length} octets for bytes[${size}]`);
      into.bytes(value);
    },
  };
}

/** Text in `size` octets, padded with zeros; what follows the first zero is not read. Longer text is cut. */
export function text(size: number): Field<string> {
  return {
    kind: `text[${size}]`,
    size,
    read(from) {
      const octets = from.bytes(size);
      const end = octets.indexOf(0);
      return toText(end < 0 ? octets : octets.subarray(0, end));
    },
    write(into, value) {
      const octets = toBytes(value).subarray(0, size);
      into.bytes(octets).zeros(size - octets.length);
    },
  };
}

/** Octets without meaning: zeros when sent, ignored when received. */
export function reserved(size: number): Field<never> {
  return {
    kind: `reserved[${size}]`,
    size,
    silent: true,
    read(from) {
      from.skip(size);
      return nothing;
    },
    write: (into) => void into.zeros(size),
  };
}

/** A number that is always the same; another one is `code`. */
export function constant(field: Field<number>, value: number, code: string): Field<never> {
  return {
    kind: field.kind,
    size: field.size,
    silent: true,
    read: (from) => (field.read(from) === value ? nothing : new Wrong(code)),
    write: (into) => field.write(into, value),
  };
}

/** All that is left: last in its layout. */
export const tail: Field<Uint8Array> = {
  kind: 'tail',
  size: 0,
  tail: true,
  read: (from) => from.rest(),
  write: (into, value) => void into.bytes(value),
};

/** The same, where it stands: for what is long and read at once. */
export const tailInPlace: Field<Uint8Array> = { ...tail, read: (from) => from.restInPlace() };

// What a silent field reads: never seen outside, because its name is not in the derived type.
const nothing = undefined as never;

type AnyField = Field<unknown>;

/**
 * Makes the layout of `fields`, in the order written.
 * A message shorter than its fields is `Malformed` with the code `${prefix}SHORT`.
 */
export function layout<const F extends Fields>(order: ByteOrder, fields: F, prefix = ''): Layout<F> {
  const rows = Object.entries(fields) as unknown as [string, AnyField][];
  const offsets = new Map<string, number>();
  let size = 0;
  for (const [at, [name, field]] of rows.entries()) {
    if (field.tail && at !== rows.length - 1) throw new RangeError(`${name}: a tail comes last`);
    offsets.set(name, size);
    size += field.size;
  }

  return {
    size,
    open: rows.at(-1)?.[1].tail === true,
    fields: rows.map(([name, { kind }]) => ({ name, kind, offset: offsets.get(name) ?? 0 })),

    decode(octets) {
      const reader = new Reader(octets, order);
      const value: Record<string, unknown> = {};
      for (const [name, field] of rows) {
        const at = reader.at;
        if (reader.left < field.size) return new Malformed(`${prefix}SHORT`, name, at);
        const read = field.read(reader);
        if (read instanceof Wrong) return new Malformed(read.code, name, at);
        if (!field.silent) value[name] = read;
      }
      return value as ValueOf<F>;
    },

    encode(value) {
      const last = rows.at(-1);
      const open = last?.[1].tail ? (value as Record<string, unknown>)[last[0]] : undefined;
      const writer = new Writer(unwritten(size + (open instanceof Uint8Array ? open.length : 0)), order);
      for (const [name, field] of rows) field.write(writer, (value as Record<string, unknown>)[name]);
      return writer.done();
    },
  };
}
