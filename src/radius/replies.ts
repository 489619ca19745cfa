/**
 * Which packets answer a request: those with a code that fits and with the proofs that its server owes. Octets in, a `Packet`
 * or what is wrong with it out. What is wrong is discarded by the caller and fails nothing: the true reply may follow it.
 */

import { Malformed } from '../base/fault.ts';
import { codes, type Packet, walk } from './packet.ts';
import type { RequireMessageAuth } from './settings.ts';
import { type ReplyFault, verifyReply } from './sign.ts';

/** RFC 2865 section 4, RFC 2866 section 4.2, RFC 5997 section 3. */
const repliesTo: ReadonlyMap<number, readonly number[]> = new Map([
  [codes.accessRequest, [codes.accessAccept, codes.accessReject, codes.accessChallenge]],
  [codes.accountingRequest, [codes.accountingResponse]],
  [codes.statusServer, [codes.accessAccept, codes.accountingResponse]],
]);

export type BadReply = ReplyFault | 'wrong-code';

const messageAuthenticator = 80;

/** One server's: it remembers whether the server signs. */
export class ReplyGate {
  #hasSigned = false;

  /** The packet in `octets` if it answers `request`, octets as sent. */
  judge(
    octets: Uint8Array,
    request: Uint8Array,
    secret: Uint8Array,
    require: RequireMessageAuth,
  ): Packet | BadReply {
    const [code = 0] = request;
    // Nobody gains an access by forging any other reply; and FreeRADIUS signs no answer to Status-Server.
    const isAccess = code === codes.accessRequest;
    const isRequired =
      isAccess && (require === 'yes-for-request-resp' || (require === 'auto' && this.#hasSigned));
    const packet = verifyReply(octets, request, secret, isRequired);
    if (typeof packet === 'string') return packet;
    if (!repliesTo.get(code)?.includes(packet.code)) return 'wrong-code';
    if (isAccess && isSigned(packet)) this.#hasSigned = true;
    return packet;
  }
}

function isSigned({ attributes }: Packet): boolean {
  const walked = walk(attributes);
  return !(walked instanceof Malformed) && walked.some(({ type }) => type === messageAuthenticator);
}
