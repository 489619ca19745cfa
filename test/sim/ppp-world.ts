/**
 * Two ends of a PPP link in one virtual time: each end is a Link and a Bundle with the least of a session around them; the wire
 * between them loses, delays, reorders and duplicates as a seed says. Everything that an end does passes a referee, which holds
 * the laws that must be true at every moment; the laws of the end are the test's.
 */

import { equal, toHex } from '../../src/base/bytes.ts';
import { type Timer, VirtualClock } from '../../src/base/clock.ts';
import { below, type Random, seededRandom } from '../../src/base/random.ts';
import { chapResponse } from '../../src/ppp/auth/chap-md5.ts';
import type { Answer, Credentials } from '../../src/ppp/auth/credentials.ts';
import { mschap1Keys, mschap2Keys } from '../../src/ppp/auth/mppe-keys.ts';
import {
  challengeResponse,
  generateAuthenticatorResponse,
  generateNtResponse,
  hashNtPasswordHash,
  lmPasswordHash,
  ntPasswordHash,
} from '../../src/ppp/auth/mschap-hash.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import type { BridgeTakes } from '../../src/ppp/bcp/options.ts';
import { Bundle, type BundleEffect, type BundleSettings } from '../../src/ppp/bundle.ts';
import type { Cause } from '../../src/ppp/cause.ts';
import type { Mppe } from '../../src/ppp/ccp/options.ts';
import { Link, type LinkEffect, type LinkSettings } from '../../src/ppp/link.ts';
import type { FinishCause } from '../../src/ppp/negotiator.ts';
import { codes } from '../../src/ppp/packet.ts';
import { ccpProtocol, protocolName } from '../../src/ppp/protocol.ts';

export interface Wire {
  /** Chances of 1,000. */
  readonly loss: number;
  readonly duplication: number;
  readonly delayMs: number;
  /** Added at random: more than nothing reorders. */
  readonly jitterMs: number;
}

export type Network = Extract<BundleEffect, { do: 'network-up' }>;

/** No event of one end may cause more effects than this, nor one run more frames. */
const maxEffects = 40;
const maxFrames = 3_000;

/** Password and hashes that the server's AAA knows. */
export const password = new Password('clientPass');
const ntHash = ntPasswordHash(password);
const lmHash = lmPasswordHash(password);

export class End {
  readonly name: string;
  readonly link: Link;
  bundle: Bundle | undefined;
  network: Network | undefined;
  /** What the peer takes while LANs are bridged, and why they are not. */
  bridge: BridgeTakes | undefined;
  unbridged: FinishCause | undefined;
  cause: Cause | undefined;
  receive: Mppe | 'off' = 'off';
  transmit: Mppe | 'off' = 'off';
  upAtMs: number | undefined;
  listening = false;
  readonly timers = new Map<string, Timer>();
  readonly #world: World;
  readonly #bundleSettings: Omit<BundleSettings, 'keysAvailable'>;

  constructor(world: World, name: string, link: LinkSettings, bundle: Omit<BundleSettings, 'keysAvailable'>) {
    this.#world = world;
    this.name = name;
    this.link = new Link(link);
    this.#bundleSettings = bundle;
  }

  /** Up in the eyes of this end, with nothing left to do. */
  get settled(): boolean {
    return this.cause !== undefined || (this.network !== undefined && this.timers.size === 0);
  }

  begin(): void {
    this.listening = true;
    this.ofLink(this.link.up());
  }

  receiveFrame(protocol: number, bytes: Uint8Array): void {
    if (this.listening) this.ofLink(this.link.received(protocol, bytes));
  }

  ofLink(effects: readonly LinkEffect[]): void {
    this.#bound(effects.length);
    for (const effect of effects) this.#performLink(effect);
  }

  ofBundle(effects: readonly BundleEffect[]): void {
    this.#bound(effects.length);
    for (const effect of effects) this.#performBundle(effect);
  }

  #performLink(effect: LinkEffect): void {
    switch (effect.do) {
      case 'send':
        return this.#send(effect.protocol, effect.bytes);
      case 'arm':
        return this.#arm(effect.timer, effect.delayMs, () => this.ofLink(this.link.expired(effect.timer)));
      case 'disarm':
        return this.#disarm(effect.timer);
      case 'authenticate':
        this.#world.judge(effect.credentials, (answer) =>
          this.ofLink(this.link.verdict(effect.attempt, answer)),
        );
        return;
      case 'authenticated':
        this.bundle = new Bundle({ ...this.#bundleSettings, keysAvailable: effect.keys !== undefined });
        return this.ofBundle(this.bundle.up());
      case 'deliver':
        return this.ofBundle(this.bundle?.received(effect.protocol, effect.bytes) ?? []);
      case 'protocol-rejected':
        return this.ofBundle(this.bundle?.protocolRejected(effect.protocol) ?? []);
      case 'link-down':
        return this.#dropBundle();
      case 'ended':
        this.#dropBundle();
        this.cause = effect.cause;
        this.#world.ended(this);
    }
  }

  #performBundle(effect: BundleEffect): void {
    switch (effect.do) {
      case 'send':
        return this.#send(effect.protocol, effect.bytes);
      case 'arm':
        return this.#arm(effect.timer, effect.delayMs, () => {
          this.ofBundle(this.bundle?.expired(effect.timer) ?? []);
        });
      case 'disarm':
        return this.#disarm(effect.timer);
      case 'receive-keys':
        this.receive = effect.mppe;
        return;
      case 'transmit-keys':
        this.transmit = effect.mppe;
        return;
      case 'network-up':
        return this.#up(effect);
      case 'network-down':
        this.network = undefined;
        return;
      case 'bridge-up':
        this.bridge = effect.peerTakes;
        return;
      case 'bridge-down':
        this.bridge = undefined;
        return;
      case 'bridge-finished':
        this.unbridged = effect.cause;
        return;
      case 'protocol-reject':
        return this.ofLink(this.link.rejectProtocol(effect.protocol, effect.bytes));
      case 'failed':
        return this.ofLink(this.link.close(effect.cause));
    }
  }

  #up(network: Network): void {
    this.network = network;
    this.upAtMs ??= this.#world.clock.nowMs();
    if (this.#bundleSettings.encryption !== 'required') return;
    const { bits, stateless } = network.mppe ?? {};
    for (const keys of [this.receive, this.transmit]) {
      if (keys === 'off' || keys.bits !== bits || keys.stateless !== stateless) {
        throw new Error(`${this.name}: up without the encryption that is required`);
      }
    }
  }

  #send(protocol: number, bytes: Uint8Array): void {
    if (protocol === ccpProtocol && bytes[0] === codes.configureAck) this.#checkReceiveKeys(bytes);
    this.#world.carry(this, protocol, bytes);
  }

  /** Receive keys come before the Configure-Ack that allows the peer to use them. */
  #checkReceiveKeys(ack: Uint8Array): void {
    if (ack.length < 10) return;
    const keys = this.receive;
    const strength = { 40: 0x20, 56: 0x80, 128: 0x40 };
    const word = keys === 'off' ? undefined : [keys.stateless ? 1 : 0, 0, 0, strength[keys.bits]];
    if (word === undefined || !equal(ack.subarray(6, 10), Uint8Array.from(word))) {
      throw new Error(`${this.name}: a CCP Ack before its receive keys`);
    }
  }

  #dropBundle(): void {
    const bundle = this.bundle;
    this.bundle = undefined;
    this.ofBundle(bundle?.down() ?? []);
    const isOff = this.receive === 'off' && this.transmit === 'off';
    if (!isOff || this.network !== undefined || this.bridge !== undefined) {
      throw new Error(`${this.name}: keys, network or bridge outlive the bundle`);
    }
  }

  #arm(timer: string, delayMs: number, fire: () => void): void {
    this.timers.get(timer)?.cancel();
    const armed = this.#world.clock.arm(delayMs, () => {
      this.timers.delete(timer);
      fire();
    });
    this.timers.set(timer, armed);
  }

  #disarm(timer: string): void {
    this.timers.get(timer)?.cancel();
    this.timers.delete(timer);
  }

  #bound(effects: number): void {
    if (effects > maxEffects) throw new Error(`${this.name}: ${effects} effects of one event`);
  }
}

interface Sent {
  readonly atMs: number;
  readonly from: string;
  readonly protocol: number;
  readonly bytes: Uint8Array;
  readonly copies: number;
}

export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly wire: Wire;
  readonly aaaMs: number;
  readonly #trace: Sent[] = [];
  ends: readonly [End, End] | undefined;
  frames = 0;
  inFlight = 0;

  constructor(seed: number, wire: Wire, aaaMs: number) {
    this.random = seededRandom(seed);
    this.wire = wire;
    this.aaaMs = aaaMs;
  }

  chance(thousandths: number): boolean {
    return below(this.random, 1_000) < thousandths;
  }

  carry(from: End, protocol: number, bytes: Uint8Array): void {
    this.frames += 1;
    if (this.frames > maxFrames) throw new Error('the ends do not come to rest');
    const copies = this.chance(this.wire.loss) ? 0 : this.chance(this.wire.duplication) ? 2 : 1;
    this.#trace.push({ atMs: this.clock.nowMs(), from: from.name, protocol, bytes, copies });
    for (let copy = 0; copy < copies; copy += 1) {
      this.inFlight += 1;
      this.clock.arm(this.wire.delayMs + below(this.random, this.wire.jitterMs + 1), () => {
        this.inFlight -= 1;
        this.#other(from).receiveFrame(protocol, bytes);
      });
    }
  }

  /** All frames of the run: when, whose, what. */
  get trace(): string {
    return this.#trace
      .map(({ atMs, from, protocol, bytes, copies }) => {
        const fate = ['  LOST', '', '  TWICE'][copies];
        return `${atMs.toFixed(0).padStart(6)} ${from} ${protocolName(protocol)} ${toHex(bytes)}${fate}`;
      })
      .join('\n');
  }

  judge(credentials: Credentials, answer: (answer: Answer) => void): void {
    this.clock.arm(this.aaaMs, () => answer(verdictOf(credentials)));
  }

  /** The tunnel tells the other end that the call is over, reliably and a little later. */
  ended(end: End): void {
    const other = this.#other(end);
    this.clock.arm(100, () => other.ofLink(other.link.down()));
  }

  #other(end: End): End {
    const [one, other] = this.ends ?? [];
    if (one === undefined || other === undefined) throw new Error('a world has two ends');
    return end === one ? other : one;
  }
}

function verdictOf(credentials: Credentials): Answer {
  switch (credentials.method) {
    case 'eap':
      throw new Error('our client does not speak EAP');
    case 'pap':
      return equal(credentials.password, password.octets) ? { accept: true } : refusal;
    case 'chap': {
      const expected = chapResponse(credentials.id, password, credentials.challenge);
      return equal(expected, credentials.response) ? { accept: true } : refusal;
    }
    case 'mschap1': {
      const { challenge, response } = credentials;
      if (!equal(challengeResponse(challenge, ntHash), response.subarray(24, 48))) return refusal;
      return { accept: true, mppeKeys: mschap1Keys(challenge, lmHash, hashNtPasswordHash(ntHash)) };
    }
    case 'mschap2': {
      const { ntResponse } = credentials;
      if (!equal(generateNtResponse(credentials, ntHash), ntResponse)) return refusal;
      return {
        accept: true,
        mschap2Success: generateAuthenticatorResponse(credentials, ntResponse, ntHash),
        mppeKeys: mschap2Keys(ntHash, ntResponse, 'authenticator'),
      };
    }
  }
}

const refusal: Answer = { accept: false, errorCode: 691, message: 'bad username or password' };
