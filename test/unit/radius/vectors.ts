/** Reads the vectors of RADIUS: blocks of lines, parted by blank ones; a word and the rest of its line, octets in hexadecimal. */

import { readFileSync } from 'node:fs';
import { concat, fromHex, toBytes, toHex } from '../../../src/base/bytes.ts';
import type { Attributes } from '../../../src/radius/attribute.ts';

export class Vector {
  readonly title: string;
  readonly #lines: readonly (readonly [word: string, rest: string])[];

  constructor(block: string) {
    const lines = block.trim().split('\n');
    this.title = lines
      .filter((line) => line.startsWith('# '))
      .map((line) => line.slice(2))
      .join(' ');
    this.#lines = lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => {
        const [, word = '', rest = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
        return [word, rest];
      });
  }

  has(word: string): boolean {
    return this.#lines.some(([each]) => each === word);
  }

  /** The rest of every line that begins with `word`. */
  all(word: string): readonly string[] {
    return this.#lines.filter(([each]) => each === word).map(([, rest]) => rest);
  }

  text(word: string): string {
    return this.all(word).join('');
  }

  octets(word: string): Uint8Array {
    return concat(...this.all(word).flatMap((rest) => rest.split(' ').map(readOctets)));
  }

  get secret(): Uint8Array {
    return toBytes(this.text('secret'));
  }
}

export function readVectors(file: string): readonly Vector[] {
  const text = readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8');
  return text
    .split(/\n\n+/)
    .filter((block) => /^[^#\n]/m.test(block))
    .map((block) => new Vector(block));
}

/** `00*64` is an octet that stands 64 times. */
function readOctets(part: string): Uint8Array {
  const [hex = '', times = '1'] = part.split('*');
  return fromHex(hex.repeat(Number(times)));
}

/** Attributes as the vectors write them: a name and a value. */
export function written(attributes: Attributes): readonly string[] {
  return attributes.names.flatMap((name) =>
    attributes.all(name).map((value) => `${name} ${writtenValue(value)}`),
  );
}

function writtenValue(value: unknown): string {
  if (value instanceof Uint8Array) return `0x${toHex(value)}`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const { address, length } = value as { readonly address: Uint8Array; readonly length: number };
  return `${toHex(address)}/${length}`;
}
