/** Diallers whose control process is killed, over a fake engine: what goes on under the next one, and what is ended. */

import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/aaa/settings.ts';
import { equal, toBytes, toText } from '../../../src/base/bytes.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import type { Dialer } from '../../../src/client/dialer.ts';
import { Dialers } from '../../../src/client/dialers.ts';
import type { ClientSettings } from '../../../src/client/settings.ts';
import { encodeRequests } from '../../../src/net/netlink.ts';
import { Password } from '../../../src/ppp/auth/password.ts';
import { routeMenu, type StaticRoute } from '../../../src/session/route-settings.ts';
import { ip, places } from '../../sim/tunnel-host.ts';
import { plainSettings, TunnelWorld } from '../../sim/tunnel-world.ts';

const { client: entry, clientProfile } = plainSettings();

/** Control of the client's host as the concentrator has it: diallers, and the configuration that they are given at each start. */
class Client {
  readonly world: TunnelWorld;
  clients: readonly ClientSettings[];
  profiles: readonly Profile[] = [{ ...clientProfile, name: entry.profile }];
  routes: readonly StaticRoute[] = [];
  #dialers: Dialers | undefined;

  constructor(changes: Partial<ClientSettings> = {}) {
    this.clients = [{ ...entry, ...changes }];
    this.world = new TunnelWorld(11, plainSettings());
    const { world } = this;
    world.clientHost.way = { interfaceIndex: 2, gateway: ip('192.0.2.254'), prefixLength: 0 };
    world.clientControl = {
      resume: ({ dials }) => {
        const resolve = (_: string, found: (address: number) => void) => found(places.server);
        const { services } = world.clientHost;
        services.staticRoutes.configure(this.routes);
        this.#dialers = new Dialers({ ...services, resolve });
        return this.#dialers.resume(dials, this.clients, this.profiles);
      },
      done: () => this.#dialers?.configure(this.clients, this.profiles),
    };
  }

  get dialer(): Dialer | undefined {
    return [...(this.#dialers?.dialers ?? [])][0];
  }

  /** Until the tunnel is up. */
  connect(): this {
    if (!this.world.until(() => this.dialer?.status === 'Connected', 5_000)) throw new Error(this.story);
    return this;
  }

  /** Control dies, and comes back with the configuration that is then; a second passes. */
  kill(): void {
    this.#dialers = undefined;
    this.world.clientHost.killControl(200);
    this.world.until(() => this.#dialers !== undefined, 1_000);
    this.world.until(() => false, 1_000);
  }

  /** All clients are ended; what is left after is nothing. */
  expectCleanEnd(): void {
    const { world } = this;
    let done = 0;
    this.#dialers?.end('shut-down', () => {
      done += 1;
    });
    world.until(() => done > 0, 30_000);
    world.until(() => false, 5_000);
    const { callIds, links, names, connections, engine } = world.clientHost;
    const held = [callIds.held, links.held, names.held, connections.size, engine.linkNames.length];
    expect([done, held, world.server.sessions.size]).toEqual([1, [0, 0, 0, 0, 0], 0]);
  }

  said(text: string): number {
    return this.world.lines.filter((line) => line.includes(text)).length;
  }

  /** What the kernel was asked about the way to the server, in order. */
  get detours(): readonly string[] {
    const requests = {
      added: { request: 'add-detour', host: places.server, interfaceIndex: 2, gateway: ip('192.0.2.254') },
      deleted: { request: 'delete-detour', host: places.server },
    } as const;
    return this.world.clientHost.engine.performed.flatMap((performed) =>
      Object.entries(requests).flatMap(([what, request]) =>
        equal(performed, encodeRequests([request])) ? [what] : [],
      ),
    );
  }

  get story(): string {
    return this.world.lines.join('\n');
  }
}

/** What the memos of calls become on their way to the engine: what another release would have written. */
function writeMemos(client: Client, change: (memo: Record<string, unknown>) => object): void {
  client.world.clientHost.carry = (command, send) => {
    if (command.kind !== 'call-memo') return send(command);
    const memo = change(JSON.parse(toText(command.memo)) as Record<string, unknown>);
    send({ ...command, memo: toBytes(JSON.stringify(memo)) });
  };
}

describe('a tunnel of a client whose control is killed', () => {
  it('goes on: the same session at both ends, with its uptime, and nobody is told anything again', () => {
    const client = new Client().connect();
    const { world } = client;
    const [server] = world.server.sessions.keys();
    world.until(() => false, 60_000);
    client.kill();

    const session = client.dialer?.session;
    expect([client.dialer?.status, session?.state]).toEqual(['Connected', 'up']);
    expect(Math.round((session?.uptimeMs ?? 0) / 1_000)).toBe(61);
    expect([...world.server.sessions.keys()]).toEqual([server]);
    expect([server?.state, client.said('dialling'), client.said('connected,')]).toEqual(['up', 1, 1]);
    world.exchangePackets();
    world.until(() => false, 100);
    expect([world.serverHost.received.length, world.clientHost.received.length]).toEqual([1, 1]);
    client.expectCleanEnd();
    expect(client.said('terminating... - terminated by the peer')).toBe(1);
  });

  it('is probed and renegotiated as before, and dialled anew a second after its end', () => {
    const client = new Client({ keepaliveTimeout: 10_000 }).connect();
    client.kill();
    const { world } = client;
    world.until(() => false, 120_000);
    expect(client.dialer?.session?.state).toBe('up');
    client.world.clientHost.switchboard.send({
      kind: 'call-frame',
      call: client.dialer?.session?.place.call ?? 0,
      protocol: 0xc021,
      information: Uint8Array.from([1, 77, 0, 4]),
    });
    world.until(() => client.dialer?.session?.state !== 'up', 1_000);
    expect(world.until(() => client.dialer?.session?.state === 'up', 10_000)).toBe(true);
    expect(client.said('dialling')).toBe(1);

    world.resetTcp();
    world.until(() => client.dialer?.status === 'Terminated', 1_000);
    const endedAtMs = world.clock.nowMs();
    world.until(() => client.dialer?.status === 'Dialing', 10_000);
    expect(Math.round((world.clock.nowMs() - endedAtMs) / 100)).toBe(10);
    client.connect().expectCleanEnd();
  });

  it('goes on a second and a third time', () => {
    const client = new Client().connect();
    for (let kills = 0; kills < 3; kills += 1) client.kill();
    expect(client.dialer?.session?.state).toBe('up');
    expect([client.said('dialling'), client.world.server.sessions.size]).toEqual([1, 1]);
    client.expectCleanEnd();
  });

  it('has what its profile gave it, and its next session what the profile gives then', () => {
    const client = new Client().connect();
    client.profiles = client.profiles.map((profile) => ({ ...profile, useEncryption: 'no' }));
    client.kill();
    expect(client.dialer?.session?.agreed?.mppe?.bits).toBe(128);
    client.world.resetTcp();
    client.world.until(() => client.dialer?.status === 'Terminated', 1_000);
    client.connect();
    expect(client.dialer?.session?.agreed?.mppe).toBeUndefined();
  });

  it('has the static routes that lead through it then', () => {
    const client = new Client().connect();
    const destination = { address: ip('10.60.0.0'), length: 16 };
    const gateway = { interfaceName: 'pptp-out1' };
    client.routes = [{ ...defaultsOf(routeMenu), dstAddress: destination, gateway }];
    client.kill();
    const { performed } = client.world.clientHost.engine;
    const route = { request: 'add-route', interfaceIndex: 100, destination, metric: 1 } as const;
    expect(performed).toContainEqual(encodeRequests([route]));
    client.expectCleanEnd();
  });

  it('learns of what has happened to it meanwhile: it is over, and dialled anew', () => {
    const client = new Client().connect();
    client.world.clock.arm(100, () => {
      for (const session of client.world.server.sessions.keys()) session.end('admin-reset');
    });
    client.kill();
    client.world.until(() => client.said('dialling') === 2, 10_000);
    expect(client.said('pptp-out1: terminating... - terminated by the peer')).toBe(1);
    client.connect().expectCleanEnd();
  });
});

describe('a tunnel whose entry was changed while control was away', () => {
  const changes: readonly (readonly [what: string, change: Partial<ClientSettings>])[] = [
    ['another MTU', { maxMtu: 1400 }],
    ['another password', { password: new Password('anders') }],
    ['a default route', { addDefaultRoute: true }],
    ['a comment', { comment: 'to the office' }],
  ];
  it.each(changes)('is ended in order and dialled anew: %s', (_, change) => {
    const client = new Client().connect();
    client.clients = [{ ...entry, ...change }];
    client.kill();
    expect(client.said('pptp-out1: terminating... - the client was disabled')).toBe(1);
    expect(client.said('<pptp-anna>: terminating... - terminated by the peer')).toBe(1);
    expect(client.said('closing a call')).toBe(0);
    client.world.until(() => client.said('dialling') > 1, 5_000);
    expect(client.said('dialling')).toBe(2);
    client.expectCleanEnd();
  });

  const removals: readonly (readonly [what: string, left: readonly ClientSettings[]])[] = [
    ['removed', []],
    ['disabled', [{ ...entry, disabled: true }]],
    ['of no profile', [{ ...entry, profile: 'none' }]],
  ];
  it.each(removals)('is ended in order, with all that it had in the kernel: %s', (_, left) => {
    for (const more of [{}, { addDefaultRoute: true }, { dialOnDemand: true, addDefaultRoute: true }]) {
      const client = new Client(more);
      if (more.dialOnDemand) wake(client);
      client.connect();
      client.clients = left;
      client.kill();
      client.world.until(() => false, 5_000);
      expect(client.said('pptp-out1: terminating... - the client was disabled')).toBe(1);
      expect(client.world.clientHost.engine.linkNames).toEqual([]);
      expect(client.detours.at(-1)).toBe(more.addDefaultRoute ? 'deleted' : undefined);
      expect([client.dialer, client.said('dialling')]).toEqual([undefined, 1]);
      client.expectCleanEnd();
    }
  });
});

/** The host sends a packet for the tunnel. */
function wake({ world }: Client): void {
  world.until(() => world.clientHost.engine.linkNames.length > 0, 1_000);
  world.clientHost.engine.transmit('pptp-out1', new Uint8Array(40));
}

describe('a tunnel with the default route', () => {
  it('keeps the way to its server, which goes with it', () => {
    const client = new Client({ addDefaultRoute: true }).connect();
    expect(client.detours).toEqual(['deleted', 'added']);
    client.kill();
    expect(client.detours).toEqual(['deleted', 'added']);
    client.expectCleanEnd();
    expect(client.detours).toEqual(['deleted', 'added', 'deleted']);
  });

  it('leaves no way to its server if it was not up, whatever has become of its entry', () => {
    const client = new Client({ addDefaultRoute: true });
    client.world.until(() => client.detours.includes('added'), 1_000);
    client.world.until(() => client.dialer?.session !== undefined, 1_000);
    client.clients = [];
    client.kill();
    expect(client.detours).toEqual(['deleted', 'added', 'deleted']);
    expect(client.said('closing a call of 192.0.2.1')).toBe(1);
    client.expectCleanEnd();
  });
});

describe('a client that dials on demand', () => {
  it('goes on, and waits on the same interface when its tunnel has ended', () => {
    const client = new Client({ dialOnDemand: true });
    wake(client);
    client.connect().kill();
    const { world, dialer } = client;
    expect([dialer?.status, dialer?.session?.state]).toEqual(['Connected', 'up']);
    expect(client.said('dialling')).toBe(1);

    const lines: string[] = [];
    world.clientHost.carry = (command, send) => {
      if (command.kind === 'link-open' || command.kind === 'link-close') lines.push(command.kind);
      send(command);
    };
    world.resetTcp();
    expect(world.until(() => dialer?.status === 'waiting for packets...', 5_000)).toBe(true);
    expect(lines).toEqual([]);
    wake(client);
    client.connect();
    client.expectCleanEnd();
    expect(lines).toEqual(['link-close']);
  });

  it('shares no gateway with one that begins after it', () => {
    const client = new Client({ dialOnDemand: true });
    wake(client);
    client.connect();
    client.clients = [...client.clients, { ...entry, name: 'pptp-out2', dialOnDemand: true }];
    client.kill();
    const { gateways } = client.world.clientHost.services;
    expect(gateways.take()).toBe(ip('10.112.112.4'));
    client.expectCleanEnd();
  });

  it('waits anew if it was waiting, and leaves nothing of the interface before', () => {
    const client = new Client({ dialOnDemand: true });
    client.world.until(() => client.dialer?.status === 'waiting for packets...', 1_000);
    client.kill();
    expect(client.dialer?.status).toBe('waiting for packets...');
    expect(client.world.clientHost.engine.linkNames).toEqual(['pptp-out1']);
    wake(client);
    client.connect().expectCleanEnd();
  });
});

describe('a client whose control is killed at whatever step of a dial', () => {
  it.each([{}, { dialOnDemand: true, addDefaultRoute: true }])('is up again: %j', (more) => {
    for (let steps = 0; steps < 80; steps += 2) {
      const client = new Client(more);
      if (more.dialOnDemand) wake(client);
      for (let step = 0; step < steps; step += 1) client.world.clock.step();
      client.kill();
      if (more.dialOnDemand && client.dialer?.status === 'waiting for packets...') wake(client);
      client.connect();
      expect(client.world.server.sessions.size, `after ${steps} steps`).toBe(1);
      client.expectCleanEnd();
    }
  });
});

describe('a tunnel of another release', () => {
  it('goes on if its memo says more than is known here, and less than is said here', () => {
    const client = new Client();
    writeMemos(client, (memo) => {
      const dialled = memo.dialled as { readonly entry: Readonly<Record<string, string>> };
      const { allow: _, ...known } = dialled.entry;
      return { ...memo, colour: 'green', dialled: { ...dialled, entry: { ...known, shape: 'round' } } };
    });
    client.connect().kill();
    expect(client.dialer?.session?.state).toBe('up');
    expect(client.said('dialling')).toBe(1);
    client.expectCleanEnd();
  });

  it('is closed in order and dialled anew if that release told nothing of its clients', () => {
    const client = new Client();
    writeMemos(client, () => ({}));
    client.connect().kill();
    expect(client.said('closing a call of 192.0.2.1')).toBe(1);
    expect(client.said('<pptp-anna>: terminating... - stopped by the peer')).toBe(1);
    expect(client.said('dialling')).toBe(2);
    client.connect().expectCleanEnd();
  });
});
