/**
 * One host of the simulation: a fake engine, and what control on it is built of, as main.ts builds it. Everything that crosses
 * the contract passes a referee with the laws that hold at every moment.
 */

import { equal, toHex } from '../../src/base/bytes.ts';
import type { Clock, Timer, VirtualClock } from '../../src/base/clock.ts';
import { type Ipv4, parseIpv4 } from '../../src/base/ip.ts';
import type { Log } from '../../src/base/observe.ts';
import type { Random } from '../../src/base/random.ts';
import { DemandGateways } from '../../src/client/demand.ts';
import {
  attach,
  type Command,
  type CommandOf,
  contractVersion,
  direction,
  type Event,
  type EventOf,
} from '../../src/datapath/contract.ts';
import { type FakeControl, FakeEngine } from '../../src/datapath/fake.ts';
import type { Wire } from '../../src/datapath/fake-wire.ts';
import { Licence } from '../../src/licence/licence.ts';
import type { Way } from '../../src/net/ways.ts';
import { type MppePolicy, mppeBits } from '../../src/ppp/ccp/options.ts';
import { codes } from '../../src/ppp/packet.ts';
import { ccpProtocol } from '../../src/ppp/protocol.ts';
import { attributeCodec } from '../../src/radius/codec.io.ts';
import { CallIds, LinkHandles } from '../../src/session/call-ids.ts';
import { Firewall } from '../../src/session/firewall.ts';
import { type Heir, Inheritance } from '../../src/session/inheritance.ts';
import { InterfaceNames } from '../../src/session/interface-names.ts';
import { MemoryRegistry } from '../../src/session/registry/memory.ts';
import type { Owner } from '../../src/session/registry/registry.ts';
import { StaticRoutes } from '../../src/session/static-routes.ts';
import { type EngineEvent, Switchboard } from '../../src/session/switchboard.ts';
import { Traces } from '../../src/session/trace/traces.ts';
import { Ledger } from './ledger.ts';

export function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export const places = { server: ip('192.0.2.1'), client: ip('192.0.2.2') } as const;

/** What is sent through the tunnel, too long for the smallest frame of a scenario, and what an attacker slips in. */
export const packets = {
  upward: 'client to server, '.repeat(40),
  downward: 'server to client, '.repeat(40),
  forged: 'forged',
} as const;

const decoder = new TextDecoder();

/** Whether packets or frames may pass from here on. */
function joins(command: Command): command is CommandOf<'call-attach' | 'call-bridge'> {
  return (command.kind === 'call-attach' || command.kind === 'call-bridge') && command.link !== 0;
}

/** In milliseconds, for a log. */
export function timeOf(ms: number): string {
  return ms.toFixed(0).padStart(7);
}

/** What a host needs of the world that it is in. */
export interface HostWorld {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly wire: Wire;
  /** The log of all hosts. */
  readonly lines: string[];
  /** A command or an event has crossed the contract. */
  exchanged(): void;
}

/** The clock of one process: its deadlines die with it. */
class ProcessClock implements Clock {
  readonly #clock: Clock;
  readonly #armed = new Set<Timer>();
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  arm(delayMs: number, fire: () => void): Timer {
    if (this.#isDead) return { cancel: () => {} };
    const timer = this.#clock.arm(delayMs, () => {
      this.#armed.delete(timer);
      fire();
    });
    this.#armed.add(timer);
    return timer;
  }

  die(): void {
    this.#isDead = true;
    for (const timer of this.#armed) timer.cancel();
  }
}

/** What a control process is built of, and loses when it is killed. */
function processOf(world: HostWorld, owner: Owner) {
  const clock = new ProcessClock(world.clock);
  return {
    clock,
    callIds: new CallIds(clock, world.random),
    links: new LinkHandles(),
    names: new InterfaceNames(),
    staticRoutes: new StaticRoutes(),
    gateways: new DemandGateways(),
    licence: new Licence('level6'),
    registry: new MemoryRegistry(owner, clock),
    traces: new Traces({ clock, codec: attributeCodec }),
  };
}

/** One host: an engine, and control on it, which may be killed and started again. */
export class Host {
  readonly name: string;
  readonly address: Ipv4;
  readonly engine: FakeEngine;
  /** How the host reaches every other. */
  way: Way | undefined;
  /** Outlives the process, as a journal does. */
  readonly books = new Ledger();
  readonly owner: Owner;
  readonly log: Log;
  /** Control connections that are open, by handle. */
  readonly connections = new Set<number>();
  /** The causes that each session was told to have ended with, by call handle. */
  readonly endings = new Map<number, string[]>();
  /** Packets that came out of interfaces. */
  readonly received: string[] = [];
  /** True if the side of this host requires encryption. */
  requiresEncryption = false;
  /** Which MPPE control on this host agrees to. */
  mppe: MppePolicy = { strengths: new Set(mppeBits), stateful: 'allowed' };
  totals: EventOf<'totals'> | undefined;
  /** What control's commands become on their way to the engine; as they are, unless a test has it otherwise. */
  carry: (command: Command, send: (command: Command) => void) => void = (command, send) => send(command);
  readonly #world: HostWorld;
  readonly #heir: Pick<Heir, 'resume' | 'done'>;
  #process: ReturnType<typeof processOf>;
  #switchboard: Switchboard;
  #firewall: Firewall;
  #face: FakeControl;
  #sessions = 0;
  /** Receive keys and attachments in force, by call. */
  readonly #receiveKeys = new Map<number, { bits: number; stateless: number }>();

  constructor(world: HostWorld, name: string, address: Ipv4, heir: Pick<Heir, 'resume' | 'done'>) {
    this.#world = world;
    this.#heir = heir;
    this.name = name;
    this.address = address;
    this.owner = { node: name, bootId: 'boot' };
    this.engine = new FakeEngine({
      wire: world.wire,
      address,
      foreignLinks: ['lo', 'eth0'],
      bridges: ['lan0'],
    });
    this.engine.onPacket = (_, octets) => this.#packet(octets);
    this.log = (severity, topics, text, facts = {}) => {
      world.lines.push(`${timeOf(world.clock.nowMs())} ${name} ${severity} ${text}`);
      if (topics.endsWith('account') && typeof facts.session === 'number') {
        const told = this.endings.get(facts.session) ?? [];
        this.endings.set(facts.session, [...told, String(facts.cause)]);
      }
    };
    [this.#process, this.#face, this.#switchboard, this.#firewall] = this.#newControl();
    this.#greet();
  }

  /** Control dies, and in `awayMs` there is another. */
  killControl(awayMs: number): void {
    this.#process.clock.die();
    this.#face.close();
    this.#world.clock.arm(awayMs, () => {
      [this.#process, this.#face, this.#switchboard, this.#firewall] = this.#newControl();
      this.#greet();
      this.#firewall.start(() => {});
    });
  }

  get switchboard(): Switchboard {
    return this.#switchboard;
  }

  get callIds(): CallIds {
    return this.#process.callIds;
  }

  get links(): LinkHandles {
    return this.#process.links;
  }

  get names(): InterfaceNames {
    return this.#process.names;
  }

  get licence(): Licence {
    return this.#process.licence;
  }

  get registry(): MemoryRegistry {
    return this.#process.registry;
  }

  #newControl() {
    const process = processOf(this.#world, this.owner);
    const face = this.engine.connect();
    const inheritance = new Inheritance(this.log, {
      ...this.#heir,
      found: (_, close) => close(),
      ended: (sessionId, usage) => this.books.ended(sessionId, { usage, uptimeMs: 0, terminateCause: 0 }),
    });
    const switchboard: Switchboard = new Switchboard(
      {
        send: (command) => {
          if (process !== this.#process) return;
          this.#command(command);
          this.carry(command, (carried) => face.send(carried));
        },
        listen: (onEvent) =>
          face.listen((event) => {
            this.#event(event);
            onEvent(event);
          }),
      },
      (event: EngineEvent) => inheritance.found(event, switchboard),
    );
    return [process, face, switchboard, new Firewall(switchboard, this.log)] as const;
  }

  #greet(): void {
    this.#switchboard.send({ kind: 'hello', version: contractVersion });
  }

  get services() {
    const { log, books, mppe, name: identity, owner } = this;
    const { random } = this.#world;
    return {
      ...this.#process,
      ...{ switchboard: this.#switchboard, firewall: this.#firewall },
      ...{ log, identity, mppe, random, books, owner, gone: () => {} },
      wayTo: (_: Ipv4, found: (way: Way | undefined) => void) => found(this.way),
      nas: () => ({ identifier: identity, address: this.address }),
      newSessionId: () => {
        this.#sessions += 1;
        return `${identity}-${this.#sessions}`;
      },
    };
  }

  #command(command: Command): void {
    this.#world.exchanged();
    if (command.kind === 'call-keys') {
      if (command.direction & direction.receive) this.#receiveKeys.set(command.call, command);
    } else if (command.kind === 'call-frame' && command.protocol === ccpProtocol) {
      this.#checkReceiveKeys(command.call, command.information);
    } else if (joins(command) && this.requiresEncryption) {
      if ((command.flags & attach.encryptionRequired) === 0) throw new Error(`${this.name}: passes in clear`);
      if ((this.#receiveKeys.get(command.call)?.bits ?? 0) === 0) throw new Error(`${this.name}: no keys`);
    }
  }

  /** Receive keys come before the Configure-Ack that allows the peer to use them. */
  #checkReceiveKeys(call: number, information: Uint8Array): void {
    if (information[0] !== codes.configureAck || information.length < 10) return;
    const { bits = 0, stateless = 0 } = this.#receiveKeys.get(call) ?? {};
    const strength = new Map([
      [40, 0x20],
      [56, 0x80],
      [128, 0x40],
    ]).get(bits);
    if (!equal(information.subarray(6, 10), Uint8Array.from([stateless, 0, 0, strength ?? 0]))) {
      throw new Error(`${this.name}: CCP acknowledges ${toHex(information)} without its receive keys`);
    }
  }

  #event(event: Event): void {
    this.#world.exchanged();
    if (event.kind === 'accepted') this.connections.add(event.connection);
    if (event.kind === 'connected' && event.errno === 0) this.connections.add(event.connection);
    if (event.kind === 'tcp-closed') this.connections.delete(event.connection);
  }

  #packet(octets: Uint8Array): void {
    const packet = decoder.decode(octets);
    this.received.push(packet);
    if (packet === packets.forged && this.requiresEncryption) throw new Error(`${this.name}: took plaintext`);
  }
}
