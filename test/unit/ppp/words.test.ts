import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../src/base/bytes.ts';
import { bcpOptions } from '../../../src/ppp/bcp/options.ts';
import { ccpOptions } from '../../../src/ppp/ccp/options.ts';
import { ipcpOptions } from '../../../src/ppp/ipcp/options.ts';
import { lcpOptions } from '../../../src/ppp/lcp/options.ts';
import { optionWords } from '../../../src/ppp/option-words.ts';
import { frameWords } from '../../../src/ppp/words.ts';
import { vectorLines } from './vectors.ts';

const vectors = vectorLines('ppp-words.txt').map((line) => line.split('|').map((part) => part.trim()));

describe('a control frame in words', () => {
  it.each(vectors)('%s %s', (protocol = '', hex = '', words = '') => {
    expect(frameWords(Number.parseInt(protocol, 16), fromHex(hex))).toBe(words);
  });

  it('is a line, whatever of it is missing', () => {
    for (const [protocol = '', hex = ''] of vectors) {
      const octets = fromHex(hex);
      for (let length = 0; length < octets.length; length += 1) {
        const cut = octets.slice(0, length);
        // As a peer that is wrong in its length only.
        if (length >= 4) cut.set([0, length], 2);
        expect(frameWords(Number.parseInt(protocol, 16), cut)).toMatch(/^[\p{L}\p{N}\p{P}\p{S} \ufffd]+$/u);
      }
    }
  });

  it('has a word for every option that we speak', () => {
    const layers = { 49185: lcpOptions, 32801: ipcpOptions, 33021: ccpOptions, 32817: bcpOptions };
    for (const [protocol, rows] of Object.entries(layers)) {
      for (const { type } of rows) {
        expect(optionWords(Number(protocol), Uint8Array.of(type, 2))).not.toContain('option');
      }
    }
  });
});
