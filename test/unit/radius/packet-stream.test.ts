/** A stream of packets, cut anywhere. */

import { expect, it } from 'vitest';
import { Malformed } from '../../../src/base/fault.ts';
import { PacketStream } from '../../../src/radius/packet-stream.ts';

/** A packet of `length` octets, as far as a stream looks into it. */
function packetOf(length: number, identifier: number): Uint8Array {
  return new Uint8Array(length)
    .fill(identifier)
    .with(2, length >>> 8)
    .with(3, length & 0xff);
}

const packets = [packetOf(20, 1), packetOf(4_096, 2), packetOf(21, 3)];
const stream = Uint8Array.from(packets.flatMap((packet) => [...packet]));

it.each([1, 2, 3, 19, 20, 21, 1_000, stream.length])(
  'comes apart as it was put together, in pieces of %i',
  (size) => {
    const reader = new PacketStream();
    const read: Uint8Array[] = [];

    for (let at = 0; at < stream.length; at += size) {
      const completed = reader.push(stream.subarray(at, at + size));
      if (completed instanceof Malformed) throw new Error(`${completed}`);
      read.push(...completed);
    }

    expect(read).toEqual(packets);
  },
);

it.each([0, 19, 4_097, 65_535])('is lost with a Length of %i', (length) => {
  const octets = Uint8Array.of(1, 1, length >>> 8, length & 0xff);

  expect(new PacketStream().push(octets)).toMatchObject({ code: 'RADIUS_BAD_LENGTH' });
});
