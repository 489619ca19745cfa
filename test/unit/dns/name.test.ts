import { describe, expect, it } from 'vitest';
import { Reader, toHex } from '../../../src/base/bytes.ts';
import { encodeName, isBelow, isSameName, parseName, readName } from '../../../src/dns/name.ts';

const read = (octets: Uint8Array) => readName(new Reader(octets), () => new Reader(octets));
const label = (size: number): string => 'a'.repeat(size);

describe('a name that an operator types', () => {
  it.each([
    ['vpn.example.net', 'vpn.example.net'],
    ['VPN.Example.net.', 'VPN.Example.net'],
    ['_service.example.net', '_service.example.net'],
    [label(63), label(63)],
    [
      [label(63), label(63), label(63), label(61)].join('.'),
      [label(63), label(63), label(63), label(61)].join('.'),
    ],
  ])('%s is taken', (typed, name) => {
    expect(parseName(typed)).toBe(name);
  });

  it.each([
    '',
    '.',
    '.net',
    'a..b',
    'a b.net',
    'häuser.example',
    'a\\046b.net',
    label(64),
    [label(63), label(63), label(63), label(62)].join('.'),
  ])('%j is refused', (typed) => {
    expect(parseName(typed)).toBeUndefined();
  });
});

describe('a name on the wire', () => {
  it('is labels with their lengths, and an empty one at the end', () => {
    expect(toHex(encodeName('vpn.Example.net'))).toBe('0376706e074578616d706c65036e657400');
    expect(toHex(encodeName(''))).toBe('00');
  });

  it('keeps every octet, those that are no letters too', () => {
    for (let octet = 0; octet < 256; octet += 1) {
      const octets = Uint8Array.of(3, 0x61, octet, 0x62, 1, octet, 0);
      const name = read(octets);

      expect(encodeName(name as string), `octet ${octet}`).toEqual(octets);
    }
  });

  it('tells a dot inside a label from one between labels', () => {
    expect(read(Uint8Array.of(3, 0x61, 0x2e, 0x62, 0))).toBe('a\\046b');
  });

  it('has 255 octets at most, also if pointers make it longer', () => {
    const long = [label(63), label(63), label(63), label(61)].join('.');
    const longer = Uint8Array.of(1, 0x61, ...encodeName(long));

    expect(read(encodeName(long))).toBe(long);
    expect(read(longer)).toMatchObject({ code: 'DNS_LONG_NAME' });
  });
});

describe('names', () => {
  it('are the same whatever their case', () => {
    expect(isSameName('VPN.example.NET', 'vpn.Example.net')).toBe(true);
    expect(isSameName('vpn.example.net', 'vpn.example.org')).toBe(false);
  });

  it('stand below what they end with, label by label', () => {
    expect(isBelow('a.VPN.example', 'vpn.example')).toBe(true);
    expect(isBelow('vpn.example', 'vpn.example')).toBe(false);
    expect(isBelow('myvpn.example', 'vpn.example')).toBe(false);
    expect(isBelow('net', '')).toBe(true);
    expect(isBelow('', '')).toBe(false);
  });
});
