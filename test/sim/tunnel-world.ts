/**
 * A whole tunnel in virtual time: our client (client/dialer.ts) on one fake engine, our server (session/server.ts) on another,
 * composed as main.ts composes them, with a wire between that does what a seed says. Everything that crosses the contract or
 * the wire passes a referee; the laws of the end are the test's.
 */

import { UserAuthority } from '../../src/aaa/authority.ts';
import type { LocalUsers } from '../../src/aaa/local.ts';
import { type PppSecret, type Profile, profileMenu, secretMenu } from '../../src/aaa/settings.ts';
import { toBytes, toHex } from '../../src/base/bytes.ts';
import { VirtualClock } from '../../src/base/clock.ts';
import { formatIpv4, type Ipv4 } from '../../src/base/ip.ts';
import { silent } from '../../src/base/observe.ts';
import { seededRandom } from '../../src/base/random.ts';
import { defaultsOf } from '../../src/base/setting.ts';
import { Dialer, type Resolve } from '../../src/client/dialer.ts';
import { type ClientSettings, clientMenu } from '../../src/client/settings.ts';
import { type GrePacket, Wire } from '../../src/datapath/fake-wire.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import type { MppePolicy } from '../../src/ppp/ccp/options.ts';
import { codes } from '../../src/ppp/packet.ts';
import { lcpProtocol, protocolName } from '../../src/ppp/protocol.ts';
import { attributeCodec } from '../../src/radius/codec.io.ts';
import { Addresses } from '../../src/session/addresses.ts';
import type { InheritedDial } from '../../src/session/estate.ts';
import { Server, type ServerConfiguration } from '../../src/session/server.ts';
import { serverMenu } from '../../src/session/server-settings.ts';
import type { Session } from '../../src/session/session.ts';
import type { Authority } from '../../src/session/subscriber.ts';
import { Host, ip, packets, places, timeOf } from './tunnel-host.ts';

/** Commands and events of one run, both engines together: more is a loop. */
const exchangesMax = 20_000;

/** Every address that a tunnel of this world may have: for the count at the end. */
export const allAddresses = { name: 'all', first: ip('10.0.0.0'), last: ip('10.0.255.255') } as const;

function hostName(address: Ipv4): string {
  return address === places.server ? 'server' : 'client';
}

/** A wire on which everything is seen. */
class WatchedWire extends Wire {
  watch: (from: Ipv4, packet: GrePacket) => void = () => {};

  override sendGre(from: Ipv4, to: Ipv4, packet: GrePacket): void {
    this.watch(from, packet);
    super.sendGre(from, to, packet);
  }
}

export interface WorldSettings {
  readonly configuration: ServerConfiguration;
  readonly secret: PppSecret;
  readonly serverProfile: Profile;
  readonly pools: Parameters<Addresses['configure']>[0];
  readonly client: ClientSettings;
  readonly clientProfile: Profile;
  /** How long the authority thinks; 0: it answers at once. */
  readonly judgeMs: number;
  /** Instead of all that there is. */
  readonly serverMppe?: MppePolicy;
  readonly clientMppe?: MppePolicy;
  /** Judges instead of the secret. */
  readonly authority?: Authority;
}

/** The local database with one user. */
export function usersOf(secret: PppSecret, profile: Profile): LocalUsers {
  const fallback = { ...defaultsOf(profileMenu), name: 'default-encryption' };
  return {
    secrets: new Map([[secret.name, secret]]),
    profiles: new Map([profile, fallback].map((each) => [each.name, each])),
  };
}

/** Who judges by the local database alone, at once. */
export function localAuthority(users: LocalUsers): Authority {
  const ask = () => {
    throw new Error('there is no RADIUS server in this world');
  };
  const ports = { ask, codec: attributeCodec, clock: { wallMs: () => 0 }, log: silent };
  return new UserAuthority(ports, { ...users, aaa: { useRadius: false } });
}

/** One user with one password on both sides, and all else as the manuals have it. */
export function plainSettings(): WorldSettings {
  const password = new Password('Geheim?1');
  const profile = { ...defaultsOf(profileMenu), name: 'plain', useEncryption: 'yes' } as const;
  return {
    configuration: { server: { ...defaultsOf(serverMenu), enabled: true }, staticServers: [] },
    secret: {
      ...defaultsOf(secretMenu),
      name: 'anna',
      password,
      profile: 'plain',
      localAddress: { address: ip('10.0.0.1') },
      remoteAddress: { address: ip('10.0.1.9') },
    },
    serverProfile: profile,
    pools: [],
    client: {
      ...defaultsOf(clientMenu),
      name: 'pptp-out1',
      disabled: false,
      connectTo: { address: places.server },
      user: 'anna',
      password,
    },
    clientProfile: profile,
    judgeMs: 0,
  };
}

export class TunnelWorld {
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  readonly random: ReturnType<typeof seededRandom>;
  readonly wire: WatchedWire;
  addresses: Addresses;
  /** What control of the client is: one dialler, unless a test has it otherwise. */
  clientControl: ConstructorParameters<typeof Host>[3];
  readonly serverHost: Host;
  readonly clientHost: Host;
  readonly #frames: { readonly atMs: number; readonly from: Ipv4; readonly packet: GrePacket }[] = [];
  /** The client's name server: every name is the server's. */
  resolve: Resolve = (_, found) => void this.clock.arm(30, () => found(places.server));
  /** Newest sequence number that each host has sent, and to which Call ID. */
  readonly #newest = new Map<Ipv4, GrePacket>();
  /** Sessions that were up when control of the server was killed, by Acct-Session-Id: all of them go on. */
  #standing: string[] = [];
  /** The same of the client. */
  #wasStanding = false;
  #server: Server | undefined;
  #dialer: Dialer | undefined;
  #exchanges = 0;

  constructor(seed: number, settings: WorldSettings) {
    this.random = seededRandom(seed);
    this.wire = new WatchedWire({ clock: this.clock, random: this.random });
    this.wire.watch = (from, packet) => this.#watch(from, packet);
    this.addresses = this.#newAddresses(settings);
    this.serverHost = new Host(this, 'server', places.server, {
      resume: ({ tunnels }) => {
        const resumed = this.#newServer(settings).resume(tunnels);
        for (const sessionId of this.#standing.splice(0)) {
          if (this.server.sessionById(sessionId) === undefined) throw new Error(`${sessionId} did not go on`);
        }
        return resumed;
      },
      done: () => this.server.open(),
    });
    this.clientControl = {
      resume: ({ dials }) => this.#resumeDials(dials, settings),
      done: () => {
        if (this.#dialer === undefined) this.#newDialer(settings).begin();
      },
    };
    this.clientHost = new Host(this, 'client', places.client, {
      resume: (inherited) => this.clientControl.resume(inherited),
      done: () => this.clientControl.done(),
    });
    if (settings.serverMppe !== undefined) this.serverHost.mppe = settings.serverMppe;
    if (settings.clientMppe !== undefined) this.clientHost.mppe = settings.clientMppe;
  }

  get exchanges(): number {
    return this.#exchanges;
  }

  get isReady(): boolean {
    return this.#server !== undefined && this.#dialer !== undefined;
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error('the server has not begun');
    return this.#server;
  }

  get dialer(): Dialer {
    if (this.#dialer === undefined) throw new Error('the client has not begun');
    return this.#dialer;
  }

  /** The two ends of a tunnel that both call up. */
  get ends(): { readonly server: Session; readonly client: Session } | undefined {
    const client = this.#dialer?.session;
    if (client?.state !== 'up' || this.#server === undefined) return undefined;
    const servers = [...this.#server.sessions.keys()].filter(({ state }) => state === 'up');
    return servers.length === 1 && servers[0] ? { server: servers[0], client } : undefined;
  }

  /** Nobody has anything, and the client waits for its next attempt. */
  get isDown(): boolean {
    const { dialer, server } = this;
    return dialer.status === 'Terminated' && dialer.session === undefined && server.sessions.size === 0;
  }

  exchanged(): void {
    this.#exchanges += 1;
    if (this.#exchanges > exchangesMax) throw new Error('the ends do not come to rest');
  }

  /** Lets time pass until `done`, at most `withinMs`. True if it was. */
  until(done: () => boolean, withinMs: number): boolean {
    const deadlineMs = this.clock.nowMs() + withinMs;
    let isOver = false;
    const deadline = this.clock.arm(withinMs, () => {
      isOver = true;
    });
    while (!isOver && !done()) {
      if (!this.clock.step() || this.clock.nowMs() > deadlineMs) break;
    }
    deadline.cancel();
    return done();
  }

  /** Something resets the control connections, and both hosts see it. */
  resetTcp(): void {
    const { connections, switchboard } = this.serverHost;
    for (const connection of connections) switchboard.send({ kind: 'tcp-close', connection, abort: 1 });
  }

  /** The client's LCP starts over: a bare Configure-Request, as of a peer that has forgotten everything. */
  restartLcp(): void {
    const call = this.#dialer?.session?.place.call;
    if (call === undefined) return;
    const information = Uint8Array.from([codes.configureRequest, 77, 0, 4]);
    this.clientHost.switchboard.send({ kind: 'call-frame', call, protocol: lcpProtocol, information });
  }

  /** An attacker who sees everything sends a packet in clear to `to`, with the sequence number that is due. */
  forge(to: Host): void {
    const from = to === this.serverHost ? this.clientHost : this.serverHost;
    const newest = this.#newest.get(from.address);
    if (newest === undefined) return;
    const payload = { is: 'packet', isBridged: false, octets: toBytes(packets.forged) } as const;
    const forged = { callId: newest.callId, sequence: newest.sequence + 1, payload };
    this.wire.station(to.address)?.gre(from.address, forged);
  }

  /** A packet out of each interface that is there. */
  exchangePackets(): void {
    for (const name of this.clientHost.engine.linkNames) {
      this.clientHost.engine.transmit(name, toBytes(packets.upward));
    }
    for (const name of this.serverHost.engine.linkNames) {
      this.serverHost.engine.transmit(name, toBytes(packets.downward));
    }
  }

  /** What the engines still hold. */
  count(): void {
    for (const host of [this.serverHost, this.clientHost]) {
      host.switchboard.counters(({ totals }) => {
        host.totals = totals;
      });
    }
  }

  /** Where the run stands, for a failure. */
  describe(): string {
    const sessions = [...(this.#server?.sessions.keys() ?? [])].map(({ state, agreed }) => {
      return `${state} ${agreed === undefined ? '' : formatIpv4(agreed.remote ?? 0)}`;
    });
    const { status, session } = this.#dialer ?? {};
    const frames = this.#frames.map(({ atMs, from, packet: { callId, sequence, payload } }) => {
      const content = payload.is === 'frame' ? protocolName(payload.protocol) : 'packet';
      const octets = toHex(payload.is === 'frame' ? payload.information : payload.octets);
      return `${timeOf(atMs)} ${hostName(from)} to ${callId} #${sequence} ${content} ${octets}`;
    });
    return [
      `server: ${sessions.join(', ')}; client: ${status} ${session?.state}`,
      ...[...this.lines, ...frames].sort(
        (one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10),
      ),
    ].join('\n');
  }

  #newAddresses({ pools }: WorldSettings): Addresses {
    const addresses = new Addresses({ random: this.random });
    const all = { name: allAddresses.name, ranges: [allAddresses], nextPool: undefined, comment: '' };
    addresses.configure([...pools, all]);
    return addresses;
  }

  /** Control of the client is killed, and comes back in `awayMs`: what was up stays up. */
  killClientControl(awayMs: number): void {
    this.#wasStanding = this.dialer.session?.standing !== undefined;
    this.#dialer = undefined;
    this.clientHost.killControl(awayMs);
  }

  /** Control of the server is killed, and comes back in `awayMs`: what was up stays up. */
  killServerControl(awayMs: number): void {
    const before = [...this.server.sessions].filter(([{ standing }]) => standing !== undefined);
    this.#standing = before.map(([, { identity }]) => identity.sessionId);
    this.#server = undefined;
    this.serverHost.killControl(awayMs);
  }

  #newServer(settings: WorldSettings): Server {
    this.addresses = this.#newAddresses(settings);
    const { configuration, secret, serverProfile, judgeMs, authority } = settings;
    const { clock, ...services } = this.serverHost.services;
    const users = localAuthority(usersOf(secret, serverProfile));
    this.#server = new Server(
      {
        ...services,
        clock,
        addresses: this.addresses,
        proxyArp: { up: () => {}, down: () => {} },
        authority: authority ?? {
          judge: (question, answer) => {
            const judge = () => users.judge(question, answer);
            if (judgeMs === 0) judge();
            else clock.arm(judgeMs, judge);
          },
        },
      },
      configuration,
    );
    return this.#server;
  }

  #resumeDials(dials: readonly InheritedDial[], settings: WorldSettings): ReadonlySet<number> {
    const wasStanding = this.#wasStanding;
    this.#wasStanding = false;
    const tunnel = dials.find((dial) => dial.tunnel !== undefined)?.tunnel;
    if (tunnel !== undefined && this.#newDialer(settings).resume(tunnel)) return new Set([tunnel.place.call]);
    if (wasStanding) throw new Error('the tunnel of the client did not go on');
    return new Set();
  }

  #newDialer({ client, clientProfile }: WorldSettings): Dialer {
    const resolve: Resolve = (hostName, found) => this.resolve(hostName, found);
    this.#dialer = new Dialer(client, clientProfile, { ...this.clientHost.services, resolve });
    return this.#dialer;
  }

  #watch(from: Ipv4, packet: GrePacket): void {
    this.#newest.set(from, packet);
    this.#frames.push({ atMs: this.clock.nowMs(), from, packet });
    const host = from === places.server ? this.serverHost : this.clientHost;
    const { payload } = packet;
    if (payload.is === 'packet' && payload.seal === undefined && host.requiresEncryption) {
      throw new Error(`${host.name}: a packet leaves in clear`);
    }
  }
}
