/** What peers send to prove themselves, made as they make it: for tests of those who judge it. */

import { concat, toBytes } from '../../../src/base/bytes.ts';
import { chapResponse } from '../../../src/ppp/auth/chap-md5.ts';
import type { PasswordCredentials } from '../../../src/ppp/auth/credentials.ts';
import { challengeResponse, generateNtResponse, ntPasswordHash } from '../../../src/ppp/auth/mschap-hash.ts';
import { Password } from '../../../src/ppp/auth/password.ts';

export type PasswordMethod = PasswordCredentials['method'];

export const passwordMethods = [
  'pap',
  'chap',
  'mschap1',
  'mschap2',
] as const satisfies readonly PasswordMethod[];

/** What a peer of that name sends that knows `text` as its password. */
export function credentials(method: PasswordMethod, name = 'ex', text = 'lkjrht'): PasswordCredentials {
  const guess = new Password(text);
  const claim = { name, nameOctets: toBytes(name), id: 7 };
  const challenge = Uint8Array.from({ length: method === 'mschap1' ? 8 : 16 }, (_, at) => at);
  switch (method) {
    case 'pap':
      return { method, name, nameOctets: toBytes(name), password: guess.octets };
    case 'chap':
      return { ...claim, method, challenge, response: chapResponse(7, guess, challenge) };
    case 'mschap1': {
      const ntResponse = challengeResponse(challenge, ntPasswordHash(guess));
      return {
        ...claim,
        method,
        challenge,
        response: concat(new Uint8Array(24), ntResponse, Uint8Array.of(1)),
      };
    }
    case 'mschap2': {
      const exchange = { challenge, peerChallenge: new Uint8Array(16), nameOctets: toBytes(name) };
      const ntResponse = generateNtResponse(exchange, ntPasswordHash(guess));
      return { ...claim, ...exchange, method, ntResponse, flags: 0 };
    }
  }
}
