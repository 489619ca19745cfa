/**
 * pppd with `require-mppe`, `-40` or `-128`, as far as CCP goes: frames in, frames out. It is strict: it hangs up on whatever
 * asks it for more than it allows, on a Nak towards that, on a Configure-Reject, and on CCP negotiated anew once it is open.
 * pppd knows neither 56 bits nor, unless told to, stateful mode.
 */

import { Reader, Writer } from '../../../../src/base/bytes.ts';
import { Malformed } from '../../../../src/base/fault.ts';
import { codes, decodePacket, encodePacket } from '../../../../src/ppp/packet.ts';

/** H, S and L of RFC 3078 section 2. */
const stateless = 0x01_00_00_00;
const bits128 = 0x40;
const bits40 = 0x20;
const strengthBits = bits128 | bits40;

export class Pppd {
  readonly #allowed: number;
  #wanted: number;
  #identifier = 1;
  #granted = false;
  #agreed: number | undefined;
  #hungUp = false;

  constructor(strengths: readonly (128 | 40)[]) {
    this.#allowed = strengths.reduce((word, bits) => word | (bits === 128 ? bits128 : bits40), stateless);
    this.#wanted = this.#allowed;
  }

  get hungUp(): boolean {
    return this.#hungUp;
  }

  /** The strength of an open CCP, which is the same in both directions; undefined before. */
  get bits(): 128 | 40 | undefined {
    if (!this.#open || this.#agreed !== this.#wanted) return undefined;
    return this.#wanted === (stateless | bits128) ? 128 : 40;
  }

  up(): readonly Uint8Array[] {
    return [frame(codes.configureRequest, this.#identifier, this.#wanted)];
  }

  received(bytes: Uint8Array): readonly Uint8Array[] {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed || packet.data.length !== 6) throw new Error('not one MPPE option');
    const word = new Reader(packet.data.subarray(2)).u32();
    if (this.#hungUp) return [];
    if (packet.code === codes.configureRequest) return this.#requested(packet.identifier, word);
    if (packet.identifier !== this.#identifier || this.#granted) return [];
    return this.#answered(packet.code, word);
  }

  get #open(): boolean {
    return this.#granted && this.#agreed !== undefined;
  }

  #requested(identifier: number, word: number): readonly Uint8Array[] {
    if (this.#open) return this.#hangUp();
    const answer = this.#chosen(word);
    this.#agreed = answer === word ? word : undefined;
    if (answer === undefined) return [frame(codes.configureReject, identifier, word), ...this.#hangUp()];
    return [frame(answer === word ? codes.configureAck : codes.configureNak, identifier, answer)];
  }

  /** What a request should have said, undefined if pppd will have none of it. */
  #chosen(word: number): number | undefined {
    if ((word & stateless) === 0) return undefined;
    const asked = word & strengthBits;
    if (asked === 0) return this.#allowed;
    if (asked === strengthBits) return stateless | (this.#allowed & bits128 || bits40);
    return (asked & this.#allowed) === 0 ? undefined : stateless | asked;
  }

  #answered(code: number, word: number): readonly Uint8Array[] {
    if (code === codes.configureAck && word === this.#wanted) {
      this.#granted = true;
      return [];
    }
    const within = (word & ~this.#wanted) === 0 && (word & stateless) !== 0;
    if (code !== codes.configureNak || !within) return this.#hangUp();
    this.#wanted = word;
    this.#identifier += 1;
    return this.up();
  }

  #hangUp(): readonly [] {
    this.#hungUp = true;
    return [];
  }
}

function frame(code: number, identifier: number, word: number): Uint8Array {
  const data = new Writer(new Uint8Array(6)).u8(18).u8(6).u32(word).done();
  return encodePacket({ code, identifier, data });
}
