/** How rows stand in Redis, and under which names. */

import { expect, test } from 'vitest';
import { keysOf, nodeOf, ownerName } from '../../../../src/session/registry/keys.ts';
import { knownText, rowsOf, rowText } from '../../../../src/session/registry/row-form.ts';
import { rowOf } from '../../../conformance/registry.ts';

const row = rowOf({ node: 'nas', bootId: 'b1' }, 's1', 'jäck "the" user', 0xffffffff);

test('a row is read as it was written, with 64 bits and octets', () => {
  expect(rowsOf(['s1', rowText(row), knownText(row.known)])).toEqual([row]);
});

test('times are whole milliseconds', () => {
  const known = { ...row.known, atMs: row.known.atMs + 0.4, uptimeMs: 1_000.4 };

  const [read] = rowsOf(['s1', rowText({ ...row, startedAtMs: row.startedAtMs + 0.4 }), knownText(known)]);

  expect(read).toEqual(row);
});

test('a session without counters has used nothing', () => {
  const none = { receivedOctets: 0n, transmittedOctets: 0n, receivedPackets: 0n, transmittedPackets: 0n };

  for (const counters of ['', '1 2 3', '1 2 3 4 5 six', '1 2 3 4 5 6 7', '-1 2 3 4 5 6']) {
    const [read] = rowsOf(['s1', rowText(row), counters]);
    expect(read?.known, counters).toEqual({ atMs: row.startedAtMs, uptimeMs: 0, usage: none });
  }
});

test('what only claims, and what cannot be read, is left out', () => {
  const whole = rowText(row);
  const others = ['', '{', 'null', '[]', '{}', whole.slice(0, -1), whole.replace('"user"', '"name"')];

  const words = others.flatMap((text, at) => [`s${at}`, text, '']);

  expect(rowsOf([...words, 's1', whole, knownText(row.known)])).toEqual([row]);
});

test('a newer release may say more of a session', () => {
  const more = rowText(row).replace('{', '{"shard":"north",');

  expect(rowsOf(['s1', more, knownText(row.known)])).toEqual([row]);
});

test.each(['nas', 'nas 1', 'nas@isp:1', 'näs%40', '@', '{x}'])(
  'an owner gives its node away (%s)',
  (node) => {
    const name = ownerName({ node, bootId: 'b@1' });

    expect(nodeOf(name)).toBe(node);
    expect(name).toMatch(/^[^\s:@]*@[^\s:@]*$/);
  },
);

test('boots and services are told apart, and a service is on one shard', () => {
  const [one, other] = ['b1', 'b2'].map((bootId) => ownerName({ node: 'nas', bootId })) as [string, string];
  const keys = keysOf('isp');

  expect(keys.sessions(one)).not.toBe(keys.sessions(other));
  expect(keysOf('north').holders).not.toBe(keys.holders);
  for (const key of [keys.owners, keys.holders, keys.users, keys.addresses, keys.epoch, keys.known(one)]) {
    expect(key).toMatch(/^\{pptp:isp\}:/);
  }
});
