import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { decodeOptions, decodePacket, encodeOptions, encodePacket } from '../../../src/ppp/packet.ts';
import { vectorLines } from './vectors.ts';

interface Read {
  readonly code: number;
  readonly identifier: number;
  readonly options: readonly { type: number; data: Uint8Array }[];
}

function read(bytes: Uint8Array): Read | Malformed {
  const packet = decodePacket(bytes);
  if (packet instanceof Malformed) return packet;
  const options = decodeOptions(packet.data);
  return options instanceof Malformed ? options : { ...packet, options };
}

function show(bytes: Uint8Array): string {
  const result = read(bytes);
  if (result instanceof Malformed) return result.code;
  const options = result.options.map(({ type, data }) => `${type}:${toHex(data)}`);
  return [result.code, result.identifier, ...options].join(' ');
}

const lines = vectorLines('ppp-packet.txt').map((line) => line.split(/[=!]/).map((part) => part.trim()));
const good = vectorLines('ppp-packet.txt').filter((line) => line.includes('='));

describe('a control packet', () => {
  it.each(lines)('%s is %s', (hex = '', meaning = '') => {
    expect(show(fromHex(hex))).toBe(meaning);
  });

  it.each(good)('is written as it was read, without its padding: %s', (line) => {
    const bytes = fromHex(line.split('=')[0] ?? '');
    const packet = read(bytes);
    if (packet instanceof Malformed) throw new Error(packet.code);

    const again = encodePacket({ ...packet, data: encodeOptions(packet.options) });

    expect(toHex(again)).toBe(toHex(bytes.subarray(0, again.length)));
  });

  it.each(good)('is malformed at every shorter length: %s', (line) => {
    const bytes = fromHex(line.split('=')[0] ?? '');
    const whole = (bytes[2] ?? 0) * 256 + (bytes[3] ?? 0);
    for (let length = 0; length < whole; length += 1) {
      expect(decodePacket(bytes.subarray(0, length))).toBeInstanceOf(Malformed);
    }
  });
});
