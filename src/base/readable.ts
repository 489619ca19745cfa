/**
 * Octets and texts of peers as people read them in one line: nothing that a terminal would obey, and no more than fits; and names of ours
 * as people write them. Pure.
 */

import { toHex, toText } from './bytes.ts';

/** Octets of a value that are shown: an IPv6 prefix and an MS-CHAP-Error fit in. */
const shownBytesMax = 64;

/** `"text"`, with escapes for quotation marks and control characters; what is too long ends in `…`. */
export function quoted(value: string | Uint8Array): string {
  const text = typeof value === 'string' ? value : toText(value);
  const shown = text.length <= 4 * shownBytesMax ? text : `${text.slice(0, 4 * shownBytesMax)}…`;
  return `"${shown.replace(/["\\\p{Cc}]/gu, escaped)}"`;
}

/** `0x1f2e`; what is too long ends in `…`. */
export function inHex(octets: Uint8Array): string {
  const shown = toHex(octets.subarray(0, shownBytesMax));
  return `0x${shown}${octets.length > shownBytesMax ? '…' : ''}`;
}

/** `maxMtu` as `max-mtu`. */
export function hyphened(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return character === '"' || character === '\\'
    ? `\\${character}`
    : `\\x${code.toString(16).padStart(2, '0')}`;
}
