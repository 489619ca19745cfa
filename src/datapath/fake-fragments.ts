/**
 * Multilink on one link (RFC 1990) in the fake engine, in the terms of native/multilink.h: a packet that is longer than the
 * link takes is cut, and put together at the other end. Parts come in order, because the receive window saw to that, so a
 * number that was passed over is lost. Pure. Sequence numbers do not wrap, and nobody begins them anew but by `call-framing`.
 */

import { concat } from '../base/bytes.ts';
import type { Data, Fragment } from './fake-wire.ts';

/** The protocol field inside a fragmented packet, and MPPE's header with the protocol field that it covers. */
const protocolOctets = 2;
const mppeOctets = 4;
/** A fragment's header with a long sequence number, and with a short one. */
const headerOctets = { long: 4, short: 2 } as const;

/** How the packets of one call are cut. */
export class Cutter {
  readonly #frameBytesMax: number;
  readonly #most: number;
  #sequence = 0;

  /** `frameBytesMax` is the contract's; 0: nothing is cut. */
  constructor(frameBytesMax: number, sequenceNumbers: keyof typeof headerOctets) {
    this.#frameBytesMax = frameBytesMax;
    this.#most = frameBytesMax - headerOctets[sequenceNumbers];
  }

  /** The packet in parts; undefined if it may travel whole. The first parts are shorter by what stands before the packet. */
  cut({ octets, isBridged, seal }: Data): readonly Fragment[] | undefined {
    const information = octets.length + (seal === undefined ? 0 : mppeOctets);
    if (this.#most <= 0 || information <= this.#frameBytesMax) return undefined;
    const before = information - octets.length + protocolOctets;
    const parts: Fragment[] = [];
    for (let from = -before; from < octets.length; from += this.#most) {
      const to = Math.min(from + this.#most, octets.length);
      parts.push({
        is: 'fragment',
        sequence: this.#sequence++,
        begins: from === -before,
        ends: to === octets.length,
        octets: octets.subarray(Math.max(0, from), Math.max(0, to)),
        isBridged,
        seal,
      });
    }
    return parts;
  }
}

/** What has become of a part, and how many before it are lost. */
export interface Taken {
  readonly is: 'complete' | 'kept' | 'late' | 'useless';
  readonly lost: number;
  /** A packet that is too long, or was left without its end. */
  readonly isMalformed: boolean;
  /** The packet, if it is complete. */
  readonly octets: Uint8Array;
}

/** The parts of one call, put together again. */
export class Reassembly {
  readonly #mrru: number;
  #expected: number | undefined;
  #parts: Fragment[] = [];

  /** `mrru` is the contract's. */
  constructor(mrru: number) {
    this.#mrru = mrru;
  }

  take(fragment: Fragment): Taken {
    const lost = fragment.sequence - (this.#expected ?? fragment.sequence);
    const nothing = { octets: new Uint8Array(), isMalformed: false, lost };
    if (lost < 0) return { ...nothing, is: 'late', lost: 0 };
    this.#expected = fragment.sequence + 1;
    if (lost > 0) this.#parts = [];
    const isMalformed = fragment.begins && this.#parts.length > 0;
    if (fragment.begins) this.#parts = [];
    else if (this.#parts.length === 0) return { ...nothing, is: 'useless' };
    this.#parts.push(fragment);
    const octets = concat(...this.#parts.map((part) => part.octets));
    if (octets.length + (fragment.seal === undefined ? 0 : mppeOctets) > this.#mrru) {
      this.#parts = [];
      return { ...nothing, is: 'useless', isMalformed: true };
    }
    if (!fragment.ends) return { ...nothing, is: 'kept', isMalformed };
    this.#parts = [];
    return { is: 'complete', lost, isMalformed, octets };
  }
}
