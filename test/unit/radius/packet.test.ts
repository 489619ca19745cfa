import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import { decodePacket, encodePacket, type Packet } from '../../../src/radius/packet.ts';
import { readVectors } from './vectors.ts';

const packets = [...readVectors('radius-replies.txt'), ...readVectors('radius-requests.txt')].flatMap(
  (vector) =>
    ['request', 'reply']
      .filter((word) => vector.has(word))
      .map((word) => ({ title: `${vector.title} (${word})`, octets: vector.octets(word) })),
);

describe.each(packets)('$title', ({ octets }) => {
  it('is read and written octet by octet', () => {
    const packet = decodePacket(octets) as Packet;

    expect(packet).not.toBeInstanceOf(Malformed);
    expect(toHex(encodePacket(packet))).toBe(toHex(octets));
  });

  it('may be followed by padding', () => {
    const padded = concat(octets, Uint8Array.of(1, 2, 3));

    expect(decodePacket(padded)).toEqual(decodePacket(octets));
  });

  it('is malformed at every shorter length', () => {
    for (let length = 0; length < octets.length; length += 1) {
      expect(decodePacket(octets.slice(0, length)), `${length} octets`).toBeInstanceOf(Malformed);
    }
  });
});

describe.each(readVectors('radius-malformed.txt'))('$title', (vector) => {
  it('is malformed', () => {
    const [code = '', field = '', at = ''] = vector.text('malformed').split(' ');
    const read = vector.has('attributes')
      ? attributeCodec.decode(vector.octets('attributes'))
      : decodePacket(vector.octets('packet'));

    expect(read).toEqual(new Malformed(code, field, Number(at)));
  });
});

it('keeps a code that it does not know', () => {
  const packet = {
    code: 250,
    identifier: 1,
    authenticator: new Uint8Array(16),
    attributes: new Uint8Array(),
  };

  expect(decodePacket(encodePacket(packet))).toEqual(packet);
});

it('refuses to write a packet of more than 4096 octets, which is our bug', () => {
  const packet = { code: 1, identifier: 1, authenticator: new Uint8Array(16) };

  expect(encodePacket({ ...packet, attributes: new Uint8Array(4076) })).toHaveLength(4096);
  expect(() => encodePacket({ ...packet, attributes: new Uint8Array(4077) })).toThrow(RangeError);
});
