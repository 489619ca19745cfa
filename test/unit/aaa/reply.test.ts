import { describe, expect, it } from 'vitest';
import { changeOf } from '../../../src/aaa/limits-of.ts';
import type { Level } from '../../../src/aaa/merge.ts';
import { steadyRates } from '../../../src/aaa/rate-limit.ts';
import { Unreadable } from '../../../src/aaa/reading.ts';
import { isFramedPpp, levelOf } from '../../../src/aaa/reply.ts';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { type AttributeName, Attributes } from '../../../src/radius/attribute.ts';

type Said = readonly (readonly [AttributeName, unknown])[];

const attributes = (said: Said): Attributes => new Attributes(said.map(([name, value]) => ({ name, value })));
const ip = (text: string): number => parseIpv4(text) ?? Number.NaN;

const nowMs = Date.UTC(2026, 10, 21, 12, 0, 0);
const level = (said: Said) => levelOf(attributes(said), nowMs);

/** What every reply says, for lists that are empty say nothing. */
const nothing: Level = { routes: [], dnsServer: [], winsServer: [] };

const k64 = steadyRates(64_000, 64_000);

describe('a reply of a RADIUS server', () => {
  it('that says nothing says nothing', () => {
    expect(level([])).toEqual(nothing);
  });

  it.each<[string, Said, Level]>([
    ['an address', [['Framed-IP-Address', ip('10.0.0.5')]], { remoteAddress: { address: ip('10.0.0.5') } }],
    ["the node's choice", [['Framed-IP-Address', ip('255.255.255.254')]], {}],
    ["the user's choice, which is the node's", [['Framed-IP-Address', ip('255.255.255.255')]], {}],
    ['an address of this host', [['Framed-IP-Address', ip('127.0.0.1')]], {}],
    ['a group of hosts', [['Framed-IP-Address', ip('224.0.0.1')]], {}],
    ['nobody', [['Framed-IP-Address', 0]], {}],
    ['a pool', [['Framed-Pool', 'clients']], { remoteAddress: { pool: 'clients' } }],
    ['an empty pool', [['Framed-Pool', '']], {}],
    [
      'an address and a pool',
      [
        ['Framed-Pool', 'clients'],
        ['Framed-IP-Address', ip('10.0.0.5')],
      ],
      { remoteAddress: { address: ip('10.0.0.5') } },
    ],
    [
      'no address and a pool',
      [
        ['Framed-Pool', 'clients'],
        ['Framed-IP-Address', ip('255.255.255.254')],
      ],
      { remoteAddress: { pool: 'clients' } },
    ],
    [
      'a network',
      [
        ['Framed-IP-Address', ip('10.0.0.5')],
        ['Framed-IP-Netmask', ip('255.255.255.248')],
      ],
      {
        remoteAddress: { address: ip('10.0.0.5') },
        routes: [{ destination: { address: ip('10.0.0.0'), length: 29 }, gateway: 0, metric: 1 }],
      },
    ],
    ['a network of no address', [['Framed-IP-Netmask', ip('255.255.255.248')]], {}],
    [
      'routes, in order',
      [
        ['Framed-Route', '10.1.0.0/16 0.0.0.0 1'],
        ['Framed-Route', '10.2.0.0/16 10.0.0.5 2'],
      ],
      {
        routes: [
          { destination: { address: ip('10.1.0.0'), length: 16 }, gateway: 0, metric: 1 },
          { destination: { address: ip('10.2.0.0'), length: 16 }, gateway: ip('10.0.0.5'), metric: 2 },
        ],
      },
    ],
    ['a packet size', [['Framed-MTU', 1400]], { mtu: 1400 }],
    [
      'name servers',
      [
        ['MS-Secondary-DNS-Server', 2],
        ['MS-Primary-DNS-Server', 1],
        ['MS-Secondary-NBNS-Server', 4],
      ],
      { dnsServer: [1, 2], winsServer: [4] },
    ],
    [
      'a name server of zeros',
      [
        ['MS-Primary-DNS-Server', 0],
        ['MS-Primary-NBNS-Server', 3],
      ],
      { winsServer: [3] },
    ],
    ['a number of sessions', [['Port-Limit', 2]], { portLimit: 2 }],
    ['no number of sessions', [['Port-Limit', 0]], {}],
    ['a session time', [['Session-Timeout', 3600]], { sessionTimeout: 3_600_000 }],
    ['no session time, whatever the profile says', [['Session-Timeout', 0]], { sessionTimeout: 0 }],
    ['an idle time', [['Idle-Timeout', 60]], { idleTimeout: 60_000 }],
    ['no idle time', [['Idle-Timeout', 0]], { idleTimeout: 0 }],
    [
      'an hour of the day',
      [['WISPr-Session-Terminate-Time', '2026-11-21T15:30:00+03:00']],
      { sessionTimeout: 1_800_000 },
    ],
    [
      'an hour of the day, zone without colon',
      [['WISPr-Session-Terminate-Time', '2026-11-21T11:30:00-0100']],
      { sessionTimeout: 1_800_000 },
    ],
    [
      'an hour of the day, and a sooner end',
      [
        ['Session-Timeout', 60],
        ['WISPr-Session-Terminate-Time', '2026-11-21T13:00:00Z'],
      ],
      { sessionTimeout: 60_000 },
    ],
    [
      'an hour of the day, and a later end',
      [
        ['Session-Timeout', 7200],
        ['WISPr-Session-Terminate-Time', '2026-11-21T13:00:00Z'],
      ],
      { sessionTimeout: 3_600_000 },
    ],
    [
      'an hour of the day, and no other end',
      [
        ['Session-Timeout', 0],
        ['WISPr-Session-Terminate-Time', '2026-11-21T13:00:00Z'],
      ],
      { sessionTimeout: 3_600_000 },
    ],
    ['this very second', [['WISPr-Session-Terminate-Time', '2026-11-21T12:00:00Z']], { sessionTimeout: -1 }],
    ['a chain for both', [['Filter-Id', 'users']], { incomingFilter: 'users', outgoingFilter: 'users' }],
    ['a chain for what he sends', [['Filter-Id', 'users.in']], { incomingFilter: 'users' }],
    ['a chain for what he gets', [['Filter-Id', 'users.out']], { outgoingFilter: 'users' }],
    [
      'the last chain for each direction',
      [
        ['Filter-Id', 'a'],
        ['Filter-Id', 'b.in'],
        ['Filter-Id', 'c.in'],
      ],
      { incomingFilter: 'c', outgoingFilter: 'a' },
    ],
    [
      'address lists, each once',
      [
        ['Mikrotik-Address-List', 'b'],
        ['Mikrotik-Address-List', 'a'],
        ['Mikrotik-Address-List', 'b'],
      ],
      { addressList: ['b', 'a'] },
    ],
    ['octets from him', [['Mikrotik-Recv-Limit', 1000]], { limitBytesIn: 1000 }],
    ['octets to him', [['Mikrotik-Xmit-Limit', 1000]], { limitBytesOut: 1000 }],
    ['octets of both', [['Mikrotik-Total-Limit', 1000]], { limitBytesTotal: 1000 }],
    [
      'many octets',
      [
        ...([
          ['Mikrotik-Recv-Limit-Gigawords', 1],
          ['Mikrotik-Recv-Limit', 5],
        ] as const),
        ...([['Mikrotik-Xmit-Limit-Gigawords', 2]] as const),
        ...([['Mikrotik-Total-Limit-Gigawords', 0xffffffff]] as const),
      ],
      { limitBytesIn: 2 ** 32 + 5, limitBytesOut: 2 ** 33, limitBytesTotal: Number.MAX_SAFE_INTEGER },
    ],
    ['no octets, which is any number', [['Mikrotik-Recv-Limit', 0]], {}],
    ['that he may encrypt', [['MS-MPPE-Encryption-Policy', 1]], {}],
    ['that he must encrypt', [['MS-MPPE-Encryption-Policy', 2]], { useEncryption: 'required' }],
    ['that he may not encrypt', [['MS-MPPE-Encryption-Policy', 0]], { useEncryption: 'no' }],
    [
      'strengths',
      [['MS-MPPE-Encryption-Types', 4]],
      { useEncryption: 'yes', encryptionBits: new Set([128]) },
    ],
    [
      'strengths that he may use',
      [
        ['MS-MPPE-Encryption-Policy', 1],
        ['MS-MPPE-Encryption-Types', 6],
      ],
      { useEncryption: 'yes', encryptionBits: new Set([40, 128]) },
    ],
    [
      'strengths of which he must use one',
      [
        ['MS-MPPE-Encryption-Policy', 2],
        ['MS-MPPE-Encryption-Types', 14],
      ],
      { useEncryption: 'required', encryptionBits: new Set([40, 56, 128]) },
    ],
    [
      'no strength of what he may use',
      [
        ['MS-MPPE-Encryption-Policy', 1],
        ['MS-MPPE-Encryption-Types', 0],
      ],
      { useEncryption: 'no' },
    ],
    [
      'strengths of what he may not use',
      [
        ['MS-MPPE-Encryption-Policy', 0],
        ['MS-MPPE-Encryption-Types', 4],
      ],
      { useEncryption: 'no' },
    ],
  ])('says %s', (_what, said, expected) => {
    expect(level(said)).toEqual({ ...nothing, ...expected });
  });

  it.each<[string, Said, Level['rateLimit']]>([
    ['RouterOS', [['Mikrotik-Rate-Limit', '1M/2M']], steadyRates(1e6, 2e6)],
    ['Ascend, both directions', [['Ascend-Data-Rate', 64_000]], k64],
    [
      'Ascend twice',
      [
        ['Ascend-Data-Rate', 2000],
        ['Ascend-Data-Rate', 1000],
      ],
      steadyRates(1000, 2000),
    ],
    [
      'Ascend, each direction',
      [
        ['Ascend-Data-Rate', 1000],
        ['Ascend-Xmit-Rate', 2000],
      ],
      steadyRates(1000, 2000),
    ],
    ['Ascend, to him only', [['Ascend-Xmit-Rate', 2000]], steadyRates(0, 2000)],
    [
      'WISPr',
      [
        ['WISPr-Bandwidth-Max-Up', 1000],
        ['WISPr-Bandwidth-Max-Down', 2000],
      ],
      steadyRates(1000, 2000),
    ],
    ['WISPr, from him only', [['WISPr-Bandwidth-Max-Up', 1000]], steadyRates(1000, 0)],
    [
      'WISPr with assured rates',
      [
        ['WISPr-Bandwidth-Max-Down', 2000],
        ['WISPr-Bandwidth-Min-Down', 500],
      ],
      { ...steadyRates(0, 2000), minimum: { receive: 0, transmit: 500 } },
    ],
    [
      'Cisco',
      [
        [
          'Cisco-AVPair',
          'lcp:interface-config#1=rate-limit input 1000 8000 8000 conform-action transmit exceed-action drop',
        ],
        ['Cisco-AVPair', 'ip:addr-pool=clients'],
        [
          'Cisco-AVPair',
          'lcp:interface-config#2=rate-limit output access-group 101 2000 8000 8000 conform-action transmit',
        ],
      ],
      steadyRates(1000, 2000),
    ],
    ['accel-ppp, down and up', [['Filter-Id', '2048/512']], steadyRates(512_000, 2_048_000)],
    ['accel-ppp, both', [['Filter-Id', '64']], k64],
    // Precedence.
    [
      'RouterOS before Ascend before WISPr before Cisco before accel-ppp',
      [
        ['Filter-Id', '1/1'],
        ['Cisco-AVPair', 'lcp:interface-config=rate-limit input 2 8000 8000 conform-action transmit'],
        ['WISPr-Bandwidth-Max-Up', 3],
        ['Ascend-Data-Rate', 4],
        ['Mikrotik-Rate-Limit', '64k'],
      ],
      k64,
    ],
    [
      'Ascend before WISPr',
      [
        ['WISPr-Bandwidth-Max-Up', 3],
        ['Ascend-Xmit-Rate', 4],
      ],
      steadyRates(0, 4),
    ],
    [
      'WISPr before accel-ppp',
      [
        ['Filter-Id', '1/1'],
        ['WISPr-Bandwidth-Max-Up', 3],
      ],
      steadyRates(3, 0),
    ],
    [
      'Ascend beside an empty RouterOS',
      [
        ['Mikrotik-Rate-Limit', ''],
        ['Ascend-Data-Rate', 64_000],
      ],
      k64,
    ],
  ])('says rates by %s', (_form, said, rates) => {
    expect(level(said)).toMatchObject({ rateLimit: rates });
  });

  it('says rates and filters by Filter-Id at once', () => {
    expect(
      level([
        ['Filter-Id', '64/64'],
        ['Filter-Id', 'users.in'],
      ]),
    ).toEqual({
      ...nothing,
      rateLimit: k64,
      incomingFilter: 'users',
      outgoingFilter: undefined,
    });
  });

  it.each<[AttributeName, unknown, Said?]>([
    ['Framed-IP-Netmask', ip('255.0.255.0'), [['Framed-IP-Address', ip('10.0.0.5')]]],
    ['Framed-Route', 'default'],
    ['Framed-MTU', 63],
    ['Framed-MTU', 65_536],
    ['Filter-Id', 'no such; name'],
    ['Filter-Id', '.in'],
    ['Mikrotik-Address-List', 'no such; name'],
    ['Mikrotik-Rate-Limit', 'fast'],
    ['Cisco-AVPair', 'lcp:interface-config#1=rate-limit sideways 1000'],
    ['MS-MPPE-Encryption-Policy', 3],
    ['MS-MPPE-Encryption-Types', 1],
    ['MS-MPPE-Encryption-Types', 0, [['MS-MPPE-Encryption-Policy', 2]]],
    ['WISPr-Session-Terminate-Time', 'tomorrow'],
    ['WISPr-Session-Terminate-Time', '2026-11-21T15:30:00'],
    ['WISPr-Session-Terminate-Time', '2026-13-21T15:30:00Z'],
  ])('is not followed at all if %s cannot be read: %j', (name, value, beside = []) => {
    const read = level([['Session-Timeout', 60], ...beside, [name, value]]);

    expect(read).toBeInstanceOf(Unreadable);
    expect(read).toHaveProperty('attribute', name);
  });

  it.each<[Said, boolean]>([
    [[], true],
    [
      [
        ['Service-Type', 2],
        ['Framed-Protocol', 1],
      ],
      true,
    ],
    [[['Service-Type', 1]], false],
    [
      [
        ['Service-Type', 2],
        ['Framed-Protocol', 2],
      ],
      false,
    ],
  ])('is for our service: %j %s', (said, isOurs) => {
    expect(isFramedPpp(attributes(said))).toBe(isOurs);
  });
});

describe('a CoA-Request', () => {
  const quota = { receiveOctets: undefined, transmitOctets: undefined, totalOctets: undefined };

  it.each<[string, Said, object]>([
    ['nothing', [], {}],
    ['the session time', [['Session-Timeout', 60]], { sessionTimeoutMs: 60_000 }],
    ['the session time to none', [['Session-Timeout', 0]], { sessionTimeoutMs: undefined }],
    ['the idle time', [['Idle-Timeout', 60]], { idleTimeoutMs: 60_000 }],
    ['rates', [['Mikrotik-Rate-Limit', '64k']], { rates: k64 }],
    ['rates by WISPr', [['WISPr-Bandwidth-Max-Down', 64_000]], { rates: steadyRates(0, 64_000) }],
    [
      'both filters by one',
      [['Filter-Id', 'debtors.in']],
      { filters: { incoming: 'debtors', outgoing: undefined } },
    ],
    ['all octets by some', [['Mikrotik-Xmit-Limit', 5]], { quota: { ...quota, transmitOctets: 5 } }],
    ['octets to none', [['Mikrotik-Total-Limit', 0]], { quota }],
    ['address lists', [['Mikrotik-Address-List', 'debtors']], { addressLists: ['debtors'] }],
    [
      'Class, all of it in order',
      [
        ['Class', Uint8Array.of(2)],
        ['Class', Uint8Array.of(1)],
      ],
      { classes: [Uint8Array.of(2), Uint8Array.of(1)] },
    ],
    ['the interim interval', [['Acct-Interim-Interval', 600]], { interimMs: 600_000 }],
    ['the interim interval, to a minute at least', [['Acct-Interim-Interval', 5]], { interimMs: 60_000 }],
    ['the interim interval to none', [['Acct-Interim-Interval', 0]], { interimMs: 0 }],
  ])('changes %s', (_what, said, change) => {
    const changed = changeOf(attributes(said));

    expect(changed).toEqual(change);
    // A limit that is taken away is named.
    expect(Object.keys(changed).sort()).toEqual(Object.keys(change).sort());
  });

  it.each<[AttributeName, unknown, number]>([
    ['Framed-Pool', 'clients', 401],
    ['Framed-Route', '10.0.0.0/8', 401],
    ['Mikrotik-Group', 'gold', 401],
    ['WISPr-Session-Terminate-Time', '2026-11-21T15:30:00Z', 401],
    ['Mikrotik-Rate-Limit', 'fast', 407],
    ['Filter-Id', 'no such; name', 407],
    ['Mikrotik-Address-List', 'two words', 407],
  ])('changes nothing if there is %s = %j in it', (name, value, errorCause) => {
    expect(
      changeOf(
        attributes([
          ['Session-Timeout', 60],
          [name, value],
        ]),
      ),
    ).toEqual({
      errorCause,
      attribute: name,
    });
  });
});
