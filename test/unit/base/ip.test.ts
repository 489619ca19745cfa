import { expect, test } from 'vitest';
import { contains, formatIpv4, formatPrefix, maskOf, parseIpv4, parsePrefix } from '../../../src/base/ip.ts';

test.each([
  ['0.0.0.0', 0],
  ['10.0.0.1', 0x0a000001],
  ['255.255.255.255', 0xffffffff],
])('%s is a number and back', (text, address) => {
  expect(parseIpv4(text)).toBe(address);
  expect(formatIpv4(address)).toBe(text);
});

test.each(['', '10.0.0', '10.0.0.256', '10.0.0.1.2', ' 10.0.0.1', '10.0.0.x'])('%j is no address', (text) => {
  expect(parseIpv4(text)).toBeUndefined();
});

test.each(['10.0.0.0/8', '0.0.0.0/0', '10.1.2.3/32'])('%s is a prefix and back', (text) => {
  const prefix = parsePrefix(text);

  expect(prefix && formatPrefix(prefix)).toBe(text);
});

test('an address alone is a prefix of 32', () => {
  expect(parsePrefix('10.0.0.1')).toEqual({ address: 0x0a000001, length: 32 });
});

test.each(['10.0.0.1/8', '10.0.0.0/33', '10.0.0.0/', '/8'])('%s is no prefix', (text) => {
  expect(parsePrefix(text)).toBeUndefined();
});

test('a prefix contains what it masks', () => {
  const prefix = { address: 0xc0a80000, length: 16 };

  expect([maskOf(0), maskOf(16), maskOf(32)]).toEqual([0, 0xffff0000, 0xffffffff]);
  expect(contains(prefix, 0xc0a8ffff)).toBe(true);
  expect(contains(prefix, 0xc0a90000)).toBe(false);
  expect(contains({ address: 0, length: 0 }, 0xffffffff)).toBe(true);
});
