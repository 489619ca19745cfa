import { expect, test } from 'vitest';
import { fromHex } from '../../../src/base/bytes.ts';
import { parseIpv4, parsePrefix } from '../../../src/base/ip.ts';
import { encodeRequests, type Request } from '../../../src/net/netlink.ts';

const address = (text: string): number => parseIpv4(text) ?? Number.NaN;
const prefix = (text: string) => parsePrefix(text) ?? { address: Number.NaN, length: 0 };

/** The kernel's view of the same octets is tested in test/netns/plan.test.ts. */
const vectors: readonly (readonly [Request, string])[] = [
  [
    { request: 'set-link', interfaceIndex: 7, up: true, mtu: 1450 },
    '28000000 1000 0500 00000000 00000000 00 00 0000 07000000 01000000 01000000 0800 0400 aa050000',
  ],
  [
    { request: 'set-link', interfaceIndex: 7, up: false },
    '20000000 1000 0500 00000000 00000000 00 00 0000 07000000 00000000 01000000',
  ],
  [
    { request: 'add-address', interfaceIndex: 7, local: address('10.0.0.1'), peer: address('10.0.0.2') },
    '28000000 1400 0506 00000000 00000000 02 20 00 00 07000000 0800 0200 0a000001 0800 0100 0a000002',
  ],
  [
    { request: 'delete-address', interfaceIndex: 7, local: address('10.0.0.1'), peer: address('10.0.0.2') },
    '28000000 1500 0500 00000000 00000000 02 20 00 00 07000000 0800 0200 0a000001 0800 0100 0a000002',
  ],
  [
    { request: 'add-route', interfaceIndex: 7, destination: prefix('10.1.0.0/16'), metric: 3 },
    '34000000 1800 050c 00000000 00000000 02 10 00 00 fe 03 fd 01 00000000 0800 0100 0a010000 0800 0400 07000000 0800 0600 03000000',
  ],
  [
    {
      request: 'delete-route',
      interfaceIndex: 7,
      destination: prefix('0.0.0.0/0'),
      gateway: address('10.0.0.9'),
      metric: 1,
    },
    '3c000000 1900 0500 00000000 00000000 02 00 00 00 fe 03 00 01 04000000 0800 0100 00000000 0800 0400 07000000 0800 0600 01000000 0800 0500 0a000009',
  ],
  [
    { request: 'add-proxy', interfaceIndex: 2, address: address('10.0.0.2') },
    '24000000 1c00 0505 00000000 00000000 02 000000 02000000 8000 08 00 0800 0100 0a000002',
  ],
];

test.each(vectors)('%j', (request, octets) => {
  expect(encodeRequests([request])).toEqual(fromHex(octets));
});

test('several requests stand one after the other', () => {
  const requests = vectors.map(([request]) => request);

  expect(encodeRequests(requests)).toEqual(fromHex(vectors.map(([, octets]) => octets).join('')));
});

test('an MTU that is no number of the kernel’s is our bug', () => {
  expect(() => encodeRequests([{ request: 'set-link', interfaceIndex: 7, up: true, mtu: -1 }])).toThrow(
    RangeError,
  );
});
