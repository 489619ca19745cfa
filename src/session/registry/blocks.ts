/**
 * Blocks: what the nodes of a service share their pools out in. A block is a prefix of 2^n addresses that one node at a time has a lease
 * of; in its blocks a node gives addresses alone, whether Redis is there or not. Here: what the books of blocks can be asked, and
 * how long things last. blocks-leases.ts is who asks, blocks.io.ts the books in Redis.
 *
 * What the books promise, in this order; what is lower gives way:
 *
 *   1. Of two nodes with the same block the higher epoch has it. The other hears so with its next word to the books, and ends the sessions
 *      that it gave addresses of the block.
 *   2. A lease lasts `leaseMs` from before it was asked for, on the node's own clock. Then the node gives no more addresses of it; the
 *      sessions that have some go on.
 *   3. A block is granted to another node `quarantineMs` after its lease ended in the books, and only when the pool has nothing else.
 *   4. When the books may have lost something, nothing is granted for `settleMs`, while all say what they hold.
 *
 * So two sessions have one address only if a node that serves has been cut off for longer than lease and quarantine together, or is cut
 * off when the books are lost; and then no longer than until it is heard of again.
 */

import type { AddressRange } from '../../base/kind.ts';

/** 2^n addresses, the first of which is a multiple of 2^n. */
export interface Block extends AddressRange {
  /** Of the grant: later ones are greater, whoever has the block. */
  readonly epoch: number;
}

export interface BlockTerms {
  /** How long a lease lasts, in ms. Redis may be away for so long before no more sessions begin. */
  readonly leaseMs: number;
  /** How long an expired block rests before another node may have it, in ms. More than clocks differ, and than a call takes to end. */
  readonly quarantineMs: number;
  /** How old a lease is when it is renewed, in ms. */
  readonly renewMs: number;
  /** How often a node looks into the books, in ms. */
  readonly lookMs: number;
  /** How long nothing is granted after the books may have lost something, in ms: several looks, and the way back to Redis. */
  readonly settleMs: number;
  /** How long a block is kept that is empty and not needed, in ms. */
  readonly emptyMs: number;
  /** Addresses of the largest block: a power of two. */
  readonly blockSize: number;
}

export const customaryTerms: BlockTerms = {
  leaseMs: 3_600_000,
  quarantineMs: 600_000,
  renewMs: 60_000,
  lookMs: 5_000,
  settleMs: 30_000,
  emptyMs: 600_000,
  blockSize: 64,
};

/** Looks within the time in which nothing is granted: who does not know that data were lost hears of it with the next, and has all but one to say what it holds. */
const looksToSettle = 6;

/** For a service that settles sooner. */
export function termsOf(settleMs: number): BlockTerms {
  const lookMs = Math.min(customaryTerms.lookMs, Math.round(settleMs / looksToSettle));
  return { ...customaryTerms, settleMs, lookMs };
}

/** How the books stand. */
export interface Kept {
  /** How long nothing is granted yet, in ms. */
  readonly settlingMs: number;
  /** Another one than before: the books may have lost something. */
  readonly mark: string;
  /** The books have blocks of this owner that it did not count: those of a request whose answer was lost. */
  readonly hasStrays: boolean;
  /** Pools in which somebody is almost out of addresses: who has blocks to spare gives them back. */
  readonly wanted: ReadonlySet<string>;
  /** Of the blocks that were said, those that are another's now. */
  readonly lost: readonly AddressRange[];
  /** Of the blocks that were said, those that have another epoch. */
  readonly renumbered: readonly Block[];
}

export interface Granted {
  readonly settlingMs: number;
  readonly blocks: readonly Block[];
}

/** A wish for addresses of a pool. */
export interface BlockWish {
  readonly pool: string;
  /** Where to look, in this order. */
  readonly ranges: readonly AddressRange[];
  readonly addresses: number;
  /** The node is almost out of them: the others are asked to give back what they can spare. */
  readonly isBadly: boolean;
  /** A block has at most 2^bits addresses. */
  readonly bits: number;
}

/** The books, as one owner uses them. Each question is answered once, with undefined if there was no answer in time: it may have had its effect. */
export interface BlockBooks {
  /** Says `blocks`, which are held, among `held` in all: they are leased anew, or lost. */
  keep(blocks: readonly Block[], held: number, answer: (kept: Kept | undefined) => void): void;
  lease(wish: BlockWish, answer: (granted: Granted | undefined) => void): void;
  /** Takes over what former boots of this node had, or what is this boot's own and not known to it. Epochs are new. */
  take(whose: 'node' | 'boot', answer: (granted: Granted | undefined) => void): void;
  /** They are anybody's at once. Whoever gives does not count them as its own any more, answer or not. */
  give(blocks: readonly Block[], answer: (isDone: boolean) => void): void;
}
