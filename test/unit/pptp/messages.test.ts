import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { limits } from '../../../src/base/limits.ts';
import { decode, encode, type MessageName, messageNames, messages } from '../../../src/pptp/messages.ts';
import { messageOf, readVectors } from './vectors.ts';

const vectors = readVectors('pptp-messages.txt');

/** Length of each message, section 2. */
const lengths: Record<MessageName, number> = {
  startControlConnectionRequest: 156,
  startControlConnectionReply: 156,
  stopControlConnectionRequest: 16,
  stopControlConnectionReply: 16,
  echoRequest: 16,
  echoReply: 20,
  outgoingCallRequest: 168,
  outgoingCallReply: 32,
  incomingCallRequest: 220,
  incomingCallReply: 24,
  incomingCallConnected: 28,
  callClearRequest: 16,
  callDisconnectNotify: 148,
  wanErrorNotify: 40,
  setLinkInfo: 24,
};

it('has the lengths of the RFC', () => {
  const sizes = Object.fromEntries(messageNames.map((name) => [name, messages[name].size]));

  expect(sizes).toEqual(lengths);
});

it('has a vector of every message', () => {
  const names = new Set(vectors.map((vector) => messageOf(vector).name));

  expect([...names].sort()).toEqual([...messageNames].sort());
});

describe.each(vectors)('$title', (vector) => {
  const message = messageOf(vector);

  it('is read', () => {
    expect(decode(vector.octets)).toEqual(message);
  });

  it('is written, reserved octets as zero', () => {
    expect(toHex(encode(message))).toBe(toHex(vector.octets));
  });

  it('is read whatever the reserved octets hold', () => {
    const dirty = vector.octets.slice();
    for (const { kind, offset } of messages[message.name].fields) {
      const size = Number(/^reserved\[(\d+)\]$/.exec(kind)?.[1] ?? 0);
      dirty.fill(0xff, offset, offset + size);
    }

    expect(toHex(dirty)).not.toBe(toHex(vector.octets));
    expect(decode(dirty)).toEqual(message);
  });

  it('is malformed at every shorter length', () => {
    for (let length = 0; length < vector.octets.length; length += 1) {
      const cut = vector.octets.slice(0, length);
      expect(decode(cut), `${length} octets, Length as it was`).toBeInstanceOf(Malformed);
      if (length < 2) continue;
      new DataView(cut.buffer).setUint16(0, length);
      expect(decode(cut), `${length} octets, Length says so`).toBeInstanceOf(Malformed);
    }
  });

  it('may be longer: a later version adds to its end', () => {
    const longer = new Uint8Array(limits.pptpMessageBytes).fill(0xee);
    longer.set(vector.octets);
    new DataView(longer.buffer).setUint16(0, longer.length);

    expect(decode(longer)).toEqual(message);
  });
});

describe.each(readVectors('pptp-malformed.txt'))('$title', (vector) => {
  it('is malformed', () => {
    const [code = '', field = '', at = ''] = vector.lines[0]?.[1].split(' ') ?? [];

    expect(decode(vector.octets)).toEqual(new Malformed(code, field, Number(at)));
  });
});

it('cuts a name that is too long for its field', () => {
  const written = encode({
    name: 'startControlConnectionRequest',
    protocolVersion: 0x0100,
    framingCapabilities: 3,
    bearerCapabilities: 3,
    maximumChannels: 0,
    firmwareRevision: 1,
    hostName: 'h'.repeat(65),
    vendorName: 'v'.repeat(1000),
  });

  expect(decode(written)).toMatchObject({ hostName: 'h'.repeat(64), vendorName: 'v'.repeat(64) });
});

it('refuses to write a number that its field cannot hold, which is our bug', () => {
  expect(() => encode({ name: 'callClearRequest', callId: 0x10000 })).toThrow(RangeError);
});
