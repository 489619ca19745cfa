/** A session from call to end, the real server and the real client over fake engines: what it does when something happens. */

import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/aaa/verdict.ts';
import { toHex } from '../../../src/base/bytes.ts';
import type { Malformed } from '../../../src/base/fault.ts';
import { limits } from '../../../src/base/limits.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import type { Command } from '../../../src/datapath/contract.ts';
import { calm } from '../../../src/datapath/fake-wire.ts';
import { codes } from '../../../src/ppp/packet.ts';
import { ipcpProtocol } from '../../../src/ppp/protocol.ts';
import { Framing } from '../../../src/pptp/framing.ts';
import { encode, type Message } from '../../../src/pptp/messages.ts';
import { echoTally, roundTripSeconds } from '../../../src/session/echoes.ts';
import type { EndingCause } from '../../../src/session/ending.ts';
import { staticServerMenu } from '../../../src/session/server-settings.ts';
import type { Session } from '../../../src/session/session.ts';
import { setUpPhases } from '../../../src/session/set-up.ts';
import { setUpPhaseSeconds, setUpSeconds } from '../../../src/session/tally.ts';
import { ip } from '../../sim/tunnel-host.ts';
import {
  allAddresses,
  localAuthority,
  plainSettings,
  TunnelWorld,
  usersOf,
  type WorldSettings,
} from '../../sim/tunnel-world.ts';

type Changes = Partial<WorldSettings> & {
  readonly server?: Partial<WorldSettings['configuration']['server']>;
};

function open({ server = {}, ...changes }: Changes = {}): TunnelWorld {
  const plain = plainSettings();
  const configuration = { ...plain.configuration, server: { ...plain.configuration.server, ...server } };
  const world = new TunnelWorld(1, { ...plain, configuration, ...changes });
  world.until(() => world.isReady, 100);
  return world;
}

/** A world in which the tunnel is up, and its server's session. */
function openUp(changes?: Changes): { readonly world: TunnelWorld; readonly session: Session } {
  const world = open(changes);
  if (!world.until(() => world.ends !== undefined, 5_000)) throw new Error(world.describe());
  return { world, session: world.ends?.server as Session };
}

/** The causes that the sessions of the server ended with. */
function serverCauses(world: TunnelWorld): readonly string[] {
  return [...world.serverHost.endings.values()].flat();
}

function untilEnded(world: TunnelWorld, withinMs: number): readonly string[] {
  world.until(() => world.serverHost.endings.size > 0, withinMs);
  return serverCauses(world);
}

function said(world: TunnelWorld, text: string): number {
  return world.lines.filter((line) => line.includes(text)).length;
}

function expectNothingLeft({ serverHost, addresses }: TunnelWorld): void {
  const { callIds, links, names, engine } = serverHost;
  expect([callIds.held, links.held, names.held, engine.linkNames]).toEqual([0, 0, 0, []]);
  expect(addresses.usageOf(allAddresses.name)?.used).toBe(0);
}

describe('a session that comes up', () => {
  it('has its interface before the network protocols start, and is up without a restart timer', () => {
    const { world, session } = openUp();
    expect(world.clock.nowMs()).toBeLessThan(100);
    expect(session.name).toBe('<pptp-anna>');
    expect(world.serverHost.engine.linkNames).toEqual(['<pptp-anna>']);
    expect(session.agreed).toMatchObject({ local: ip('10.0.0.1'), remote: ip('10.0.1.9') });
    expect(said(world, 'anna logged in, 10.0.1.9 from 192.0.2.2')).toBe(1);
    expect(said(world, 'using encoding - MPPE128 stateless')).toBe(2);
  });

  it('counts how long each phase of it took, together as long as the whole', () => {
    const read = () => setUpPhases.map((phase) => setUpPhaseSeconds[phase].sum);
    const [before, whole] = [read(), setUpSeconds.sum];
    const world = open();
    world.serverHost.carry = (command, send) => {
      if (command.kind === 'link-open') world.clock.arm(2_000, () => send(command));
      else send(command);
    };
    world.until(() => world.ends !== undefined, 10_000);

    const spent = read().map((sum, at) => sum - (before[at] ?? 0));
    expect(spent[setUpPhases.indexOf('preparing')]).toBeCloseTo(2, 1);
    expect(spent.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(setUpSeconds.sum - whole);
  });

  it('keeps the frames that come while its interface is being made', () => {
    const world = open();
    world.serverHost.carry = (command, send) => {
      if (command.kind === 'link-open') world.clock.arm(200, () => send(command));
      else send(command);
    };
    world.until(() => world.ends !== undefined, 5_000);
    expect(world.clock.nowMs()).toBeGreaterThan(200);
    expect(world.clock.nowMs()).toBeLessThan(300);
  });

  it('bears the name of the static entry of its user', () => {
    const staticServers = [{ ...defaultsOf(staticServerMenu), name: 'pptp-in1', user: 'anna' }];
    const { configuration } = plainSettings();
    const { world } = openUp({ configuration: { ...configuration, staticServers } });
    expect(world.serverHost.engine.linkNames).toEqual(['pptp-in1']);
  });

  it('has the MTU that the smaller side allows, less four octets for MPPE, and an MSS that fits', () => {
    const commands: Command[] = [];
    const world = open({ server: { maxMtu: 1400 } });
    world.serverHost.carry = (command, send) => {
      commands.push(command);
      send(command);
    };
    world.until(() => world.ends !== undefined, 5_000);
    const attached = commands.find((command) => command.kind === 'call-attach');
    expect(attached).toMatchObject({ mssClamp: 1400 - 4 - 40 });
    const setLink = world.serverHost.engine.performed[0] ?? new Uint8Array();
    // IFLA_MTU (4), 1396.
    expect(toHex(setLink)).toContain('0800040074050000');
  });

  it('never goes up if it is not up within a minute', () => {
    const world = open();
    for (const host of [world.serverHost, world.clientHost]) {
      host.carry = (command, send) => {
        if (command.kind === 'link-open') world.clock.arm(2 * limits.sessionSetUpMs, () => send(command));
        else send(command);
      };
    }
    world.until(() => said(world, 'terminating...') > 0, 2 * limits.sessionSetUpMs);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(limits.sessionSetUpMs);
    expect(world.clock.nowMs()).toBeLessThan(limits.sessionSetUpMs + 100);
    expect(said(world, 'terminating... - the session was not up in time')).toBe(1);
  });
});

describe('a session that is up', () => {
  it('probes a silent peer five times, a second apart, and ends after 35 s', () => {
    const { world } = openUp({ client: { ...plainSettings().client, keepaliveTimeout: 'disabled' } });
    world.until(() => false, 1_000);
    const heardMs = world.clock.nowMs();
    const [sent, missed] = [echoTally.read('sent'), echoTally.read('missed')];
    world.exchangePackets();
    world.until(() => false, 2);
    world.wire.conditions = { ...calm, grePasses: false };
    expect(untilEnded(world, 60_000)).toEqual(['echo-lost']);
    const lines = world.lines.filter((line) => line.endsWith('<pptp-anna>: LCP missed echo reply'));
    const times = lines.map((line) => Math.round((Number.parseInt(line, 10) - heardMs) / 1_000));
    expect(times).toEqual([31, 32, 33, 34, 35]);
    expect([echoTally.read('sent') - sent, echoTally.read('missed') - missed]).toEqual([5, 5]);
  });

  it('knows how long the way to a silent peer and back is', () => {
    const { world } = openUp({ client: { ...plainSettings().client, keepaliveTimeout: 'disabled' } });
    world.wire.conditions = { ...calm, delayMs: 40 };
    const before = [...roundTripSeconds.counts];

    world.until(() => false, 31_000);

    const within = roundTripSeconds.bounds.indexOf(0.1);
    expect(roundTripSeconds.counts.map((count, at) => count - (before[at] ?? 0))[within]).toBe(1);
  });

  it('goes on when the peer answers the last probe but one', () => {
    const { world, session } = openUp({
      client: { ...plainSettings().client, keepaliveTimeout: 'disabled' },
    });
    world.wire.conditions = { ...calm, grePasses: false };
    world.until(() => said(world, 'LCP missed echo reply') === 3, 40_000);
    world.wire.conditions = calm;
    world.until(() => false, 3_000);
    expect(session.state).toBe('up');
    expect(said(world, 'terminating')).toBe(0);
  });

  it('ends when its time is over', () => {
    const serverProfile = { ...plainSettings().serverProfile, sessionTimeout: 10_000 };
    const { world } = openUp({ serverProfile });
    expect(untilEnded(world, 20_000)).toEqual(['session-timeout']);
    expect(world.clock.nowMs()).toBeLessThan(11_000);
    expect(said(world, 'server info anna logged out, 10 ')).toBe(1);
  });

  it('ends when nobody has used it for its idle time, and not sooner', () => {
    const serverProfile = { ...plainSettings().serverProfile, idleTimeout: 20_000 };
    const { world } = openUp({ serverProfile });
    world.until(() => false, 15_000);
    world.exchangePackets();
    expect(untilEnded(world, 19_000)).toEqual([]);
    expect(untilEnded(world, 2_000)).toEqual(['idle-timeout']);
  });

  it('lets the network go and come back, without a second log-in and without a second interface', () => {
    const { world, session } = openUp();
    world.until(() => false, 5_000);
    const call = world.ends?.client.place.call ?? 0;
    const information = Uint8Array.from([codes.configureRequest, 99, 0, 10, 3, 6, 10, 0, 1, 9]);
    world.clientHost.switchboard.send({ kind: 'call-frame', call, protocol: ipcpProtocol, information });
    expect(world.until(() => session.state === 'networking', 1_000)).toBe(true);
    expect(session.agreed).toBeUndefined();
    expect(world.until(() => world.ends !== undefined, 5_000)).toBe(true);
    expect(said(world, 'logged in')).toBe(1);
    expect(session.uptimeMs).toBeGreaterThan(5_000);
    expect(world.serverHost.engine.linkNames).toEqual(['<pptp-anna>']);
  });

  it('comes back with the same address after LCP has started over, also if the user may be there only once', () => {
    const serverProfile = { ...plainSettings().serverProfile, onlyOne: 'yes' } as const;
    const { world, session } = openUp({ serverProfile });
    world.restartLcp();
    expect(world.until(() => session.state === 'linking', 1_000)).toBe(true);
    expect(world.until(() => world.ends !== undefined, 10_000)).toBe(true);
    expect(world.ends?.server).toBe(session);
    expect(session.agreed?.remote).toBe(ip('10.0.1.9'));
    expect(said(world, 'logged in')).toBe(1);
    expect(serverCauses(world)).toEqual([]);
  });

  it("does not give one user's address to another who comes over the same link", () => {
    const plain = plainSettings();
    const users = localAuthority(usersOf(plain.secret, plain.serverProfile));
    let judged = 0;
    const { world } = openUp({
      authority: {
        judge: (question, answer) => {
          judged += 1;
          users.judge(question, (verdict) =>
            answer(verdict.accept && judged > 1 ? { ...verdict, user: 'berta' } : verdict),
          );
        },
      },
    });
    world.restartLcp();
    expect(untilEnded(world, 10_000)).toEqual(['authentication-failed']);
    expect(judged).toBe(2);
    expect(said(world, 'berta')).toBe(0);
  });

  it('counts its uptime until the cause of its end, not until the engine has let go', () => {
    const { world, session } = openUp();
    world.until(() => false, 10_000);
    world.wire.conditions = { ...calm, grePasses: false };
    session.end('admin-reset');
    const uptimeMs = session.uptimeMs;
    world.until(() => session.state === 'ended', 10_000);
    expect(session.uptimeMs).toBe(uptimeMs);
    expect(Math.round(uptimeMs / 1_000)).toBe(10);
  });
});

describe('a session that cannot be', () => {
  it("ends with the kernel's answer in the log if the interface's name is taken", () => {
    const staticServers = [{ ...defaultsOf(staticServerMenu), name: 'eth0', user: 'anna' }];
    const { configuration } = plainSettings();
    const world = open({ configuration: { ...configuration, staticServers } });
    expect(untilEnded(world, 5_000)).toEqual(['interface-failed']);
    expect(said(world, 'eth0: making eth0: EEXIST')).toBe(1);
    expectNothingLeft(world);
  });

  it("ends with the kernel's answer in the log if netlink fails", () => {
    const world = open();
    world.serverHost.carry = (command, send) => {
      send(command.kind === 'netlink' ? { ...command, messages: command.messages.subarray(0, 9) } : command);
    };
    expect(untilEnded(world, 5_000)).toEqual(['interface-failed']);
    expect(said(world, '<pptp-anna>: set-link: EINVAL')).toBe(1);
    expectNothingLeft(world);
  });

  it("ends with the engine's answer in the log if the engine refuses the call", () => {
    const world = open();
    world.serverHost.carry = (command, send) => {
      // The engine holds a call with the same Call ID, of which control does not know.
      if (command.kind === 'call-open') send({ ...command, call: command.call + 0x10000 });
      send(command);
    };
    expect(untilEnded(world, 5_000)).toEqual(['call-refused']);
    expect(said(world, 'terminating... - the engine refused the call (EEXIST)')).toBe(1);
    world.until(() => world.isDown, 5_000);
    expectNothingLeft(world);
  });

  it("ends if there is no address for it, or the address is another's", () => {
    const { secret } = plainSettings();
    const without = open({ secret: { ...secret, remoteAddress: undefined } });
    expect(untilEnded(without, 5_000)).toEqual(['no-address']);

    const taken = open();
    taken.addresses.takeRemote({ address: ip('10.0.1.9') }, 'somebody', 'berta');
    expect(untilEnded(taken, 5_000)).toEqual(['address-in-use']);
    expect(said(taken, 'anna: 10.0.1.9 is in use: session somebody has it')).toBe(1);
    taken.addresses.release('somebody');
    expectNothingLeft(taken);
  });

  it('ends without MPPE keys if encryption is required', () => {
    const plain = plainSettings();
    const world = open({
      server: { authentication: ['chap'] },
      serverProfile: { ...plain.serverProfile, useEncryption: 'required' },
    });
    expect(untilEnded(world, 5_000)).toEqual(['encryption-unavailable']);
    expectNothingLeft(world);
  });
});

describe('a session that ends', () => {
  const ends: readonly [string, EndingCause, (world: TunnelWorld) => void][] = [
    ['the operator', 'admin-reset', ({ ends }) => ends?.server.end('admin-reset')],
    ["the peer's LCP", 'peer-terminated', ({ ends }) => ends?.client.end('admin-reset')],
    ['TCP', 'tcp-closed', (world) => world.resetTcp()],
    [
      'a disabled server',
      'server-disabled',
      ({ server }) => {
        const { configuration } = plainSettings();
        server.configure({ ...configuration, server: { ...configuration.server, enabled: false } });
      },
    ],
    [
      "Call-Clear-Request with a call id that is nobody's",
      'peer-cleared',
      ({ clientHost }) => {
        const [connection = 0] = clientHost.connections;
        const bytes = encode({ name: 'callClearRequest', callId: 0xdead });
        clientHost.switchboard.send({ kind: 'tcp-send', connection, bytes });
      },
    ],
  ];

  it.each(ends)('by %s has one cause, one summary, and gives everything back', (_by, cause, act) => {
    const { world } = openUp();
    world.until(() => false, 3_000);
    act(world);
    expect(untilEnded(world, 10_000)).toEqual([cause]);
    expect(said(world, 'server info <pptp-anna>: terminating...')).toBe(1);
    expect(said(world, 'server info anna logged out, 3 ')).toBe(1);
    expect(said(world, 'clear-stale')).toBe(0);
    expectNothingLeft(world);
  });

  it('keeps its first cause', () => {
    const { world, session } = openUp();
    session.end('admin-reset');
    session.end('idle-timeout');
    world.resetTcp();
    expect(untilEnded(world, 10_000)).toEqual(['admin-reset']);
  });

  it('waits for an interface that is still being made, and removes it', () => {
    const world = open();
    world.serverHost.carry = (command, send) => {
      if (command.kind === 'link-open') world.clock.arm(3_000, () => send(command));
      else send(command);
    };
    world.until(() => said(world, '<pptp-anna>: authenticated') > 0, 1_000);
    for (const session of world.server.sessions.keys()) session.end('admin-reset');
    world.dialer.end('client-disabled', () => {});
    world.until(() => false, 2_500);
    expect(serverCauses(world)).toEqual([]);
    expect(world.serverHost.names.held).toBe(1);
    expect(untilEnded(world, 5_000)).toEqual(['admin-reset']);
    expect(world.serverHost.engine.linkNames).toEqual([]);
  });

  it('takes nothing for a verdict that comes after the end', () => {
    let answerLate: ((verdict: Verdict) => void) | undefined;
    const plain = plainSettings();
    const users = localAuthority(usersOf(plain.secret, plain.serverProfile));
    let verdict: Verdict | undefined;
    const world = open({
      authority: {
        judge: (question, answer) => {
          users.judge(question, (judged) => {
            verdict = judged;
          });
          answerLate ??= answer;
        },
      },
    });
    world.until(() => answerLate !== undefined, 1_000);
    world.resetTcp();
    expect(untilEnded(world, 1_000)).toEqual(['tcp-closed']);
    expect(verdict?.accept).toBe(true);
    if (verdict !== undefined) answerLate?.(verdict);
    world.dialer.end('client-disabled', () => {});
    world.until(() => false, 10_000);
    expect(said(world, 'authenticated')).toBe(0);
    expectNothingLeft(world);
  });

  it("tells the peer's machine why, in LCP and in PPTP", () => {
    const { world, session } = openUp();
    session.end('admin-reset');
    world.until(() => world.clientHost.endings.size > 0, 5_000);
    expect([...world.clientHost.endings.values()]).toEqual([['peer-terminated']]);
    expect(world.describe()).toContain(toHex(new TextEncoder().encode('disconnected by the operator')));
  });
});

/** Of a client that wants another call over its connection. */
const secondCall = encode({
  name: 'outgoingCallRequest',
  callId: 4711,
  callSerialNumber: 2,
  minimumBps: 300,
  maximumBps: 100_000_000,
  bearerType: 3,
  framingType: 3,
  packetRecvWindowSize: 64,
  packetProcessingDelay: 0,
  phoneNumberLength: 0,
  phoneNumber: '',
  subaddress: '',
});

describe('the server under the next control process', () => {
  it('tells a peer that a call is over which was not up, on the connection of one that goes on', () => {
    const { world, session } = openUp();
    const [connection = 0] = world.clientHost.connections;
    world.clientHost.switchboard.send({ kind: 'tcp-send', connection, bytes: secondCall });
    world.until(() => world.server.sessions.size === 2, 1_000);
    const [second] = [...world.server.sessions.keys()].filter((each) => each !== session);
    world.until(() => second?.state === 'linking', 1_000);
    const told: (Message | Malformed)[] = [];
    world.serverHost.carry = (command, send) => {
      // Our client, which has not placed the call itself, would take it for its only one.
      if (command.kind === 'tcp-send') told.push(...new Framing().push(command.bytes));
      else send(command);
    };

    world.killServerControl(100);
    world.until(() => world.isReady && said(world, 'closing a call of 192.0.2.2') > 0, 1_000);
    world.until(() => false, 1_000);

    const callId = (second?.place.call ?? 0) & 0xffff;
    expect(told).toMatchObject([{ name: 'callDisconnectNotify', callId, resultCode: 3 }]);
    expect(world.ends?.server.place).toEqual(session.place);
    const { callIds, licence, engine } = world.serverHost;
    expect([callIds.held, licence.used, engine.linkNames]).toEqual([1, 1, ['<pptp-anna>']]);
    world.count();
    world.until(() => world.serverHost.totals !== undefined, 100);
    expect(world.serverHost.totals).toMatchObject({ calls: 1, connections: 1 });
  });

  it('stops the connection of a call that was not up before it is closed', () => {
    const world = open({ judgeMs: 10_000 });
    world.until(() => world.server.sessions.size > 0, 1_000);
    const told: (Message | Malformed)[] = [];
    world.serverHost.carry = (command, send) => {
      if (command.kind === 'tcp-send') told.push(...new Framing().push(command.bytes));
      send(command);
    };

    world.killServerControl(100);
    world.until(() => said(world, 'terminating...') > 0, 1_000);

    expect(told).toMatchObject([{ name: 'stopControlConnectionRequest', reason: 3 }]);
    expect(said(world, 'terminating... - stopped by the peer')).toBe(1);
  });
});

describe('the server', () => {
  const disabled = () => {
    const { configuration } = plainSettings();
    return { ...configuration, server: { ...configuration.server, enabled: false } };
  };

  it('is done at once when there is nothing, and says so once', () => {
    const world = open({ client: { ...plainSettings().client, connectTo: undefined } });
    let done = 0;
    world.server.end('shut-down', () => {
      done += 1;
    });
    expect(done).toBe(1);
    world.server.configure(plainSettings().configuration);
    world.until(() => false, 1_000);
    expect(done).toBe(1);
    expect(said(world, 'listening')).toBe(1);
  });

  it('ends its sessions and its connections before it is done, at whatever step of a dial it is asked', () => {
    for (let steps = 0; steps < 150; steps += 1) {
      const world = open();
      for (let step = 0; step < steps; step += 1) world.clock.step();
      let done = 0;
      world.server.end('shut-down', () => {
        done += 1;
        expect(world.server.sessions.size).toBe(0);
      });
      expect(
        world.until(() => done > 0, 30_000),
        `after ${steps} steps`,
      ).toBe(true);
      world.dialer.end('client-disabled', () => {});
      world.until(() => false, 15_000);
      expect([steps, done, serverCauses(world).length <= 1]).toEqual([steps, 1, true]);
      expectNothingLeft(world);
      expect(world.serverHost.connections.size).toBe(0);
    }
  });

  it('refuses connections while it is disabled, and takes them again', () => {
    const world = open();
    world.until(() => world.ends !== undefined, 1_000);
    world.server.configure(disabled());
    world.until(() => world.serverHost.connections.size === 0, 10_000);
    expect(world.until(() => said(world, 'ECONNREFUSED') > 0, 10_000)).toBe(true);
    world.server.configure(plainSettings().configuration);
    expect(world.until(() => world.ends !== undefined, 60_000)).toBe(true);
  });

  it('takes no new call on a connection that was there before it was disabled', () => {
    const { world } = openUp();
    world.clientHost.carry = (command, send) => {
      // The client stays on the line, whatever it is told.
      if (command.kind !== 'tcp-send' && command.kind !== 'tcp-close') send(command);
    };
    world.server.configure(disabled());
    const [connection = 0] = world.clientHost.connections;
    const held = world.serverHost.callIds.held;
    world.clientHost.carry = (command, send) => send(command);
    world.clientHost.switchboard.send({ kind: 'tcp-send', connection, bytes: secondCall });
    world.until(() => said(world, 'refused: the server takes no more') > 0, 1_000);
    expect(said(world, 'call of 192.0.2.2 refused: the server takes no more')).toBe(1);
    expect(world.serverHost.callIds.held).toBeLessThanOrEqual(held);
    world.until(() => world.isDown, 60_000);
    expectNothingLeft(world);
  });

  it('says where a connection came from and why it ended, in words', () => {
    const { world } = openUp();
    world.resetTcp();
    world.until(() => said(world, 'ended: TCP connection lost') > 0, 5_000);
    expect(said(world, 'TCP connection established from 192.0.2.2')).toBe(1);
    expect(said(world, 'TCP connection of 192.0.2.2 ended: TCP connection lost')).toBe(1);
  });

  it('tells the operator who has the port, if it cannot listen', () => {
    const world = open({ configuration: disabled() });
    world.serverHost.switchboard.listen(
      { address: 0, port: 1723, backlog: 1 },
      () => {},
      () => {},
    );
    world.server.configure(plainSettings().configuration);
    world.until(() => said(world, 'cannot listen') > 0, 100);
    expect(said(world, 'cannot listen on TCP 1723: EADDRINUSE')).toBe(1);
  });
});
