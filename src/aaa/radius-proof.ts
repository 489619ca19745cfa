/**
 * What an Access-Accept proves and brings besides a grant: MS-CHAP-V2's proof to the peer (MS-CHAP2-Success) and the start keys
 * of MPPE (MS-CHAP-MPPE-Keys, MS-MPPE-Send-Key and -Recv-Key; RFC 2548 section 2.4). And what an Access-Reject tells: MS-CHAP-Error.
 *
 * Attributes, and the round that they answer, go in. A value of the wrong shape is as good as none: who needs it says so.
 */

import { toBytes, toText } from '../base/bytes.ts';
import type { Credentials, MschapErrorCode } from '../ppp/auth/credentials.ts';
import { keysOfMasters, type MppeBits, type MppeKeys, mschap1Keys } from '../ppp/auth/mppe-keys.ts';
import { printable } from '../ppp/auth/texts.ts';
import type { Attributes } from '../radius/attribute.ts';
import type { Round } from '../radius/query.ts';
import { revealPassword, revealSalted } from '../radius/sign.ts';

type Secrets = Pick<Round, 'secret' | 'authenticator'>;

/** `S=` and 40 hexadecimal digits. The identifier before it is the server's guess of ours; a message may follow. */
export function mschap2SuccessOf(attributes: Attributes): string | undefined {
  const success = attributes.first('MS-CHAP2-Success')?.subarray(1);
  return success && /^S=[0-9A-F]{40}(?= |$)/i.exec(toText(success))?.[0].toUpperCase();
}

/** Keys for the credentials' method; undefined if the server sent none, or none that we can read. */
export function mppeKeysOf(
  attributes: Attributes,
  credentials: Credentials,
  round: Secrets,
): MppeKeys | undefined {
  return credentials.method === 'mschap1'
    ? mschap1KeysOf(attributes, credentials.challenge, round)
    : masterKeysOf(attributes, round);
}

/** [RFC 2548 2.4.1] 8 octets of the LAN Manager hash, 16 of the NT hash's hash, padding; hidden like a User-Password. */
function mschap1KeysOf(
  attributes: Attributes,
  challenge: Uint8Array,
  { secret, authenticator }: Secrets,
): MppeKeys | undefined {
  const hidden = attributes.first('MS-CHAP-MPPE-Keys');
  const plain = hidden && revealPassword(hidden, secret, authenticator);
  if (plain === undefined || plain.length < 24) return undefined;
  return mschap1Keys(challenge, plain.subarray(0, 8), plain.slice(8, 24));
}

/**
 * The strengths that `keys` serve; undefined: all. Departs from RFC 2548 section 2.4.1 for FreeRADIUS, which fills the place of
 * the LAN Manager hash with zeros: short keys of it would not be the peer's, and no secret.
 */
export function bitsOf({ shortSend }: MppeKeys): ReadonlySet<MppeBits> | undefined {
  return shortSend.every((octet) => octet === 0) ? new Set([128]) : undefined;
}

const masterKeyBytes = 16;

/**
 * [RFC 2548 2.4.2] The server names directions as we have them. EAP methods leave 32 octets in each, of which MPPE takes the
 * first 16 (RFC 5216 section 2.3).
 */
function masterKeysOf(attributes: Attributes, round: Secrets): MppeKeys | undefined {
  const send = masterKeyOf(attributes.first('MS-MPPE-Send-Key'), round);
  const receive = masterKeyOf(attributes.first('MS-MPPE-Recv-Key'), round);
  return send && receive && keysOfMasters(send, receive);
}

function masterKeyOf(
  hidden: Uint8Array | undefined,
  { secret, authenticator }: Secrets,
): Uint8Array | undefined {
  const plain = hidden && revealSalted(hidden, secret, authenticator);
  return plain === undefined || plain.length < masterKeyBytes ? undefined : plain.slice(0, masterKeyBytes);
}

const errorCodes: readonly MschapErrorCode[] = [646, 647, 648, 649, 691, 709];

/** What MS-CHAP-Error says (RFC 2759 section 6): an identifier, then `E=691 R=1 C=… V=3 M=…`. Its challenge is for a retry, which we do not offer. */
export function mschapErrorOf(attributes: Attributes): {
  readonly errorCode?: MschapErrorCode;
  readonly message?: string;
} {
  const octets = attributes.first('MS-CHAP-Error');
  if (octets === undefined) return {};
  const text = printable(octets.subarray(1));
  const errorCode = errorCodes.find((code) => code === Number(/\bE=(\d+)/.exec(text)?.[1]));
  const message = /\bM=(.+)$/.exec(text)?.[1];
  return { ...(errorCode !== undefined && { errorCode }), ...(message !== undefined && { message }) };
}

/** Reply-Message, one line of them all; the empty text if there is none. */
export function replyMessageOf(attributes: Attributes): string {
  return printable(toBytes(attributes.all('Reply-Message').join(' ')));
}
