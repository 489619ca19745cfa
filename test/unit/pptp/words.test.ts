import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { decode } from '../../../src/pptp/messages.ts';
import { messageWords } from '../../../src/pptp/words.ts';

const vectors = readFileSync(new URL('../../vectors/pptp-words.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('|').map((part) => part.trim()));

/** `00*64` is an octet that stands 64 times. */
function octetsOf(text: string): Uint8Array {
  return fromHex(
    text.replace(/([\da-f]{2})\*(\d+)/g, (_, octet: string, count) => octet.repeat(Number(count))),
  );
}

describe('a control message in words', () => {
  it.each(vectors)('%s', (hex = '', words = '') => {
    const message = decode(octetsOf(hex));
    if (message instanceof Malformed) throw new Error(`${message}`);

    expect(messageWords(message)).toBe(words);
  });
});
