/** CHAP with MD5 (RFC 1994 section 4.1, algorithm 5): MD5 over identifier, password and challenge. No keys, no proof back. */

import { createHash } from 'node:crypto';
import { concat } from '../../base/bytes.ts';
import type { AuthenticateeAlgorithm, AuthenticatorAlgorithm } from './chap.ts';
import type { Password } from './password.ts';
import { printable } from './texts.ts';

const responseSize = 16;

/** The value of the Response: 16 octets. */
export function chapResponse(id: number, password: Password, challenge: Uint8Array): Uint8Array {
  const hashed = concat(Uint8Array.of(id), password.octets, challenge);
  return new Uint8Array(createHash('md5').update(hashed).digest());
}

export const chapMd5Authenticator: AuthenticatorAlgorithm = {
  method: 'chap',
  challengeSize: 16,
  changePasswordCodes: [],
  credentials(id, challenge, { value: response, name: nameOctets }) {
    if (response.length !== responseSize) return undefined;
    return { method: 'chap', name: printable(nameOctets), nameOctets, id, challenge, response };
  },
  success: (_credentials, { message = '' }) => message,
  failure: ({ message }) => message,
};

export function chapMd5Authenticatee(password: Password): AuthenticateeAlgorithm {
  return {
    method: 'chap',
    react(id, challenge) {
      // [RFC 1994 4.1] A challenge has at least one octet.
      if (challenge.length === 0) return undefined;
      return { value: chapResponse(id, password, challenge), success: () => undefined };
    },
    failure: (message) => ({ cause: 'refused', message: printable(message) }),
  };
}
