/** The octets of nftables requests against those of nft itself; the kernel's view of them is tested in test/netns/firewall.test.ts. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { encodeNftables, type NftablesRequest, setsIn } from '../../../src/net/nftables.ts';

const vectors = readFileSync(new URL('../../vectors/nftables.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' | ') as [command: string, request: string, octets: string])
  .map(([command, request, octets]) => [command, JSON.parse(request) as NftablesRequest, octets] as const);

describe('a request has the octets of', () => {
  test.each(vectors)('%s', (_, request, octets) => {
    expect(toHex(encodeNftables([request]))).toBe(octets);
  });
});

test('several requests stand one after the other', () => {
  const requests = vectors.map(([, request]) => request);

  expect(encodeNftables(requests)).toEqual(fromHex(vectors.map(([, , octets]) => octets).join('')));
});

test('every message and attribute begins at a multiple of four octets, whatever the names', () => {
  for (let length = 1; length < 9; length += 1) {
    const set = 'x'.repeat(length);
    const octets = encodeNftables([
      { request: 'add-jump', set, linkName: 'l'.repeat(length), chain: `${set}y` },
      { request: 'list-sets' },
    ]);

    expect(octets.length % 4).toBe(0);
  }
});

describe('the answer to `list-sets`', () => {
  /** As the kernel wrote it for `map incoming` and `set list-vip`, and the end of the answer is the engine's to take off. */
  const answer = fromHex(
    [
      '3c000000 090a 0200 00000000 00000000 02 00 0005 0900 0100 70707470 00000000 0d00 0200 696e636f6d696e67 00000000',
      '0c00 1000 0000000000000004 30000000 090a 0200 00000000 00000000 02 00 0005 0900 0100 70707470 00000000',
      '0d00 0200 6c6973742d766970 00000000',
    ].join(' '),
  );

  test('names the sets', () => {
    expect(setsIn(answer)).toEqual(['incoming', 'list-vip']);
    expect(setsIn(new Uint8Array())).toEqual([]);
  });

  test('cut anywhere but between messages is malformed', () => {
    for (let size = 1; size < answer.length; size += 1) {
      const names = setsIn(answer.subarray(0, size));
      if (size === 0x3c) expect(names).toEqual(['incoming']);
      else expect(names, `${size}`).toBeInstanceOf(Malformed);
    }
  });
});
