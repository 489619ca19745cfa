/** Reads the vectors of PPTP: blocks of lines, parted by blank ones. */

import { readFileSync } from 'node:fs';
import { concat, fromHex } from '../../../src/base/bytes.ts';
import type { Message } from '../../../src/pptp/messages.ts';

export interface Vector {
  readonly title: string;
  readonly octets: Uint8Array;
  /** What stands in the block beside its octets: a word and the rest of its line. */
  readonly lines: readonly (readonly [string, string])[];
}

export function readVectors(file: string): readonly Vector[] {
  const text = readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8');
  const blocks = text.split(/\n\n+/).filter((block) => /^octets /m.test(block));
  return blocks.map((block) => {
    const lines = block.trim().split('\n');
    const title = lines.filter((line) => line.startsWith('# ')).join(' ');
    const words = lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
    const octets = words.filter(([word]) => word === 'octets').map(([, rest]) => readOctets(rest));
    return {
      title: title.slice(2),
      octets: concat(...octets),
      lines: words.filter(([word]) => word !== 'octets'),
    };
  });
}

/** Hexadecimal, and `00*64` for an octet that stands 64 times. */
function readOctets(text: string): Uint8Array {
  const parts = text.split(' ').map((part) => {
    const [hex = '', times = '1'] = part.split('*');
    return fromHex(hex.repeat(Number(times)));
  });
  return concat(...parts);
}

/** The message that a block of pptp-messages.txt describes. */
export function messageOf(vector: Vector): Message {
  const fields = vector.lines.map(([word, rest]) =>
    word === 'message' ? ['name', rest] : [word, JSON.parse(rest)],
  );
  return Object.fromEntries(fields) as Message;
}
