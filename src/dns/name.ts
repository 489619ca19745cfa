/**
 * Domain names (RFC 1035 section 3.1): text ↔ octets. A name is kept as text in master-file form without the last dot, the
 * root as the empty text; an octet that no host name has is written `\ddd` (section 5.1), so that every name goes to octets
 * and back unchanged, case included. Compressed names (section 4.1.4) are read; writing them is message.ts's. Pure.
 */

import { concat, type Reader } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';

/** `vpn.example.net`. Two names are the same if `canonicalName` of both is. */
export type DomainName = string;

/** RFC 1035 section 2.3.4. */
const labelBytes = 63;
const nameBytes = 255;

/** The two high bits of a length say that it is one, or that the name goes on elsewhere. */
const pointerBits = 0xc0;

/** A name has 127 labels at most; who points more often than that has nothing to say. */
const pointersMax = 127;

/** What stands in a label as it is; everything else is escaped. */
const plain = /^[A-Za-z\d_-]$/;

/** The name that an operator typed, without its last dot; undefined if no host or zone can be called so. */
export function parseName(text: string): DomainName | undefined {
  const name = text.replace(/\.$/, '');
  const labels = name.split('.');
  const isName = labels.every((label) => /^[A-Za-z\d_-]+$/.test(label) && label.length <= labelBytes);
  // Each label has its length before it, and the root's stands last.
  return isName && name.length + 2 <= nameBytes ? name : undefined;
}

/** [RFC 4343 §3] Upper and lower case of ASCII are the same; digests are made over lower case. */
export function canonicalName(name: DomainName): DomainName {
  return name.toLowerCase();
}

export function isSameName(one: DomainName, other: DomainName): boolean {
  return canonicalName(one) === canonicalName(other);
}

/** True if `name` stands somewhere below `zone`; a name does not stand below itself. */
export function isBelow(name: DomainName, zone: DomainName): boolean {
  return zone === '' ? name !== '' : canonicalName(name).endsWith(`.${canonicalName(zone)}`);
}

/** The octets of `name`, uncompressed. */
export function encodeName(name: DomainName): Uint8Array {
  const labels = name === '' ? [] : name.split('.').map(labelOctets);
  const parts = labels.flatMap((label) => [Uint8Array.of(label.length), label]);
  return concat(...parts, Uint8Array.of(0));
}

/**
 * The name at which `reader` stands, and `reader` behind it. `message` is all that the name may point back into. A pointer leads
 * to before the place that it was come from, or it is malformed: no name goes in circles.
 */
export function readName(reader: Reader, readerAt: (offset: number) => Reader): DomainName | Malformed {
  const labels: string[] = [];
  let from = reader;
  let beginsAt = reader.at;
  let size = 1;
  let pointers = 0;
  for (;;) {
    const at = from.at;
    if (from.left < 1) return new Malformed('DNS_SHORT', 'NAME', at);
    const length = from.u8();
    if (length === 0) return labels.join('.');
    if (length < pointerBits) {
      if (length > labelBytes) return new Malformed('DNS_BAD_LABEL', 'NAME', at);
      if (length > from.left) return new Malformed('DNS_SHORT', 'NAME', at);
      size += 1 + length;
      if (size > nameBytes) return new Malformed('DNS_LONG_NAME', 'NAME', at);
      labels.push(labelText(from.bytes(length)));
      continue;
    }
    if (from.left < 1) return new Malformed('DNS_SHORT', 'NAME', at);
    const target = ((length & ~pointerBits) << 8) | from.u8();
    pointers += 1;
    if (target >= beginsAt || pointers > pointersMax) return new Malformed('DNS_BAD_POINTER', 'NAME', at);
    beginsAt = target;
    from = readerAt(target);
  }
}

function labelText(octets: Uint8Array): string {
  return Array.from(octets, (octet) => {
    const character = String.fromCharCode(octet);
    return plain.test(character) ? character : `\\${String(octet).padStart(3, '0')}`;
  }).join('');
}

function labelOctets(text: string): Uint8Array {
  const characters = text.match(/\\\d{3}|[^\\]/g) ?? [];
  return Uint8Array.from(characters, (character) =>
    character.startsWith('\\') ? Number(character.slice(1)) : character.charCodeAt(0),
  );
}
