/**
 * A packet in words, as RouterOS's topics `radius,debug,packet` show it: its name, and a line for each attribute, `User-Name = "bob"`.
 * No secret is in it. Values that are octets are hidden but for the few that are known to be harmless, so that an attribute that is new
 * here is hidden as well: passwords, proofs and their challenges, keys, and authenticators by which a shared secret could be guessed. Pure.
 */

import { formatIpv4 } from '../base/ip.ts';
import { inHex, quoted } from '../base/readable.ts';
import { type AttributeName, type Attributes, rowOf } from './attribute.ts';
import { codes } from './packet.ts';
import type { Ipv6Prefix, kinds } from './value.ts';

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(codes).map(([name, code]) => [code, titleOf(name)]),
);

function titleOf(name: string): string {
  if (name.startsWith('coa')) return name.replace('coa', 'CoA-');
  return name.replace(/^[a-z]|[A-Z]/g, (letter, at) => (at === 0 ? letter.toUpperCase() : `-${letter}`));
}

/** `Access-Request`. */
export function packetName(code: number): string {
  return names.get(code) ?? `code ${code}`;
}

/** Octets that prove nothing and open nothing. */
const harmless: ReadonlySet<AttributeName> = new Set([
  'State',
  'Class',
  'Proxy-State',
  'Chargeable-User-Identity',
]);
/** Octets that are text, but for the challenge that an MS-CHAP-Error may hold. */
const legible: ReadonlySet<AttributeName> = new Set(['MS-CHAP-Domain', 'MS-CHAP-Error']);

type Show = (value: never, name: AttributeName) => string;

const shows: Readonly<Record<keyof typeof kinds, Show>> = {
  text: (value: string, name) => quoted(name === 'Cisco-AVPair' ? withoutSecret(value) : value),
  octets(value: Uint8Array, name) {
    if (legible.has(name)) return quoted(value).replace(/\bC=[\dA-F]+/i, 'C=hidden');
    return harmless.has(name) ? inHex(value) : `hidden, ${value.length} octets`;
  },
  integer: String,
  ipv4: (value: number) => formatIpv4(value),
  date: String,
  ipv6: inHex,
  ipv6Prefix: ({ address, length }: Ipv6Prefix) => `${inHex(address)}/${length}`,
  interfaceId: inHex,
};

/** A pair may be anything that Cisco ever thought of, also `vpdn:l2tp-tunnel-password=…`. */
function withoutSecret(pair: string): string {
  return pair.replace(/((?:password|secret|key)[^=*]*[=*]).*/is, '$1hidden');
}

/** A line for each value, in the order of the names; of attributes that are not known their numbers. */
export function attributeWords(attributes: Attributes): readonly string[] {
  const known = attributes.names.flatMap((name) => {
    const show = shows[rowOf(name).kind] as (value: unknown, name: AttributeName) => string;
    return attributes.all(name).map((value) => `${name} = ${show(value, name)}`);
  });
  const unknown = attributes.unknown.map(({ vendor, type }) =>
    vendor === 0 ? `attribute ${type}` : `attribute ${type} of vendor ${vendor}`,
  );
  return [...known, ...unknown];
}
