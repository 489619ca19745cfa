/**
 * The attribute codec. The dictionaries of the npm package `radius`, and ours beside this file, say which number a name has;
 * the package frames what we send. What comes is walked here, because the package throws on odd octets, mixes the names of
 * vendors, and shortens what is too long. Reads files once, when it is loaded; a name that no dictionary has is our bug.
 */

import { fileURLToPath } from 'node:url';
import radius, { type Encodable } from 'radius';
import { Reader } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import {
  type Attribute,
  type AttributeCodec,
  type AttributeName,
  Attributes,
  attributeNames,
  headerBytesOf,
  type KnownAttribute,
  readValue,
  roomOf,
  rowOf,
  type UnknownAttribute,
} from './attribute.ts';
import { authenticatorBytes, headerBytes, packetBytes, type RawAttribute, walk } from './packet.ts';

/** Where an attribute stands on the wire; `vendor` 0: not in Vendor-Specific. */
export interface AttributeNumber {
  readonly vendor: number;
  readonly type: number;
}

radius.add_dictionary(fileURLToPath(new URL('dictionary', import.meta.url)));
radius.load_dictionaries();

/** RFC 2865 section 5.26: the attribute in which a vendor's stand, behind his number. */
const vendorSpecific = 26;
const vendorIdBytes = 4;

const numbers = new Map(attributeNames.map((name) => [name, lookUp(name)] as const));
const names = new Map([...numbers].map(([name, number]) => [keyOf(number), name] as const));
const vendors = new Set([...numbers.values()].map(({ vendor }) => vendor));

/** The number of an attribute. */
export function numberOf(name: AttributeName): AttributeNumber {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`${name} is not in the table of attributes`);
  return number;
}

function lookUp(name: AttributeName): AttributeNumber {
  const { vendor } = rowOf(name);
  const vendorId = vendor === undefined ? undefined : radius.vendor_name_to_id(vendor);
  const type = radius.attr_name_to_id(name, vendorId);
  if (type === undefined || (vendor !== undefined && vendorId === undefined)) {
    throw new Error(`no dictionary has ${name}`);
  }
  return { vendor: Number(vendorId ?? 0), type: Number(type) };
}

function keyOf({ vendor, type }: AttributeNumber): string {
  return `${vendor}:${type}`;
}

export const attributeCodec: AttributeCodec = { encode, decode };

function encode(list: readonly Attribute[]): Uint8Array {
  const pieces = list.flatMap(split);
  const size = pieces.reduce((sum, { name, octets }) => sum + headerBytesOf(name) + octets.length, 0);
  if (size > packetBytes - headerBytes) throw new RangeError(`attributes of ${size} octets`);
  const packet = radius.encode({
    // Any code and authenticator will do: only the attributes are taken, and nothing is signed by the package.
    code: 'Access-Request',
    identifier: 0,
    authenticator: Buffer.alloc(authenticatorBytes),
    secret: '',
    attributes: pieces.map(encodable),
    add_message_authenticator: false,
  });
  return new Uint8Array(packet.subarray(headerBytes));
}

/** One attribute as those that it takes: more than one if it is long and may be split. */
function split({ name, octets }: Attribute): readonly Attribute[] {
  const room = roomOf(name);
  const count = Math.max(1, Math.ceil(octets.length / room));
  return Array.from({ length: count }, (_, at) => ({
    name,
    octets: octets.subarray(at * room, (at + 1) * room),
  }));
}

/** Values go as octets always: the package's own writers lose tags and octets that are no UTF-8. */
function encodable({ name, octets }: Attribute): Encodable {
  const { vendor } = numberOf(name);
  const value = Buffer.from(octets);
  return vendor === 0 ? [name, value] : ['Vendor-Specific', vendor, [[name, value]]];
}

function decode(octets: Uint8Array): Attributes | Malformed {
  const walked = walk(octets);
  if (walked instanceof Malformed) return walked;
  const known: KnownAttribute[] = [];
  const unknown: UnknownAttribute[] = [];
  for (const raw of walked) {
    const opened = raw.type === vendorSpecific ? open(raw) : [{ vendor: 0, ...raw }];
    if (opened instanceof Malformed) return opened;
    for (const { vendor, type, value, at } of opened) {
      const name = names.get(keyOf({ vendor, type }));
      if (name === undefined) {
        unknown.push({ vendor, type });
        continue;
      }
      const read = readValue(name, value);
      if (read instanceof Malformed) return new Malformed(read.code, read.field, at);
      known.push({ name, value: read });
    }
  }
  return new Attributes(known, unknown);
}

/** What stands in a Vendor-Specific. Of a vendor of whom we know nothing, its first octet is taken for the type. */
function open({ value, at }: RawAttribute): readonly (RawAttribute & AttributeNumber)[] | Malformed {
  const malformed = new Malformed('RADIUS_BAD_VENDOR_SPECIFIC', 'Vendor-Specific', at);
  const reader = new Reader(value);
  if (reader.left <= vendorIdBytes) return malformed;
  const vendor = reader.u32();
  if (!vendors.has(vendor)) return [{ vendor, type: reader.u8(), value: reader.rest(), at }];
  const walked = walk(reader.rest());
  return walked instanceof Malformed ? malformed : walked.map((raw) => ({ ...raw, vendor, at }));
}
