/**
 * Octets: the only place that adds to an offset.
 *
 * A `Reader` walks a byte string and never reads past its end; a `Writer` fills a byte string front to back and leaves no
 * octet unset. Byte order is chosen once, when the walker is made, and never leaves the codec.
 */

export type ByteOrder = 'big' | 'little';

/** Walks a byte string. Reading more than is left is a bug of the caller, who checks `left` first. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  #at = 0;

  constructor(bytes: Uint8Array, order: ByteOrder = 'big') {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = order === 'little';
  }

  /** Octets read so far. */
  get at(): number {
    return this.#at;
  }

  /** Octets not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), this.#little);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), this.#little);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), this.#little);
  }

  /** A copy of the next `size` octets, so that what was read stays true when the caller's buffer is used again. */
  bytes(size: number): Uint8Array {
    const from = this.#advance(size);
    // Not `this.#bytes.slice`: of a Buffer that is a view, and a Buffer again.
    return new Uint8Array(this.#bytes.subarray(from, from + size));
  }

  skip(size: number): void {
    this.#advance(size);
  }

  /** A copy of all that is left. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  /** All that is left, where it stands: for who reads it before the caller's buffer is used again. */
  restInPlace(): Uint8Array {
    return this.#bytes.subarray(this.#advance(this.left));
  }

  #advance(size: number): number {
    const from = this.#at;
    if (size < 0 || from + size > this.#bytes.length) {
      throw new RangeError(`read of ${size} octets at ${from} of ${this.#bytes.length}`);
    }
    this.#at = from + size;
    return from;
  }
}

/** Fills a byte string of a size known from the start. `done` asserts that every octet was written. */
export class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  #at = 0;

  /** Writes into `target`, which may hold anything: each octet of it is overwritten. */
  constructor(target: Uint8Array, order: ByteOrder = 'big') {
    this.#bytes = target;
    this.#view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    this.#little = order === 'little';
  }

  u8(value: number): this {
    this.#view.setUint8(this.#advance(1), value);
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#advance(2), value, this.#little);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#advance(4), value, this.#little);
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#advance(8), value, this.#little);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#advance(value.length));
    return this;
  }

  zeros(size: number): this {
    const from = this.#advance(size);
    this.#bytes.fill(0, from, from + size);
    return this;
  }

  done(): Uint8Array {
    if (this.#at !== this.#bytes.length) {
      throw new RangeError(`${this.#bytes.length - this.#at} octets left unwritten`);
    }
    return this.#bytes;
  }

  #advance(size: number): number {
    const from = this.#at;
    if (from + size > this.#bytes.length) {
      throw new RangeError(`write of ${size} octets at ${from} of ${this.#bytes.length}`);
    }
    this.#at = from + size;
    return from;
  }
}

/** What small byte strings are cut from: an allocation of each costs more than filling it. As large as Node's own pool. */
const slabBytes = 8192;
let slab = new ArrayBuffer(slabBytes);
let slabUsed = 0;

/** `size` octets that may hold anything: for who writes each of them. */
export function unwritten(size: number): Uint8Array {
  if (size > slabBytes / 8) return new Uint8Array(size);
  if (slabUsed + size > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += (size + 7) & ~7;
  return new Uint8Array(slab, at, size);
}

/** All parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = unwritten(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Same octets? For what is public; authenticators are compared with `equalInConstantTime`. */
export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, at) => octet === other[at]);
}

/** Same octets, in a time that tells nothing about where they differ. */
export function equalInConstantTime(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (const [at, octet] of one.entries()) difference |= octet ^ (other[at] ?? 0);
  return difference === 0;
}

/** Two lower-case digits per octet. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

/** The octets that hexadecimal digits name; white space between them is allowed, anything else is a bug of the caller. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new RangeError(`not hexadecimal: ${text}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** The octets of a text in UTF-8, which for ASCII is the text itself. */
export function toBytes(text: string): Uint8Array {
  return utf8.encode(text);
}

/** The text of UTF-8 octets; an octet that is none becomes U+FFFD. */
export function toText(bytes: Uint8Array): string {
  return fromUtf8.decode(bytes);
}
