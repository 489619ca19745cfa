/**
 * MS-CHAP (RFC 2433, algorithm 80) and MS-CHAP-V2 (RFC 2759, algorithm 81), both sides: what stands in values and messages.
 *
 * The conversation is chap.ts's, the arithmetic mschap-hash.ts's. Passwords cannot be changed through us: the codes for it
 * are known, so that a peer which tries gets the answer that its user understands.
 */

import { concat, equalInConstantTime, Reader, toBytes, toHex, toText } from '../../base/bytes.ts';
import type { Random } from '../../base/random.ts';
import type { AuthenticateeAlgorithm, AuthenticatorAlgorithm, Reaction } from './chap.ts';
import type { Mschap2Credentials, Rejection } from './credentials.ts';
import { mschap1Keys, mschap2Keys } from './mppe-keys.ts';
import {
  challengeResponse,
  generateAuthenticatorResponse,
  generateNtResponse,
  hashNtPasswordHash,
  lmPasswordHash,
  ntPasswordHash,
} from './mschap-hash.ts';
import type { Password } from './password.ts';
import { printable } from './texts.ts';

const challengeSize = { mschap1: 8, mschap2: 16 } as const;
const responseSize = 49;
const ntResponseSize = 24;

/** Change-Password: versions 1 and 2 of RFC 2433 section 7, the one of RFC 2759 section 7. */
const changePasswordCodes = { mschap1: [5, 6], mschap2: [7] } as const;

/**
 * RFC 2759 section 6. `R=0`: each connection is one attempt, because Windows 98 and 2000 do not use a second one, and a
 * client that does redials just as well. The challenge is there because Windows looks for it, not to be used.
 */
function failureText({ errorCode }: Rejection, challenge: Uint8Array, version: number): string {
  return `E=${errorCode} R=0 C=${toHex(challenge).toUpperCase()} V=${version}`;
}

export function mschap1Authenticator(random: Random): AuthenticatorAlgorithm {
  return {
    method: 'mschap1',
    challengeSize: challengeSize.mschap1,
    changePasswordCodes: changePasswordCodes.mschap1,
    credentials(id, challenge, { value: response, name: nameOctets }) {
      if (response.length !== responseSize) return undefined;
      return { method: 'mschap1', name: printable(nameOctets), nameOctets, id, challenge, response };
    },
    success: (_credentials, { message = '' }) => message,
    // [RFC 2433 5] There is no text for the user, and the version tells which Change-Password we would take.
    failure: (rejection) => failureText(rejection, random(challengeSize.mschap1), 2),
  };
}

export function mschap2Authenticator(random: Random): AuthenticatorAlgorithm {
  return {
    method: 'mschap2',
    challengeSize: challengeSize.mschap2,
    changePasswordCodes: changePasswordCodes.mschap2,
    credentials(id, challenge, { value, name: nameOctets }) {
      if (value.length !== responseSize) return undefined;
      return {
        method: 'mschap2',
        name: printable(nameOctets),
        nameOctets,
        id,
        challenge,
        ...readResponse2(value),
      };
    },
    success(credentials, { mschap2Success, message = '' }) {
      if (mschap2Success === undefined || credentials.method !== 'mschap2') return undefined;
      // Departs from RFC 2759 5, by which M= is always there: Windows 98, known by its flags, fails when it is.
      return credentials.flags !== 0 ? mschap2Success : `${mschap2Success} M=${message}`;
    },
    failure: (rejection) =>
      `${failureText(rejection, random(challengeSize.mschap2), 3)} M=${rejection.message}`,
  };
}

/** RFC 2759 section 4: Peer-Challenge, 8 reserved octets, NT-Response, Flags. */
function readResponse2(
  value: Uint8Array,
): Pick<Mschap2Credentials, 'peerChallenge' | 'ntResponse' | 'flags'> {
  const reader = new Reader(value);
  const peerChallenge = reader.bytes(16);
  reader.skip(8);
  return { peerChallenge, ntResponse: reader.bytes(ntResponseSize), flags: reader.u8() };
}

/** Only the NT response: one by the LAN Manager hash would give half the password away. */
export function mschap1Authenticatee(password: Password): AuthenticateeAlgorithm {
  return {
    method: 'mschap1',
    react(_id, challenge) {
      if (challenge.length !== challengeSize.mschap1) return undefined;
      const hash = ntPasswordHash(password);
      const useNtResponse = Uint8Array.of(1);
      return {
        value: concat(new Uint8Array(24), challengeResponse(challenge, hash), useNtResponse),
        success: () => mschap1Keys(challenge, lmPasswordHash(password), hashNtPasswordHash(hash)),
      };
    },
    failure: readFailure,
  };
}

export interface Mschap2Claim {
  readonly name: string;
  readonly password: Password;
  readonly random: Random;
}

export function mschap2Authenticatee({ name, password, random }: Mschap2Claim): AuthenticateeAlgorithm {
  return {
    method: 'mschap2',
    react(_id, challenge): Reaction | undefined {
      if (challenge.length !== challengeSize.mschap2) return undefined;
      const hash = ntPasswordHash(password);
      const exchange = { challenge, peerChallenge: random(16), nameOctets: toBytes(name) };
      const ntResponse = generateNtResponse(exchange, hash);
      const expected = toBytes(generateAuthenticatorResponse(exchange, ntResponse, hash));
      return {
        value: concat(exchange.peerChallenge, new Uint8Array(8), ntResponse, Uint8Array.of(0)),
        success: (message) =>
          equalInConstantTime(toBytes(authenticatorResponse(message)), expected)
            ? mschap2Keys(hash, ntResponse, 'peer')
            : 'impostor',
      };
    },
    failure: readFailure,
  };
}

/** `S=` and the digits at the beginning of a Success, in capitals; empty if there are none. */
function authenticatorResponse(message: Uint8Array): string {
  return /^S=[0-9A-F]{40}/i.exec(toText(message))?.[0].toUpperCase() ?? '';
}

const errorTexts: ReadonlyMap<number, string> = new Map([
  [646, 'restricted logon hours'],
  [647, 'account disabled'],
  [648, 'password expired'],
  [649, 'no dial-in permission'],
  [691, 'authentication failure'],
  [709, 'error changing password'],
]);

const passwordExpired = 648;

/** The server's own words if it has some, else what its error code stands for. */
function readFailure(octets: Uint8Array): ReturnType<AuthenticateeAlgorithm['failure']> {
  const text = printable(octets);
  const code = Number(/E=(\d+)/.exec(text)?.[1]);
  const message = /M=(.+)$/.exec(text)?.[1] ?? errorTexts.get(code) ?? text;
  return { cause: code === passwordExpired ? 'password-change' : 'refused', message };
}
