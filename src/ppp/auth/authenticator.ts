/** The machine that asks the peer by the method that LCP has agreed on. */

import type { Random } from '../../base/random.ts';
import type { Authenticator } from './authentication.ts';
import { ChapAuthenticator } from './chap.ts';
import { chapMd5Authenticator } from './chap-md5.ts';
import { EapAuthenticator } from './eap.ts';
import type { Method } from './method.ts';
import { mschap1Authenticator, mschap2Authenticator } from './mschap.ts';
import { PapAuthenticator } from './pap.ts';

export interface AuthenticatorOptions {
  readonly method: Method;
  /** Ours, in Challenges: the system identity. Some peers refuse an empty one. */
  readonly name: string;
  /** The peer's, in octets. */
  readonly mru: number;
  readonly random: Random;
}

export function authenticator({ method, name, mru, random }: AuthenticatorOptions): Authenticator {
  switch (method) {
    case 'eap':
      return new EapAuthenticator(mru, random);
    case 'pap':
      return new PapAuthenticator();
    case 'chap':
      return new ChapAuthenticator(chapMd5Authenticator, name, random);
    case 'mschap1':
      return new ChapAuthenticator(mschap1Authenticator(random), name, random);
    case 'mschap2':
      return new ChapAuthenticator(mschap2Authenticator(random), name, random);
  }
}
