/** A password that no log line, template, JSON text or inspection shows: only who asks for it by name gets it. */

import { toBytes } from '../../base/bytes.ts';

export class Password {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The password as it was typed. */
  reveal(): string {
    return this.#text;
  }

  /** The password in UTF-8, as PAP and CHAP use it. */
  get octets(): Uint8Array {
    return toBytes(this.#text);
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }
}
