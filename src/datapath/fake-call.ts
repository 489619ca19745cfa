/**
 * One call of the fake engine: the order of its GRE packets, whether a network packet may pass, its counters, its silence.
 * Encryption is a mark that names the key: a packet opens only if both ends were given the same key, strength and mode.
 * What it cannot do that the real engine does: MPPE itself, framing bits on the wire, MSS clamping.
 */

import { toHex, Writer } from '../base/bytes.ts';
import type { Timer } from '../base/clock.ts';
import type { Ipv4 } from '../base/ip.ts';
import {
  attach,
  type CommandOf,
  type CounterRow,
  direction,
  type Event,
  type EventOf,
  framing,
  peerCallIdKnown,
} from './contract.ts';
import { frameOf, informationOf, mayPass } from './fake-bridge.ts';
import { Cutter, Reassembly } from './fake-fragments.ts';
import { bucketDepths, Quotas, TokenBucket } from './fake-limits.ts';
import { Watch } from './fake-watch.ts';
import { ReceiveWindow } from './fake-window.ts';
import type { Data, Fragment, GrePacket, Payload, Seal, Wire } from './fake-wire.ts';

/** How long a packet that came early waits for those before it. */
const reorderMs = 10;

/** Frames kept until the peer's Call ID is known: LCP's first, which only a client sends so early. */
const waitingFramesMax = 16;

/** Network packets that wait for credit, as in the queue of a TUN interface: what is more the host drops. */
const queuedPacketsMax = 1000;

/** MPPE's coherency count has 12 bits (RFC 3078 section 3.1). */
const countMask = 0xfff;

const linkControlProtocol = 0xc021;
const echoRequest = 9;
const echoReply = 10;

/** What a call does to the world around it. */
export interface Surroundings {
  readonly wire: Wire;
  emit(event: Event): void;
  /** A network packet or a bridged frame for the host, out of the interface `link`. */
  deliver(link: number, octets: Uint8Array): void;
  /** True while control is away: then echoes are answered here. */
  alone(): boolean;
}

/** One direction's key, by name, and the count of the next packet. */
interface Cipher {
  readonly key: string;
  readonly stateless: boolean;
  count: number;
  /** Transmit: the next packet restarts the stream. Receive, stateful: a gap was seen, only a restart helps. */
  restart: boolean;
  /** When `cipher-lost` may be said (again), in ms. */
  sayLostAtMs: number;
}

/** Between two `cipher-lost` of one call. */
const lostAgainMs = 1000;

/** An interface of the host to which a call is joined, and what may pass between the two: `flags` is the contract's `attach`. */
interface Passage {
  link: number;
  flags: number;
}

/** What the host sends, as it came out of its interface. */
interface Sent {
  readonly octets: Uint8Array;
  readonly isBridged: boolean;
}

type Counters = {
  -readonly [Name in Exclude<keyof CounterRow, 'call' | 'silentMs' | 'idleMs'>]: CounterRow[Name];
};

export const zeroCounters: Counters = {
  receivedOctets: 0n,
  transmittedOctets: 0n,
  receivedPackets: 0n,
  transmittedPackets: 0n,
  shaped: 0n,
  receivedFrames: 0,
  transmittedFrames: 0,
  duplicates: 0,
  late: 0,
  reordered: 0,
  lost: 0,
  fragmentsLost: 0,
  fragmentsLate: 0,
  malformed: 0,
  undecryptable: 0,
  unencrypted: 0,
  dropped: 0,
};

export class FakeCall {
  readonly handle: number;
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
  peerCallId: number;
  readonly network: Passage = { link: 0, flags: 0 };
  readonly bridging: Passage = { link: 0, flags: 0 };
  memo: Uint8Array = new Uint8Array(0);
  readonly #around: Surroundings;
  readonly #counters: Counters = { ...zeroCounters };
  #peerKnown: boolean;
  /** Frames that wait for the peer's Call ID. */
  #waiting: { readonly protocol: number; readonly information: Uint8Array }[] = [];
  #peerTakes = 0;
  #ourMagic: number | undefined;
  #cutter = new Cutter(0, 'long');
  #reassembly: Reassembly | undefined;
  #transmit: Cipher | undefined;
  #receive: Cipher | undefined;

  #sequence = 0;
  #first: 0 | 1 = 1;
  readonly #window = new ReceiveWindow<Payload>();
  #gap: Timer | undefined;

  readonly #receiveRate = new TokenBucket(bucketDepths.receive);
  readonly #transmitRate = new TokenBucket(bucketDepths.transmit);
  readonly #quotas = new Quotas();
  readonly #queue: Sent[] = [];
  #credit: Timer | undefined;

  readonly #watch: Watch;

  constructor(command: CommandOf<'call-open'>, around: Surroundings) {
    this.handle = command.call;
    this.localAddress = command.localAddress;
    this.peerAddress = command.peerAddress;
    this.peerCallId = command.peerCallId;
    this.#peerKnown = (command.flags & peerCallIdKnown) !== 0;
    this.#around = around;
    const call = this.handle;
    this.#watch = new Watch(around.wire.clock, (watched) => {
      around.emit(
        watched.is === 'idle' ? { kind: 'idle', call } : { kind: 'silent', call, probe: watched.probe },
      );
    });
  }

  learnPeer(peerCallId: number): void {
    this.peerCallId = peerCallId;
    this.#peerKnown = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { protocol, information } of waiting) this.sendFrame(protocol, information);
  }

  settle({ ourMagic, flags, frameBytesMax, mrru }: CommandOf<'call-framing'>): void {
    this.#ourMagic = ourMagic;
    this.#cutter = new Cutter(frameBytesMax, flags & framing.shortSequence ? 'short' : 'long');
    this.#reassembly = mrru === 0 ? undefined : new Reassembly(mrru);
  }

  attach({ link, flags }: CommandOf<'call-attach'>): void {
    Object.assign(this.network, { link, flags });
  }

  bridge({ link, flags, takes }: CommandOf<'call-bridge'>): void {
    Object.assign(this.bridging, { link, flags });
    this.#peerTakes = takes;
  }

  /** Whether it is joined to this interface. */
  joins(link: number): boolean {
    return this.network.link === link || this.bridging.link === link;
  }

  detach(link: number): void {
    const isBridged = this.bridging.link === link;
    this.#passage(isBridged).link = 0;
    const kept = this.#queue.filter((sent) => sent.isBridged !== isBridged);
    this.#queue.splice(0, this.#queue.length, ...kept);
  }

  #passage(isBridged: boolean): Passage {
    return isBridged ? this.bridging : this.network;
  }

  shape(command: CommandOf<'call-shape'>): void {
    const bucket = command.direction === direction.receive ? this.#receiveRate : this.#transmitRate;
    bucket.set(command, this.#nowMs);
    this.#sendQueued();
  }

  setQuota(command: CommandOf<'call-quota'>): void {
    this.#quotas.set(command);
    this.#saySpent();
  }

  setKeys(command: CommandOf<'call-keys'>): void {
    const stateless = command.stateless !== 0;
    const key = `${command.bits} ${stateless ? 'stateless' : 'stateful'} ${toHex(command.startKey)}`;
    const cipher = (): Cipher | undefined =>
      command.bits === 0 ? undefined : { key, stateless, count: 0, restart: false, sayLostAtMs: 0 };
    if (command.direction & direction.receive) this.#receive = cipher();
    if (command.direction & direction.transmit) this.#transmit = cipher();
  }

  flush(): void {
    if (this.#transmit !== undefined) this.#transmit.restart = true;
  }

  watch(command: CommandOf<'call-watch'>): void {
    this.#watch.set(command);
  }

  /** A PPP frame of control, to the peer. */
  sendFrame(protocol: number, information: Uint8Array): void {
    if (this.#send({ is: 'frame', protocol, information })) {
      this.#counters.transmittedFrames++;
    } else if (this.#waiting.length < waitingFramesMax) {
      this.#waiting.push({ protocol, information });
    } else {
      this.#counters.dropped++;
    }
  }

  /** What the host sent out of `link`, a network packet or an Ethernet frame, to the peer, if it may pass; it waits while the rate is used up. */
  sendPacket(link: number, octets: Uint8Array): void {
    if (this.#queue.length === queuedPacketsMax) return;
    this.#queue.push({ octets, isBridged: this.bridging.link === link });
    this.#sendQueued();
  }

  #sendQueued(): void {
    this.#credit?.cancel();
    while (this.#transmitRate.mayPass(this.#nowMs)) {
      const sent = this.#queue.shift();
      if (sent === undefined) return;
      this.#sendNow(sent);
    }
    if (this.#queue.length === 0) return;
    const delayMs = this.#transmitRate.dueMs - this.#nowMs;
    this.#credit = this.#around.wire.clock.arm(delayMs, () => this.#sendQueued());
  }

  #sendNow({ octets, isBridged }: Sent): void {
    const { flags } = this.#passage(isBridged);
    const information = isBridged ? informationOf(octets) : octets;
    if ((flags & attach.transmit) === 0 || (isBridged && !mayPass(octets, this.#peerTakes))) {
      this.#counters.dropped++;
    } else if (this.#transmit === undefined && encrypts(flags)) {
      this.#counters.unencrypted++;
    } else if (this.#quotas.isTransmitSpent(this.#counters)) {
      this.#counters.shaped++;
    } else if (this.#sendInParts({ octets: information, isBridged, seal: this.#seal() })) {
      this.#transmitRate.spend(octets.length);
      this.#watch.passed();
      this.#counters.transmittedPackets++;
      this.#counters.transmittedOctets += BigInt(information.length + 2);
      this.#saySpent();
    } else {
      this.#counters.dropped++;
    }
  }

  #sendInParts(data: Data): boolean {
    const payloads = this.#cutter.cut(data) ?? [{ is: 'packet', ...data } as const];
    return payloads.every((payload) => this.#send(payload));
  }

  /** A GRE packet of the peer. */
  received({ sequence, payload }: GrePacket): void {
    this.#watch.heard();
    const hadGap = this.#window.waits;
    const arrival = this.#window.received(sequence, payload);
    if (arrival === 'duplicate') this.#counters.duplicates++;
    if (arrival === 'in-order' && hadGap) this.#counters.reordered++;
    if (arrival === 'late') {
      this.#counters.late++;
      if (this.#counters.lost > 0) this.#counters.lost--;
      this.#take(payload);
    }
    this.#takeAll(this.#window.ready());
    if (this.#window.full) this.#giveUp();
    this.#awaitGap();
  }

  /** What the snapshot says of it. */
  held(): EventOf<'call-held'> {
    const { handle: call, localAddress, peerAddress, peerCallId, memo } = this;
    const { network, bridging } = this;
    const links = { link: network.link, bridgeLink: bridging.link };
    return { kind: 'call-held', call, ...links, localAddress, peerAddress, peerCallId, memo };
  }

  row(): CounterRow {
    return { call: this.handle, ...this.#counters, ...this.#watch.ages };
  }

  /** No timer fires after this. */
  end(): CounterRow {
    this.#watch.end();
    this.#gap?.cancel();
    this.#credit?.cancel();
    return this.row();
  }

  /** Gives up on what is missing before the first early packet, once that has waited long enough. */
  #awaitGap(): void {
    if (!this.#window.waits) {
      this.#gap?.cancel();
      this.#gap = undefined;
    } else if (this.#gap === undefined) {
      this.#gap = this.#around.wire.clock.arm(reorderMs, () => {
        this.#gap = undefined;
        this.#giveUp();
        this.#awaitGap();
      });
    }
  }

  #giveUp(): void {
    this.#counters.lost += this.#window.giveUp();
    this.#takeAll(this.#window.ready());
  }

  #takeAll(payloads: readonly Payload[]): void {
    for (const payload of payloads) this.#take(payload);
  }

  #take(payload: Payload): void {
    if (payload.is === 'fragment') this.#takeFragment(payload);
    else if (payload.is === 'frame') this.#takeFrame(payload.protocol, payload.information);
    else this.#takePacket(payload);
  }

  #takeFragment(fragment: Fragment): void {
    if (this.#reassembly === undefined) {
      this.#counters.malformed++;
      return;
    }
    const { is, lost, isMalformed, octets } = this.#reassembly.take(fragment);
    this.#counters.fragmentsLost += lost;
    if (isMalformed) this.#counters.malformed++;
    if (is === 'late') {
      this.#counters.fragmentsLate++;
      if (this.#counters.fragmentsLost > 0) this.#counters.fragmentsLost--;
    }
    if (is === 'complete') this.#takePacket({ ...fragment, octets });
  }

  #takeFrame(protocol: number, information: Uint8Array): void {
    this.#counters.receivedFrames++;
    const isEcho =
      protocol === linkControlProtocol && information[0] === echoRequest && information.length >= 8;
    if (isEcho && this.#ourMagic !== undefined && this.#around.alone()) {
      this.sendFrame(linkControlProtocol, echoed(information, this.#ourMagic));
    } else {
      this.#around.emit({ kind: 'frame', call: this.handle, protocol, first: this.#first, information });
      this.#first = 0;
    }
  }

  #takePacket({ octets, isBridged, seal }: Data): void {
    const passage = this.#passage(isBridged);
    if (seal === undefined && (this.#receive !== undefined || encrypts(passage.flags))) {
      this.#counters.unencrypted++;
    } else if (seal !== undefined && !this.#opens(seal)) {
      this.#counters.undecryptable++;
    } else {
      this.#toHost(passage, octets, isBridged ? frameOf(octets) : octets);
    }
  }

  #toHost({ link, flags }: Passage, information: Uint8Array, octets: Uint8Array): void {
    if ((flags & attach.receive) === 0 || link === 0) {
      this.#counters.dropped++;
      return;
    }
    if (this.#quotas.isReceiveSpent(this.#counters) || !this.#receiveRate.mayPass(this.#nowMs)) {
      this.#counters.shaped++;
      return;
    }
    this.#receiveRate.spend(octets.length);
    this.#watch.passed();
    this.#counters.receivedPackets++;
    this.#counters.receivedOctets += BigInt(information.length + 2);
    this.#saySpent();
    this.#around.deliver(link, octets);
  }

  #saySpent(): void {
    const isSpent =
      this.#quotas.isReceiveSpent(this.#counters) || this.#quotas.isTransmitSpent(this.#counters);
    if (!isSpent || this.#quotas.said) return;
    this.#quotas.said = true;
    this.#around.emit({ kind: 'quota', call: this.handle });
  }

  /** Stateful MPPE cannot go on after a gap until the sender restarts its stream (RFC 3078 section 7.2); stateless can. */
  #opens(seal: Seal): boolean {
    const cipher = this.#receive;
    if (cipher === undefined || cipher.key !== seal.key) return false;
    if (cipher.stateless || seal.flushed) cipher.restart = false;
    else if (seal.count !== cipher.count) cipher.restart = true;
    if (cipher.restart) {
      this.#sayLost(cipher);
      return false;
    }
    cipher.sayLostAtMs = 0;
    cipher.count = (seal.count + 1) & countMask;
    return true;
  }

  #sayLost(cipher: Cipher): void {
    if (this.#nowMs < cipher.sayLostAtMs) return;
    cipher.sayLostAtMs = this.#nowMs + lostAgainMs;
    this.#around.emit({ kind: 'cipher-lost', call: this.handle });
  }

  #seal(): Seal | undefined {
    const cipher = this.#transmit;
    if (cipher === undefined) return undefined;
    const seal = { key: cipher.key, count: cipher.count, flushed: cipher.stateless || cipher.restart };
    cipher.count = (cipher.count + 1) & countMask;
    cipher.restart = false;
    return seal;
  }

  #send(payload: Payload): boolean {
    if (!this.#peerKnown) return false;
    const packet = { callId: this.peerCallId, sequence: this.#sequence++, payload };
    this.#around.wire.sendGre(this.localAddress, this.peerAddress, packet);
    return true;
  }

  get #nowMs(): number {
    return this.#around.wire.clock.nowMs();
  }
}

/** True if nothing may pass in clear. */
function encrypts(flags: number): boolean {
  return (flags & attach.encryptionRequired) !== 0;
}

/** [RFC 1661 5.8] The reply has the request's identifier and data, and our magic number. */
function echoed(request: Uint8Array, ourMagic: number): Uint8Array {
  const reply = request.slice();
  new Writer(reply.subarray(0, 1)).u8(echoReply);
  new Writer(reply.subarray(4, 8)).u32(ourMagic);
  return reply;
}
