/**
 * The books of blocks as a model: what scripts/block-*.lua do, said again in TypeScript, so that a test can have a Redis whose time is
 * virtual, and that loses its data when it is told to. test/system/registry-blocks.test.ts holds the two against each other.
 */

import type { AddressRange } from '../../../../src/base/kind.ts';
import { common, sizeOf } from '../../../../src/session/address-ranges.ts';
import type { Block, BlockTerms, BlockWish, Granted, Kept } from '../../../../src/session/registry/blocks.ts';

interface Entry extends Block {
  readonly owner: string;
  readonly expiryMs: number;
}

export class ModelBooks {
  readonly #terms: BlockTerms;
  #entries = new Map<number, Entry>();
  #wanted = new Map<string, number>();
  #run = 1;
  #known: { run: number; sinceMs: number } | undefined;
  #epoch = 0;

  constructor(terms: BlockTerms) {
    this.#terms = terms;
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()].sort((one, other) => one.first - other.first);
  }

  /** What a copy of the data would have now. */
  snapshot(): () => void {
    const [entries, wanted, known, epoch] = [
      new Map(this.#entries),
      new Map(this.#wanted),
      this.#known,
      this.#epoch,
    ];
    return () => {
      this.#entries = new Map(entries);
      this.#wanted = new Map(wanted);
      this.#known = known;
      this.#epoch = epoch;
      this.#run += 1;
    };
  }

  empty(): void {
    this.#entries.clear();
    this.#wanted.clear();
    this.#known = undefined;
    this.#epoch = 0;
  }

  keep(owner: string, nowMs: number, blocks: readonly Block[], held: number): Kept {
    const settlingMs = this.#settling(nowMs);
    const lost: AddressRange[] = [];
    const renumbered: Block[] = [];
    for (const { first, last, epoch } of blocks) {
      const rivals = this.#overlapping({ first, last });
      const isLost = rivals.some((rival) => {
        const isItself = rival.owner === owner && rival.first === first && rival.last === last;
        return epoch <= rival.epoch && !isItself;
      });
      if (isLost) {
        lost.push({ first, last });
        continue;
      }
      const booked = rivals.find((rival) => rival.owner === owner && rival.first === first);
      const kept = Math.max(epoch, booked?.epoch ?? 0);
      if (kept !== epoch) renumbered.push({ first, last, epoch: kept });
      for (const rival of rivals) this.#entries.delete(rival.first);
      this.#put({ first, last, epoch: kept }, owner, nowMs);
      this.#epoch = Math.max(this.#epoch, kept);
    }
    const own = this.entries.filter((entry) => entry.owner === owner).length;
    const wanted = new Set([...this.#wanted].flatMap(([pool, untilMs]) => (untilMs > nowMs ? [pool] : [])));
    const mark = `${this.#known?.run} ${this.#known?.sinceMs}`;
    return { settlingMs, mark, hasStrays: own > held, wanted, lost, renumbered };
  }

  lease(owner: string, nowMs: number, wish: BlockWish): Granted {
    const settlingMs = this.#settling(nowMs);
    if (settlingMs > 0) return { settlingMs, blocks: [] };
    const { pool, ranges, isBadly } = wish;
    if ((this.#wanted.get(pool) ?? 0) > nowMs && !isBadly) return { settlingMs, blocks: [] };
    const epoch = this.#nextEpoch(nowMs);
    const blocks: Block[] = [];
    let needed = wish.addresses;
    const search = ({ first, last }: AddressRange) => {
      for (let at = first; at <= last && needed > 0; ) {
        const [taken] = this.#overlapping({ first: at, last: at });
        if (taken !== undefined) {
          at = taken.last + 1;
          continue;
        }
        let size = 2 ** wish.bits;
        const fits = () => at % size === 0 && at + size - 1 <= last;
        while (!fits() || this.#overlapping({ first: at, last: at + size - 1 }).length > 0) size /= 2;
        const block = { first: at, last: at + size - 1, epoch };
        this.#put(block, owner, nowMs);
        blocks.push(block);
        needed -= size;
        at += size;
      }
    };
    for (const range of ranges) search(range);
    const rested = this.entries
      .filter(({ expiryMs }) => expiryMs <= nowMs - this.#terms.quarantineMs)
      .sort((one, other) => one.expiryMs - other.expiryMs || (nameOf(one) < nameOf(other) ? -1 : 1));
    for (const block of rested) {
      if (needed <= 0) break;
      const parts = common(ranges, block);
      if (parts.length > 0) this.#entries.delete(block.first);
      for (const part of parts) search(part);
    }
    if (isBadly) {
      if (needed <= 0) this.#wanted.delete(pool);
      else this.#wanted.set(pool, nowMs + 3 * this.#terms.lookMs);
    }
    return { settlingMs: 0, blocks };
  }

  take(owner: string, nowMs: number, whose: 'node' | 'boot'): Granted {
    const settlingMs = this.#settling(nowMs);
    if (settlingMs > 0) return { settlingMs, blocks: [] };
    const epoch = this.#nextEpoch(nowMs);
    const node = owner.slice(0, owner.indexOf('@') + 1);
    const blocks = this.entries.filter((entry) =>
      whose === 'node' ? entry.owner.startsWith(node) : entry.owner === owner,
    );
    for (const block of blocks) this.#put({ ...block, epoch }, owner, nowMs);
    return { settlingMs, blocks: blocks.map(({ first, last }) => ({ first, last, epoch })) };
  }

  give(owner: string, blocks: readonly Block[]): void {
    for (const { first, last, epoch } of blocks) {
      const entry = this.#entries.get(first);
      if (entry?.owner === owner && entry.last === last && entry.epoch === epoch) this.#entries.delete(first);
    }
  }

  #put({ first, last, epoch }: Block, owner: string, nowMs: number): void {
    this.#entries.set(first, { first, last, epoch, owner, expiryMs: nowMs + this.#terms.leaseMs });
  }

  #overlapping({ first, last }: AddressRange): readonly Entry[] {
    const found: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.first <= last && first <= entry.last) found.push(entry);
    }
    return found;
  }

  #settling(nowMs: number): number {
    if (this.#known?.run !== this.#run) this.#known = { run: this.#run, sinceMs: nowMs };
    return Math.max(0, this.#known.sinceMs + this.#terms.settleMs - nowMs);
  }

  #nextEpoch(nowMs: number): number {
    this.#epoch = Math.max(nowMs, this.#epoch + 1);
    return this.#epoch;
  }
}

/** Redis sorts what expires together by name. */
function nameOf({ first, last }: AddressRange): string {
  const octets = [24, 16, 8, 0].map((shift) => (first >>> shift) & 0xff);
  return `${octets.join('.')}/${32 - Math.log2(sizeOf({ first, last }))}`;
}
