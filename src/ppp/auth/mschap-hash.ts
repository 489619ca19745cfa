/**
 * The arithmetic of MS-CHAP (RFC 2433 appendix A) and MS-CHAP-V2 (RFC 2759 section 8), each function by the RFC's name.
 *
 * Octets and passwords in, octets out. Who sends what to whom stands in mschap.ts, encryption keys in mppe-keys.ts.
 */

import { createHash } from 'node:crypto';
import { concat, toBytes, toHex } from '../../base/bytes.ts';
import { desEncrypt } from './des.ts';
import { md4 } from './md4.ts';
import type { Password } from './password.ts';

export function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('sha1')
      .update(concat(...parts))
      .digest(),
  );
}

/** NtPasswordHash: MD4 of the password in UTF-16, low octet first. 16 octets. */
export function ntPasswordHash(password: Password): Uint8Array {
  return md4(new Uint8Array(Buffer.from(password.reveal(), 'utf16le')));
}

/** HashNtPasswordHash. 16 octets. */
export function hashNtPasswordHash(hash: Uint8Array): Uint8Array {
  return md4(hash);
}

const standardText = toBytes('KGS!@#$%');

/**
 * LmPasswordHash: 16 octets. The password in capitals, 14 octets of it. The RFC means the peer's OEM character set, which
 * nobody tells us: characters above U+00FF have no octet there that both sides would agree on, and lose their high bits.
 */
export function lmPasswordHash(password: Password): Uint8Array {
  const capitals = new Uint8Array(14);
  capitals.set(Buffer.from(password.reveal().toUpperCase(), 'latin1').subarray(0, 14));
  return concat(
    desEncrypt(standardText, capitals.subarray(0, 7)),
    desEncrypt(standardText, capitals.subarray(7)),
  );
}

/** ChallengeResponse: the challenge of 8 octets under each third of the hash, padded to 21 octets. 24 octets. */
export function challengeResponse(challenge: Uint8Array, passwordHash: Uint8Array): Uint8Array {
  const padded = new Uint8Array(21);
  padded.set(passwordHash);
  return concat(...[0, 7, 14].map((at) => desEncrypt(challenge, padded.subarray(at, at + 7))));
}

/** ChallengeHash: 8 octets. `name` as the peer sent it: the domain before a backslash is not part of what is hashed. */
export function challengeHash(
  peerChallenge: Uint8Array,
  authenticatorChallenge: Uint8Array,
  name: Uint8Array,
): Uint8Array {
  return sha1(peerChallenge, authenticatorChallenge, withoutDomain(name)).subarray(0, 8);
}

/** `jack` of `DOMAIN\jack`; a name without a domain as it is. */
export function withoutDomain(name: Uint8Array): Uint8Array {
  const backslash = 0x5c;
  return name.subarray(name.lastIndexOf(backslash) + 1);
}

const magic1 = toBytes('Magic server to client signing constant');
const magic2 = toBytes('Pad to make it do more than one iteration');

/** What both sides of an MS-CHAP-V2 exchange have seen. */
export interface Mschap2Exchange {
  /** The authenticator's, 16 octets. */
  readonly challenge: Uint8Array;
  readonly peerChallenge: Uint8Array;
  readonly nameOctets: Uint8Array;
}

/** GenerateNTResponse: 24 octets. */
export function generateNtResponse(exchange: Mschap2Exchange, passwordHash: Uint8Array): Uint8Array {
  const { peerChallenge, challenge, nameOctets } = exchange;
  return challengeResponse(challengeHash(peerChallenge, challenge, nameOctets), passwordHash);
}

/** GenerateAuthenticatorResponse: `S=` and 40 hexadecimal digits, by which the server proves that it knows the password. */
export function generateAuthenticatorResponse(
  exchange: Mschap2Exchange,
  ntResponse: Uint8Array,
  passwordHash: Uint8Array,
): string {
  const { peerChallenge, challenge, nameOctets } = exchange;
  const digest = sha1(hashNtPasswordHash(passwordHash), ntResponse, magic1);
  return `S=${toHex(sha1(digest, challengeHash(peerChallenge, challenge, nameOctets), magic2)).toUpperCase()}`;
}
