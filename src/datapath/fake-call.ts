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
  peerCallIdKnown,
} from './contract.ts';
import { ReceiveWindow } from './fake-window.ts';
import type { GrePacket, Payload, Seal, Wire } from './fake-wire.ts';

/** How long a packet that came early waits for those before it. */
const reorderMs = 10;

/** Frames kept until the peer's Call ID is known: LCP's first, which only a client sends so early. */
const waitingFramesMax = 16;

/** MPPE's coherency count has 12 bits (RFC 3078 section 3.1). */
const countMask = 0xfff;

const linkControlProtocol = 0xc021;
const echoRequest = 9;
const echoReply = 10;

/** What a call does to the world around it. */
export interface Surroundings {
  readonly wire: Wire;
  emit(event: Event): void;
  /** A network packet for the host, out of the interface `link`. */
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

type Counters = {
  -readonly [Name in Exclude<keyof CounterRow, 'call' | 'silentMs' | 'idleMs'>]: CounterRow[Name];
};

export const zeroCounters: Counters = {
  receivedOctets: 0n,
  transmittedOctets: 0n,
  receivedPackets: 0n,
  transmittedPackets: 0n,
  receivedFrames: 0,
  transmittedFrames: 0,
  duplicates: 0,
  late: 0,
  reordered: 0,
  lost: 0,
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
  link = 0;
  memo: Uint8Array = new Uint8Array(0);
  readonly #around: Surroundings;
  readonly #counters: Counters = { ...zeroCounters };
  #peerKnown: boolean;
  /** Frames that wait for the peer's Call ID. */
  #waiting: { readonly protocol: number; readonly information: Uint8Array }[] = [];
  #passes = 0;
  #ourMagic: number | undefined;
  #transmit: Cipher | undefined;
  #receive: Cipher | undefined;

  #sequence = 0;
  #first: 0 | 1 = 1;
  readonly #window = new ReceiveWindow<Payload>();
  #gap: Timer | undefined;

  #receivedAtMs: number;
  #passedAtMs: number;
  #watch = { silentMs: 0, probeMs: 0, idleMs: 0 };
  #probes = 0;
  #silence: Timer | undefined;
  #idleness: Timer | undefined;

  constructor(command: CommandOf<'call-open'>, around: Surroundings) {
    this.handle = command.call;
    this.localAddress = command.localAddress;
    this.peerAddress = command.peerAddress;
    this.peerCallId = command.peerCallId;
    this.#peerKnown = (command.flags & peerCallIdKnown) !== 0;
    this.#around = around;
    this.#receivedAtMs = this.#passedAtMs = around.wire.clock.nowMs();
  }

  learnPeer(peerCallId: number): void {
    this.peerCallId = peerCallId;
    this.#peerKnown = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { protocol, information } of waiting) this.sendFrame(protocol, information);
  }

  settle({ ourMagic }: CommandOf<'call-framing'>): void {
    this.#ourMagic = ourMagic;
  }

  attach({ link, flags }: CommandOf<'call-attach'>): void {
    this.link = link;
    this.#passes = flags;
  }

  detach(): void {
    this.link = 0;
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

  watch({ silentMs, probeMs, idleMs }: CommandOf<'call-watch'>): void {
    this.#watch = { silentMs, probeMs, idleMs };
    this.#probes = 0;
    this.#awaitSilence();
    this.#awaitIdleness();
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

  /** A network packet of the host, to the peer, if it may pass. */
  sendPacket(octets: Uint8Array): void {
    this.#passed();
    if ((this.#passes & attach.transmit) === 0) {
      this.#counters.dropped++;
    } else if (this.#transmit === undefined && this.#encrypts) {
      this.#counters.unencrypted++;
    } else if (this.#send({ is: 'packet', octets, seal: this.#seal() })) {
      this.#counters.transmittedPackets++;
      this.#counters.transmittedOctets += BigInt(octets.length + 2);
    } else {
      this.#counters.dropped++;
    }
  }

  /** A GRE packet of the peer. */
  received({ sequence, payload }: GrePacket): void {
    this.#heard();
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
    const { handle: call, link, localAddress, peerAddress, peerCallId, memo } = this;
    return { kind: 'call-held', call, link, localAddress, peerAddress, peerCallId, memo };
  }

  row(): CounterRow {
    const nowMs = this.#around.wire.clock.nowMs();
    return {
      call: this.handle,
      ...this.#counters,
      silentMs: Math.floor(nowMs - this.#receivedAtMs),
      idleMs: Math.floor(nowMs - this.#passedAtMs),
    };
  }

  /** No timer fires after this. */
  end(): CounterRow {
    for (const timer of [this.#gap, this.#silence, this.#idleness]) timer?.cancel();
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
    if (payload.is === 'frame') this.#takeFrame(payload.protocol, payload.information);
    else this.#takePacket(payload.octets, payload.seal);
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

  #takePacket(octets: Uint8Array, seal: Seal | undefined): void {
    if (seal === undefined && (this.#receive !== undefined || this.#encrypts)) {
      this.#counters.unencrypted++;
    } else if (seal !== undefined && !this.#opens(seal)) {
      this.#counters.undecryptable++;
    } else {
      this.#passed();
      this.#toHost(octets);
    }
  }

  #toHost(octets: Uint8Array): void {
    if ((this.#passes & attach.receive) === 0 || this.link === 0) {
      this.#counters.dropped++;
      return;
    }
    this.#counters.receivedPackets++;
    this.#counters.receivedOctets += BigInt(octets.length + 2);
    this.#around.deliver(this.link, octets);
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
    const nowMs = this.#around.wire.clock.nowMs();
    if (nowMs < cipher.sayLostAtMs) return;
    cipher.sayLostAtMs = nowMs + lostAgainMs;
    this.#around.emit({ kind: 'cipher-lost', call: this.handle });
  }

  /** True if nothing may pass in clear. */
  get #encrypts(): boolean {
    return (this.#passes & attach.encryptionRequired) !== 0;
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

  #heard(): void {
    this.#receivedAtMs = this.#around.wire.clock.nowMs();
    if (this.#probes === 0) return;
    this.#probes = 0;
    this.#awaitSilence();
  }

  #passed(): void {
    this.#passedAtMs = this.#around.wire.clock.nowMs();
  }

  #awaitSilence(): void {
    const { silentMs, probeMs } = this.#watch;
    const { clock } = this.#around.wire;
    this.#silence?.cancel();
    if (silentMs === 0 || (this.#probes > 0 && probeMs === 0)) return;
    const dueMs = this.#receivedAtMs + silentMs + this.#probes * probeMs;
    this.#silence = clock.arm(dueMs - clock.nowMs(), () => {
      // What was heard meanwhile has moved the deadline, not the timer.
      if (this.#receivedAtMs + silentMs + this.#probes * probeMs <= clock.nowMs()) {
        this.#probes++;
        this.#around.emit({ kind: 'silent', call: this.handle, probe: this.#probes });
      }
      this.#awaitSilence();
    });
  }

  #awaitIdleness(): void {
    const { idleMs } = this.#watch;
    const { clock } = this.#around.wire;
    this.#idleness?.cancel();
    if (idleMs === 0) return;
    this.#idleness = clock.arm(this.#passedAtMs + idleMs - clock.nowMs(), () => {
      if (this.#passedAtMs + idleMs > clock.nowMs()) this.#awaitIdleness();
      else this.#around.emit({ kind: 'idle', call: this.handle });
    });
  }
}

/** [RFC 1661 5.8] The reply has the request's identifier and data, and our magic number. */
function echoed(request: Uint8Array, ourMagic: number): Uint8Array {
  const reply = request.slice();
  new Writer(reply.subarray(0, 1)).u8(echoReply);
  new Writer(reply.subarray(4, 8)).u32(ourMagic);
  return reply;
}
