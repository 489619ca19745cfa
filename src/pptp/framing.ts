/**
 * The TCP stream of a control connection, cut into messages (RFC 2637 section 1.4: each message carries its length). Octets
 * enter in whatever pieces TCP gives; whole messages leave in order. What is not PPTP leaves as one `Malformed`, and after it
 * nothing, because a stream that has lost its place cannot find it again.
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { decode, headerBytes, type Message, measure } from './messages.ts';

export class Framing {
  // Less than one message, whose length `measure` bounds by limits.pptpMessageBytes.
  #pending: Uint8Array = new Uint8Array(0);
  #lost = false;

  /** Octets that wait for the rest of their message. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** The messages that `octets` complete, perhaps none; a `Malformed` is always the last. */
  push(octets: Uint8Array): readonly (Message | Malformed)[] {
    if (this.#lost) return [];
    const stream = concat(this.#pending, octets);
    const found: (Message | Malformed)[] = [];
    let at = 0;
    while (stream.length - at >= headerBytes) {
      const measured = measure(stream.subarray(at));
      if (measured instanceof Malformed) return this.#lose(found, measured);
      if (stream.length - at < measured.length) break;
      const message = decode(stream.subarray(at, at + measured.length));
      if (message instanceof Malformed) return this.#lose(found, message);
      found.push(message);
      at += measured.length;
    }
    this.#pending = stream.slice(at);
    return found;
  }

  #lose(found: readonly (Message | Malformed)[], malformed: Malformed): readonly (Message | Malformed)[] {
    this.#lost = true;
    this.#pending = new Uint8Array(0);
    return [...found, malformed];
  }
}
