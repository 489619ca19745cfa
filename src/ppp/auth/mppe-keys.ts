/**
 * The start keys of MPPE from what MS-CHAP leaves behind (RFC 3079): each function by the RFC's name.
 *
 * Password hashes in, start keys out. The first session key and all later ones, GetNewKeyFromSHA and the salts of the 40 and
 * 56 bit keys are the engine's, which does them per packet. Keys never enter a log.
 */

import { concat, toBytes } from '../../base/bytes.ts';
import { hashNtPasswordHash, sha1 } from './mschap-hash.ts';

/** The keys that an authentication has led to, whatever strength CCP will settle on. Directions are ours. */
export interface MppeKeys {
  /** 16 octets: for 128 bits. */
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  /** 8 octets: for 40 and 56 bits. */
  readonly shortSend: Uint8Array;
  readonly shortReceive: Uint8Array;
}

export type MppeBits = 40 | 56 | 128;

/** Which end of the link we are: the authenticator (server) sends with the key that the peer receives with. */
export type MppeSide = 'authenticator' | 'peer';

const longSize = 16;
const shortSize = 8;

/** What the engine starts from for `bits`: 16 octets each way, a key of 8 followed by zeros. */
export function startKeys(keys: MppeKeys, bits: MppeBits): { send: Uint8Array; receive: Uint8Array } {
  const [send, receive] = bits === 128 ? [keys.send, keys.receive] : [keys.shortSend, keys.shortReceive];
  return { send: padded(send), receive: padded(receive) };
}

function padded(key: Uint8Array): Uint8Array {
  return concat(key, new Uint8Array(longSize - key.length));
}

/**
 * MS-CHAP (RFC 3079 section 2): both directions alike. The short key is the first half of the LAN Manager hash, the long one
 * comes from the NT hash's hash and the challenge of 8 octets.
 */
export function mschap1Keys(challenge: Uint8Array, lmHash: Uint8Array, ntHashHash: Uint8Array): MppeKeys {
  const long = getStartKey(challenge, ntHashHash);
  const short = lmHash.slice(0, shortSize);
  return { send: long, receive: long, shortSend: short, shortReceive: short };
}

/** MS-CHAP-V2 (RFC 3079 section 3). */
export function mschap2Keys(passwordHash: Uint8Array, ntResponse: Uint8Array, side: MppeSide): MppeKeys {
  const masterKey = getMasterKey(hashNtPasswordHash(passwordHash), ntResponse);
  const fromAuthenticator = getAsymmetricStartKey(masterKey, magic3);
  const fromPeer = getAsymmetricStartKey(masterKey, magic2);
  return side === 'authenticator'
    ? keysOfMasters(fromAuthenticator, fromPeer)
    : keysOfMasters(fromPeer, fromAuthenticator);
}

/** The keys of two start keys of 16 octets, as RADIUS delivers them: the short ones are their beginnings. */
export function keysOfMasters(send: Uint8Array, receive: Uint8Array): MppeKeys {
  return { send, receive, shortSend: send.slice(0, shortSize), shortReceive: receive.slice(0, shortSize) };
}

const shsPad1 = new Uint8Array(40);
const shsPad2 = new Uint8Array(40).fill(0xf2);
const magic1 = toBytes('This is the MPPE Master Key');
/** For what the peer sends. */
const magic2 = toBytes(
  'On the client side, this is the send key; on the server side, it is the receive key.',
);
/** For what the authenticator sends. */
const magic3 = toBytes(
  'On the client side, this is the receive key; on the server side, it is the send key.',
);

/** GetStartKey (section 2.4): 16 octets. */
function getStartKey(challenge: Uint8Array, ntHashHash: Uint8Array): Uint8Array {
  return sha1(ntHashHash, ntHashHash, challenge).slice(0, longSize);
}

/** GetMasterKey (section 3.4): 16 octets. */
export function getMasterKey(ntHashHash: Uint8Array, ntResponse: Uint8Array): Uint8Array {
  return sha1(ntHashHash, ntResponse, magic1).slice(0, longSize);
}

/** GetAsymmetricStartKey (section 3.4): 16 octets, of which a short key takes the first 8. */
function getAsymmetricStartKey(masterKey: Uint8Array, magic: Uint8Array): Uint8Array {
  return sha1(masterKey, shsPad1, magic, shsPad2).slice(0, longSize);
}
