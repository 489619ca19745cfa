/**
 * The Network phase of one session (RFC 1661 section 3.7): its interface, what the kernel is told of it, CCP and IPCP over it,
 * BCP beside them (bridging.ts), and the keys and the passage that they bring about in the engine. Enter: terms, frames, the engine's loss of cipher. Leave:
 * commands to the engine, and to the conductor (session.ts) that the network came, went, or cannot be.
 *
 * The phase may begin and stop any number of times, because LCP may start over; the interface is made the first time and
 * stays, with its addresses, until the session gives it back. Knows no link, no party and no log.
 */

import type { Clock } from '../base/clock.ts';
import type { Severity } from '../base/observe.ts';
import { attach, type Command, direction } from '../datapath/contract.ts';
import type { Plan } from '../net/plan.ts';
import { type MppeKeys, startKeys } from '../ppp/auth/mppe-keys.ts';
import type { BridgeTakes } from '../ppp/bcp/options.ts';
import { Bundle, type BundleEffect, type BundleTimer, type StandingNetwork } from '../ppp/bundle.ts';
import type { Cause as PppCause } from '../ppp/cause.ts';
import type { Mppe } from '../ppp/ccp/options.ts';
import type { Note } from '../ppp/effect.ts';
import type { StandingPort } from './bridge-port.ts';
import { Bridging } from './bridging.ts';
import type { LinkHandles } from './call-ids.ts';
import { Effects } from './effects.ts';
import type { NetworkUp, Terms } from './party.ts';
import { type Outcome, SessionInterface, type StandingInterface } from './session-interface.ts';
import type { Switchboard } from './switchboard.ts';
import { Timers } from './timers.ts';

/** What every network is given. */
export interface NetworkServices {
  readonly switchboard: Switchboard;
  readonly clock: Clock;
  readonly links: LinkHandles;
}

/** What the network is built on, each time that its phase begins. */
export interface Ground {
  readonly terms: Terms;
  /** What authentication left for MPPE, if anything. */
  readonly keys: MppeKeys | undefined;
  /** Octets of the largest packet that this side may send in clear. */
  readonly packetBytesMax: number;
}

/** What the conductor is told, and does for the network. */
export interface NetworkOwner {
  /** The interface is there, and no packet passes yet: `go` is called when all is done that has to be before one does. */
  prepare(go: () => void): void;
  /** CCP and IPCP begin. */
  begun(): void;
  /** Packets pass, and the kernel knows the way. */
  up(agreed: NetworkUp): void;
  /** The kernel has followed a new plan; packets passed meanwhile. */
  replanned(): void;
  /** Packets pass no more; `up` may come again. Told also if the network went before its `up`. */
  down(): void;
  /** There will be no network. */
  failed(cause: PppCause): void;
  /** The engine or the kernel refused something; it is said here in their words. */
  refused(trouble: string): void;
  /** A command about the call, to be performed while the engine holds it. */
  command(command: Command): void;
  sendFrame(protocol: number, information: Uint8Array): void;
  rejectProtocol(protocol: number, information: Uint8Array): void;
  note(what: Note): void;
  /** LANs are bridged, or no more. */
  bridged(): void;
  /** A line for the log, about what neither begins nor ends the session. */
  say(severity: Severity, text: string, hint?: string): void;
}

/** MPPE's header and the protocol field that it covers (RFC 3078 section 3). */
const mppeOctets = 4;
/** IPv4 and TCP headers without options: what an MSS does not count. */
const tcpHeaderOctets = 40;
/** Frames for the network protocols that arrive while the interface is being made: a peer sends one request of each. */
const earlyFramesMax = 8;

/** A network that is up, as it is told to a process after this one; and what CCP would need to begin anew. */
export interface StandingPhase {
  readonly keys: MppeKeys | undefined;
  readonly packetBytesMax: number;
  readonly agreed: StandingNetwork;
  readonly mtu: number;
  readonly plan: Plan;
  /** What the peer takes of bridged frames, while they pass. */
  readonly bridge?: BridgeTakes | undefined;
}

/** What a process before this one had made for a session: its interface, and its port in a bridge if it had one. */
export interface MadeInterfaces extends Omit<StandingInterface, 'plan'> {
  readonly port: StandingPort | undefined;
}

export class Network {
  readonly #call: number;
  readonly #services: NetworkServices;
  readonly #owner: NetworkOwner;
  readonly #timers: Timers<BundleTimer>;
  readonly #effects: Effects<BundleEffect>;
  #ground: Ground | undefined;
  #interface: SessionInterface | undefined;
  #isLent = false;
  #bundle: Bundle | undefined;
  #bridging: Bridging | undefined;
  #early: { protocol: number; information: Uint8Array }[] = [];
  #agreed: NetworkUp | undefined;
  #mtu: number | undefined;

  constructor(call: number, services: NetworkServices, owner: NetworkOwner) {
    this.#call = call;
    this.#services = services;
    this.#owner = owner;
    this.#timers = new Timers(services.clock);
    this.#effects = new Effects((effect) => this.#perform(effect));
  }

  /** Octets of the largest packet that the interface sends; undefined before anything is agreed. */
  get mtu(): number | undefined {
    return this.#mtu;
  }

  /** What both ends agreed to, while it holds. */
  get agreed(): NetworkUp | undefined {
    return this.#agreed;
  }

  /** What a process after this one goes on from; undefined while no packet passes. */
  get standing(): StandingPhase | undefined {
    const [ground, agreed, mtu, plan] = [this.#ground, this.#agreed, this.#mtu, this.#interface?.plan];
    if (ground === undefined || agreed === undefined || mtu === undefined || plan === undefined)
      return undefined;
    const { keys, packetBytesMax } = ground;
    return { keys, packetBytesMax, agreed, mtu, plan, bridge: this.#bridging?.standing };
  }

  /** Packets pass, over an interface that is there: a process before this one has brought it up. Instead of `begin`. */
  resume(terms: Terms, standing: StandingPhase, { port, ...made }: MadeInterfaces): void {
    const { keys, packetBytesMax, agreed, mtu, plan, bridge } = standing;
    const { switchboard, links } = this.#services;
    this.#ground = { terms, keys, packetBytesMax };
    this.#interface =
      terms.lent ?? new SessionInterface(terms.interfaceName, switchboard, links, { ...made, plan });
    this.#isLent = terms.lent !== undefined;
    this.#bundle = new Bundle(terms.bundle);
    this.#bundle.resume(agreed);
    this.#agreed = { do: 'network-up', ...agreed };
    this.#mtu = mtu;
    this.#resumeBridging(terms, port, bridge);
  }

  /** The phase begins. The interface is there before the network protocols start: the peer's first packet finds it. */
  begin(ground: Ground): void {
    this.#ground = ground;
    const { terms } = ground;
    const { switchboard, links } = this.#services;
    this.#interface ??= terms.lent ?? new SessionInterface(terms.interfaceName, switchboard, links);
    this.#isLent = terms.lent !== undefined;
    const ahead = terms.plan(packetBytes(ground, terms.bundle.encryption !== 'no'), undefined);
    this.#interface.follow(
      ahead,
      this.#unlessRefused(() => {
        if (this.#ground !== ground) return;
        this.#owner.prepare(() => {
          if (this.#ground === ground) this.#negotiate(ground);
        });
      }),
    );
  }

  received(protocol: number, information: Uint8Array): void {
    if (this.#bundle !== undefined) this.#effects.run(this.#bundle.received(protocol, information));
    else if (this.#early.length < earlyFramesMax) this.#early.push({ protocol, information });
  }

  /** The peer does not know `protocol`. */
  protocolRejected(protocol: number): void {
    this.#effects.run(this.#bundle?.protocolRejected(protocol) ?? []);
  }

  cipherLost(): void {
    this.#effects.run(this.#bundle?.cipherLost() ?? []);
  }

  /** The phase is over: keys and passage go, the interface stays. */
  stop(): void {
    this.#effects.run(this.#bundle?.down() ?? []);
    this.#timers.disarmAll();
    this.#ground = undefined;
    this.#bundle = undefined;
    this.#early = [];
  }

  /** What the terms plan has changed: the kernel follows, and packets go on passing. */
  replan(): void {
    const [agreed, mtu] = [this.#agreed, this.#mtu];
    if (agreed === undefined || mtu === undefined) return;
    this.#interface?.follow(
      this.#inPhase.terms.plan(mtu, agreed),
      this.#unlessRefused(() => this.#owner.replanned()),
    );
  }

  /** Gives the interfaces back; `closed` is called when their names are free. Only after `stop`. */
  close(closed: () => void): void {
    if (this.#bridging === undefined) this.#closeInterface(closed);
    else this.#bridging.close(() => this.#closeInterface(closed));
  }

  #closeInterface(closed: () => void): void {
    if (this.#interface === undefined || this.#isLent) closed();
    else this.#interface.close(closed);
  }

  #negotiate(ground: Ground): void {
    this.#owner.begun();
    this.#bridging ??= this.#bridgingOf(ground.terms);
    this.#bundle = new Bundle(ground.terms.bundle);
    const early = this.#early;
    this.#early = [];
    this.#effects.run(this.#bundle.up());
    for (const { protocol, information } of early) this.received(protocol, information);
  }

  #unlessRefused(then: () => void): Outcome {
    return (trouble) => (trouble === undefined ? then() : this.#owner.refused(trouble));
  }

  #perform(effect: BundleEffect): void {
    switch (effect.do) {
      case 'send':
        this.#owner.sendFrame(effect.protocol, effect.bytes);
        break;
      case 'arm':
        this.#timers.arm(effect.timer, effect.delayMs, () =>
          this.#effects.run(this.#bundle?.expired(effect.timer) ?? []),
        );
        break;
      case 'disarm':
        this.#timers.disarm(effect.timer);
        break;
      case 'note':
        this.#owner.note(effect.what);
        break;
      case 'receive-keys':
        this.#setKeys(direction.receive, effect.mppe);
        break;
      case 'transmit-keys':
        this.#setKeys(direction.transmit, effect.mppe);
        break;
      case 'reset-transmit':
        this.#owner.command({ kind: 'call-flush', call: this.#call });
        break;
      case 'network-up':
        this.#up(effect);
        break;
      case 'network-down':
        this.#agreed = undefined;
        this.#attach(0, 0, 0);
        this.#owner.down();
        break;
      case 'bridge-up':
        this.#bridgeUp(effect.peerTakes);
        break;
      case 'bridge-down':
        this.#bridging?.down();
        break;
      case 'bridge-finished':
        this.#bridging?.finished(effect.cause);
        break;
      case 'protocol-reject':
        this.#owner.rejectProtocol(effect.protocol, effect.bytes);
        break;
      case 'failed':
        this.#owner.failed(effect.cause);
        break;
    }
  }

  #up(agreed: NetworkUp): void {
    const { terms } = this.#inPhase;
    this.#agreed = agreed;
    const mtu = packetBytes(this.#inPhase, agreed.mppe !== undefined);
    this.#mtu = mtu;
    const required = terms.bundle.encryption === 'required' ? attach.encryptionRequired : 0;
    const mssClamp = terms.clampMss ? mtu - tcpHeaderOctets : 0;
    this.#attach(this.#interface?.link ?? 0, attach.receive | attach.transmit | required, mssClamp);
    this.#interface?.follow(
      terms.plan(mtu, agreed),
      this.#unlessRefused(() => {
        if (this.#agreed === agreed) this.#owner.up(agreed);
      }),
    );
  }

  #bridgingOf({ bridge }: Terms): Bridging | undefined {
    if (bridge === undefined) return undefined;
    return new Bridging(this.#call, bridge, this.#services, {
      command: (command) => this.#owner.command(command),
      say: (...line) => this.#owner.say(...line),
      changed: () => this.#owner.bridged(),
      endBcp: (text) => this.#effects.run(this.#bundle?.endBridging(text) ?? []),
    });
  }

  #bridgeUp(peerTakes: BridgeTakes): void {
    this.#bridging?.up(peerTakes, ...this.#bridgeRoom);
  }

  /** A bridge that did not stand, or has lost its port meanwhile, is agreed on anew. */
  #resumeBridging(terms: Terms, port: StandingPort | undefined, peerTakes: BridgeTakes | undefined): void {
    this.#bridging = this.#bridgingOf(terms);
    if (port !== undefined) this.#bridging?.resume(port, peerTakes, ...this.#bridgeRoom);
    this.#effects.run(this.#bundle?.resumeBridging(port && peerTakes) ?? []);
  }

  /** Octets of the largest packet in a frame, and whether it must be encrypted. */
  get #bridgeRoom(): readonly [packetBytes: number, encryptionRequired: boolean] {
    const { bundle } = this.#inPhase.terms;
    const isEncrypted = this.#bundle?.mppe !== undefined;
    return [packetBytes(this.#inPhase, isEncrypted), bundle.encryption === 'required'];
  }

  #attach(link: number, flags: number, mssClamp: number): void {
    this.#owner.command({ kind: 'call-attach', call: this.#call, link, flags, mssClamp });
  }

  #setKeys(half: number, mppe: Mppe | 'off'): void {
    const command = { kind: 'call-keys', call: this.#call, direction: half } as const;
    if (mppe === 'off') {
      return this.#owner.command({ ...command, bits: 0, stateless: 0, startKey: new Uint8Array(16) });
    }
    const { keys } = this.#inPhase;
    if (keys === undefined) throw new Error('MPPE was agreed without keys');
    const { send, receive } = startKeys(keys, mppe.bits);
    const startKey = half === direction.transmit ? send : receive;
    this.#owner.command({ ...command, bits: mppe.bits, stateless: mppe.stateless ? 1 : 0, startKey });
  }

  get #inPhase(): Ground {
    if (this.#ground === undefined) throw new Error('the Network phase has not begun');
    return this.#ground;
  }
}

/** Octets of the largest packet that may be sent. */
function packetBytes({ packetBytesMax }: Ground, encrypted: boolean): number {
  return packetBytesMax - (encrypted ? mppeOctets : 0);
}

/** RouterOS's word for what packets are encrypted with; empty if they are not. */
export function encodingOf(mppe: Mppe | undefined): string {
  return mppe === undefined ? '' : `MPPE${mppe.bits} ${mppe.stateless ? 'stateless' : 'stateful'}`;
}
