/**
 * The attributes that we speak: one row each, with the name that FreeRADIUS's dictionaries give it and how its value looks.
 * The row gives the type of the value, its reader and its writer. Numbers are the dictionary's (codec.io.ts), meanings the
 * reader's (aaa, accounting).
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { attributeBytes, attributeHeaderBytes } from './packet.ts';
import { type Kind, kinds } from './value.ts';

interface Row {
  readonly kind: keyof typeof kinds;
  /** Whose it is, as the dictionary calls him; undefined: an RFC's. */
  readonly vendor?: string;
  /** RFC 2868 section 3: a number before the value says which tunnel is meant. */
  readonly tagged?: true;
  /** RFC 3579 section 3.1: one value in as many attributes as it takes. */
  readonly joined?: true;
}

const text = { kind: 'text' } as const;
const octets = { kind: 'octets' } as const;
const integer = { kind: 'integer' } as const;
const ipv4 = { kind: 'ipv4' } as const;

/** The rows of one vendor. */
function of<const Vendor extends string, const Rows extends Readonly<Record<string, Row>>>(
  vendor: Vendor,
  rows: Rows,
): { readonly [Name in keyof Rows]: Rows[Name] & { readonly vendor: Vendor } } {
  const owned = Object.entries(rows).map(([name, row]) => [name, { ...row, vendor }]);
  return Object.fromEntries(owned) as { [Name in keyof Rows]: Rows[Name] & { vendor: Vendor } };
}

export const attributeTable = {
  // RFC 2865.
  'User-Name': text,
  /** Hidden by sign.ts, like all passwords and keys here. */
  'User-Password': octets,
  'CHAP-Password': octets,
  'NAS-IP-Address': ipv4,
  'NAS-Port': integer,
  'Service-Type': integer,
  'Framed-Protocol': integer,
  'Framed-IP-Address': ipv4,
  'Framed-IP-Netmask': ipv4,
  'Framed-Routing': integer,
  'Filter-Id': text,
  'Framed-MTU': integer,
  'Framed-Compression': integer,
  'Reply-Message': text,
  'Callback-Number': text,
  'Callback-Id': text,
  'Framed-Route': text,
  State: octets,
  Class: octets,
  'Session-Timeout': integer,
  'Idle-Timeout': integer,
  'Termination-Action': integer,
  'Called-Station-Id': text,
  'Calling-Station-Id': text,
  'NAS-Identifier': text,
  'Proxy-State': octets,
  'CHAP-Challenge': octets,
  'NAS-Port-Type': integer,
  'Port-Limit': integer,
  // RFC 2866.
  'Acct-Status-Type': integer,
  'Acct-Delay-Time': integer,
  'Acct-Input-Octets': integer,
  'Acct-Output-Octets': integer,
  'Acct-Session-Id': text,
  'Acct-Authentic': integer,
  'Acct-Session-Time': integer,
  'Acct-Input-Packets': integer,
  'Acct-Output-Packets': integer,
  'Acct-Terminate-Cause': integer,
  'Acct-Multi-Session-Id': text,
  'Acct-Link-Count': integer,
  // RFC 2867.
  'Acct-Tunnel-Connection': text,
  'Acct-Tunnel-Packets-Lost': integer,
  // RFC 2868.
  'Tunnel-Type': { kind: 'integer', tagged: true },
  'Tunnel-Medium-Type': { kind: 'integer', tagged: true },
  'Tunnel-Client-Endpoint': { kind: 'text', tagged: true },
  'Tunnel-Server-Endpoint': { kind: 'text', tagged: true },
  'Tunnel-Password': { kind: 'octets', tagged: true },
  'Tunnel-Private-Group-Id': { kind: 'text', tagged: true },
  'Tunnel-Assignment-Id': { kind: 'text', tagged: true },
  'Tunnel-Preference': { kind: 'integer', tagged: true },
  'Tunnel-Client-Auth-Id': { kind: 'text', tagged: true },
  'Tunnel-Server-Auth-Id': { kind: 'text', tagged: true },
  // RFC 2869.
  'Acct-Input-Gigawords': integer,
  'Acct-Output-Gigawords': integer,
  'Event-Timestamp': { kind: 'date' },
  'Connect-Info': text,
  'EAP-Message': { kind: 'octets', joined: true },
  'Message-Authenticator': octets,
  'Acct-Interim-Interval': integer,
  'NAS-Port-Id': text,
  'Framed-Pool': text,
  // RFC 3162, 4818 and 6911.
  'NAS-IPv6-Address': { kind: 'ipv6' },
  'Framed-Interface-Id': { kind: 'interfaceId' },
  'Framed-IPv6-Prefix': { kind: 'ipv6Prefix' },
  'Framed-IPv6-Route': text,
  'Framed-IPv6-Pool': text,
  'Delegated-IPv6-Prefix': { kind: 'ipv6Prefix' },
  'Framed-IPv6-Address': { kind: 'ipv6' },
  'DNS-Server-IPv6-Address': { kind: 'ipv6' },
  'Route-IPv6-Information': { kind: 'ipv6Prefix' },
  'Delegated-IPv6-Prefix-Pool': text,
  'Stateful-IPv6-Address-Pool': text,
  // RFC 4372.
  'Chargeable-User-Identity': octets,
  // RFC 3576, now 5176.
  'Error-Cause': integer,

  /** RFC 2548. */
  ...of('Microsoft', {
    'MS-CHAP-Response': octets,
    /** An identifier, then text. */
    'MS-CHAP-Error': octets,
    'MS-MPPE-Encryption-Policy': integer,
    'MS-MPPE-Encryption-Types': integer,
    'MS-RAS-Vendor': integer,
    'MS-CHAP-Domain': octets,
    'MS-CHAP-Challenge': octets,
    'MS-CHAP-MPPE-Keys': octets,
    'MS-MPPE-Send-Key': octets,
    'MS-MPPE-Recv-Key': octets,
    'MS-RAS-Version': text,
    'MS-Acct-Auth-Type': integer,
    'MS-Acct-EAP-Type': integer,
    'MS-CHAP2-Response': octets,
    /** An identifier, then text. */
    'MS-CHAP2-Success': octets,
    'MS-Primary-DNS-Server': ipv4,
    'MS-Secondary-DNS-Server': ipv4,
    'MS-Primary-NBNS-Server': ipv4,
    'MS-Secondary-NBNS-Server': ipv4,
    'MS-RAS-Client-Name': text,
    'MS-RAS-Client-Version': text,
  }),
  ...of('Mikrotik', {
    'Mikrotik-Recv-Limit': integer,
    'Mikrotik-Xmit-Limit': integer,
    'Mikrotik-Group': text,
    'Mikrotik-Rate-Limit': text,
    'Mikrotik-Realm': text,
    'Mikrotik-Recv-Limit-Gigawords': integer,
    'Mikrotik-Xmit-Limit-Gigawords': integer,
    'Mikrotik-Total-Limit': integer,
    'Mikrotik-Total-Limit-Gigawords': integer,
    'Mikrotik-Address-List': text,
  }),
  ...of('WISPr', {
    'WISPr-Bandwidth-Min-Up': integer,
    'WISPr-Bandwidth-Min-Down': integer,
    'WISPr-Bandwidth-Max-Up': integer,
    'WISPr-Bandwidth-Max-Down': integer,
    'WISPr-Session-Terminate-Time': text,
  }),
  ...of('Ascend', {
    'Ascend-Data-Rate': integer,
    'Ascend-Xmit-Rate': integer,
  }),
  ...of('Cisco', {
    'Cisco-AVPair': text,
  }),
} as const satisfies Readonly<Record<string, Row>>;

export type AttributeName = keyof typeof attributeTable;

export const attributeNames = Object.keys(attributeTable) as readonly AttributeName[];

type KindOf<Name extends AttributeName> = (typeof attributeTable)[Name]['kind'];

/** What the program sees of an attribute. */
export type ValueOf<Name extends AttributeName> =
  (typeof kinds)[KindOf<Name>] extends Kind<infer Value> ? Value : never;

/** What an attribute may be made of: its value, or a text's octets where a peer chose them and they may be no UTF-8. */
type MadeOf<Name extends AttributeName> = ValueOf<Name> | (KindOf<Name> extends 'text' ? Uint8Array : never);

/** An attribute to be sent. */
export interface Attribute {
  readonly name: AttributeName;
  /** The value as it stands on the wire, its tag before it. */
  readonly octets: Uint8Array;
}

/** Type and Length; of Vendor-Specific also Vendor-Id, and the vendor's own Type and Length. */
const vendorHeaderBytes = attributeHeaderBytes + 4 + attributeHeaderBytes;

export function rowOf(name: AttributeName): Row {
  return attributeTable[name];
}

/** Octets before the value of an attribute of this name. */
export function headerBytesOf(name: AttributeName): number {
  return rowOf(name).vendor === undefined ? attributeHeaderBytes : vendorHeaderBytes;
}

/** Octets that the value of one attribute of this name may have. */
export function roomOf(name: AttributeName): number {
  return attributeBytes - headerBytesOf(name);
}

/**
 * The attribute `name` with `value`, and with `tag` (1 … 31) if it belongs to one of several tunnels. A text that does not
 * fit is cut at a character; octets that do not fit are a bug and throw, unless the codec splits them (EAP-Message).
 */
export function attribute<Name extends AttributeName>(
  name: Name,
  value: MadeOf<Name>,
  tag?: number,
): Attribute {
  const { kind, tagged, joined } = rowOf(name);
  const isAsOctets = kind === 'text' && value instanceof Uint8Array;
  const written = isAsOctets ? value : (kinds[kind] as Kind<unknown>).write(value);
  const tagOctets = tagged && tag !== undefined ? Uint8Array.of(tag) : new Uint8Array(0);
  if (tagged && kind === 'integer') return { name, octets: withTag(written, tag ?? 0) };
  const room = roomOf(name) - tagOctets.length;
  if (kind === 'text') return { name, octets: concat(tagOctets, cutAtCharacter(written, room)) };
  if (written.length > room && !joined) throw new RangeError(`${name} of ${written.length} octets`);
  return { name, octets: concat(tagOctets, written) };
}

/** RFC 2868 section 3.1: the tag takes the place of the highest octet. */
function withTag(integerOctets: Uint8Array, tag: number): Uint8Array {
  if (integerOctets[0] !== 0) throw new RangeError('a tagged integer has 24 bits');
  return Uint8Array.of(tag, ...integerOctets.subarray(1));
}

function cutAtCharacter(utf8: Uint8Array, room: number): Uint8Array {
  if (utf8.length <= room) return utf8;
  let end = room;
  while (end > 0 && ((utf8[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return utf8.subarray(0, end);
}

/** RFC 2868 section 3: an octet above this is no tag but the value's first. */
const highestTag = 0x1f;

/** The value of one attribute as it stood on the wire, without its tag. */
export function readValue(name: AttributeName, octets: Uint8Array): unknown | Malformed {
  const { kind, tagged } = rowOf(name);
  const [first = highestTag + 1] = octets;
  const untagged = !tagged
    ? octets
    : kind === 'integer' && octets.length === 4
      ? Uint8Array.of(0, ...octets.subarray(1))
      : octets.subarray(kind !== 'integer' && first <= highestTag ? 1 : 0);
  return kinds[kind].read(untagged) ?? new Malformed('RADIUS_BAD_VALUE', name, 0);
}

/** The attributes of a packet that came. */
export class Attributes {
  /** Those that we know, each once, in the order that they came in. */
  readonly names: readonly AttributeName[];
  /** Those that we do not know; `vendor` 0: an RFC's. */
  readonly unknown: readonly UnknownAttribute[];
  readonly #values = new Map<AttributeName, unknown[]>();

  constructor(known: readonly KnownAttribute[], unknown: readonly UnknownAttribute[] = []) {
    this.unknown = unknown;
    for (const { name, value } of known) {
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, [value]);
      else if (rowOf(name).joined) values[0] = concat(values[0] as Uint8Array, value as Uint8Array);
      else values.push(value);
    }
    this.names = [...this.#values.keys()];
  }

  first<Name extends AttributeName>(name: Name): ValueOf<Name> | undefined {
    return this.all(name)[0];
  }

  /** In the order that they came in. */
  all<Name extends AttributeName>(name: Name): readonly ValueOf<Name>[] {
    return (this.#values.get(name) ?? []) as ValueOf<Name>[];
  }

  has(name: AttributeName): boolean {
    return this.#values.has(name);
  }

  /** The same without those of `names`, nor the unknown. */
  without(names: ReadonlySet<AttributeName>): Attributes {
    const left = [...this.#values].filter(([name]) => !names.has(name));
    return new Attributes(left.flatMap(([name, values]) => values.map((value) => ({ name, value }))));
  }
}

/** `value` is of the name's kind. */
export interface KnownAttribute {
  readonly name: AttributeName;
  readonly value: unknown;
}

export interface UnknownAttribute {
  readonly vendor: number;
  readonly type: number;
}

/** Attributes to octets and back; codec.io.ts is the one. */
export interface AttributeCodec {
  /** More than a packet holds is a bug and throws. */
  encode(list: readonly Attribute[]): Uint8Array;
  decode(octets: Uint8Array): Attributes | Malformed;
}
