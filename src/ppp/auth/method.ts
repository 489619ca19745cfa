/**
 * The ways for a peer to prove itself, by RouterOS's names, and how LCP asks for each (RFC 1661 section 6.2, option 3):
 * PAP (RFC 1334), CHAP with MD5 (RFC 1994), MS-CHAP (RFC 2433), MS-CHAP-V2 (RFC 2759) and EAP (RFC 3748).
 */

import { equal } from '../../base/bytes.ts';

/** Those that are CHAP with an algorithm. */
export type ChapMethod = 'chap' | 'mschap1' | 'mschap2';

/** Those that prove a password by themselves, which we speak as either side. */
export type PasswordMethod = 'pap' | ChapMethod;

/** What may be demanded of a peer. EAP is only relayed, to a server that knows its types: we do not prove ourselves by it. */
export type Method = 'eap' | PasswordMethod;

/** PPP protocol numbers. */
export const papProtocol = 0xc023;
export const chapProtocol = 0xc223;
export const eapProtocol = 0xc227;

/** Strongest first: only MS-CHAP-V2 lets both sides prove themselves, PAP tells the password to whoever asks. */
export const passwordMethodsByStrength: readonly PasswordMethod[] = ['mschap2', 'mschap1', 'chap', 'pap'];

/** EAP comes before all: it can carry TLS. */
export const methodsByStrength: readonly Method[] = ['eap', ...passwordMethodsByStrength];

const options: Readonly<Record<Method, readonly number[]>> = {
  eap: [0xc2, 0x27],
  mschap2: [0xc2, 0x23, 0x81],
  mschap1: [0xc2, 0x23, 0x80],
  chap: [0xc2, 0x23, 0x05],
  pap: [0xc0, 0x23],
};

/** The value of LCP's Authentication-Protocol option that asks for `method`, without type and length. */
export function authenticationOption(method: Method): Uint8Array {
  return Uint8Array.from(options[method]);
}

/** The method that such a value asks for; undefined if it is none of ours (another algorithm, a wrong length). */
export function methodOfOption(value: Uint8Array): Method | undefined {
  return methodsByStrength.find((method) => equal(value, authenticationOption(method)));
}

/** The strongest of `allowed`; undefined if none is. */
export function strongest<Some extends Method>(allowed: ReadonlySet<Some>): Some | undefined {
  return methodsByStrength.map((method) => among(method, allowed)).find((method) => method !== undefined);
}

/** `method` if it is one of `allowed`. */
export function among<Some extends Method>(
  method: Method | 'other' | undefined,
  allowed: ReadonlySet<Some>,
): Some | undefined {
  return [...allowed].find((each) => each === method);
}
