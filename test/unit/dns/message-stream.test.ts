import { expect, it } from 'vitest';
import { concat, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { framed, MessageStream } from '../../../src/dns/message-stream.ts';

const messages = [Uint8Array.of(1, 2, 3), new Uint8Array(), new Uint8Array(300).fill(7)];
const stream = concat(...messages.map(framed));

it('puts two octets of length before a message', () => {
  expect(toHex(framed(Uint8Array.of(0xab)))).toBe('0001ab');
});

it.each([1, 2, 3, 100, stream.length])('gives whole messages whatever the pieces: %d octets', (size) => {
  const into = new MessageStream();
  const given: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += size) {
    given.push(...(into.push(stream.subarray(at, at + size)) as Uint8Array[]));
  }

  expect(given).toEqual(messages);
});

it('does not wait for a message that is too long', () => {
  expect(new MessageStream(299).push(framed(new Uint8Array(300)))).toBeInstanceOf(Malformed);
  expect(new MessageStream(300).push(framed(new Uint8Array(300)))).toHaveLength(1);
});
