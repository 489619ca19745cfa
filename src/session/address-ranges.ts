/** Arithmetic of address ranges, as pools and leases have them. Pure. */

import type { Ipv4 } from '../base/ip.ts';
import type { AddressRange } from '../base/kind.ts';

/** The same addresses in ascending ranges, of which no two touch: none may be counted twice. */
export function disjoint(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const joined: AddressRange[] = [];
  for (const { first, last } of ranges.toSorted((one, other) => one.first - other.first)) {
    const before = joined.at(-1);
    if (before === undefined || first > before.last + 1) joined.push({ first, last });
    else joined[joined.length - 1] = { first: before.first, last: Math.max(before.last, last) };
  }
  return joined;
}

/** What both have, in the order of `ranges`. */
export function common(ranges: readonly AddressRange[], other: AddressRange): readonly AddressRange[] {
  return ranges.flatMap((range) => {
    const first = Math.max(range.first, other.first);
    const last = Math.min(range.last, other.last);
    return first <= last ? [{ first, last }] : [];
  });
}

export function holds(address: Ipv4): (range: AddressRange) => boolean {
  return ({ first, last }) => first <= address && address <= last;
}

export function sizeOf({ first, last }: AddressRange): number {
  return last - first + 1;
}

export function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
