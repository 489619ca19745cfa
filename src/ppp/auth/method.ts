/**
 * The four ways to prove a password, by RouterOS's names, and how LCP asks for each (RFC 1661 section 6.2, option 3):
 * PAP (RFC 1334), CHAP with MD5 (RFC 1994), MS-CHAP (RFC 2433) and MS-CHAP-V2 (RFC 2759).
 */

import { equal } from '../../base/bytes.ts';

export type Method = 'pap' | 'chap' | 'mschap1' | 'mschap2';

/** PPP protocol numbers. */
export const papProtocol = 0xc023;
export const chapProtocol = 0xc223;

/** Strongest first: only MS-CHAP-V2 lets both sides prove themselves, PAP tells the password to whoever asks. */
export const methodsByStrength: readonly Method[] = ['mschap2', 'mschap1', 'chap', 'pap'];

const options: Readonly<Record<Method, readonly number[]>> = {
  mschap2: [0xc2, 0x23, 0x81],
  mschap1: [0xc2, 0x23, 0x80],
  chap: [0xc2, 0x23, 0x05],
  pap: [0xc0, 0x23],
};

/** The value of LCP's Authentication-Protocol option that asks for `method`, without type and length. */
export function authenticationOption(method: Method): Uint8Array {
  return Uint8Array.from(options[method]);
}

/** The method that such a value asks for; undefined if it is none of ours (EAP, another algorithm, a wrong length). */
export function methodOfOption(value: Uint8Array): Method | undefined {
  return methodsByStrength.find((method) => equal(value, authenticationOption(method)));
}

/** The strongest of `allowed`; undefined if none is. */
export function strongest(allowed: ReadonlySet<Method>): Method | undefined {
  return methodsByStrength.find((method) => allowed.has(method));
}
