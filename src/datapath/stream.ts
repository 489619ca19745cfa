/**
 * A stream of octets in, whole messages of the contract out: each begins with its own length (contract.ts), and the socket
 * cuts the stream anywhere. Pure. It does not read what is in a message.
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { header, headerSize, messageBytesMax } from './contract.ts';

/** Puts together what one socket receives. Holds at most one message that is not complete, and so at most `messageBytesMax`. */
export class MessageStream {
  #parts: Uint8Array[] = [];
  #held = 0;
  /** Octets that must be held before anything can be given out. */
  #wanted = headerSize;

  /** Octets received that are not yet a whole message. */
  get heldBytes(): number {
    return this.#held;
  }

  /**
   * The messages that `chunk` completes, header included, in order. They may share memory with `chunk`.
   * `Malformed` if a length is impossible: the stream cannot be read any further.
   */
  received(chunk: Uint8Array): readonly Uint8Array[] | Malformed {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    // A long message comes in many chunks: they are put together once, when the last is there.
    if (this.#held < this.#wanted) return [];

    const whole = this.#parts.length === 1 ? chunk : concat(...this.#parts);
    const messages: Uint8Array[] = [];
    let from = 0;
    for (;;) {
      const size = sizeOf(whole.subarray(from));
      if (size instanceof Malformed) return size;
      if (from + size > whole.length) {
        this.#keep(whole.subarray(from), size);
        return messages;
      }
      messages.push(whole.subarray(from, from + size));
      from += size;
    }
  }

  #keep(rest: Uint8Array, wanted: number): void {
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    this.#wanted = wanted;
  }
}

/** Octets of the message that `octets` begin; as long as its header is not there, those of a header. */
function sizeOf(octets: Uint8Array): number | Malformed {
  if (octets.length < headerSize) return headerSize;
  const head = header.decode(octets);
  if (head instanceof Malformed) return head;
  const possible = head.size >= headerSize && head.size <= messageBytesMax;
  return possible ? head.size : new Malformed('CONTRACT_BAD_SIZE', 'size', 0);
}
