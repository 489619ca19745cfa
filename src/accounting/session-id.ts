/**
 * Acct-Session-Ids: 22 ASCII characters that no node and no restart gives out twice (RFC 2866 section 5.5 asks for the
 * restarts). The node's hash, the mark of this process, a count; all hexadecimal, so that ids sort by time.
 *
 *     5f0e2c 6742ffd1 0000002a
 *
 * A mark is the second in which a process started, or one more than the mark before: the journal keeps it (ledger.ts). Pure.
 */

import { createHash } from 'node:crypto';

/** Digits of each part. A mark lasts until 2106; a count for 160 days at 300 sessions a second, and then goes on with a digit more. */
const digits = { node: 6, mark: 8, count: 8 } as const;

export class SessionIds {
  readonly #prefix: string;
  #count = 0;

  /** `node` is what tells this node from all others at its servers: NAS-Identifier and NAS-IP-Address. */
  constructor(node: string, mark: number) {
    this.#prefix = hashOf(node) + hexadecimal(mark, digits.mark);
  }

  next(): string {
    this.#count += 1;
    return this.#prefix + hexadecimal(this.#count, digits.count);
  }
}

/** Of the node's own records. The same over restarts, so that an Accounting-Off never overtakes the next Accounting-On. */
export function nodeSessionId(node: string): string {
  return hashOf(node) + hexadecimal(0, digits.mark + digits.count);
}

function hashOf(node: string): string {
  return createHash('sha256').update(node).digest('hex').slice(0, digits.node);
}

function hexadecimal(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
