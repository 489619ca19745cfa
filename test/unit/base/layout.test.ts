import { expect, test } from 'vitest';
import { fromHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import {
  bytes,
  constant,
  layout,
  reserved,
  tail,
  text,
  u8,
  u16,
  u32,
  u64,
} from '../../../src/base/layout.ts';

const sample = layout(
  'big',
  {
    cookie: constant(u32, 0x1a2b3c4d, 'BAD_COOKIE'),
    kind: u8,
    reserved: reserved(1),
    count: u16,
    total: u64,
    name: text(6),
    key: bytes(2),
    rest: tail,
  },
  'SAMPLE_',
);
const value = { kind: 1, count: 2, total: 3n, name: 'pptp', key: fromHex('aabb'), rest: fromHex('cc') };
const octets = fromHex('1a2b3c4d 01 00 0002 0000000000000003 707074700000 aabb cc');

test('a value is encoded and comes back; silent fields are not part of it', () => {
  expect(sample.encode(value)).toEqual(octets);
  expect(sample.decode(octets)).toEqual(value);
});

test('every truncation before the tail is malformed, and says which field', () => {
  for (let length = 0; length < sample.size; length++) {
    expect(sample.decode(octets.subarray(0, length))).toMatchObject({ code: 'SAMPLE_SHORT' });
  }
  expect(sample.decode(octets.subarray(0, 5))).toEqual(new Malformed('SAMPLE_SHORT', 'reserved', 5));
  expect(sample.decode(octets.subarray(0, sample.size))).toMatchObject({ rest: new Uint8Array(0) });
});

test('a constant that differs has its own code', () => {
  const other = octets.slice();
  other.fill(0, 0, 1);

  expect(sample.decode(other)).toEqual(new Malformed('BAD_COOKIE', 'cookie', 0));
});

test('reserved octets are ignored when received', () => {
  const other = octets.slice();
  other.fill(0xff, 5, 6);

  expect(sample.decode(other)).toEqual(value);
});

test('a longer message is a later version’s', () => {
  expect(layout('little', { port: u16 }).decode(fromHex('0100ffff'))).toEqual({ port: 1 });
});

test.each([
  ['a number out of range', { ...value, kind: 256 }],
  ['a negative number', { ...value, count: -1 }],
  ['a fraction', { ...value, count: 1.5 }],
  ['octets of another length', { ...value, key: fromHex('aa') }],
])('%s is a bug and throws', (_, wrong) => {
  expect(() => sample.encode(wrong)).toThrow(RangeError);
});

test('text that is too long is cut', () => {
  expect(sample.decode(sample.encode({ ...value, name: 'pptp-server' }))).toMatchObject({ name: 'pptp-s' });
});

test('a tail comes last or not at all', () => {
  expect(() => layout('big', { rest: tail, port: u16 })).toThrow(RangeError);
});

test('fields tell their names, kinds and places', () => {
  expect(sample.fields.slice(0, 4)).toEqual([
    { name: 'cookie', kind: 'u32', offset: 0 },
    { name: 'kind', kind: 'u8', offset: 4 },
    { name: 'reserved', kind: 'reserved[1]', offset: 5 },
    { name: 'count', kind: 'u16', offset: 6 },
  ]);
  expect([sample.size, sample.open]).toEqual([24, true]);
});
