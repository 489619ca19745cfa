/** A text that no log line, template, JSON text or inspection shows: only who asks for it by name gets it. */

import { toBytes } from './bytes.ts';
import type { Kind, Refusal } from './setting.ts';

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text as it was typed. */
  reveal(): string {
    return this.#text;
  }

  /** The text in UTF-8, as digests use it. */
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

/** Text to the operator and opaque to the program: `make` takes what was typed out of sight. */
export function concealed<T extends Secret>(make: (typed: string) => T | Refusal): Kind<T> {
  return { label: 'text', quoted: true, parse: make, format: (secret) => secret.reveal() };
}
