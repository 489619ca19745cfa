import { describe, expect, test } from 'vitest';
import { attributesOf } from '../../../src/accounting/by-radius.ts';
import { nodeSessionId, SessionIds } from '../../../src/accounting/session-id.ts';
import { Malformed } from '../../../src/base/fault.ts';
import type { AttributeName, Attributes } from '../../../src/radius/attribute.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import { factsOf, interimOf, startOf, stopOf, usageOf } from './facts.ts';

/** As a server reads it. */
function told(record: Parameters<typeof attributesOf>[0], delayMs = 0): Attributes {
  const decoded = attributeCodec.decode(attributeCodec.encode(attributesOf(record, delayMs)));
  if (decoded instanceof Malformed) throw new Error(decoded.toString());
  return decoded;
}

const values = (attributes: Attributes, ...names: AttributeName[]): unknown[] =>
  names.map((name) => attributes.first(name));

const useNames = [
  'Acct-Session-Time',
  'Acct-Input-Octets',
  'Acct-Input-Gigawords',
  'Acct-Output-Octets',
  'Acct-Output-Gigawords',
  'Acct-Input-Packets',
  'Acct-Output-Packets',
] as const;

describe('a record in RADIUS', () => {
  test('of each kind has its status, when it happened and how long ago', () => {
    const nas = { identifier: 'bras-1', address: undefined };
    const node = { nas, sessionId: 'n', atMs: 1_700_000_000_999 };
    const records = [
      startOf('a'),
      stopOf('a', 1, 1),
      interimOf('a', 1, 1),
      { kind: 'on', ...node },
      { kind: 'off', ...node },
    ];

    const seen = (records as Parameters<typeof attributesOf>[0][]).map((record) =>
      values(told(record, 4_600), 'Acct-Status-Type', 'Event-Timestamp', 'Acct-Delay-Time'),
    );

    expect(seen).toEqual([1, 2, 3, 7, 8].map((status) => [status, 1_700_000_000, 5]));
  });

  test('tells octets in 64 bits, from the user as Input', () => {
    const usage = {
      receivedOctets: 5n * 2n ** 32n + 7n,
      transmittedOctets: 2n ** 64n - 1n,
      receivedPackets: 2n ** 32n + 3n,
      transmittedPackets: 9n,
    };
    const record = { kind: 'interim', facts: factsOf('a'), atMs: 0, uptimeMs: 61_400, usage } as const;

    expect(values(told(record), ...useNames)).toEqual([61, 7, 5, 2 ** 32 - 1, 2 ** 32 - 1, 3, 9]);
  });

  test('tells Gigawords also when they are none', () => {
    expect(values(told(stopOf('a', 100, 5_000)), ...useNames)).toEqual([5, 100, 0, 200, 0, 1, 2]);
  });

  test('has every Class, unmodified and in order', () => {
    const classes = [Uint8Array.of(0), Uint8Array.of(255, 0, 10), Uint8Array.of(65)];

    expect(told({ kind: 'start', facts: factsOf('a', classes), atMs: 0 }).all('Class')).toEqual(classes);
  });

  test('says who the user is, where he is, and who let him in', () => {
    const names = [
      'User-Name',
      'Acct-Session-Id',
      'Framed-IP-Address',
      'Acct-Authentic',
      'NAS-Port-Id',
    ] as const;

    expect(values(told(startOf('a')), ...names)).toEqual(['алиса', 'a', 0x0a010203, 1, 'pptp-513']);
  });

  test('of one session differs from its others only in what happened', () => {
    const changing =
      /^(Acct-(Status-Type|Delay-Time|Session-Time|(Input|Output)-\w+|Terminate-Cause)|Event-Timestamp)$/;
    const constant = [startOf('a'), interimOf('a', 5, 60_000), stopOf('a', 6, 61_000)].map((record) =>
      attributesOf(record, 0).filter(({ name }) => !changing.test(name)),
    );

    expect(constant[1]).toEqual(constant[0]);
    expect(constant[2]).toEqual(constant[0]);
  });

  test('tells no time that has not passed yet: the clock may have been set back', () => {
    const record = { ...stopOf('a', 1, 0), usage: usageOf(0) };

    expect(told(record, -5_000).first('Acct-Delay-Time')).toBe(0);
  });
});

describe('session ids', () => {
  test('are 22 characters, and sort by time', () => {
    const ids = [new SessionIds('bras-1', 1_700_000_000), new SessionIds('bras-1', 1_700_000_001)];
    const given = ids.flatMap((each) => Array.from({ length: 300 }, () => each.next()));

    expect(given.every((id) => /^[0-9a-f]{22}$/.test(id))).toBe(true);
    expect(given.toSorted()).toEqual(given);
    expect(new Set(given).size).toBe(600);
  });

  test('of two nodes differ, and so do those of the nodes themselves', () => {
    expect(new SessionIds('bras-1', 5).next()).not.toBe(new SessionIds('bras-2', 5).next());
    expect(nodeSessionId('bras-1')).not.toBe(nodeSessionId('bras-2'));
    expect(nodeSessionId('bras-1')).toHaveLength(22);
  });
});
