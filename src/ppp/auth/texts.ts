/** What PAP and CHAP put inside their packets: octets after an octet of length, and texts for people. */

import { concat, type Reader, toText } from '../../base/bytes.ts';

/** At most 255 octets, the most that one octet of length can announce, after that octet. */
export function counted(value: Uint8Array): Uint8Array {
  const kept = value.subarray(0, 255);
  return concat(Uint8Array.of(kept.length), kept);
}

/** The octets that an octet of length announces; undefined if they are not all there. */
export function readCounted(reader: Reader): Uint8Array | undefined {
  if (reader.left < 1) return undefined;
  const size = reader.u8();
  return reader.left < size ? undefined : reader.bytes(size);
}

/** A peer's text, fit for a log line: one line, 255 characters at most, nothing that steers a terminal. */
export function printable(octets: Uint8Array): string {
  return toText(octets).slice(0, 255).replace(/\p{C}/gu, '?');
}
