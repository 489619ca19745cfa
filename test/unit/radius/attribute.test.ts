import radius from 'radius';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toBytes, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import {
  type Attribute,
  type AttributeName,
  type Attributes,
  attribute,
  attributeNames,
  type attributeTable,
  rowOf,
} from '../../../src/radius/attribute.ts';
import { attributeCodec, numberOf } from '../../../src/radius/codec.io.ts';

/** Values of each kind at their ends. */
const samples: Readonly<Record<(typeof attributeTable)[AttributeName]['kind'], readonly unknown[]>> = {
  text: ['', 'a', 'naïve – 名', '\u0001control'],
  octets: [new Uint8Array(), Uint8Array.of(0xff, 0, 0x80), new Uint8Array(200).fill(9)],
  integer: [0, 1, 0xffffff, 0xffffffff],
  ipv4: [0, 0x0a000001, 0xffffffff],
  date: [0, 1_767_225_600, 0xffffffff],
  ipv6: [new Uint8Array(16).fill(0xfe)],
  ipv6Prefix: [
    { address: new Uint8Array(16), length: 0 },
    { address: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 1, ...new Uint8Array(10)), length: 48 },
    { address: new Uint8Array(16).fill(0xff), length: 128 },
  ],
  interfaceId: [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
};

/** As `attribute`, for names that are not known before they run. */
const made = attribute as (name: AttributeName, value: unknown, tag?: number) => Attribute;

function decoded(octets: Uint8Array): Attributes {
  const attributes = attributeCodec.decode(octets);
  if (attributes instanceof Malformed) throw new Error(String(attributes));
  return attributes;
}

describe.each(attributeNames)('%s', (name) => {
  const { kind, vendor, tagged } = rowOf(name);

  it('has the number that the dictionaries give it', () => {
    const vendorId = vendor === undefined ? undefined : radius.vendor_name_to_id(vendor);

    expect(numberOf(name)).toEqual({
      vendor: Number(vendorId ?? 0),
      type: Number(radius.attr_name_to_id(name, vendorId)),
    });
  });

  it('is on the wire under its number, inside Vendor-Specific if it is a vendor’s', () => {
    const number = numberOf(name);
    const sent = made(name, samples[kind][0]);
    const plain = Uint8Array.of(number.type, 2 + sent.octets.length, ...sent.octets);
    const vendorId = [24, 16, 8, 0].map((shift) => (number.vendor >>> shift) & 0xff);
    const whole = number.vendor === 0 ? plain : Uint8Array.of(26, 6 + plain.length, ...vendorId, ...plain);

    expect(toHex(attributeCodec.encode([sent]))).toBe(toHex(whole));
  });

  it.each(samples[kind].map((value) => [value]))('is read as it was written: %o', (value) => {
    const written = () => attributeCodec.encode([made(name, value, tagged && 3)]);
    // [RFC 2868 §3.1] The tag takes the highest of the four octets.
    if (tagged && kind === 'integer' && (value as number) > 0xffffff) {
      return expect(written).toThrow(RangeError);
    }

    const attributes = decoded(written());

    expect(attributes.names).toEqual([name]);
    expect(attributes.all(name)).toEqual([value]);
    expect(attributes.unknown).toEqual([]);
  });
});

describe('numbers of vendors', () => {
  it.each([
    ['Mikrotik-Rate-Limit', 14988, 8],
    ['Mikrotik-Total-Limit-Gigawords', 14988, 18],
    ['Mikrotik-Address-List', 14988, 19],
    ['WISPr-Bandwidth-Max-Down', 14122, 8],
    ['WISPr-Session-Terminate-Time', 14122, 9],
    ['Ascend-Data-Rate', 529, 197],
    ['Ascend-Xmit-Rate', 529, 255],
    ['Cisco-AVPair', 9, 1],
    ['MS-MPPE-Send-Key', 311, 16],
    ['MS-MPPE-Recv-Key', 311, 17],
    ['MS-CHAP2-Success', 311, 26],
    ['MS-Secondary-NBNS-Server', 311, 31],
    ['DNS-Server-IPv6-Address', 0, 169],
  ] as const)('%s is %d:%d', (name, vendor, type) => {
    expect(numberOf(name)).toEqual({ vendor, type });
  });
});

describe('writing', () => {
  it('keeps the order, whatever is a vendor’s or has a tag', () => {
    const octets = attributeCodec.encode([
      attribute('Tunnel-Client-Endpoint', '192.0.2.1', 1),
      attribute('CHAP-Password', new Uint8Array(17)),
      attribute('MS-CHAP-Challenge', new Uint8Array(16)),
      attribute('Class', Uint8Array.of(2)),
      attribute('Class', Uint8Array.of(1)),
    ]);
    const attributes = decoded(octets);

    expect(attributes.names).toEqual([
      'Tunnel-Client-Endpoint',
      'CHAP-Password',
      'MS-CHAP-Challenge',
      'Class',
    ]);
    expect(attributes.first('CHAP-Password')).toEqual(new Uint8Array(17));
    expect(attributes.all('Class')).toEqual([Uint8Array.of(2), Uint8Array.of(1)]);
  });

  it('cuts a text that does not fit at a character', () => {
    expect(attribute('User-Name', 'ä'.repeat(200)).octets).toHaveLength(252);
    expect(attribute('Mikrotik-Group', 'a'.repeat(300)).octets).toHaveLength(247);
    expect(
      decoded(attributeCodec.encode([attribute('User-Name', '名'.repeat(100))])).first('User-Name'),
    ).toBe('名'.repeat(84));
  });

  it('takes a text as octets that are no UTF-8', () => {
    expect(toHex(attributeCodec.encode([attribute('User-Name', fromHex('c3ff'))]))).toBe('0104c3ff');
  });

  it('splits EAP-Message into as many as it takes, and reads them as one', () => {
    const eap = Uint8Array.from({ length: 1020 }, (_, at) => at & 0xff);
    const octets = attributeCodec.encode([
      attribute('EAP-Message', eap),
      attribute('State', Uint8Array.of(1)),
    ]);

    expect(octets).toHaveLength(1020 + 5 * 2 + 3);
    expect(decoded(octets).all('EAP-Message')).toEqual([eap]);
    expect(decoded(octets).names).toEqual(['EAP-Message', 'State']);
  });

  it.each([
    ['octets that do not fit', () => attribute('State', new Uint8Array(254))],
    ['a number that is none of 32 bits', () => attribute('NAS-Port', 2 ** 32)],
    ['an IPv6 address of 4 octets', () => attribute('NAS-IPv6-Address', new Uint8Array(4))],
  ])('refuses %s, which is our bug', (_, write) => {
    expect(write).toThrow(RangeError);
  });

  it('refuses more than a packet holds, which is our bug', () => {
    const full = Array.from({ length: 16 }, () => attribute('Class', new Uint8Array(252)));

    expect(attributeCodec.encode(full)).toHaveLength(4064);
    expect(() => attributeCodec.encode([...full, attribute('Class', new Uint8Array(11))])).toThrow(
      RangeError,
    );
  });

  it('puts no octet of ours into a tag that was not asked for', () => {
    expect(toHex(attribute('Tunnel-Type', 1).octets)).toBe('00000001');
    expect(toHex(attribute('Tunnel-Type', 1, 31).octets)).toBe('1f000001');
    expect(toHex(attribute('Tunnel-Client-Endpoint', 'a').octets)).toBe('61');
    expect(toHex(attribute('Tunnel-Client-Endpoint', 'a', 0).octets)).toBe('0061');
  });
});

describe('reading', () => {
  it('opens a Vendor-Specific with several attributes', () => {
    const attributes = decoded(fromHex('1a16 00003a8c 0807314d2f324d 1305616263 14047861'));

    expect(attributes.first('Mikrotik-Rate-Limit')).toBe('1M/2M');
    expect(attributes.first('Mikrotik-Address-List')).toBe('abc');
    expect(attributes.unknown).toEqual([{ vendor: 14988, type: 20 }]);
  });

  it('tells what it does not know, without looking into it', () => {
    const attributes = decoded(fromHex('fe03 01 1a09 000001ad 99 00 00'));

    expect(attributes.names).toEqual([]);
    expect(attributes.unknown).toEqual([
      { vendor: 0, type: 254 },
      { vendor: 429, type: 0x99 },
    ]);
  });

  it('tells equal numbers of two vendors apart', () => {
    const both = [attribute('Mikrotik-Rate-Limit', '1M'), attribute('WISPr-Bandwidth-Max-Down', 5)];
    const attributes = decoded(attributeCodec.encode(both));

    expect(attributes.first('Mikrotik-Rate-Limit')).toBe('1M');
    expect(attributes.first('WISPr-Bandwidth-Max-Down')).toBe(5);
  });

  it('leaves out what is named, and the unknown', () => {
    const attributes = decoded(fromHex('0103 61 1903 01 1903 02 fe03 01'));
    const left = attributes.without(new Set(['User-Name']));

    expect(left.names).toEqual(['Class']);
    expect(left.all('Class')).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
    expect(left.unknown).toEqual([]);
  });

  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

  it(`never throws, and keeps what it reads: seed ${seed}`, () => {
    const random = seededRandom(seed);
    let read = 0;
    for (let round = 0; round < 6_000; round += 1) {
      const octets = round % 2 === 0 ? random(below(random, 80)) : likely(random);
      const attributes = attributeCodec.decode(octets);
      if (attributes instanceof Malformed) {
        expect(attributes.code).toMatch(/^RADIUS_/);
        expect(attributes.at).toBeLessThanOrEqual(octets.length);
        continue;
      }
      read += 1;
      const again = attributes.names.flatMap((name) =>
        attributes
          .all(name)
          .map((value) =>
            made(name, value instanceof Uint8Array || typeof value !== 'string' ? value : toBytes(value)),
          ),
      );
      expect(decoded(attributeCodec.encode(again)).names).toEqual(attributes.names);
    }
    expect(read).toBeGreaterThan(600);
  });

  /** Attributes that we know, most of them whole, a few octets changed. */
  function likely(random: (size: number) => Uint8Array): Uint8Array {
    const parts = Array.from({ length: below(random, 6) }, () => {
      const name = attributeNames[below(random, attributeNames.length)] as AttributeName;
      const values = samples[rowOf(name).kind];
      const value = values[below(random, values.length)];
      const isBig = rowOf(name).tagged && typeof value === 'number' && value > 0xffffff;
      return attributeCodec.encode([made(name, isBig ? 7 : value)]);
    });
    const octets = concat(...parts);
    if (below(random, 2) === 0 && octets.length > 0)
      octets[below(random, octets.length)] = below(random, 256);
    return octets;
  }
});
