/**
 * DNS messages on TCP (RFC 1035 section 4.2.2, RFC 7766 section 8): two octets of length before each. Octets enter in whatever
 * pieces they come, whole messages leave in order. Pure. What is in a message is not looked at.
 */

import { concat, Writer } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';

const lengthBytes = 2;

/** The longest message that a length can announce. */
export const messageBytes = 65_535;

export class MessageStream {
  readonly #longestBytes: number;
  /** Less than one message. */
  #pending: Uint8Array = new Uint8Array();

  /** Messages of more than `longestBytes` are not waited for. */
  constructor(longestBytes = messageBytes) {
    this.#longestBytes = longestBytes;
  }

  /** The messages that `octets` complete. `Malformed` if one is announced that is too long: the stream is of no use any more. */
  push(octets: Uint8Array): readonly Uint8Array[] | Malformed {
    const stream = concat(this.#pending, octets);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (stream.length - at >= lengthBytes) {
      const length = ((stream[at] ?? 0) << 8) | (stream[at + 1] ?? 0);
      if (length > this.#longestBytes) return new Malformed('DNS_BAD_LENGTH', 'length', 0);
      const from = at + lengthBytes;
      if (stream.length - from < length) break;
      messages.push(stream.slice(from, from + length));
      at = from + length;
    }
    this.#pending = stream.slice(at);
    return messages;
  }
}

/** `message` with its length before it. */
export function framed(message: Uint8Array): Uint8Array {
  return concat(new Writer(new Uint8Array(lengthBytes)).u16(message.length).done(), message);
}
