/**
 * The blocks that this node has leases of: asks for more before they are needed, renews them, gives back what is not. Pools, the books'
 * answers and the clock enter; what may be given out now (`within`) and what was lost to others leave. What is used is
 * addresses.ts's to know. Pure: one question to the books at a time.
 *
 * Laws of the whole are in blocks.ts. What this node takes for its own ends on its own clock, `leaseMs` after the question was sent whose
 * answer told it so. What it gives back it has not any more when it says so, not when that is confirmed; what it got and was not told of,
 * it takes by another epoch, so that nothing said before has an effect later.
 */

import type { Clock, Timer } from '../../base/clock.ts';
import { type AddressRange, addressRange } from '../../base/kind.ts';
import type { Log } from '../../base/observe.ts';
import { below, type Random } from '../../base/random.ts';
import { common, disjoint, sizeOf, sum } from '../address-ranges.ts';
import type { Leases } from '../addresses.ts';
import type { Pool } from '../settings.ts';
import type { Block, BlockBooks, BlockTerms, Granted, Kept } from './blocks.ts';
import { bitsOf, needOf, type PoolUse, reserveOf, rotated, sparedOf } from './blocks-reserve.ts';

export interface BlockLeasesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly books: BlockBooks;
  readonly terms: BlockTerms;
  /** Addresses of a range that sessions of this node have. */
  usedIn(range: AddressRange): number;
  /** Another node has these addresses: the sessions that drew one of them must end. */
  lost(range: AddressRange): void;
}

interface Held extends Block {
  /** Until when addresses of it may be given. */
  readonly untilMs: number;
  /** When it is to be renewed. */
  readonly dueMs: number;
  /** Since when it has been seen without sessions. */
  readonly emptySinceMs: number | undefined;
}

interface LeasedPool {
  readonly ranges: readonly AddressRange[];
  readonly size: number;
  readonly bits: number;
  /** Until then it is of no use to ask for more. */
  restsUntilMs: number;
  /** Addresses that may be drawn before it is looked at again. */
  enough: number;
  /** What may be given now, until a lease of it ends. */
  offer: { readonly ranges: readonly AddressRange[]; readonly untilMs: number } | undefined;
}

/** Blocks in one question: Redis serves nobody else meanwhile, and that should not be for longer than a few milliseconds. */
const keptAtOnce = 500;

export class BlockLeases implements Leases {
  readonly #options: BlockLeasesOptions;
  /** By first address, in the order in which they were granted. */
  #held = new Map<number, Held>();
  #pools = new Map<string, LeasedPool>();
  #timer: Timer | undefined;
  #isWaiting = false;
  /** What is awaited was asked over a connection that is gone: there is no answer, and the next question need not wait. */
  #isHurried = false;
  /** What former boots had has been taken over. */
  #hasBegun = false;
  #hasStrays = false;
  #mark: string | undefined;
  #nextLookMs = Number.NEGATIVE_INFINITY;
  /** Nothing is granted before. */
  #settledMs = Number.POSITIVE_INFINITY;
  /** As of the last look; undefined when what follows from it has been done. */
  #wanted: ReadonlySet<string> | undefined;
  #hasRunOut = false;
  #onClosed: (() => void) | undefined;

  constructor(options: BlockLeasesOptions) {
    this.#options = options;
  }

  /** From now on these are the pools. Blocks that none of them has are given back when they are empty. */
  configure(pools: Iterable<Pool>): void {
    const { blockSize } = this.#options.terms;
    this.#pools = new Map(
      Array.from(pools, (pool) => {
        const ranges = disjoint(pool.ranges);
        const size = sum(ranges, sizeOf);
        const bits = bitsOf(size, blockSize);
        return [pool.name, { ranges, size, bits, restsUntilMs: 0, enough: 0, offer: undefined }];
      }),
    );
    if (this.#timer !== undefined) this.#next();
  }

  /** Asks for the first blocks, and goes on until `close`. */
  begin(): void {
    this.#tick();
  }

  /** There is a connection again: says at once what is held, for the books may be others. */
  online(): void {
    this.#expectLoss();
    this.#isHurried = true;
    this.#next();
  }

  /** Gives back all that no session uses; `done` when that has been said, or cannot be. */
  close(done: () => void): void {
    this.#timer?.cancel();
    this.#onClosed = done;
    this.#next();
  }

  within(pool: string): readonly AddressRange[] {
    const leased = this.#pools.get(pool);
    if (leased === undefined) return [];
    const nowMs = this.#options.clock.nowMs();
    if (leased.offer === undefined || nowMs >= leased.offer.untilMs) {
      const live = [...this.#held.values()].filter(({ untilMs }) => nowMs < untilMs);
      const ranges = live.flatMap((block) => common(leased.ranges, block));
      const untilMs = live.reduce((least, block) => Math.min(least, block.untilMs), Number.POSITIVE_INFINITY);
      leased.offer = { ranges, untilMs };
    }
    return leased.offer.ranges;
  }

  drawn(pool: string): void {
    const leased = this.#pools.get(pool);
    if (leased === undefined) return;
    leased.enough -= 1;
    if (leased.enough <= 0) this.#next();
  }

  /** Why no address of a pool may be given yet; undefined once the books have said what this node has. */
  get delay(): string | undefined {
    if (this.#hasBegun || this.#pools.size === 0) return undefined;
    const leftMs = this.#settledMs - this.#options.clock.nowMs();
    return Number.isFinite(leftMs)
      ? `redis is new or has come back: it leases addresses in ${Math.max(1, Math.ceil(leftMs / 1000))} s`
      : 'redis has not said which addresses this node may give';
  }

  /** The blocks held, and how a pool stands on this node; for metrics and tables. */
  get blocks(): readonly Block[] {
    return [...this.#held.values()];
  }

  useOf(pool: string): PoolUse | undefined {
    const leased = this.#pools.get(pool);
    return leased && this.#useOf(pool, leased);
  }

  #useOf(pool: string, { size, ranges, bits }: LeasedPool): PoolUse {
    const { usedIn } = this.#options;
    const free = sum(this.within(pool), (range) => sizeOf(range) - usedIn(range));
    return { size, used: sum(ranges, usedIn), free, bits };
  }

  #tick(): void {
    const { clock, terms } = this.#options;
    this.#timer = clock.arm(terms.lookMs, () => this.#tick());
    this.#nextLookMs = clock.nowMs();
    this.#sayWhatRanOut();
    this.#next();
  }

  /** What is most urgent is asked first; its answer comes back here. */
  #next(): void {
    if (this.#isWaiting) return;
    if (this.#onClosed !== undefined) this.#leave(this.#onClosed);
    else this.#keep() || this.#take() || this.#give() || this.#lease();
  }

  /** Without an answer the rest waits for the next look. */
  #ask<A>(
    question: (answer: (answer: A) => void) => void,
    take: (answer: A, sentMs: number) => boolean,
  ): true {
    const sentMs = this.#options.clock.nowMs();
    this.#isWaiting = true;
    question((answer) => {
      this.#isWaiting = false;
      const isAnswered = take(answer, sentMs);
      if (isAnswered || this.#isHurried || this.#onClosed !== undefined) this.#next();
    });
    return true;
  }

  #keep(): boolean {
    const { clock, books, terms } = this.#options;
    const nowMs = clock.nowMs();
    const due = [...this.#held.values()].filter(({ dueMs }) => dueMs <= nowMs).slice(0, keptAtOnce);
    if (due.length === 0 && nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = nowMs + terms.lookMs;
    this.#isHurried = false;
    return this.#ask<Kept | undefined>(
      (answer) => books.keep(due, this.#held.size, answer),
      (kept, sentMs) => kept !== undefined && this.#kept(due, kept, sentMs),
    );
  }

  #kept(said: readonly Held[], kept: Kept, sentMs: number): true {
    const { clock, terms } = this.#options;
    this.#settle(kept.settlingMs);
    this.#hasStrays = kept.hasStrays;
    this.#wanted = kept.wanted;
    const epochs = new Map(kept.renumbered.map(({ first, epoch }) => [first, epoch]));
    for (const block of said) {
      // Somebody may have got it meanwhile, and not said so yet: it is his if he does.
      const isDoubtful = kept.settlingMs > 0 && sentMs >= block.untilMs + terms.quarantineMs;
      this.#held.set(block.first, {
        ...block,
        epoch: epochs.get(block.first) ?? block.epoch,
        untilMs: isDoubtful ? block.untilMs : sentMs + terms.leaseMs,
        dueMs: isDoubtful ? clock.nowMs() + terms.lookMs : sentMs + terms.renewMs,
      });
    }
    const lost = kept.lost.filter(({ first }) => this.#held.delete(first));
    if (this.#mark !== kept.mark && this.#mark !== undefined) this.#expectLoss();
    this.#mark = kept.mark;
    this.#changed();
    for (const range of lost) this.#lose(range);
    return true;
  }

  #lose(range: AddressRange): void {
    const { log, lost } = this.#options;
    log('warning', 'system', `addresses ${addressRange.format(range)} are leased to another node`, {
      hint: 'this node was cut off from redis for longer than a lease lasts, or redis had lost its data',
    });
    lost(range);
  }

  /** All is said anew, soon. */
  #expectLoss(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#nextLookMs = nowMs;
    for (const [first, block] of this.#held) this.#held.set(first, { ...block, dueMs: nowMs });
  }

  #settle(settlingMs: number): void {
    const { clock } = this.#options;
    const wasSettled = this.#settledMs <= clock.nowMs();
    this.#settledMs = clock.nowMs() + settlingMs;
    if (settlingMs > 0 && wasSettled) this.#expectLoss();
  }

  get #isSettled(): boolean {
    return this.#options.clock.nowMs() >= this.#settledMs;
  }

  #take(): boolean {
    const { books } = this.#options;
    if (!this.#isSettled || (this.#hasBegun && !this.#hasStrays)) return false;
    const whose = this.#hasBegun ? 'boot' : 'node';
    return this.#ask<Granted | undefined>(
      (answer) => books.take(whose, answer),
      (granted, sentMs) => {
        if (granted === undefined || !this.#granted(granted, sentMs)) return false;
        this.#hasBegun = true;
        this.#hasStrays = false;
        return true;
      },
    );
  }

  /** False if nothing is granted now. */
  #granted({ settlingMs, blocks }: Granted, sentMs: number): boolean {
    const { leaseMs, renewMs } = this.#options.terms;
    this.#settle(settlingMs);
    if (settlingMs > 0) return false;
    for (const block of blocks) {
      const emptySinceMs = this.#held.get(block.first)?.emptySinceMs;
      const [untilMs, dueMs] = [sentMs + leaseMs, sentMs + renewMs];
      this.#held.set(block.first, { ...block, untilMs, dueMs, emptySinceMs });
    }
    this.#changed();
    return true;
  }

  /** Once a look. */
  #give(): boolean {
    const { books } = this.#options;
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) return false;
    this.#noteEmpty();
    const spared = this.#spared(wanted).slice(0, keptAtOnce);
    if (spared.length === 0) return false;
    for (const { first } of spared) this.#held.delete(first);
    this.#changed();
    return this.#ask<boolean>(
      (answer) => books.give(spared, answer),
      (isDone) => isDone,
    );
  }

  #noteEmpty(): void {
    const { clock, usedIn } = this.#options;
    for (const [first, block] of this.#held) {
      const emptySinceMs = usedIn(block) > 0 ? undefined : (block.emptySinceMs ?? clock.nowMs());
      if (emptySinceMs !== block.emptySinceMs) this.#held.set(first, { ...block, emptySinceMs });
    }
  }

  #spared(wanted: ReadonlySet<string>): readonly Held[] {
    const { clock, terms } = this.#options;
    const longAgoMs = clock.nowMs() - terms.emptyMs;
    const pools = [...this.#pools];
    const uses = new Map(pools.map(([name, pool]) => [name, this.#useOf(name, pool)]));
    const blocks = [...this.#held.values()].reverse().map((block) => ({
      block,
      isEmpty: block.emptySinceMs !== undefined,
      isLongEmpty: block.emptySinceMs !== undefined && block.emptySinceMs <= longAgoMs,
      pools: pools.flatMap(([name, { ranges }]) => {
        const addresses = sum(common(ranges, block), sizeOf);
        return addresses > 0 ? [[name, addresses] as const] : [];
      }),
    }));
    return sparedOf(blocks, uses, wanted);
  }

  #lease(): boolean {
    if (!this.#isSettled || !this.#hasBegun) return false;
    for (const [name, pool] of this.#pools) {
      if (pool.enough > 0 || this.#options.clock.nowMs() < pool.restsUntilMs) continue;
      const use = this.#useOf(name, pool);
      const reserve = reserveOf(use);
      pool.enough = use.free - reserve + 1;
      if (use.free < reserve) return this.#askFor(name, pool, use, reserve - use.free);
    }
    return false;
  }

  #askFor(name: string, pool: LeasedPool, use: PoolUse, addresses: number): true {
    const { clock, books, random, terms } = this.#options;
    const { ranges, size, bits } = pool;
    const isBadly = use.free < needOf(use);
    const wish = { pool: name, ranges: rotated(ranges, below(random, size), bits), addresses, isBadly, bits };
    return this.#ask<Granted | undefined>(
      (answer) => books.lease(wish, answer),
      (granted, sentMs) => {
        const isGranted = granted !== undefined && this.#granted(granted, sentMs);
        if (sum(granted?.blocks ?? [], sizeOf) < addresses) pool.restsUntilMs = clock.nowMs() + terms.lookMs;
        return isGranted;
      },
    );
  }

  #leave(done: () => void): void {
    const { books, usedIn } = this.#options;
    const idle = [...this.#held.values()].filter((block) => usedIn(block) === 0);
    this.#onClosed = undefined;
    this.#pools.clear();
    this.#held.clear();
    this.#isWaiting = true;
    if (idle.length === 0) done();
    else books.give(idle, () => done());
  }

  /** What may be given is another than before. */
  #changed(): void {
    for (const pool of this.#pools.values()) {
      pool.offer = undefined;
      pool.enough = 0;
    }
  }

  #sayWhatRanOut(): void {
    const { clock, log } = this.#options;
    const blocks = [...this.#held.values()].filter(({ untilMs }) => untilMs <= clock.nowMs());
    const hasRunOut = blocks.length > 0;
    if (hasRunOut && !this.#hasRunOut) {
      const text = `the leases of ${sum(blocks, sizeOf)} addresses have run out: no new session gets one of them`;
      log('error', 'system', text, { hint: 'redis has been away for too long; running sessions go on' });
    }
    this.#hasRunOut = hasRunOut;
  }
}
