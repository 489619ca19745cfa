/**
 * A stream of octets in, whole messages of the contract out: each begins with its own length (contract.ts), and the socket
 * cuts the stream anywhere. Pure. It does not read what is in a message.
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { header, headerSize, messageBytesMax } from './contract.ts';

/** How many octets it has used, and the message that they completed. */
interface Step {
  readonly taken: number;
  readonly message?: Uint8Array;
}

const nothing = new Uint8Array();

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
   * The messages that `chunk` completes, header included, in order. They may share memory with `chunk`: only one that had begun before
   * is put together. `Malformed` if a length is impossible: the stream cannot be read any further.
   */
  received(chunk: Uint8Array): readonly Uint8Array[] | Malformed {
    const messages: Uint8Array[] = [];
    for (let rest = chunk; rest.length > 0; ) {
      const step = this.#held === 0 ? this.#begin(rest) : this.#goOn(rest);
      if (step instanceof Malformed) return step;
      if (step.message !== undefined) messages.push(step.message);
      rest = rest.subarray(step.taken);
    }
    return messages;
  }

  #begin(octets: Uint8Array): Step | Malformed {
    const size = sizeOf(octets);
    if (size instanceof Malformed) return size;
    if (size <= octets.length) return { taken: size, message: octets.subarray(0, size) };
    this.#keep(octets, size);
    return { taken: octets.length };
  }

  #goOn(octets: Uint8Array): Step | Malformed {
    const part = octets.subarray(0, this.#wanted - this.#held);
    this.#parts.push(part);
    this.#held += part.length;
    const taken = part.length;
    // A long message comes in many parts: they are put together once, when the last is there.
    if (this.#held < this.#wanted) return { taken };
    const whole = concat(...this.#parts);
    const size = sizeOf(whole);
    if (size instanceof Malformed) return size;
    const isWhole = size <= whole.length;
    this.#keep(isWhole ? nothing : whole, isWhole ? headerSize : size);
    return isWhole ? { taken, message: whole } : { taken };
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
