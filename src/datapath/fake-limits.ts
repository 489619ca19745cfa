/**
 * What holds back a call of the fake engine, by the same laws as native/token_bucket.h and native/call_limits.h: a rate with a
 * burst for each direction, and quotas that are compared with the call's own counters. Time comes in; nothing is armed here.
 */

import type { CommandOf, CounterRow } from './contract.ts';

/** How much may pass at once after a pause: what the rate gives in `ms`, and `octets` at least. */
interface BucketDepth {
  readonly ms: number;
  readonly octets: number;
}

/** As native/bounds.h has them: from the peer nothing can wait, so that bucket is deep. */
export const bucketDepths = {
  receive: { ms: 300, octets: 15_000 },
  transmit: { ms: 10, octets: 3_000 },
} as const satisfies Record<string, BucketDepth>;

/** The burst time has so many slots; at the end of each the average decides about the next. */
const slotCount = 16;

/** A packet passes while there is any credit, and may take it below zero by its own length. Bits and milliseconds. */
export class TokenBucket {
  readonly #depth: BucketDepth;
  #terms = { limit: 0, burst: 0, thresholdOctets: 0, slotMs: 0 };
  #hasBurst = false;
  #rate = 0;
  #credit = 0;
  #filledAtMs = 0;
  #slotEndMs = 0;
  #slotOctets = 0;
  #slots: number[] = [];

  constructor(depth: BucketDepth) {
    this.#depth = depth;
  }

  /** From now on; the average begins anew. */
  set(command: CommandOf<'call-shape'>, nowMs: number): void {
    const wasOn = this.#rate !== 0;
    if (wasOn) this.#advance(nowMs);
    const { burstTimeMs } = command;
    const [limit, burst, threshold] = [command.limit, command.burst, command.threshold].map(Number) as [
      number,
      number,
      number,
    ];
    const thresholdOctets = (threshold * burstTimeMs) / 8000;
    this.#terms = { limit, burst, thresholdOctets, slotMs: burstTimeMs / slotCount };
    this.#hasBurst = limit !== 0 && burst > limit && burstTimeMs !== 0;
    this.#slotOctets = 0;
    this.#slots = [];
    this.#slotEndMs = nowMs + this.#terms.slotMs;
    this.#filledAtMs = nowMs;
    this.#choose();
    this.#credit = wasOn ? Math.min(this.#credit, this.#creditMax) : this.#creditMax;
  }

  /** Always if there is no limit. */
  mayPass(nowMs: number): boolean {
    if (this.#rate === 0) return true;
    this.#advance(nowMs);
    return this.#credit > 0;
  }

  spend(octets: number): void {
    this.#credit -= 8 * octets;
    this.#slotOctets += octets;
  }

  /** When to ask again, after `mayPass` has said no. */
  get dueMs(): number {
    const creditAtMs = this.#filledAtMs + (1 - this.#credit) / (this.#rate / 1000);
    return this.#hasBurst ? Math.min(creditAtMs, this.#slotEndMs) : creditAtMs;
  }

  get #creditMax(): number {
    return Math.max((this.#rate * this.#depth.ms) / 1000, 8 * this.#depth.octets);
  }

  #advance(nowMs: number): void {
    while (this.#hasBurst && nowMs >= this.#slotEndMs) {
      this.#fill(this.#slotEndMs);
      this.#slots = [...this.#slots, this.#slotOctets].slice(-slotCount);
      this.#slotOctets = 0;
      this.#slotEndMs += this.#terms.slotMs;
      this.#choose();
    }
    this.#fill(nowMs);
  }

  #choose(): void {
    const sum = this.#slots.reduce((total, octets) => total + octets, 0);
    const { burst, limit, thresholdOctets } = this.#terms;
    this.#rate = this.#hasBurst && sum < thresholdOctets ? burst : limit;
  }

  #fill(untilMs: number): void {
    const gained = (this.#rate * (untilMs - this.#filledAtMs)) / 1000;
    this.#credit = Math.min(this.#creditMax, this.#credit + gained);
    this.#filledAtMs = untilMs;
  }
}

type Octets = Pick<CounterRow, 'receivedOctets' | 'transmittedOctets'>;

/** How far a call's counters may go; 0: no end. */
export class Quotas {
  /** Said once for each `set`. */
  said = false;
  #ends = { receiveOctets: 0n, transmitOctets: 0n, totalOctets: 0n };

  set({ receiveOctets, transmitOctets, totalOctets }: CommandOf<'call-quota'>): void {
    this.#ends = { receiveOctets, transmitOctets, totalOctets };
    this.said = false;
  }

  isReceiveSpent(counters: Octets): boolean {
    return reached(counters.receivedOctets, this.#ends.receiveOctets) || this.#isTotalSpent(counters);
  }

  isTransmitSpent(counters: Octets): boolean {
    return reached(counters.transmittedOctets, this.#ends.transmitOctets) || this.#isTotalSpent(counters);
  }

  #isTotalSpent({ receivedOctets, transmittedOctets }: Octets): boolean {
    return reached(receivedOctets + transmittedOctets, this.#ends.totalOctets);
  }
}

function reached(octets: bigint, end: bigint): boolean {
  return end !== 0n && octets >= end;
}
