/**
 * How values look inside attributes (RFC 2865 section 5, RFC 3162 section 2, RFC 8044 section 3): one row for each kind, with
 * what the program sees of it. A value of a wrong length is read as undefined; a number out of range is our bug and throws.
 */

import { Reader, toBytes, toText, Writer } from '../base/bytes.ts';
import type { Ipv4 } from '../base/ip.ts';
import { u32 } from '../base/layout.ts';

export interface Kind<Value> {
  read(octets: Uint8Array): Value | undefined;
  write(value: Value): Uint8Array;
}

/** An IPv6 prefix: 16 octets, of which those behind the prefix are zero, and 0 … 128 bits. */
export interface Ipv6Prefix {
  readonly address: Uint8Array;
  readonly length: number;
}

const ipv6Bytes = 16;

const number: Kind<number> = {
  read: (octets) => (octets.length === u32.size ? new Reader(octets).u32() : undefined),
  write(value) {
    const writer = new Writer(new Uint8Array(u32.size));
    u32.write(writer, value);
    return writer.done();
  },
};

/** Octets of which there are always `size`. */
function fixed(size: number): Kind<Uint8Array> {
  return {
    read: (octets) => (octets.length === size ? octets : undefined),
    write(value) {
      if (value.length !== size) throw new RangeError(`${value.length} octets in place of ${size}`);
      return value;
    },
  };
}

const text: Kind<string> = { read: toText, write: toBytes };
const octets: Kind<Uint8Array> = { read: (value) => value, write: (value) => value };

const ipv6Prefix: Kind<Ipv6Prefix> = {
  read(octets) {
    const [, length = 0] = octets;
    const prefix = octets.subarray(2);
    if (octets.length < 2 || length > 8 * ipv6Bytes || prefix.length > ipv6Bytes) return undefined;
    if (prefix.length < Math.ceil(length / 8)) return undefined;
    const address = new Uint8Array(ipv6Bytes);
    address.set(prefix);
    return { address, length };
  },
  write: ({ address, length }) => Uint8Array.of(0, length, ...address.subarray(0, Math.ceil(length / 8))),
};

export const kinds = {
  text,
  octets,
  integer: number,
  ipv4: number satisfies Kind<Ipv4>,
  /** In s since 1970. */
  date: number,
  /** 16 octets. */
  ipv6: fixed(ipv6Bytes),
  ipv6Prefix,
  /** 8 octets, the lower half of an IPv6 address. */
  interfaceId: fixed(8),
} as const;
