/**
 * Everything that a shared secret does: authenticators (RFC 2865 section 3, RFC 2866 section 3, RFC 5176 section 2.3),
 * Message-Authenticator (RFC 3579 section 3.2), and hidden passwords and keys (RFC 2865 section 5.2, RFC 2548 sections 2.4.1
 * to 2.4.3, RFC 2868 section 3.5). Octets in, octets out. Whether a packet is asked for, or a repeat, is the caller's matter.
 *
 * Compares octets, never texts, and in constant time. Message-Authenticator stands first in all that we sign: an
 * attacker of MD5 who does not know the secret has then no prefix to collide on (CVE-2024-3596).
 */

import { createHash, createHmac } from 'node:crypto';
import { concat, equalInConstantTime } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import {
  attributeHeaderBytes,
  authenticatorBytes,
  decodePacket,
  encodePacket,
  headerBytes,
  type Packet,
  walk,
} from './packet.ts';

/** Why a reply is not the answer to a request. */
export type ReplyFault =
  | 'malformed'
  | 'wrong-identifier'
  | 'wrong-authenticator'
  | 'wrong-message-authenticator'
  | 'no-message-authenticator';

/** Why a request is not from who knows the secret. */
export type RequestFault = Exclude<ReplyFault, 'wrong-identifier'>;

/** A packet before its authenticator is known. */
export type Unsigned = Omit<Packet, 'authenticator'>;

const messageAuthenticatorType = 80;
const eapMessageType = 79;
const zeros = new Uint8Array(authenticatorBytes);
const emptyMessageAuthenticator = Uint8Array.of(
  messageAuthenticatorType,
  attributeHeaderBytes + zeros.length,
  ...zeros,
);

function md5(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** Access-Request or Status-Server: its authenticator is random, so that only Message-Authenticator proves the sender. */
export function sealAccessRequest(packet: Packet, secret: Uint8Array): Uint8Array {
  const octets = encodePacket({
    ...packet,
    attributes: concat(emptyMessageAuthenticator, packet.attributes),
  });
  return withMessageAuthenticator(octets, secret);
}

/** Accounting-Request, CoA-Request or Disconnect-Request: the authenticator is the digest of the packet with zeros in its place. */
export function sealRequest(packet: Unsigned, secret: Uint8Array): Uint8Array {
  const octets = encodePacket({ ...packet, authenticator: zeros });
  return withAuthenticator(octets, md5(octets, secret));
}

/** A reply to `request`, with Message-Authenticator if that had one. */
export function sealReply(packet: Unsigned, request: Packet, secret: Uint8Array): Uint8Array {
  const signed = messageAuthenticatorsOf(request.attributes).length > 0;
  const attributes = signed ? concat(emptyMessageAuthenticator, packet.attributes) : packet.attributes;
  // Both digests are over the request's authenticator; the reply's own, last, takes its place.
  const octets = encodePacket({ ...packet, attributes, authenticator: request.authenticator });
  const proven = signed ? withMessageAuthenticator(octets, secret) : octets;
  return withAuthenticator(proven, md5(proven, secret));
}

/** The packet in `octets` if it answers `request`, octets as sent, and comes from who knows `secret`. */
export function verifyReply(
  octets: Uint8Array,
  request: Uint8Array,
  secret: Uint8Array,
  requireMessageAuthenticator: boolean,
): Packet | ReplyFault {
  const packet = decodePacket(octets);
  if (packet instanceof Malformed) return 'malformed';
  if (packet.identifier !== request[1]) return 'wrong-identifier';
  return verify(
    packet,
    request.subarray(headerBytes - authenticatorBytes, headerBytes),
    secret,
    // [RFC 3579 §3.1] A packet with EAP-Message and without Message-Authenticator is silently discarded.
    requireMessageAuthenticator || hasEapMessage(packet.attributes),
  );
}

/** The packet in `octets`, a CoA-, Disconnect- or Accounting-Request, if it comes from who knows `secret`. */
export function verifyRequest(
  octets: Uint8Array,
  secret: Uint8Array,
  requireMessageAuthenticator = false,
): Packet | RequestFault {
  const packet = decodePacket(octets);
  if (packet instanceof Malformed) return 'malformed';
  return verify(packet, zeros, secret, requireMessageAuthenticator);
}

/** Both digests of `packet` are made with `seed` in the place of its authenticator. */
function verify(
  packet: Packet,
  seed: Uint8Array,
  secret: Uint8Array,
  requireMessageAuthenticator: boolean,
): Packet | RequestFault {
  const seeded = encodePacket({ ...packet, authenticator: seed });
  if (!equalInConstantTime(md5(seeded, secret), packet.authenticator)) return 'wrong-authenticator';
  const [found, ...more] = messageAuthenticatorsOf(packet.attributes);
  if (found === undefined) return requireMessageAuthenticator ? 'no-message-authenticator' : packet;
  if (more.length > 0 || found.value.length !== zeros.length) return 'wrong-message-authenticator';
  seeded.set(zeros, headerBytes + found.at + attributeHeaderBytes);
  const proven = equalInConstantTime(hmac(seeded, secret), found.value);
  return proven ? packet : 'wrong-message-authenticator';
}

function messageAuthenticatorsOf(attributes: Uint8Array) {
  const walked = walk(attributes);
  return walked instanceof Malformed ? [] : walked.filter(({ type }) => type === messageAuthenticatorType);
}

function hasEapMessage(attributes: Uint8Array): boolean {
  const walked = walk(attributes);
  return !(walked instanceof Malformed) && walked.some(({ type }) => type === eapMessageType);
}

function hmac(octets: Uint8Array, secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('md5', secret).update(octets).digest());
}

/** `octets`, whose first attribute is an empty Message-Authenticator, with the true one. */
function withMessageAuthenticator(octets: Uint8Array, secret: Uint8Array): Uint8Array {
  const proven = octets.slice();
  proven.set(hmac(octets, secret), headerBytes + attributeHeaderBytes);
  return proven;
}

function withAuthenticator(octets: Uint8Array, authenticator: Uint8Array): Uint8Array {
  const sealed = octets.slice();
  sealed.set(authenticator, headerBytes - authenticatorBytes);
  return sealed;
}

const blockBytes = 16;

/** RFC 2865 section 5.2: the longest User-Password. */
const passwordBytes = 128;

/** User-Password as it is sent: 16 to 128 octets. More than 128 octets of password cannot be asked about and are cut. */
export function hidePassword(
  password: Uint8Array,
  secret: Uint8Array,
  authenticator: Uint8Array,
): Uint8Array {
  const told = password.subarray(0, passwordBytes);
  const padded = new Uint8Array(Math.max(blockBytes, Math.ceil(told.length / blockBytes) * blockBytes));
  padded.set(told);
  let seed = authenticator;
  for (let at = 0; at < padded.length; at += blockBytes) {
    const block = padded.subarray(at, at + blockBytes);
    mask(block, md5(secret, seed));
    seed = block;
  }
  return padded;
}

/**
 * What was hidden like a User-Password with the request's `authenticator`, such as MS-CHAP-MPPE-Keys: as long as it was sent,
 * padding included. Undefined if its length is none that hiding gives.
 */
export function revealPassword(
  hidden: Uint8Array,
  secret: Uint8Array,
  authenticator: Uint8Array,
): Uint8Array | undefined {
  if (hidden.length === 0 || hidden.length % blockBytes !== 0) return undefined;
  const plain = new Uint8Array(hidden);
  let seed = authenticator;
  for (let at = 0; at < plain.length; at += blockBytes) {
    mask(plain.subarray(at, at + blockBytes), md5(secret, seed));
    seed = hidden.subarray(at, at + blockBytes);
  }
  return plain;
}

const saltBytes = 2;

/**
 * What was hidden with a salt, MS-MPPE-Send-Key, MS-MPPE-Recv-Key or Tunnel-Password: `hidden` is the salt, then whole blocks,
 * in which a length stands before the value. Undefined if it cannot have been hidden so; a wrong secret mostly shows here.
 */
export function revealSalted(
  hidden: Uint8Array,
  secret: Uint8Array,
  authenticator: Uint8Array,
): Uint8Array | undefined {
  const salt = hidden.subarray(0, saltBytes);
  const plain = revealPassword(hidden.subarray(saltBytes), secret, concat(authenticator, salt));
  if (plain === undefined) return undefined;
  const [size = 0] = plain;
  return size < plain.length ? plain.slice(1, 1 + size) : undefined;
}

function mask(block: Uint8Array, digest: Uint8Array): void {
  for (const [at, octet] of digest.entries()) block[at] = (block[at] ?? 0) ^ octet;
}
