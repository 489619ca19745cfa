import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../../src/base/bytes.ts';
import { below, seededRandom } from '../../../../src/base/random.ts';
import {
  encodeLength,
  encodeSentence,
  type Sentence,
  SentenceStream,
  sentenceBytesMax,
} from '../../../../src/console/services/api-words.ts';

function vectors(name: string): string[] {
  const text = readFileSync(new URL(`../../../vectors/${name}`, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** All that a stream makes of `pieces`, and what is wrong in the end. */
function read(pieces: readonly Uint8Array[]): { sentences: Sentence[]; malformed: string | undefined } {
  const stream = new SentenceStream();
  const sentences: Sentence[] = [];
  for (const piece of pieces) {
    const heard = stream.push(piece);
    sentences.push(...heard.sentences);
    if (heard.malformed !== undefined) return { sentences, malformed: heard.malformed.code };
  }
  return { sentences, malformed: undefined };
}

describe('a sentence', () => {
  const examples = vectors('api-sentences.txt').map((line) => line.split(' | '));

  it.each(examples)('is %s on the wire', (hex, ...words) => {
    expect(toHex(encodeSentence(words))).toBe(hex?.replaceAll(' ', ''));
    expect(read([fromHex(hex ?? '')])).toEqual({ sentences: [words], malformed: undefined });
  });

  it.each(examples)('cut anywhere is none yet: %s', (hex, ...words) => {
    const octets = fromHex(hex ?? '');
    for (let at = 0; at < octets.length; at += 1) {
      expect(read([octets.subarray(0, at)])).toEqual({ sentences: [], malformed: undefined });
      expect(read([octets.subarray(0, at), octets.subarray(at)]).sentences).toEqual([words]);
    }
  });

  it('without words is passed over', () => {
    expect(read([Uint8Array.of(0, 0, 1, 0x61, 0)]).sentences).toEqual([['a']]);
  });

  it('of a longer length than needed is read all the same', () => {
    expect(read([fromHex('80 01 61 e0 00 00 01 62 00')]).sentences).toEqual([['a', 'b']]);
  });

  it.each(['f1', 'f8', 'ff'])('that begins with the control octet %s ends the stream', (hex) => {
    expect(read([fromHex(`01 61 00 ${hex}`)])).toEqual({
      sentences: [['a']],
      malformed: 'API_CONTROL_OCTET',
    });
  });

  it('of octets that are no UTF-8 ends the stream', () => {
    expect(read([fromHex('01 e9 00')]).malformed).toBe('API_NOT_UTF8');
  });

  it('that would be too long is refused by its length, before it is there', () => {
    expect(read([encodeLength(sentenceBytesMax)]).malformed).toBe('API_SENTENCE_TOO_LONG');
    expect(read([fromHex('f0 ff ff ff ff')]).malformed).toBe('API_SENTENCE_TOO_LONG');
    const words = Array.from({ length: 70 }, () => 'x'.repeat(1000));
    expect(read([encodeSentence(words)]).malformed).toBe('API_SENTENCE_TOO_LONG');
  });
});

describe('a length', () => {
  it.each(vectors('api-lengths.txt').map((line) => /^(\d+) (.*)$/.exec(line)?.slice(1) ?? []))(
    'of %s is %s',
    (length, hex) => {
      expect(toHex(encodeLength(Number(length)))).toBe(hex?.replaceAll(' ', ''));
    },
  );
});

describe('random octets', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`api words: SEED=${seed}`);
  const random = seededRandom(seed);
  const octetsOf = (length: number) => random(length);

  it('are sentences or malformed, and nothing else', () => {
    for (let run = 0; run < 3000; run += 1) {
      const { sentences } = read([octetsOf(below(random, 64))]);
      expect(sentences.every((words) => words.length > 0 && !words.includes(''))).toBe(true);
    }
  });

  it('in words come back, however the stream is cut', () => {
    for (let run = 0; run < 60; run += 1) {
      const written = Array.from({ length: 1 + below(random, 4) }, () =>
        Array.from({ length: 1 + below(random, 5) }, () =>
          toHex(octetsOf(1 + below(random, below(random, 2) ? 100 : 9000))),
        ),
      );
      const octets = concat(...written.map(encodeSentence));
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < octets.length; ) {
        const size = 1 + below(random, 3000);
        pieces.push(octets.subarray(at, at + size));
        at += size;
      }

      expect(read(pieces)).toEqual({ sentences: written, malformed: undefined });
    }
  });
});
