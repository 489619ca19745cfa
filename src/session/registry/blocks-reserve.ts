/**
 * How many addresses a node keeps ready. How a pool is used here enters; how many are to be asked for, and which blocks can be spared, leave.
 * Arithmetic only.
 *
 * A node wants a fifth of what is in use free, so that a Redis that is away is not missed, and at least enough for a
 * burst. It is nearly out of addresses with a fiftieth free; what others have above that, they give to it. In between nobody asks
 * anybody, so that blocks do not wander to and fro.
 */

import type { AddressRange } from '../../base/kind.ts';
import { sizeOf } from '../address-ranges.ts';

/** A pool on this node. */
export interface PoolUse {
  /** Addresses of the pool, whoever has them. */
  readonly size: number;
  /** In use by sessions of this node. */
  readonly used: number;
  /** That this node may give, now. */
  readonly free: number;
  /** Of its largest blocks: 2^bits addresses. */
  readonly bits: number;
}

/** A pool is at least so many blocks: what three nodes hold and do not need is then less than a twentieth of it. */
const blocksMin = 64;
/** Calls of one second, about, in which no more can be had; of a small pool a part. */
const burst = 64;
const burstDivisor = 32;

export function bitsOf(poolSize: number, blockSize: number): number {
  return Math.floor(Math.log2(Math.max(1, Math.min(blockSize, poolSize / blocksMin))));
}

/** The free addresses that a node would have. */
export function reserveOf({ size, used, bits }: PoolUse): number {
  return Math.max(2 ** bits, Math.min(burst, Math.floor(size / burstDivisor)), Math.ceil(used / 5));
}

/** With fewer free addresses the node is nearly out of them. */
export function needOf({ used }: PoolUse): number {
  return Math.max(1, Math.ceil(used / 50));
}

/** What a block is when it is to be decided whether it can be spared. */
export interface Spare<B extends AddressRange> {
  readonly block: B;
  /** No address of it is in use. */
  readonly isEmpty: boolean;
  /** And that since long. */
  readonly isLongEmpty: boolean;
  /** The pools that it has addresses of, with how many. */
  readonly pools: readonly (readonly [pool: string, addresses: number])[];
}

/**
 * The blocks that can go, in the order given. One that no pool has goes when it is empty. Else one goes if all of its pools have twice their
 * reserve without it, or, somebody else being out of addresses, just enough.
 */
export function sparedOf<B extends AddressRange>(
  blocks: readonly Spare<B>[],
  uses: ReadonlyMap<string, PoolUse>,
  wanted: ReadonlySet<string>,
): readonly B[] {
  const free = new Map([...uses].map(([pool, use]) => [pool, use.free]));
  const spared: B[] = [];
  for (const { block, isEmpty, isLongEmpty, pools } of blocks) {
    const isWanted = pools.some(([pool]) => wanted.has(pool));
    if (!isEmpty || (pools.length > 0 && !isWanted && !isLongEmpty)) continue;
    const isMissed = pools.some(([pool, addresses]) => {
      const use = uses.get(pool);
      const enough = use === undefined ? 0 : isWanted ? needOf(use) : 2 * reserveOf(use);
      return (free.get(pool) ?? 0) - addresses < enough;
    });
    if (isMissed) continue;
    for (const [pool, addresses] of pools) free.set(pool, (free.get(pool) ?? 0) - addresses);
    spared.push(block);
  }
  return spared;
}

/** The blocks' addresses, where a search for more begins at `skip`: nodes that begin in different places do not get into each other's way. */
export function rotated(
  ranges: readonly AddressRange[],
  skip: number,
  bits: number,
): readonly AddressRange[] {
  let left = skip;
  const at = ranges.findIndex((range) => {
    if (left < sizeOf(range)) return true;
    left -= sizeOf(range);
    return false;
  });
  const range = ranges[at];
  if (range === undefined) return ranges;
  const from = range.first + left;
  const begin = Math.max(range.first, from - (from % 2 ** bits));
  const head = begin > range.first ? [{ first: range.first, last: begin - 1 }] : [];
  return [{ first: begin, last: range.last }, ...ranges.slice(at + 1), ...ranges.slice(0, at), ...head];
}
