/**
 * The methods of EAP that a peer speaks inside TLS 1.2: EAP-TLS (RFC 5216), whose proof is the peer's certificate, and PEAPv0,
 * which carries another method in the tunnel. TLS itself is Node's, over a pair of streams; here are the fragments and the keys.
 *
 *     Flags: L Length included 80, M More fragments 40, S Start 20, and PEAP's version in the lowest bits.
 *     The length of all fragments, four octets if L; then a piece of the octets of TLS.
 */

import { EventEmitter, once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { concat, equal, Reader, Writer } from '../../src/base/bytes.ts';
import { keysOfMasters, type MppeKeys } from '../../src/ppp/auth/mppe-keys.ts';
import { encodePacket, headerBytes } from '../../src/ppp/packet.ts';
import { codes, type EapMethod, type EapPeer, types } from './eap-peer.io.ts';

/** In PEM form. */
export interface TlsIdentity {
  readonly authority: string;
  readonly certificate?: string;
  readonly key?: string;
}

const flags = { lengthIncluded: 0x80, moreFragments: 0x40, start: 0x20 } as const;

/** Fragments of both directions around a TLS client. */
abstract class InsideTls implements EapMethod {
  abstract readonly type: number;
  protected readonly tls: TlsClient;
  readonly #fragmentBytes: number;
  #arrived: Uint8Array[] = [];
  #departing: Uint8Array[] = [];

  /** `packetBytes`: no Response is larger. */
  constructor(identity: TlsIdentity, packetBytes: number) {
    this.tls = new TlsClient(identity);
    // Code, identifier and length; type; flags; the length of the whole.
    this.#fragmentBytes = packetBytes - headerBytes - 1 - 1 - 4;
  }

  async respond(data: Uint8Array, identifier: number): Promise<Uint8Array> {
    const reader = new Reader(data);
    const flag = reader.u8();
    if (flag & flags.lengthIncluded) reader.skip(4);
    if (this.#departing.length === 0) {
      this.#arrived.push(reader.rest());
      if (flag & flags.moreFragments) return acknowledgement;
      const whole = concat(...this.#arrived);
      this.#arrived = [];
      const answer = flag & flags.start ? await this.tls.hello() : await this.answer(whole, identifier);
      this.#departing = fragmentsOf(answer, this.#fragmentBytes);
    }
    return this.#departing.shift() ?? acknowledgement;
  }

  /** What TLS says to what it is told. */
  protected abstract answer(octets: Uint8Array, identifier: number): Promise<Uint8Array>;

  /** [RFC 5216 §2.3] Of the 64 octets of MSK the peer sends with the first half; MPPE takes 16 octets of each. */
  get keys(): MppeKeys | undefined {
    if (!this.tls.isSecure) return undefined;
    const msk = this.tls.export(64, 'client EAP encryption');
    return keysOfMasters(msk.slice(0, 16), msk.slice(32, 48));
  }
}

const acknowledgement = Uint8Array.of(0);

function fragmentsOf(octets: Uint8Array, size: number): Uint8Array[] {
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += size) {
    const piece = octets.subarray(at, at + size);
    const more = at + size < octets.length ? flags.moreFragments : 0;
    const first = at === 0 ? flags.lengthIncluded : 0;
    const length = first ? new Writer(new Uint8Array(4)).u32(octets.length).done() : new Uint8Array();
    fragments.push(concat(Uint8Array.of(first | more), length, piece));
  }
  return fragments;
}

export class EapTls extends InsideTls {
  readonly type = types.tls;

  protected answer(octets: Uint8Array): Promise<Uint8Array> {
    return this.tls.hear(octets);
  }
}

/** PEAP version 0, as Windows speaks it: packets of the inner method go without the four octets of their header. */
export class Peap extends InsideTls {
  readonly type = types.peap;
  readonly #inner: EapPeer;

  constructor(identity: TlsIdentity, packetBytes: number, inner: EapPeer) {
    super(identity, packetBytes);
    this.#inner = inner;
  }

  protected async answer(octets: Uint8Array, identifier: number): Promise<Uint8Array> {
    const wasSecure = this.tls.isSecure;
    const out = await this.tls.hear(octets);
    if (!wasSecure) return out;
    const request = this.tls.takePlain();
    if (equal(request.subarray(headerBytes), resultSuccess)) {
      // Only the result goes with its header, and comes back as a Response.
      const [, requested = 0] = request;
      return this.tls.say(encodePacket({ code: codes.response, identifier: requested, data: resultSuccess }));
    }
    const whole = encodePacket({ code: codes.request, identifier, data: request });
    const response = await this.#inner.received(whole);
    if (response === undefined) throw new Error('the inner method has nothing to say');
    return this.tls.say(response.slice(headerBytes));
  }
}

/** Extensions: the Result TLV, mandatory, Success. */
const resultSuccess = Uint8Array.of(types.extensions, 0x80, 0x03, 0x00, 0x02, 0x00, 0x01);

/** A TLS client whose octets are carried by hand: each call gives what is heard and takes the whole flight that answers it. */
class TlsClient {
  readonly #identity: TlsIdentity;
  readonly #events = new EventEmitter();
  #socket: TLSSocket | undefined;
  #far: Duplex | undefined;
  #flight: Uint8Array = new Uint8Array();
  #plain: Uint8Array = new Uint8Array();
  #isSecure = false;

  constructor(identity: TlsIdentity) {
    this.#identity = identity;
  }

  get isSecure(): boolean {
    return this.#isSecure;
  }

  /** The ClientHello. */
  hello(): Promise<Uint8Array> {
    const [near, far] = duplexPair();
    const { authority, certificate, key } = this.#identity;
    const socket = connect({
      socket: near,
      ca: authority,
      ...(certificate !== undefined && { cert: certificate }),
      ...(key !== undefined && { key }),
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      // A server of RADIUS is known by its authority: no host was called by name.
      checkServerIdentity: () => undefined,
    });
    socket.on('secureConnect', () => {
      this.#isSecure = true;
      this.#rest();
    });
    socket.on('data', (plain) => {
      this.#plain = concat(this.#plain, plain);
      this.#rest();
    });
    socket.on('error', () => this.#rest());
    far.on('data', (octets) => {
      this.#flight = concat(this.#flight, octets);
      if (isWholeFlight(this.#flight)) this.#rest();
    });
    this.#socket = socket;
    this.#far = far;
    return this.#answered(() => {});
  }

  hear(octets: Uint8Array): Promise<Uint8Array> {
    return this.#answered(() => this.#far?.write(octets));
  }

  /** Octets for the other end of the tunnel, as they leave this one. */
  say(plain: Uint8Array): Promise<Uint8Array> {
    return this.#answered(() => this.#socket?.write(plain));
  }

  /** What has come out of the tunnel. */
  takePlain(): Uint8Array {
    const plain = this.#plain;
    this.#plain = new Uint8Array();
    return plain;
  }

  export(size: number, label: string): Uint8Array {
    if (this.#socket === undefined) throw new Error('there is no TLS yet');
    return new Uint8Array(this.#socket.exportKeyingMaterial(size, label, undefined as never));
  }

  /** TLS has come to rest: it waits for the other end. */
  #rest(): void {
    this.#events.emit('rest');
  }

  async #answered(act: () => void): Promise<Uint8Array> {
    const rest = once(this.#events, 'rest');
    act();
    await rest;
    const flight = this.#flight;
    this.#flight = new Uint8Array();
    return flight;
  }
}

const records = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/**
 * RFC 5246 section 7.3: what a client sends before it waits. Its hello; Finished, the record behind ChangeCipherSpec; an alert;
 * application data.
 */
function isWholeFlight(octets: Uint8Array): boolean {
  const seen: number[] = [];
  for (const reader = new Reader(octets); reader.left > 0; ) {
    if (reader.left < 5) return false;
    const type = reader.u8();
    reader.skip(2);
    const size = reader.u16();
    if (reader.left < size) return false;
    reader.skip(size);
    seen.push(type);
  }
  const [last, before] = seen.toReversed();
  if (last !== records.handshake) return last === records.alert || last === records.applicationData;
  return seen.length === 1 ? octets[5] === clientHello : before === records.changeCipherSpec;
}

const clientHello = 1;
