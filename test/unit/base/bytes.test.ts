import { expect, test } from 'vitest';
import {
  concat,
  equal,
  equalInConstantTime,
  fromHex,
  Reader,
  toBytes,
  toHex,
  toText,
  Writer,
} from '../../../src/base/bytes.ts';

test.each([
  ['big', '01 0203 04050607 08090a0b0c0d0e0f'],
  ['little', '01 0302 07060504 0f0e0d0c0b0a0908'],
] as const)('numbers are read and written in %s order', (order, hex) => {
  const reader = new Reader(fromHex(hex), order);
  const values = [reader.u8(), reader.u16(), reader.u32(), reader.u64()] as const;

  expect(values).toEqual([0x01, 0x0203, 0x04050607, 0x08090a0b0c0d0e0fn]);
  expect(reader.left).toBe(0);
  const writer = new Writer(new Uint8Array(15).fill(0xee), order);
  writer.u8(values[0]).u16(values[1]).u32(values[2]).u64(values[3]);
  expect(writer.done()).toEqual(fromHex(hex));
});

test('a reader never reads past its end', () => {
  const reader = new Reader(fromHex('0102'));
  reader.u8();

  expect(() => reader.u16()).toThrow(RangeError);
  expect(() => reader.bytes(2)).toThrow(RangeError);
  expect([reader.at, reader.left]).toEqual([1, 1]);
});

test('what was read is a copy', () => {
  const octets = fromHex('010203');
  const read = new Reader(octets).rest();
  octets.fill(0);

  expect(read).toEqual(fromHex('010203'));
});

test('a writer leaves no octet unset and writes none too many', () => {
  const poisoned = new Uint8Array(4).fill(0xee);

  expect(() => new Writer(poisoned).u16(1).done()).toThrow('2 octets left unwritten');
  expect(() => new Writer(poisoned).u32(1).u8(1)).toThrow(RangeError);
  expect(new Writer(poisoned).zeros(3).u8(9).done()).toEqual(fromHex('00000009'));
});

test('hexadecimal comes back, and anything else is refused', () => {
  expect(toHex(fromHex('00 FF 1a'))).toBe('00ff1a');
  expect(() => fromHex('0')).toThrow(RangeError);
  expect(() => fromHex('zz')).toThrow(RangeError);
});

test('octets are equal by value, in both ways to compare', () => {
  for (const same of [equal, equalInConstantTime]) {
    expect(same(fromHex('0102'), fromHex('0102'))).toBe(true);
    expect(same(fromHex('0102'), fromHex('0103'))).toBe(false);
    expect(same(fromHex('0102'), fromHex('010200'))).toBe(false);
  }
});

test('parts are joined, text comes back', () => {
  expect(concat(fromHex('01'), new Uint8Array(0), fromHex('0203'))).toEqual(fromHex('010203'));
  expect(toText(toBytes('müller'))).toBe('müller');
});
