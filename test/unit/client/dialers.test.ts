/** All diallers together: what a change of the configuration does to each. */

import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/aaa/settings.ts';
import { Dialers } from '../../../src/client/dialers.ts';
import type { ClientSettings } from '../../../src/client/settings.ts';
import { Password } from '../../../src/ppp/auth/password.ts';
import { places } from '../../sim/tunnel-host.ts';
import { plainSettings, TunnelWorld } from '../../sim/tunnel-world.ts';

const { client, clientProfile } = plainSettings();
const profiles: readonly Profile[] = [clientProfile];

function entry(name: string, changes: Partial<ClientSettings> = {}): ClientSettings {
  return { ...client, name, profile: clientProfile.name, ...changes };
}

/** A server with a pool for its one user, and diallers on the client's host in place of its own dialler. */
function open(): { readonly world: TunnelWorld; readonly dialers: Dialers } {
  const plain = plainSettings();
  const world = new TunnelWorld(3, {
    ...plain,
    secret: { ...plain.secret, remoteAddress: { pool: 'many' } },
    pools: [
      { name: 'many', ranges: [{ first: 0x0a000200, last: 0x0a0002ff }], nextPool: undefined, comment: '' },
    ],
    client: { ...plain.client, connectTo: undefined },
  });
  world.until(() => world.isReady, 100);
  const resolve = (_: string, found: (address: number) => void) => found(places.server);
  return { world, dialers: new Dialers({ ...world.clientHost.services, resolve }) };
}

const namesOf = ({ dialers }: Dialers) => Array.from(dialers, ({ settings }) => settings.name);
const statusesOf = ({ dialers }: Dialers) => Array.from(dialers, ({ status }) => status);

describe('diallers', () => {
  it('are one for each entry that is enabled and whose profile exists', () => {
    const { world, dialers } = open();
    const clients = [entry('a'), entry('b', { disabled: true }), entry('c'), entry('d', { profile: 'none' })];
    dialers.configure(clients, profiles);
    world.until(() => false, 1_000);
    expect(namesOf(dialers)).toEqual(['a', 'c']);
    expect(statusesOf(dialers)).toEqual(['Connected', 'Connected']);
    expect([...world.clientHost.engine.linkNames].sort()).toEqual(['a', 'c']);
  });

  it('are left alone if their entry is the same, and replaced if it changed, under the same name', () => {
    const { world, dialers } = open();
    dialers.configure([entry('a'), entry('b')], profiles);
    world.until(() => false, 1_000);
    const [kept] = dialers.dialers;

    dialers.configure([entry('a'), entry('b', { maxMtu: 1400 })], profiles);
    world.until(() => false, 1_000);
    const [first, second] = dialers.dialers;
    expect(first).toBe(kept);
    expect(second?.settings.maxMtu).toBe(1400);
    expect(statusesOf(dialers)).toEqual(['Connected', 'Connected']);
    expect([...world.clientHost.endings.values()]).toEqual([['client-disabled']]);
  });

  it('take a changed password as a change, though nobody sees it', () => {
    const { world, dialers } = open();
    dialers.configure([entry('a')], profiles);
    const [before] = dialers.dialers;
    dialers.configure([entry('a', { password: new Password('anders') })], profiles);
    world.until(() => false, 1_000);
    expect([...dialers.dialers][0]).not.toBe(before);
  });

  it('give a changed profile to the next session', () => {
    const { world, dialers } = open();
    dialers.configure([entry('a')], profiles);
    world.until(() => false, 1_000);
    const [dialer] = dialers.dialers;
    dialers.configure([entry('a')], [{ ...clientProfile, useEncryption: 'no' }]);
    expect([...dialers.dialers][0]).toBe(dialer);
    expect(dialer?.session?.agreed?.mppe?.bits).toBe(128);
    world.resetTcp();
    world.until(() => false, 5_000);
    expect(dialer?.status).toBe('Connected');
    expect(dialer?.session?.agreed?.mppe).toBeUndefined();
  });

  it('begin an entry again that comes back while it is still ending', () => {
    const { world, dialers } = open();
    dialers.configure([entry('a')], profiles);
    world.until(() => false, 1_000);
    dialers.configure([], profiles);
    dialers.configure([entry('a')], profiles);
    expect(namesOf(dialers)).toEqual([]);
    world.until(() => false, 2_000);
    expect(namesOf(dialers)).toEqual(['a']);
    expect(statusesOf(dialers)).toEqual(['Connected']);
  });

  it('end all, and say so once: with sessions, while dialling, and with none at all', () => {
    for (const [clients, waitMs] of [
      [[entry('a'), entry('b')], 1_000],
      [[entry('a'), entry('b')], 1],
      [[entry('a', { connectTo: undefined })], 0],
      [[], 0],
    ] as const) {
      const { world, dialers } = open();
      dialers.configure(clients, profiles);
      world.until(() => false, waitMs);
      let done = 0;
      dialers.end('shut-down', () => {
        done += 1;
      });
      world.until(() => false, 30_000);
      expect(done).toBe(1);
      expect(namesOf(dialers)).toEqual([]);
      expect(world.clientHost.callIds.held).toBe(0);
      expect(world.clientHost.engine.linkNames).toEqual([]);
    }
  });
});
