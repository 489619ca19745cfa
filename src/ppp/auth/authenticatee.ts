/** The machine that proves ourselves by the method that the server has asked for and LCP has agreed on. */

import type { Random } from '../../base/random.ts';
import type { Authenticatee } from './authentication.ts';
import { ChapAuthenticatee } from './chap.ts';
import { chapMd5Authenticatee } from './chap-md5.ts';
import type { PasswordMethod } from './method.ts';
import { mschap1Authenticatee, mschap2Authenticatee } from './mschap.ts';
import { PapAuthenticatee } from './pap.ts';
import type { Password } from './password.ts';

export interface AuthenticateeOptions {
  readonly method: PasswordMethod;
  /** The user's. */
  readonly name: string;
  readonly password: Password;
  readonly random: Random;
}

export function authenticatee({ method, ...claim }: AuthenticateeOptions): Authenticatee {
  const { name, password } = claim;
  switch (method) {
    case 'pap':
      return new PapAuthenticatee(claim);
    case 'chap':
      return new ChapAuthenticatee(chapMd5Authenticatee(password), name);
    case 'mschap1':
      return new ChapAuthenticatee(mschap1Authenticatee(password), name);
    case 'mschap2':
      return new ChapAuthenticatee(mschap2Authenticatee(claim), name);
  }
}
