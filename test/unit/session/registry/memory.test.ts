/** The registry of a node that stands alone: the suite of all registries, without any service. */

import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../../src/base/clock.ts';
import { MemoryRegistry } from '../../../../src/session/registry/memory.ts';
import { beginSite, describeRegistry, promised, status } from '../../../conformance/registry.ts';

const owner = { node: 'nas 1', bootId: 'b1' };

const begin = () => beginSite(owner, new MemoryRegistry(owner, new VirtualClock()));

describeRegistry('memory', async () => {
  const site = await begin();
  const list = () => promised.list(site.registry);
  return {
    sites: [site],
    isEmpty: () => list().then((rows) => rows.length === 0),
    // Nothing comes later that is not there at once.
    until: async (condition: () => Promise<boolean> | boolean, what: string) => {
      expect(await condition(), what).toBe(true);
    },
    close: () => new Promise<void>((closed) => site.registry.close(closed)),
  };
});

describe('a node that stands alone', () => {
  test('answers at once', async () => {
    const { registry } = await begin();
    const answers: string[] = [];

    registry.claimUser({ user: 'x', sessionId: 'a', limit: 1, policy: 'reject' }, () => answers.push('user'));
    registry.claimAddress({ address: 1, sessionId: 'a', user: 'x', policy: 'reject' }, () =>
      answers.push('ip'),
    );
    registry.find({ user: 'x' }, () => answers.push('find'));
    registry.list(() => answers.push('list'));
    registry.nodes(() => answers.push('nodes'));
    registry.wasReaped(['a'], (ids) => answers.push(`reaped ${ids.size}`));

    expect(answers).toEqual(['user', 'ip', 'find', 'list', 'nodes', 'reaped 0']);
    expect(registry.isOnline).toBe(true);
  });

  test('shows itself as its only node', async () => {
    const { registry } = await begin();

    const rows = await promised.nodes(registry);

    expect(rows).toEqual([{ ...owner, ...status, atMs: new VirtualClock().wallMs(), isSuspect: false }]);
  });
});
