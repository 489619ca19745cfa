/**
 * One block of DES under a key of seven octets, as MS-CHAP writes its keys (RFC 2759 section 8.6).
 *
 * OpenSSL refuses single DES but has triple DES, which with the same key three times is DES (encrypt, decrypt, encrypt).
 */

import { createCipheriv } from 'node:crypto';
import { concat } from '../../base/bytes.ts';

/** Encrypts the 8 octets of `clear` under the 56 bits of `key`. */
export function desEncrypt(clear: Uint8Array, key: Uint8Array): Uint8Array {
  const spread = withParity(key);
  const cipher = createCipheriv('des-ede3', concat(spread, spread, spread), null);
  return new Uint8Array(cipher.setAutoPadding(false).update(clear));
}

/** Seven bits to the octet, high bits first; the parity bit below them is left zero, because DES ignores it. */
function withParity(key: Uint8Array): Uint8Array {
  if (key.length !== 7) throw new RangeError(`${key.length} octets for a DES key of 7`);
  return Uint8Array.from({ length: 8 }, (_, at) => {
    const both = ((key[at - 1] ?? 0) << 8) | (key[at] ?? 0);
    return (both >>> at) & 0xfe;
  });
}
