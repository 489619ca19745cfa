/**
 * The RADIUS packet of RFC 2865 section 3 and its attributes as they stand on the wire: octets in, a `Packet` or `Malformed`
 * out, and back. Nothing here knows a secret (sign.ts) or what an attribute means (attribute.ts).
 *
 *     Code 1 | Identifier 1 | Length 2 | Authenticator 16 | Attributes …
 */

import { concat, Reader, Writer } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';

/** Codes that we send or take; RFC 2865, 2866, 5176, 5997, 7930. */
export const codes = {
  accessRequest: 1,
  accessAccept: 2,
  accessReject: 3,
  accountingRequest: 4,
  accountingResponse: 5,
  accessChallenge: 11,
  statusServer: 12,
  disconnectRequest: 40,
  disconnectAck: 41,
  disconnectNak: 42,
  coaRequest: 43,
  coaAck: 44,
  coaNak: 45,
  protocolError: 52,
} as const;

export interface Packet {
  /** Of `codes`, or one that we do not know. */
  readonly code: number;
  /** 0 … 255. */
  readonly identifier: number;
  /** 16 octets. */
  readonly authenticator: Uint8Array;
  /** Attributes one after the other, each of them whole. */
  readonly attributes: Uint8Array;
}

/** Type and value of one attribute; `at` is its offset among the attributes. */
export interface RawAttribute {
  readonly type: number;
  readonly value: Uint8Array;
  readonly at: number;
}

/** Octets before the attributes. */
export const headerBytes = 20;

/** Section 3: the longest packet. */
export const packetBytes = 4096;

export const authenticatorBytes = 16;

/** Octets before an attribute's value, its Type and Length. */
export const attributeHeaderBytes = 2;

/** An attribute's Length is one octet: the longest attribute. */
export const attributeBytes = 255;

/** The octets of `packet`. One that is longer than a packet may be is a bug and throws. */
export function encodePacket({ code, identifier, authenticator, attributes }: Packet): Uint8Array {
  const length = headerBytes + attributes.length;
  if (length > packetBytes) throw new RangeError(`a packet of ${length} octets`);
  const header = new Writer(new Uint8Array(headerBytes));
  header.u8(code).u8(identifier).u16(length).bytes(authenticator);
  return concat(header.done(), attributes);
}

/** The packet at the beginning of `octets`. What follows its Length is padding and ignored (section 3). */
export function decodePacket(octets: Uint8Array): Packet | Malformed {
  if (octets.length < headerBytes) return new Malformed('RADIUS_SHORT', 'Length', 2);
  const reader = new Reader(octets);
  const [code, identifier, length] = [reader.u8(), reader.u8(), reader.u16()];
  if (length < headerBytes || length > packetBytes) return new Malformed('RADIUS_BAD_LENGTH', 'Length', 2);
  if (length > octets.length) return new Malformed('RADIUS_SHORT', 'Length', 2);
  const authenticator = reader.bytes(authenticatorBytes);
  const attributes = reader.bytes(length - headerBytes);
  const walked = walk(attributes);
  if (walked instanceof Malformed) return new Malformed(walked.code, walked.field, headerBytes + walked.at);
  return { code, identifier, authenticator, attributes };
}

/** The attributes one by one, in order. Inside Vendor-Specific stand attributes of the same shape (section 5.26). */
export function walk(attributes: Uint8Array): readonly RawAttribute[] | Malformed {
  const reader = new Reader(attributes);
  const walked: RawAttribute[] = [];
  while (reader.left > 0) {
    const at = reader.at;
    if (reader.left < attributeHeaderBytes) return badLength(at);
    const [type, length] = [reader.u8(), reader.u8()];
    const size = length - attributeHeaderBytes;
    if (size < 0 || size > reader.left) return badLength(at);
    walked.push({ type, value: reader.bytes(size), at });
  }
  return walked;
}

function badLength(at: number): Malformed {
  return new Malformed('RADIUS_BAD_ATTRIBUTE_LENGTH', 'Attributes', at);
}
