/** LANs bridged through a session, the real server and the real client over fake engines, whose hosts have a bridge `lan0`. */

import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { type Command, type CommandOf, takes } from '../../../src/datapath/contract.ts';
import { codes } from '../../../src/ppp/packet.ts';
import { bcpProtocol } from '../../../src/ppp/protocol.ts';
import { plainSettings, TunnelWorld, type WorldSettings } from '../../sim/tunnel-world.ts';

const ports = { server: '<bcp-anna>', client: '<bcp-pptp-out1>' } as const;

type Bridges = { readonly server?: string; readonly client?: string };

function open({ server, client }: Bridges, changes: Partial<WorldSettings> = {}): TunnelWorld {
  const plain = { ...plainSettings(), ...changes };
  const world = new TunnelWorld(1, {
    ...plain,
    serverProfile: { ...plain.serverProfile, bridge: server },
    clientProfile: { ...plain.clientProfile, bridge: client },
  });
  world.until(() => world.isReady, 100);
  return world;
}

const both = { server: 'lan0', client: 'lan0' } as const;

function said(world: TunnelWorld, text: string): number {
  return world.lines.filter((line) => line.includes(text)).length;
}

/** A world in which the tunnel is up and both ends have their port. */
function bridged(changes?: Partial<WorldSettings>): TunnelWorld {
  const world = open(both, changes);
  const isUp = world.until(() => world.ends !== undefined && said(world, ': bridged - ') === 2, 5_000);
  if (!isUp) throw new Error(world.describe());
  return world;
}

/** All commands of the server from now on. */
function commandsOf(world: TunnelWorld): Command[] {
  const commands: Command[] = [];
  world.serverHost.carry = (command, send) => {
    commands.push(command);
    send(command);
  };
  return commands;
}

const ofKind = <K extends Command['kind']>(commands: readonly Command[], kind: K) =>
  commands.filter((command): command is CommandOf<K> => command.kind === kind);

const arp = fromHex('ffffffffffff 02005e000001 0806 0001080006040001');

/** Frames that come out of the port of the client's host. */
function framesAtClient(world: TunnelWorld): string[] {
  const frames: string[] = [];
  world.clientHost.engine.onPacket = (name, octets) =>
    void (name === ports.client && frames.push(toHex(octets)));
  return frames;
}

function expectNothingLeft({ serverHost, clientHost }: TunnelWorld): void {
  for (const { links, names, engine } of [serverHost, clientHost])
    expect([links.held, names.held, engine.linkNames]).toEqual([0, 0, []]);
}

describe('a session that bridges', () => {
  it('has a port beside its interface at both ends, and frames cross', () => {
    const world = bridged();
    const frames = framesAtClient(world);
    expect(world.serverHost.engine.linkNames).toEqual(['<pptp-anna>', ports.server]);
    expect(said(world, `${ports.server} is a port of lan0`)).toBe(1);

    world.serverHost.engine.transmit(ports.server, arp);
    world.until(() => frames.length > 0, 100);

    expect(frames).toEqual([toHex(arp)]);
  });

  it.each([
    ['in an Ethernet, at most', { mrru: 1600 }, 1500],
    ['without fragments, what a frame has room for', { mrru: 'disabled' }, 1450 - 4 - 2 - 14 - 4],
  ] as const)('gives its port the MTU that there is %s', (_where, sizes, mtu) => {
    const plain = plainSettings();
    const configuration = { ...plain.configuration, server: { ...plain.configuration.server, ...sizes } };
    const world = bridged({ configuration, client: { ...plain.client, ...sizes } });

    // IFLA_MTU (4), a number of 32 bits.
    const wanted = `08000400${toHex(new Uint8Array(Uint32Array.of(mtu).buffer))}`;
    expect(world.serverHost.engine.performed.some((request) => toHex(request).includes(wanted))).toBe(true);
  });

  it('lets pass what the peer takes, and nothing in clear if encryption is required', () => {
    const plain = plainSettings();
    const world = open(both, { serverProfile: { ...plain.serverProfile, useEncryption: 'required' } });
    const commands = commandsOf(world);
    world.until(() => said(world, ': bridged - ') === 2, 5_000);

    expect(ofKind(commands, 'call-bridge')).toMatchObject([
      { flags: 7, takes: takes.taggedFrames | takes.inlineManagement },
    ]);
  });

  it('keeps its port in the bridge, down, while LCP starts over', () => {
    const world = bridged();
    const commands = commandsOf(world);
    world.restartLcp();
    expect(world.until(() => world.ends === undefined, 1_000)).toBe(true);
    world.until(() => world.ends !== undefined && said(world, ': bridged - ') === 4, 10_000);

    expect(ofKind(commands, 'call-bridge').map(({ link }) => link !== 0)).toEqual([false, true]);
    expect(ofKind(commands, 'link-open')).toEqual([]);
    const frames = framesAtClient(world);
    world.serverHost.engine.transmit(ports.server, arp);
    world.until(() => frames.length > 0, 100);
    expect(frames).toHaveLength(1);
  });

  it('gives its port back at the end, also if it is still being made', () => {
    for (const delayMs of [0, 3_000]) {
      const world = open(both);
      world.serverHost.carry = (command, send) => {
        const isPort = command.kind === 'link-open' && command.bridge !== '';
        if (isPort) world.clock.arm(delayMs, () => send(command));
        else send(command);
      };
      world.until(() => world.ends !== undefined, 5_000);
      world.until(() => false, 1_000);

      world.dialer.end('client-disabled', () => {});
      world.until(() => false, 10_000);

      expectNothingLeft(world);
    }
  });
});

describe('a session that bridges when control is killed', () => {
  it('goes on bridging under the next process, over the same port, without a word to the peer', () => {
    const world = bridged();
    const frames = framesAtClient(world);
    world.killServerControl(200);
    world.serverHost.engine.transmit(ports.server, arp);
    world.until(() => frames.length > 0, 100);
    const commands = commandsOf(world);
    world.until(() => false, 5_000);

    world.serverHost.engine.transmit(ports.server, arp);
    world.until(() => frames.length > 1, 100);
    expect(frames).toEqual([toHex(arp), toHex(arp)]);
    expect(commands.filter(({ kind }) => /^(link-|call-bridge|call-frame)/.test(kind))).toEqual([]);
    expect(said(world, ': bridged - ')).toBe(2);
  });

  it('gives its port back at the end', () => {
    const world = bridged();
    world.killServerControl(200);
    world.until(() => false, 5_000);

    world.dialer.end('client-disabled', () => {});
    world.until(() => false, 10_000);

    expectNothingLeft(world);
  });

  it('agrees on the bridge anew if that was down', () => {
    const world = bridged();
    const call = world.ends?.client.place.call ?? 0;
    const ask = (code: number) => {
      const information = Uint8Array.from([code, 99, 0, 4]);
      world.clientHost.switchboard.send({ kind: 'call-frame', call, protocol: bcpProtocol, information });
    };
    ask(codes.terminateRequest);
    world.until(() => said(world, 'not bridged - ended by the peer') > 0, 10_000);
    world.killServerControl(200);
    world.until(() => false, 10_000);

    expect(said(world, `${ports.server} is a port of lan0`)).toBe(2);
    expect(world.serverHost.engine.linkNames).toEqual(['<pptp-anna>', ports.server]);
  });
});

describe('a session that cannot bridge goes on', () => {
  it.each([
    ['lan9', 'there is no bridge lan9'],
    ['eth0', 'eth0 is not a bridge'],
  ])('where %s is no bridge', (server, trouble) => {
    const world = open({ server, client: 'lan0' });
    world.until(() => said(world, 'ended by the peer') > 0, 5_000);
    world.until(() => false, 30_000);

    expect(said(world, `error <pptp-anna>: not bridged - ${trouble}`)).toBe(1);
    expect(said(world, 'warning pptp-out1: not bridged - ended by the peer')).toBe(1);
    expect(world.ends).toBeDefined();
    expect(world.serverHost.engine.linkNames).toEqual(['<pptp-anna>']);
  });

  it('where the peer does not', () => {
    const world = open({ server: 'lan0' });
    world.until(() => said(world, 'not bridged') > 0 && world.ends !== undefined, 5_000);

    expect(said(world, 'warning <pptp-anna>: not bridged - the peer does not speak BCP')).toBe(1);
    expect(world.ends).toBeDefined();
    expect(world.serverHost.engine.linkNames).toEqual(['<pptp-anna>']);
  });
});
