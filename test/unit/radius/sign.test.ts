import { describe, expect, it } from 'vitest';
import { concat, toBytes, toHex } from '../../../src/base/bytes.ts';
import type { AttributeName, Attributes } from '../../../src/radius/attribute.ts';
import { attribute } from '../../../src/radius/attribute.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import { codes, decodePacket, encodePacket, type Packet } from '../../../src/radius/packet.ts';
import {
  hidePassword,
  revealPassword,
  revealSalted,
  sealAccessRequest,
  sealReply,
  sealRequest,
  verifyReply,
  verifyRequest,
} from '../../../src/radius/sign.ts';
import { readVectors, written } from './vectors.ts';

const replies = readVectors('radius-replies.txt');
const requests = readVectors('radius-requests.txt');
const secret = toBytes('a secret');
const authenticator = Uint8Array.from({ length: 16 }, (_, at) => 17 * at);

function packetIn(octets: Uint8Array): Packet {
  const packet = decodePacket(octets);
  if (!('code' in packet) || typeof packet.code !== 'number') throw new Error('no packet');
  return packet as Packet;
}

function attributesOf(packet: Packet): Attributes {
  return attributeCodec.decode(packet.attributes) as Attributes;
}

/** The octets with each of their bits flipped in turn. */
function* flips(octets: Uint8Array, from: number, until = octets.length): Generator<Uint8Array> {
  for (let bit = 8 * from; bit < 8 * until; bit += 1) {
    const flipped = octets.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

describe.each(replies)('$title', (vector) => {
  const request = vector.octets('request');
  const reply = vector.octets('reply');
  const packet = packetIn(reply);

  it('is the reply to its request', () => {
    expect(verifyReply(reply, request, vector.secret, false)).toEqual(packet);
  });

  it('says what the vector says', () => {
    const attributes = attributesOf(packet);

    expect(written(attributes)).toEqual(vector.all('attribute'));
    expect(attributes.unknown.map(({ vendor, type }) => `${vendor} ${type}`)).toEqual(vector.all('unknown'));
  });

  it('is no reply with any bit of it flipped', () => {
    const [signed] = attributesOf(packet).all('Message-Authenticator');
    for (const flipped of flips(reply, 0)) {
      const verified = verifyReply(flipped, request, vector.secret, signed !== undefined);
      expect(typeof verified, toHex(flipped)).toBe('string');
    }
  });

  it('is no reply to a request of which a bit was flipped before it was sent', () => {
    for (const flipped of flips(request, 4, 20)) {
      expect(verifyReply(reply, flipped, vector.secret, false)).toBe('wrong-authenticator');
    }
    for (const flipped of flips(request, 1, 2)) {
      expect(verifyReply(reply, flipped, vector.secret, false)).toBe('wrong-identifier');
    }
  });

  it('is signed again octet by octet, Message-Authenticator aside', () => {
    const sealed = sealReply(packet, { ...packetIn(request), attributes: new Uint8Array() }, vector.secret);

    expect(toHex(sealed)).toBe(toHex(reply));
  });

  const lines = (word: string) => vector.all(word).map((line) => line.split(' '));

  it.each(lines('salted'))('hides %s with a salt', (name, plain) => {
    const value = attributesOf(packet).first(name as AttributeName) as Uint8Array;

    expect(toHex(revealSalted(value, vector.secret, request.subarray(4, 20)) ?? new Uint8Array())).toBe(
      plain,
    );
  });

  it.each(lines('hidden'))('hides %s like a password', (name, plain) => {
    const value = attributesOf(packet).first(name as AttributeName) as Uint8Array;

    expect(toHex(revealPassword(value, vector.secret, request.subarray(4, 20)) ?? new Uint8Array())).toBe(
      plain,
    );
  });

  it.each(vector.all('password'))('has the password %s hidden in its request', (password) => {
    const { authenticator } = packetIn(request);
    const hidden = hidePassword(toBytes(password), vector.secret, authenticator);

    expect(attributesOf(packetIn(request)).first('User-Password')).toEqual(hidden);
  });
});

describe.each(requests)('$title', (vector) => {
  const octets = vector.octets('request');

  it('comes from who knows the secret', () => {
    const packet = verifyRequest(octets, vector.secret);

    expect(packet).toEqual(packetIn(octets));
    expect(packet).toHaveProperty('code', codes[vector.text('code') as keyof typeof codes]);
  });

  it('does not with any bit of it flipped', () => {
    for (const flipped of flips(octets, 0)) {
      expect(typeof verifyRequest(flipped, vector.secret), toHex(flipped)).toBe('string');
    }
  });

  it('does not with another secret', () => {
    expect(verifyRequest(octets, secret)).toBe('wrong-authenticator');
  });

  it('has Message-Authenticator or is refused where it must', () => {
    const signed = attributesOf(packetIn(octets)).has('Message-Authenticator');

    expect(verifyRequest(octets, vector.secret, true)).toEqual(
      signed ? packetIn(octets) : 'no-message-authenticator',
    );
  });

  it('is signed again octet by octet', () => {
    expect(toHex(sealRequest(packetIn(octets), vector.secret))).toBe(toHex(octets));
  });
});

describe('Message-Authenticator', () => {
  const request = {
    code: codes.accessRequest,
    identifier: 7,
    authenticator,
    attributes: attributeCodec.encode([attribute('User-Name', 'ann')]),
  };

  it('stands first in a request', () => {
    const sealed = packetIn(sealAccessRequest(request, secret));

    expect(attributesOf(sealed).names).toEqual(['Message-Authenticator', 'User-Name']);
    expect(sealed.authenticator).toEqual(authenticator);
  });

  it('stands first in the reply to a request that has it, and verifies', () => {
    const sent = sealAccessRequest(request, secret);
    const accept = { code: codes.accessAccept, identifier: 7, attributes: request.attributes };
    const reply = sealReply(accept, packetIn(sent), secret);

    expect(attributesOf(packetIn(reply)).names).toEqual(['Message-Authenticator', 'User-Name']);
    expect(verifyReply(reply, sent, secret, true)).toEqual(packetIn(reply));
  });

  it('is missed where it is required, and wherever EAP is spoken', () => {
    const bare = encodePacket(request);
    const reply = (name: 'Reply-Message' | 'EAP-Message') =>
      sealReply(
        {
          code: codes.accessAccept,
          identifier: 7,
          attributes: attributeCodec.encode([{ name, octets: Uint8Array.of(3, 1, 0, 4) }]),
        },
        request,
        secret,
      );

    expect(verifyReply(reply('Reply-Message'), bare, secret, true)).toBe('no-message-authenticator');
    expect(verifyReply(reply('EAP-Message'), bare, secret, false)).toBe('no-message-authenticator');
  });

  it.each([
    ['is wrong', [new Uint8Array(16)]],
    ['is short', [new Uint8Array(15)]],
    ['stands there twice', [new Uint8Array(16), new Uint8Array(16)]],
  ])('is refused if it %s, although the authenticator is right', (_, values) => {
    const attributes = concat(...values.map((value) => Uint8Array.of(80, 2 + value.length, ...value)));
    const reply = sealReply({ code: codes.accessReject, identifier: 7, attributes }, request, secret);
    const coa = sealRequest({ code: codes.coaRequest, identifier: 1, attributes }, secret);

    expect(verifyReply(reply, encodePacket(request), secret, false)).toBe('wrong-message-authenticator');
    expect(verifyRequest(coa, secret)).toBe('wrong-message-authenticator');
  });

  it('is refused if a second stands behind one that is right', () => {
    const second = Uint8Array.of(80, 18, ...new Uint8Array(16));
    const sent = sealAccessRequest(request, secret);
    const accept = { code: codes.accessAccept, identifier: 7, attributes: second };

    const reply = sealReply(accept, packetIn(sent), secret);

    expect(verifyReply(reply, sent, secret, true)).toBe('wrong-message-authenticator');
  });
});

it('compares octets, not texts: two that are no UTF-8 differ', () => {
  const request = requests.find((vector) =>
    vector
      .octets('request')
      .subarray(4, 20)
      .some((octet) => octet >= 0xf8),
  );
  if (request === undefined) throw new Error('no vector fits');
  const octets = request.octets('request');
  const at = octets.findIndex((octet, place) => place >= 4 && octet >= 0xf8);
  octets[at] = octets[at] === 0xf8 ? 0xf9 : 0xf8;

  expect(verifyRequest(octets, request.secret)).toBe('wrong-authenticator');
});

describe('a password', () => {
  it.each([0, 1, 15, 16, 17, 127, 128])('of %d octets is hidden and revealed', (size) => {
    const password = new Uint8Array(size).fill(0xe9);
    const hidden = hidePassword(password, secret, authenticator);
    const revealed = revealPassword(hidden, secret, authenticator);

    expect(hidden.length).toBe(Math.max(16, 16 * Math.ceil(size / 16)));
    expect(revealed?.subarray(0, size)).toEqual(password);
    expect(revealed?.subarray(size)).toEqual(new Uint8Array(hidden.length - size));
  });

  it('of more than 128 octets is cut', () => {
    expect(hidePassword(new Uint8Array(129).fill(1), secret, authenticator)).toEqual(
      hidePassword(new Uint8Array(128).fill(1), secret, authenticator),
    );
  });
});

describe('what was not hidden so', () => {
  it.each([0, 1, 15, 17, 33])('is not revealed: %d octets', (size) => {
    expect(revealPassword(new Uint8Array(size), secret, authenticator)).toBeUndefined();
  });

  it.each([0, 1, 2, 17, 19, 33])('is not revealed as salted: %d octets', (size) => {
    expect(revealSalted(new Uint8Array(size), secret, authenticator)).toBeUndefined();
  });

  it('is not revealed if its length is more than there is', () => {
    // Whatever 16 zeros are revealed as begins with one octet of a digest: a salt is sought for which that is large.
    const salts = Array.from({ length: 256 }, (_, salt) => Uint8Array.of(0x80, salt, ...new Uint8Array(16)));
    const revealed = salts.map((hidden) => revealSalted(hidden, secret, authenticator));

    expect(revealed).toContain(undefined);
    expect(revealed.every((value) => value === undefined || value.length <= 15)).toBe(true);
  });
});
