import { expect, test } from 'vitest';
import { concat, equal, fromHex, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { encodeEvent, headerSize, messageBytesMax } from '../../../src/datapath/contract.ts';
import { MessageStream } from '../../../src/datapath/stream.ts';

const message = (size: number): Uint8Array =>
  encodeEvent({ kind: 'tcp-data', connection: size, bytes: new Uint8Array(size).fill(size) });

test('gives out messages however the stream is cut', () => {
  const seed = 7;
  const random = seededRandom(seed);
  const sent = Array.from({ length: 300 }, () => message(below(random, 200)));
  const octets = concat(...sent);
  const stream = new MessageStream();
  const received: string[] = [];

  for (let at = 0; at < octets.length; ) {
    const size = 1 + below(random, 500);
    const messages = stream.received(octets.slice(at, at + size));
    if (messages instanceof Malformed) throw new Error(`seed ${seed}: ${messages}`);
    received.push(...messages.map(toHex));
    at += size;
  }

  expect(received, `seed ${seed}`).toEqual(sent.map(toHex));
  expect(stream.heldBytes).toBe(0);
});

test('gives out a message with its last octet, not before', () => {
  const stream = new MessageStream();
  const octets = message(3);

  for (const octet of octets.subarray(0, -1)) expect(stream.received(Uint8Array.of(octet))).toEqual([]);

  expect(stream.received(octets.subarray(-1))).toEqual([octets]);
});

test('takes the longest message in small pieces, and holds no more than it', () => {
  const stream = new MessageStream();
  const longest = encodeEvent({
    kind: 'counters',
    token: 1,
    rows: new Uint8Array(messageBytesMax - headerSize - 4),
  });

  for (let at = 0; at < longest.length - 1; at += 1000) {
    stream.received(longest.subarray(at, Math.min(at + 1000, longest.length - 1)));
    expect(stream.heldBytes).toBeLessThanOrEqual(messageBytesMax);
  }

  const [whole] = stream.received(longest.subarray(-1)) as readonly Uint8Array[];
  expect(whole !== undefined && equal(whole, longest)).toBe(true);
});

test.each([
  ['shorter than its own header', '07000000 9300 0000'],
  ['longer than any', '01001000 9300 0000'],
])('refuses a message %s', (_, header) => {
  expect(new MessageStream().received(fromHex(header))).toMatchObject({ code: 'CONTRACT_BAD_SIZE' });
});
