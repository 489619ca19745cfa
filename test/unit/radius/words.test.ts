import { describe, expect, it } from 'vitest';
import { fromHex, toBytes } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import {
  type Attribute,
  type AttributeName,
  attribute,
  attributeNames,
  attributeTable,
} from '../../../src/radius/attribute.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import { codes } from '../../../src/radius/packet.ts';
import { attributeWords, packetName } from '../../../src/radius/words.ts';
import { ip } from '../../sim/tunnel-host.ts';

function wordsOf(...list: readonly Attribute[]): readonly string[] {
  const attributes = attributeCodec.decode(attributeCodec.encode(list));
  if (attributes instanceof Malformed) throw new Error(`${attributes}`);
  return attributeWords(attributes);
}

/** What nobody may read; as text and in hexadecimal. */
const hidden = toBytes('Zebra-17-Zebra-17');

describe('a RADIUS packet in words', () => {
  it('has the name that the RFCs give it', () => {
    expect(Object.values(codes).map(packetName)).toEqual([
      'Access-Request',
      'Access-Accept',
      'Access-Reject',
      'Accounting-Request',
      'Accounting-Response',
      'Access-Challenge',
      'Status-Server',
      'Disconnect-Request',
      'Disconnect-Ack',
      'Disconnect-Nak',
      'CoA-Request',
      'CoA-Ack',
      'CoA-Nak',
      'Protocol-Error',
    ]);
    expect(packetName(99)).toBe('code 99');
  });

  it('has a line for each value, by its name', () => {
    expect(
      wordsOf(
        attribute('User-Name', 'an"na'),
        attribute('NAS-Port', 5),
        attribute('Framed-IP-Address', ip('10.0.1.9')),
        attribute('Class', fromHex('0102')),
        attribute('Class', fromHex('03')),
        attribute('Reply-Message', 'wel\ncome'),
        attribute('MS-CHAP-Error', toBytes('\x01E=691 R=0 C=00ff V=3')),
        attribute('MS-CHAP-Domain', toBytes('CORP')),
        attribute('Framed-IPv6-Prefix', { address: new Uint8Array(16), length: 64 }),
        attribute('Mikrotik-Rate-Limit', '1M/2M'),
      ),
    ).toEqual([
      'User-Name = "an\\"na"',
      'NAS-Port = 5',
      'Framed-IP-Address = 10.0.1.9',
      'Class = 0x0102',
      'Class = 0x03',
      'Reply-Message = "wel\\x0acome"',
      'MS-CHAP-Error = "\\x01E=691 R=0 C=hidden V=3"',
      'MS-CHAP-Domain = "CORP"',
      'Framed-IPv6-Prefix = 0x00000000000000000000000000000000/64',
      'Mikrotik-Rate-Limit = "1M/2M"',
    ]);
  });

  it('names what it does not know by number', () => {
    const attributes = attributeCodec.decode(fromHex('f1040102 1a0a 0000d431 09040102'));
    if (attributes instanceof Malformed) throw new Error(`${attributes}`);

    expect(attributeWords(attributes)).toEqual(['attribute 241', 'attribute 9 of vendor 54321']);
  });

  it('shows the octets of no attribute but of those that are harmless', () => {
    const shown = attributeNames
      .filter((name) => attributeTable[name].kind === 'octets')
      .filter((name) =>
        wordsOf(attribute(name as AttributeName, hidden as never))
          .join()
          .match(/zebra|5a656272/i),
      );

    expect(shown).toEqual([
      'State',
      'Class',
      'Proxy-State',
      'Chargeable-User-Identity',
      'MS-CHAP-Error',
      'MS-CHAP-Domain',
    ]);
    expect(wordsOf(attribute('User-Password', hidden))).toEqual(['User-Password = hidden, 17 octets']);
  });

  it('shows no password that Cisco puts into a pair', () => {
    const pairs = ['vpdn:l2tp-tunnel-password=Zebra-17', 'Auth-Key*Zebra-17', 'ip:route=10.0.0.0 255.0.0.0'];

    expect(wordsOf(...pairs.map((pair) => attribute('Cisco-AVPair', pair)))).toEqual([
      'Cisco-AVPair = "vpdn:l2tp-tunnel-password=hidden"',
      'Cisco-AVPair = "Auth-Key*hidden"',
      'Cisco-AVPair = "ip:route=10.0.0.0 255.0.0.0"',
    ]);
  });
});
