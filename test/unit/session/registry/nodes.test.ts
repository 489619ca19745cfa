/** How often nodes tell that they live, and in what form they tell what. */

import { expect, test } from 'vitest';
import { customaryTerms, termsOf } from '../../../../src/session/registry/blocks.ts';
import {
  commandText,
  customaryPace,
  nodeKeysOf,
  paceOf,
  replyText,
  statusText,
} from '../../../../src/session/registry/nodes.ts';
import type { NodeCommand, NodeReply, NodeStatus } from '../../../../src/session/registry/registry.ts';

const status: NodeStatus = {
  version: '1.2.3',
  addresses: [0x0a000001, 0xcb007101],
  licenceLevel: 'level4',
  licenceLimit: 200,
  licenceUsed: 17,
  sessions: 16,
  isReady: true,
  isDraining: false,
  startedAtMs: 1_700_000_000_000,
};

test.each([status, { ...status, licenceLimit: undefined, isReady: false, isDraining: true }])(
  'a status is read as it was written: %#',
  (each) => expect(statusText.read(statusText.write(each))).toEqual(each),
);

test.each<NodeCommand>([
  { kind: 'kick', sessionIds: ['a', 'b'], cause: 'admin-reset' },
  { kind: 'dynamic', request: 'disconnect', attributes: Uint8Array.of(0, 128, 255) },
  { kind: 'drain', mode: 'hard' },
])('a command is read as it was written: %j', (command) => {
  expect(commandText.read(commandText.write(command))).toEqual(command);
});

test.each<NodeReply>([
  { ok: true },
  { ok: true, errorCause: 503 },
  { ok: false, why: 'unreachable' },
  { ok: false, why: 'unknown-session' },
])('a reply is read as it was written: %j', (reply) => {
  expect(replyText.read(replyText.write(reply))).toEqual(reply);
});

test.each(['', '{', 'null', '[]', '{"kind":"dance"}', '{"ok":"yes"}', '{"ok":false,"why":"tired"}'])(
  'what another release has written otherwise is nothing: %s',
  (written) => {
    expect(statusText.read(written)).toBeUndefined();
    expect(commandText.read(written)).toBeUndefined();
    expect(replyText.read(written)).toBeUndefined();
  },
);

test('a newer release may say more', () => {
  const more = JSON.stringify({ ...JSON.parse(statusText.write(status)), load: 0.5 });

  expect(statusText.read(more)).toEqual(status);
});

test('all keys of a service are on one server of a Redis Cluster', () => {
  const keys = nodeKeysOf('isp');
  const all = [
    ...Object.values(keys).filter((key) => typeof key === 'string'),
    keys.grave('1'),
    keys.inbox('a@b'),
  ];

  expect(new Set(all).size).toBe(all.length);
  for (const key of all) expect(key).toMatch(/^\{pptp:isp\}:/);
});

test('a node is suspect after three beats, and dead long after, whatever the operator sets', () => {
  expect(paceOf(120_000)).toEqual(customaryPace);
  for (const deadAfterMs of [1_000, 10_000, 60_000, 600_000]) {
    const pace = paceOf(deadAfterMs);
    expect(pace.suspectAfterMs).toBeGreaterThanOrEqual(2.9 * pace.beatMs);
    expect(pace.deadAfterMs).toBeGreaterThanOrEqual(7.9 * pace.suspectAfterMs);
    expect(pace.beatMs).toBeLessThanOrEqual(customaryPace.beatMs);
  }
});

test('nothing is given out anew before all can have been back, and have looked, whatever the operator sets', () => {
  expect(termsOf(customaryPace.settleMs)).toEqual(customaryTerms);
  for (const deadAfterMs of [1_000, 10_000, 60_000, 600_000]) {
    const { settleMs } = paceOf(deadAfterMs);
    expect(settleMs).toBeGreaterThanOrEqual(4_000);
    expect(termsOf(settleMs).settleMs).toBe(settleMs);
    expect(settleMs).toBeGreaterThanOrEqual(5.9 * termsOf(settleMs).lookMs);
  }
});
