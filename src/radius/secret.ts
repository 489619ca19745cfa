/** A shared secret that no log line, template, JSON text or inspection shows: only who asks for it by name gets it. */

import { toBytes } from '../base/bytes.ts';
import type { Kind } from '../base/setting.ts';

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret as it was typed. */
  reveal(): string {
    return this.#text;
  }

  /** The secret in UTF-8, as digests use it. */
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

/** Text to the operator and opaque to the program. */
export const secretKind: Kind<Secret> = {
  label: 'text',
  quoted: true,
  parse: (typed) => new Secret(typed),
  format: (secret) => secret.reveal(),
};
