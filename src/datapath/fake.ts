/**
 * An engine in memory, with the face, the order and the bounds of the real one: for tests and for the simulation of our client
 * against our server. Commands go in; events come out later, by the clock. Engines reach each other over a `Wire`
 * (fake-wire.ts); a host's network packets, and the Ethernet frames of its bridges, go in with `transmit` and come out at
 * `onPacket`. Pure.
 *
 * `connect` gives one control its face. When that control leaves, the engine goes on, as the real one does, and the next
 * control gets the snapshot.
 */

import { concat, toBytes } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import type { Ipv4 } from '../base/ip.ts';
import {
  type Command,
  type CommandOf,
  contractVersion,
  counterRow,
  decodeCommand,
  type Event,
  encodeCommand,
  memoBytesMax,
  workerRow,
} from './contract.ts';
import type { Datapath } from './datapath.ts';
import { FakeCall, type Surroundings } from './fake-call.ts';
import { netlinkMessages, refusalOf } from './fake-netlink.ts';
import { Outbox } from './fake-outbox.ts';
import { FakeTcp, type TcpOwner } from './fake-tcp.ts';
import type { GrePacket, Wire } from './fake-wire.ts';

const errno = { EPERM: 1, EEXIST: 17, ENODEV: 19, EINVAL: 22, EOPNOTSUPP: 95 } as const;

/** Of our first interface: those below are the host's. */
const firstInterfaceIndex = 100;

export interface FakeControl extends Datapath {
  /** Control leaves; the engine goes on. */
  close(): void;
}

export interface FakeEngineOptions {
  readonly wire: Wire;
  readonly address: Ipv4;
  /** Names of the host's other interfaces. */
  readonly foreignLinks?: readonly string[];
  /** Names of the host's bridges. */
  readonly bridges?: readonly string[];
  /** Told once when the engine has ended, by `stop` or `kill`. */
  readonly onEnd?: () => void;
}

interface Link {
  readonly handle: number;
  readonly name: string;
  readonly interfaceIndex: number;
  /** The bridge that it is a port of; empty: none. */
  readonly bridge: string;
  /** Packets of the host that wait for a call. */
  readonly waiting: Uint8Array[];
  isWatched: boolean;
}

/** Packets that wait in one interface, as in the real one. */
const waitingMax = 1000;

type Performers = { readonly [Kind in Command['kind']]: (command: CommandOf<Kind>) => void };

export class FakeEngine {
  /** Netlink requests that were performed, in order, one whole nlmsghdr message each. */
  readonly performed: Uint8Array[] = [];
  /** Who gets the network packets and the bridged frames that calls carry to this host. */
  onPacket: (linkName: string, octets: Uint8Array) => void = () => {};

  readonly #options: FakeEngineOptions;
  readonly #outbox: Outbox;
  readonly #around: Surroundings & TcpOwner;
  readonly #tcp: FakeTcp;
  /** By slot, which is our Call ID. */
  readonly #calls = new Map<number, FakeCall>();
  readonly #links = new Map<number, Link>();
  readonly #totals = { unknownCalls: 0n, staleHandles: 0n };
  #linksMade = 0;
  #control: FakeControl | undefined;
  #ended = false;

  constructor(options: FakeEngineOptions) {
    const { wire, address } = options;
    this.#options = options;
    this.#outbox = new Outbox(wire.clock);
    this.#around = {
      wire,
      address,
      emit: (event) => this.#outbox.emit(event),
      deliver: (link, octets) => this.#deliver(link, octets),
      alone: () => !this.#outbox.present,
    };
    this.#tcp = new FakeTcp(this.#around);
    wire.attach(address, {
      gre: (from, packet) => this.#gre(from, packet),
      dialled: (...asked) => this.#tcp.dialled(...asked),
    });
  }

  /** The face for one control; the one before it, if it is still there, gets no more events. */
  connect(): FakeControl {
    this.#leave();
    const control: FakeControl = {
      send: (command) => {
        if (this.#control === control) this.#perform(command);
      },
      listen: (onEvent) => {
        if (this.#control === control) this.#outbox.listen(onEvent);
      },
      close: () => {
        if (this.#control === control) this.#leave();
      },
    };
    this.#control = control;
    return control;
  }

  /** The host sends a network packet out of an interface, or an Ethernet frame out of a port. */
  transmit(linkName: string, octets: Uint8Array): void {
    const link = [...this.#links.values()].find(({ name }) => name === linkName);
    if (link === undefined) throw new RangeError(`no interface ${linkName}`);
    const joined = [...this.#calls.values()].filter((call) => call.joins(link.handle));
    for (const call of joined) call.sendPacket(link.handle, octets);
    if (joined.length === 0 && link.waiting.length < waitingMax) link.waiting.push(octets);
    this.#checkWanted(link);
  }

  /** Names of the interfaces that it holds. */
  get linkNames(): readonly string[] {
    return [...this.#links.values()].map(({ name }) => name);
  }

  /** Dies at once: the kernel closes its connections, nobody is told about calls. */
  kill(): void {
    for (const call of this.#calls.values()) call.end();
    this.#end();
  }

  #perform(given: Command): void {
    // Through the codec, as to the real engine: a field out of range shows at once, and nobody shares our octets.
    const command = decodeCommand(encodeCommand(given));
    if (command instanceof Malformed) throw new RangeError(`${given.kind}: ${command}`);
    (this.#performers[command.kind] as (command: Command) => void)(command);
  }

  readonly #performers: Performers = {
    hello: ({ version }) => this.#greet(version),
    listen: (command) => this.#tcp.listen(command),
    unlisten: (command) => this.#tcp.unlisten(command),
    connect: (command) => this.#tcp.connect(command),
    'tcp-send': ({ connection, bytes }) => {
      if (this.#tcp.holds(connection)) this.#tcp.send(connection, bytes);
      else this.#totals.staleHandles++;
    },
    'tcp-close': ({ connection, abort }) => {
      if (this.#tcp.holds(connection)) this.#tcp.close(connection, abort !== 0);
      else this.#totals.staleHandles++;
    },

    'call-open': (command) => this.#openCall(command),
    'call-peer': ({ call, peerCallId }) => this.#call(call)?.learnPeer(peerCallId),
    'call-frame': ({ call, protocol, information }) => this.#call(call)?.sendFrame(protocol, information),
    'call-framing': (command) => this.#call(command.call)?.settle(command),
    'call-keys': (command) => this.#call(command.call)?.setKeys(command),
    'call-flush': ({ call }) => this.#call(call)?.flush(),
    'call-attach': (command) => this.#join(command, false, (call) => call.attach(command)),
    'call-bridge': (command) => this.#join(command, true, (call) => call.bridge(command)),
    'call-watch': (command) => this.#call(command.call)?.watch(command),
    'call-shape': (command) => this.#call(command.call)?.shape(command),
    'call-quota': (command) => this.#call(command.call)?.setQuota(command),
    'call-memo': ({ call, memo }) => {
      const held = this.#call(call);
      if (held !== undefined && memo.length <= memoBytesMax) held.memo = memo;
    },
    'call-close': ({ call }) => {
      const held = this.#call(call);
      if (held !== undefined) this.#closeCall(held);
    },

    'link-open': (command) => this.#openLink(command),
    'link-close': ({ link }) => {
      if (this.#links.has(link)) this.#closeLink(link);
      else this.#totals.staleHandles++;
    },
    'link-watch': ({ link }) => {
      const watched = this.#links.get(link);
      if (watched === undefined) this.#totals.staleHandles++;
      else {
        watched.isWatched = true;
        this.#checkWanted(watched);
      }
    },
    netlink: ({ token, messages }) => this.#netlink(token, messages),

    'counters-get': ({ token }) => this.#count(token),
    // Here an event is done when it has been told.
    heard: () => {},
    stop: () => this.#stop(),
  };

  #call(handle: number): FakeCall | undefined {
    const call = this.#calls.get(handle & 0xffff);
    if (call?.handle === handle) return call;
    this.#totals.staleHandles++;
    return undefined;
  }

  #openCall(command: CommandOf<'call-open'>): void {
    const slot = command.call & 0xffff;
    const call = new FakeCall(command, this.#around);
    if (this.#calls.has(slot)) this.#outbox.emit({ kind: 'closed', errno: errno.EEXIST, ...call.end() });
    else this.#calls.set(slot, call);
  }

  #closeCall(call: FakeCall): void {
    this.#calls.delete(call.handle & 0xffff);
    this.#outbox.emit({ kind: 'closed', errno: 0, ...call.end() });
  }

  #openLink(command: CommandOf<'link-open'>): void {
    const { link, name, bridge } = command;
    const refusal = this.#linkRefusal(command);
    const interfaceIndex = refusal === 0 ? firstInterfaceIndex + this.#linksMade++ : 0;
    if (refusal === 0)
      this.#links.set(link, { handle: link, name, interfaceIndex, bridge, waiting: [], isWatched: false });
    this.#outbox.emit({ kind: 'link-opened', link, errno: refusal, interfaceIndex });
  }

  #linkRefusal({ link, name, bridge }: CommandOf<'link-open'>): number {
    const { bridges = [], foreignLinks = [] } = this.#options;
    const names = [...this.linkNames, ...foreignLinks];
    if (this.#links.has(link)) return errno.EEXIST;
    if (bridge !== '' && !bridges.includes(bridge))
      return names.includes(bridge) ? errno.EOPNOTSUPP : errno.ENODEV;
    return names.includes(name) || bridges.includes(name) ? errno.EEXIST : 0;
  }

  #join(to: { call: number; link: number }, isPort: boolean, join: (call: FakeCall) => void): void {
    const link = this.#links.get(to.link);
    if (to.link !== 0 && (link === undefined || (link.bridge !== '') !== isPort)) {
      this.#totals.staleHandles++;
      return;
    }
    const call = this.#call(to.call);
    if (call === undefined) return;
    join(call);
    if (link === undefined) return;
    link.isWatched = false;
    for (const octets of link.waiting.splice(0)) call.sendPacket(link.handle, octets);
  }

  #checkWanted(link: Link): void {
    if (!link.isWatched || link.waiting.length === 0) return;
    link.isWatched = false;
    this.#outbox.emit({ kind: 'link-wanted', link: link.handle });
  }

  #closeLink(link: number): void {
    this.#links.delete(link);
    for (const call of this.#calls.values()) if (call.joins(link)) call.detach(link);
    this.#outbox.emit({ kind: 'link-closed', link });
  }

  #netlink(token: number, messages: Uint8Array): void {
    const owned = new Set([...this.#links.values()].map(({ interfaceIndex }) => interfaceIndex));
    const requests = netlinkMessages(messages);
    const refusals = requests.map((request) => refusalOf(request, owned));
    const at = refusals.findIndex((refusal) => refusal !== undefined);
    const why = refusals[at];
    const performed = why === undefined ? requests : requests.slice(0, at);
    this.performed.push(...performed);
    this.#outbox.emit({
      kind: 'netlink-done',
      token,
      performed: performed.length,
      errno: why === undefined ? 0 : errno[why],
      text: toBytes(why ?? ''),
    });
  }

  #count(token: number): void {
    const rows = [...this.#calls.values()].map((call) => counterRow.encode(call.row()));
    this.#outbox.emit({ kind: 'counters', token, rows: concat(...rows) });
    this.#outbox.emit({
      kind: 'totals',
      token,
      calls: this.#calls.size,
      connections: this.#tcp.connections.length,
      links: this.#links.size,
      receivedPackets: 0n,
      transmittedPackets: 0n,
      malformed: 0n,
      refusedConnections: 0n,
      ringFull: 0n,
      droppedFrames: this.#outbox.dropped,
      ...this.#totals,
      workers: workerRow.encode({ processorUs: 0n, socketDrops: 0 }),
    });
  }

  #stop(): void {
    for (const call of [...this.#calls.values()]) this.#closeCall(call);
    for (const link of [...this.#links.keys()]) this.#closeLink(link);
    this.#tcp.closeAll();
    this.#around.wire.clock.arm(0, () => this.#end());
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave();
    this.#tcp.closeAll();
    this.#options.wire.detach(this.#options.address);
    this.#options.onEnd?.();
  }

  #gre(from: Ipv4, packet: GrePacket): void {
    const call = this.#calls.get(packet.callId);
    if (call?.peerAddress === from) call.received(packet);
    else this.#totals.unknownCalls++;
  }

  #deliver(handle: number, octets: Uint8Array): void {
    const link = this.#links.get(handle);
    if (link !== undefined) this.onPacket(link.name, octets);
  }

  #greet(version: number): void {
    const links = [...this.#links.values()];
    const connections = this.#tcp.connections;
    const calls = [...this.#calls.values()];
    const held = links.length + connections.length + calls.length;
    const hello: Event = { kind: 'hello', version: contractVersion, workers: 1, pid: 1, held };
    // A control of another version is told so, and no more.
    const snapshot: Event[] =
      version !== contractVersion
        ? []
        : [
            ...connections.map(({ handle, ...ends }) => {
              return { kind: 'connection-held', connection: handle, ...ends } as const;
            }),
            ...links.map(({ handle, name, interfaceIndex }) => {
              return { kind: 'link-held', link: handle, name, interfaceIndex } as const;
            }),
            ...calls.map((call) => call.held()),
            { kind: 'snapshot-end' },
          ];
    this.#outbox.open([hello, ...snapshot]);
  }

  #leave(): void {
    this.#control = undefined;
    this.#tcp.orphan();
    this.#outbox.close();
  }
}
