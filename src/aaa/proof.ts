/**
 * Whether credentials prove a password that we know, and what follows from it: MS-CHAP-V2's proof back to the peer, and the
 * start keys of MPPE.
 *
 * Credentials and a password in, `Proof` out. Comparisons take the same time wherever the octets differ.
 */

import { equal, equalInConstantTime } from '../base/bytes.ts';
import { chapResponse } from '../ppp/auth/chap-md5.ts';
import type { Mschap1Credentials, Mschap2Credentials, PasswordCredentials } from '../ppp/auth/credentials.ts';
import { type MppeKeys, mschap1Keys, mschap2Keys } from '../ppp/auth/mppe-keys.ts';
import {
  challengeResponse,
  generateAuthenticatorResponse,
  generateNtResponse,
  hashNtPasswordHash,
  lmPasswordHash,
  ntPasswordHash,
  sha1,
} from '../ppp/auth/mschap-hash.ts';
import type { Password } from '../ppp/auth/password.ts';

export interface Proof {
  /** True if the peer knows the password; nothing else in here may be used when it is false. */
  readonly proved: boolean;
  readonly mschap2Success?: string;
  readonly mppeKeys?: MppeKeys;
}

export function prove(credentials: PasswordCredentials, password: Password): Proof {
  switch (credentials.method) {
    case 'pap':
      // Digests, so that the comparison does not tell the length either.
      return { proved: equalInConstantTime(sha1(credentials.password), sha1(password.octets)) };
    case 'chap': {
      const { id, challenge, response } = credentials;
      return { proved: equalInConstantTime(response, chapResponse(id, password, challenge)) };
    }
    case 'mschap1':
      return proveMschap1(credentials, password);
    case 'mschap2':
      return proveMschap2(credentials, password);
  }
}

/** RFC 2433 section 4: LM response, NT response, and an octet that is 1 if the NT response is to be used. */
function proveMschap1({ challenge, response }: Mschap1Credentials, password: Password): Proof {
  const ntHash = ntPasswordHash(password);
  const lmHash = lmPasswordHash(password);
  const lmResponse = response.subarray(0, 24);
  const useNtResponse = response[48] === 1;
  const given = useNtResponse ? response.subarray(24, 48) : lmResponse;
  const expected = challengeResponse(challenge, useNtResponse ? ntHash : lmHash);
  return {
    // Zeros are how a peer leaves the LM response out: they are no response that happens to be wrong.
    proved: equalInConstantTime(given, expected) && !equal(given, noResponse),
    mppeKeys: mschap1Keys(challenge, lmHash, hashNtPasswordHash(ntHash)),
  };
}

const noResponse = new Uint8Array(24);

function proveMschap2(credentials: Mschap2Credentials, password: Password): Proof {
  const { ntResponse } = credentials;
  const hash = ntPasswordHash(password);
  return {
    proved: equalInConstantTime(ntResponse, generateNtResponse(credentials, hash)),
    mschap2Success: generateAuthenticatorResponse(credentials, ntResponse, hash),
    mppeKeys: mschap2Keys(hash, ntResponse, 'authenticator'),
  };
}
