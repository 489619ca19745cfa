/** The client's dialler against the real server, both over fake engines: when it dials, what it says, and how it ends. */

import { describe, expect, it } from 'vitest';
import type { Resolve } from '../../../src/client/dialer.ts';
import type { ClientSettings } from '../../../src/client/settings.ts';
import { plainSettings, TunnelWorld, type WorldSettings } from '../../sim/tunnel-world.ts';

function open(client: Partial<ClientSettings> = {}, isServing = true, resolve?: Resolve): TunnelWorld {
  const plain = plainSettings();
  const { server, staticServers } = plain.configuration;
  const configuration = { server: { ...server, enabled: isServing }, staticServers };
  const settings: WorldSettings = { ...plain, configuration, client: { ...plain.client, ...client } };
  const world = new TunnelWorld(7, settings);
  if (resolve !== undefined) world.resolve = resolve;
  world.until(() => world.isReady, 100);
  return world;
}

function said(world: TunnelWorld, text: string): number {
  return world.lines.filter((line) => line.includes(text)).length;
}

/** When it dialled, in whole seconds. */
function dialTimes(world: TunnelWorld): readonly number[] {
  return world.lines
    .filter((line) => line.endsWith('dialling 192.0.2.1'))
    .map((line) => Math.round(Number.parseInt(line, 10) / 1_000));
}

function pauses(times: readonly number[]): readonly number[] {
  return times.slice(1).map((time, at) => time - (times[at] ?? 0));
}

function expectNothingLeft({ clientHost }: TunnelWorld): void {
  const { callIds, links, names, engine, connections } = clientHost;
  expect([callIds.held, links.held, names.held, connections.size, engine.linkNames]).toEqual([
    0,
    0,
    0,
    0,
    [],
  ]);
}

describe('a dialler', () => {
  it('comes up, with the name of its entry for the interface', () => {
    const world = open();
    expect(world.until(() => world.dialer.status === 'Connected', 1_000)).toBe(true);
    expect(world.clientHost.engine.linkNames).toEqual(['pptp-out1']);
    expect(said(world, 'pptp-out1: connected, 10.0.1.9')).toBe(1);
  });

  it('pauses 1, 2, 4 … 30 s between attempts that fail', () => {
    const world = open({}, false);
    world.until(() => false, 125_000);
    expect(pauses(dialTimes(world))).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    expect(said(world, 'no connection to the server: ECONNREFUSED')).toBe(9);
    expect(world.dialer.status).toBe('Terminated');
  });

  it('begins with 1 s again after a session that was up', () => {
    const world = open({}, false);
    world.until(() => false, 20_000);
    world.server.configure(plainSettings().configuration);
    expect(world.until(() => world.dialer.status === 'Connected', 60_000)).toBe(true);
    const before = dialTimes(world).length;
    const endedAtMs = world.clock.nowMs();
    world.resetTcp();
    world.until(() => dialTimes(world).length > before, 60_000);
    expect(world.clock.nowMs() - endedAtMs).toBeLessThan(1_100);
  });

  it('pauses longer each time if it connects but is refused', () => {
    const world = open({ user: 'nobody' });
    world.until(() => false, 40_000);
    expect(pauses(dialTimes(world))).toEqual([1, 2, 4, 8, 16]);
    expect(said(world, 'client info call to 192.0.2.1 ended before it was up - authentication failed')).toBe(
      6,
    );
  });

  it('waits ten seconds for a host that does not answer', () => {
    const world = open({ connectTo: { address: 0xcb007105 } });
    world.until(() => said(world, 'ETIMEDOUT') > 0, 30_000);
    expect(Math.round(world.clock.nowMs() / 1_000)).toBe(10);
  });

  it('dials nothing without connect-to, and says so', () => {
    const world = open({ connectTo: undefined });
    world.until(() => false, 100_000);
    expect(said(world, 'pptp-out1: connect-to is not set: nothing to dial')).toBe(1);
    expect(world.dialer.status).toBe('Disabled');
    let done = 0;
    world.dialer.end('client-disabled', () => {
      done += 1;
    });
    expect(done).toBe(1);
  });

  it('looks a name up each time, and dials again if it has no address', () => {
    const found: (undefined | number)[] = [undefined, undefined, 0xc0000201];
    const host = { hostName: 'server.example' };
    const world = open({ connectTo: host }, true, (_, tell) => tell(found.shift()));
    world.until(() => world.dialer.status === 'Connected', 10_000);
    expect(said(world, 'pptp-out1: no address for server.example')).toBe(2);
    expect(world.dialer.status).toBe('Connected');
    expect(found).toEqual([]);
  });

  it('fails if another interface has its name, and takes the name when it is free', () => {
    const world = open();
    world.clientHost.names.takeExactly('pptp-out1');
    world.until(() => world.clientHost.endings.size > 0, 5_000);
    expect([...world.clientHost.endings.values()]).toEqual([['interface-failed']]);
    world.clientHost.names.release('pptp-out1');
    expect(world.until(() => world.dialer.status === 'Connected', 10_000)).toBe(true);
  });

  it('verifies the password in the status while it does', () => {
    const world = open();
    const seen = new Set<string>();
    world.until(() => {
      seen.add(world.dialer.status);
      return world.ends !== undefined;
    }, 5_000);
    expect([...seen]).toEqual(['Dialing', 'Verifying password...', 'Connected']);
  });

  it('takes a changed profile with its next session', () => {
    const world = open();
    world.until(() => world.ends !== undefined, 1_000);
    expect(world.ends?.client.agreed?.mppe?.bits).toBe(128);
    world.dialer.profile = { ...world.dialer.profile, useEncryption: 'no' };
    world.resetTcp();
    world.until(() => world.ends === undefined, 5_000);
    world.until(() => world.ends !== undefined, 10_000);
    expect(world.ends?.client.agreed?.mppe).toBeUndefined();
  });
});

describe('a dialler on demand', () => {
  it('has its interface, dials at the first packet, and waits again after the session', () => {
    const world = open({ dialOnDemand: true });
    expect(world.until(() => world.clientHost.engine.linkNames.length > 0, 1_000)).toBe(true);
    world.until(() => false, 60_000);
    expect([world.dialer.status, dialTimes(world).length]).toEqual(['waiting for packets...', 0]);

    for (const dialled of [1, 2]) {
      world.clientHost.engine.transmit('pptp-out1', new Uint8Array(40));
      expect(world.until(() => world.dialer.status === 'Connected', 1_000)).toBe(true);
      expect(dialTimes(world).length).toBe(dialled);
      world.resetTcp();
      expect(world.until(() => world.dialer.status === 'waiting for packets...', 10_000)).toBe(true);
      expect(world.clientHost.engine.linkNames).toEqual(['pptp-out1']);
    }

    let done = 0;
    world.dialer.end('client-disabled', () => {
      done += 1;
    });
    expect(world.until(() => done === 1, 10_000)).toBe(true);
    expectNothingLeft(world);
  });
});

describe('a dialler that is told to end', () => {
  it('is done once, with nothing left, at whatever step of a dial it is told', () => {
    for (const client of [{}, { connectTo: { hostName: 'server.example' } }, { user: 'nobody' }]) {
      for (let steps = 0; steps < 130; steps += 1) {
        const world = open(client);
        for (let step = 0; step < steps; step += 1) world.clock.step();
        let done = 0;
        world.dialer.end('client-disabled', () => {
          done += 1;
        });
        expect(
          world.until(() => done > 0, 20_000),
          `after ${steps} steps`,
        ).toBe(true);
        world.until(() => false, 120_000);
        expect([steps, done, world.dialer.status]).toEqual([steps, 1, 'Terminated']);
        expectNothingLeft(world);
        expect(world.server.sessions.size).toBe(0);
      }
    }
  });

  it('dials no more, neither while it pauses nor when a late answer comes', () => {
    const world = open({}, false);
    world.until(() => said(world, 'ECONNREFUSED') === 2, 10_000);
    const dialled = dialTimes(world).length;
    world.dialer.end('client-disabled', () => {});
    world.until(() => false, 100_000);
    expect(dialTimes(world).length).toBe(dialled);
  });
});
