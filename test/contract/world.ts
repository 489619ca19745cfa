/**
 * What the contract suite needs of the world: two engines that reach each other, a control at each, and network packets that
 * go in and come out of their hosts. fake-world.ts and real-world.io.ts are the two worlds.
 */

import type { Ipv4 } from '../../src/base/ip.ts';
import type { Command, Event, EventOf } from '../../src/datapath/contract.ts';
import type { Datapath } from '../../src/datapath/datapath.ts';

export interface World {
  readonly name: string;
  /** Fresh engines, a control connected to each, nothing sent yet. */
  open(): Promise<Pair>;
  /** After all tests. */
  remove(): Promise<void>;
}

export interface Pair {
  readonly left: Side;
  readonly right: Side;
  /** Lets time pass: what is on its way arrives. */
  pass(): Promise<void>;
  close(): Promise<void>;
}

export interface Side {
  readonly address: Ipv4;
  readonly control: Control;
  /** Control leaves; the engine is alone until `join`. */
  leave(): Promise<void>;
  join(): Promise<Control>;
  /** Resolves when the engine has ended. */
  ended(): Promise<void>;
  /** A datagram of this host to the other one, through the interface, which is up and has the `inner` addresses. */
  sendPacket(linkName: string, payload: Uint8Array): Promise<void>;
  /** Likewise from bridge to bridge, of which `portName` is a port, and up: they have the `lan` addresses. */
  sendBridged(payload: Uint8Array): Promise<void>;
  /** The payload of the next datagram that came through a tunnel. */
  nextPacket(): Promise<Uint8Array>;
}

/** The bridge that each host has, and the port of it that a call is joined to. */
export const bridgeName = 'lan0';
export const portName = 'port0';

/** Addresses of the bridges, in one network. */
export const lan = { left: 0x0a0b0001, right: 0x0a0b0002 } as const;

/** Addresses inside the tunnel. */
export const inner = { left: 0x0a090001, right: 0x0a090002 } as const;

/** Waits until something may have changed; fails if nothing will. `wanted` says for what, in a failure. */
export type More = (wanted: string) => Promise<void>;

/** A control as a test needs it: events wait until the test asks for them. */
export class Control {
  readonly #datapath: Datapath;
  readonly #more: More;
  readonly #events: Event[] = [];

  constructor(datapath: Datapath, more: More, told: () => void = () => {}) {
    this.#datapath = datapath;
    this.#more = more;
    datapath.listen((event) => {
      this.#events.push(event);
      told();
    });
  }

  send(command: Command): void {
    this.#datapath.send(command);
  }

  /** The next event of this kind (for which `fits` holds), past or to come; those before it stay. */
  async next<K extends Event['kind']>(kind: K, fits: (event: EventOf<K>) => boolean = () => true) {
    for (;;) {
      const at = this.#events.findIndex((event) => event.kind === kind && fits(event as EventOf<K>));
      if (at >= 0) return this.#events.splice(at, 1)[0] as EventOf<K>;
      await this.#more(`${kind} (got: ${this.#events.map((event) => event.kind).join(' ')})`);
    }
  }

  /** The kinds of the events that nobody has asked for, in their order. */
  get untaken(): readonly Event['kind'][] {
    return this.#events.map(({ kind }) => kind);
  }
}
