/**
 * Transaction signatures, RFC 8945: a message in, the message with its TSIG record out; and a message with its TSIG in, the
 * message or why it proves nothing out. Octets only; which time it is, is handed in. Truncated MACs (section 5.2.2.1) are neither
 * made nor taken, nor are the several messages of a zone transfer.
 *
 *     Algorithm Name … | Time Signed 6 | Fudge 2 | MAC Size 2 | MAC … | Original ID 2 | Error 2 | Other Len 2 | Other Data …
 */

import { createHmac } from 'node:crypto';
import { concat, equalInConstantTime, Reader, Writer } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import {
  additionalCountAt,
  classes,
  decodeMessage,
  encodeRecord,
  headerBytes,
  type Message,
  type PlacedRecord,
  types,
} from './message.ts';
import { canonicalName, type DomainName, encodeName, isSameName, readName } from './name.ts';

/** Section 6, without those that it forbids (MD5) or that shorten their MAC: our word, Node's digest. The name in the record is our word. */
const digests = {
  'hmac-sha1': 'sha1',
  'hmac-sha224': 'sha224',
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
} as const;

export type KeyAlgorithm = keyof typeof digests;

export const keyAlgorithms = Object.keys(digests) as KeyAlgorithm[];

export interface Key {
  readonly name: DomainName;
  readonly algorithm: KeyAlgorithm;
  readonly secret: Uint8Array;
}

/** A signed message, and its MAC, which the reply's covers. */
export interface Signed {
  readonly octets: Uint8Array;
  readonly mac: Uint8Array;
}

/** Why a message proves nothing. */
export type SignatureFault = 'malformed' | 'unsigned' | 'wrong-key' | 'wrong-signature' | 'wrong-time';

/** Section 3 and RFC 2845's list of errors that stand in a TSIG record. */
export const signatureErrors: Readonly<Record<number, string>> = {
  16: 'BADSIG',
  17: 'BADKEY',
  18: 'BADTIME',
  22: 'BADTRUNC',
};

/** A message whose signature is right. */
export interface Proven {
  readonly message: Message;
  readonly mac: Uint8Array;
  /** Of a reply: the server's word about our signature, of `signatureErrors`; 0 is none. */
  readonly error: number;
}

interface Signature {
  readonly algorithm: DomainName;
  /** In seconds since 1970. */
  readonly timeSigned: number;
  /** In seconds: how far the clocks may be apart. */
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly other: Uint8Array;
}

/** [RFC 8945 §10] The recommended fudge, in seconds. */
const fudge = 300;

/** `octets`, a whole message, with the signature of `key`, made at `wallMs`; a reply's covers the MAC of its request. */
export function sign(
  octets: Uint8Array,
  key: Key,
  wallMs: number,
  requestMac: Uint8Array = new Uint8Array(),
): Signed {
  const signature: Signature = {
    algorithm: key.algorithm,
    timeSigned: Math.floor(wallMs / 1000),
    fudge,
    mac: new Uint8Array(),
    originalId: new Reader(octets).u16(),
    error: 0,
    other: new Uint8Array(),
  };
  const mac = digest(key, octets, signature, requestMac);
  const record = encodeRecord({
    name: key.name,
    type: types.tsig,
    class: classes.any,
    ttl: 0,
    data: encodeSignature({ ...signature, mac }),
  });
  return { octets: concat(withAdditionals(octets, 1), record), mac };
}

/** The message in `octets` if it comes from who has `key`, at about `wallMs`, and answers the request whose MAC is `requestMac`. */
export function verify(
  octets: Uint8Array,
  key: Key,
  wallMs: number,
  requestMac: Uint8Array = new Uint8Array(),
): Proven | SignatureFault {
  const message = decodeMessage(octets);
  if (message instanceof Malformed) return 'malformed';
  const signature = signatureOf(message);
  if (signature === undefined) return 'unsigned';
  if (signature instanceof Malformed) return 'malformed';
  const { record, ...signed } = signature;
  // [§5.3.2] A server that does not know the key, or whose check has failed, cannot sign that it is so.
  if (signed.mac.length === 0) return 'unsigned';
  if (!isSameName(record.name, key.name) || !isSameName(signed.algorithm, key.algorithm)) return 'wrong-key';

  const bare = withAdditionals(octets.subarray(0, record.at), -1);
  new Writer(bare.subarray(0, 2)).u16(signed.originalId);
  if (!equalInConstantTime(digest(key, bare, signed, requestMac), signed.mac)) return 'wrong-signature';
  // [§5.2.3] A server that finds our time wrong says so with our own time: that is no wrong time here, but an error of its.
  if (Math.abs(Math.floor(wallMs / 1000) - signed.timeSigned) > signed.fudge) return 'wrong-time';
  return { message, mac: signed.mac, error: signed.error };
}

/** What an unsigned reply says about our signature, of `signatureErrors`; 0 if nothing. Anybody can have said it. */
export function claimedError(message: Message): number {
  const signature = signatureOf(message);
  return signature === undefined || signature instanceof Malformed ? 0 : signature.error;
}

/** [§4.3] The digest is over the request's MAC, the message without its TSIG, and the variables of the TSIG. */
function digest(
  key: Key,
  bare: Uint8Array,
  signature: Signature,
  requestMac: Uint8Array = new Uint8Array(),
): Uint8Array {
  const { timeSigned, error, other } = signature;
  const request = requestMac.length === 0 ? requestMac : concat(u16(requestMac.length), requestMac);
  const variables = concat(
    encodeName(canonicalName(key.name)),
    new Writer(new Uint8Array(6)).u16(classes.any).u32(0).done(),
    encodeName(key.algorithm),
    u48(timeSigned),
    u16(signature.fudge),
    u16(error),
    u16(other.length),
    other,
  );
  const hmac = createHmac(digests[key.algorithm], key.secret);
  return new Uint8Array(hmac.update(request).update(bare).update(variables).digest());
}

function encodeSignature({
  algorithm,
  timeSigned,
  mac,
  originalId,
  error,
  other,
  ...rest
}: Signature): Uint8Array {
  return concat(
    encodeName(algorithm),
    u48(timeSigned),
    u16(rest.fudge),
    u16(mac.length),
    mac,
    u16(originalId),
    u16(error),
    u16(other.length),
    other,
  );
}

/** The last record's signature; undefined if it has none. [§5.1] A TSIG in another place makes the message malformed. */
function signatureOf(message: Message): (Signature & { record: PlacedRecord }) | Malformed | undefined {
  const { answers, authorities, additionals } = message;
  const records = [...answers, ...authorities, ...additionals];
  const found = records.filter(({ type }) => type === types.tsig);
  const [record] = found;
  if (record === undefined) return undefined;
  const isLast = found.length === 1 && record === additionals.at(-1);
  // [§4.2] CLASS and TTL are always the same, and the digest takes them for granted.
  if (!isLast || record.class !== classes.any || record.ttl !== 0) {
    return new Malformed('DNS_BAD_TSIG', 'TYPE', record.at);
  }
  const signature = decodeSignature(record.data);
  return signature instanceof Malformed ? signature : { ...signature, record };
}

function decodeSignature(data: Uint8Array): Signature | Malformed {
  const reader = new Reader(data);
  // [§4.2] The algorithm's name is not compressed: there is nothing before it to point to.
  const algorithm = readName(reader, () => reader);
  if (algorithm instanceof Malformed) return algorithm;
  const short = (field: string): Malformed => new Malformed('DNS_SHORT', field, reader.at);
  if (reader.left < 10) return short('Time Signed');
  const timeSigned = reader.u16() * 2 ** 32 + reader.u32();
  const [itsFudge, macSize] = [reader.u16(), reader.u16()];
  if (reader.left < macSize + 6) return short('MAC');
  const mac = reader.bytes(macSize);
  const [originalId, error, otherSize] = [reader.u16(), reader.u16(), reader.u16()];
  if (reader.left !== otherSize) return short('Other Data');
  return { algorithm, timeSigned, fudge: itsFudge, mac, originalId, error, other: reader.rest() };
}

/** A copy of `octets` whose header counts `more` additional records. */
function withAdditionals(octets: Uint8Array, more: number): Uint8Array {
  const copy = octets.slice();
  const count = new Reader(copy.subarray(additionalCountAt, headerBytes)).u16();
  new Writer(copy.subarray(additionalCountAt, headerBytes)).u16(count + more);
  return copy;
}

function u16(value: number): Uint8Array {
  return new Writer(new Uint8Array(2)).u16(value).done();
}

function u48(value: number): Uint8Array {
  return new Writer(new Uint8Array(6))
    .u16(Math.floor(value / 2 ** 32))
    .u32(value % 2 ** 32)
    .done();
}
