/**
 * The addresses of tunnels: who has which, and which comes next out of a pool. No two sessions have one remote address.
 *
 * A wish (an address or a pool's name) and a holder go in, an address or a refusal comes out. What is in use costs memory,
 * what is free costs none, however large the pools: uses are counted per page of neighbouring addresses, and where a random
 * choice is not free, the counts lead to one that is. Which of a pool's addresses are fit for use is the operator's word; none is left out.
 */

import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { AddressOrPool, AddressRange } from '../base/kind.ts';
import { below, type Random } from '../base/random.ts';
import type { Pool } from './settings.ts';

export type AddressCause = 'address-in-use' | 'pool-exhausted' | 'no-such-pool';

/** Why there is no address. */
export interface AddressRefusal {
  readonly refused: AddressCause;
  /** For the log: names the address and who has it, or the pool. */
  readonly text: string;
}

export interface AddressesOptions {
  readonly random: Random;
  /** Which free address a pool gives: any (guessing gains nothing, and an address rests), or the lowest. */
  readonly choice?: 'random' | 'first';
}

/** 1024 addresses to the page: a pool of a million is a thousand counts, and one page is searched in microseconds. */
const pageBits = 10;
const pageSize = 1 << pageBits;

/** Throws at a pool before it is counted: half full, one pool in 256 is. */
const throws = 8;

/** Users whose last address is remembered, so that it can be theirs again: more than a node has sessions, a few megabytes. */
const rememberedUsers = 65_536;

/** Who has an address: one session, or all that share it as this node's end. */
type Use = { readonly only: string } | { readonly sharers: Set<string> };

export class Addresses {
  readonly #random: Random;
  readonly #choice: 'random' | 'first';
  readonly #uses = new Map<Ipv4, Use>();
  readonly #usesOfPage = new Map<number, number>();
  readonly #held = new Map<string, Ipv4[]>();
  /** The last address of each user, longest unused first. */
  readonly #lastOf = new Map<string, Ipv4>();
  #pools: ReadonlyMap<string, Pool> = new Map();

  constructor({ random, choice = 'random' }: AddressesOptions) {
    this.#random = random;
    this.#choice = choice;
  }

  /** From now on these are the pools. Addresses in use stay so, in a pool or not. */
  configure(pools: Iterable<Pool>): void {
    this.#pools = new Map(
      Array.from(pools, (pool) => [pool.name, { ...pool, ranges: disjoint(pool.ranges) }]),
    );
  }

  /** The user's end: nobody else's, and if possible the one that `user` had last. */
  takeRemote(wish: AddressOrPool, holder: string, user: string): Ipv4 | AddressRefusal {
    const address = 'pool' in wish ? this.#choose(wish.pool, user) : this.#unused(wish.address);
    if (typeof address !== 'number') return address;
    this.#remember(user, address);
    return this.#use(address, { only: holder }, holder);
  }

  /** This node's end: sessions share an address that was named; one out of a pool is the session's own. */
  takeLocal(wish: AddressOrPool, holder: string): Ipv4 | AddressRefusal {
    if ('pool' in wish) {
      const address = this.#choose(wish.pool);
      return typeof address === 'number' ? this.#use(address, { only: holder }, holder) : address;
    }
    const { address } = wish;
    const use = this.#uses.get(address) ?? { sharers: new Set() };
    if ('only' in use) return inUse(address, use);
    use.sharers.add(holder);
    return this.#use(address, use, holder);
  }

  /** The session is over: all that `holder` has is free. Harmless if it has nothing. */
  release(holder: string): void {
    for (const address of this.#held.get(holder) ?? []) {
      const use = this.#uses.get(address);
      if (use === undefined) continue;
      if ('sharers' in use) {
        use.sharers.delete(holder);
        if (use.sharers.size > 0) continue;
      }
      this.#uses.delete(address);
      this.#count(address, -1);
    }
    this.#held.delete(holder);
  }

  /** How many addresses a pool has, and how many of them are in use; undefined if there is no such pool. */
  usageOf(poolName: string): { readonly size: number; readonly used: number } | undefined {
    const pool = this.#pools.get(poolName);
    if (pool === undefined) return undefined;
    const size = sum(pool.ranges, sizeOf);
    return { size, used: size - sum(pool.ranges, (range) => this.#freeIn(range)) };
  }

  /** A free address of the pool, or of one that follows it. */
  #choose(poolName: string, user?: string): Ipv4 | AddressRefusal {
    const chain = this.#chain(poolName);
    if ('refused' in chain) return chain;
    const last = user === undefined ? undefined : this.#lastOf.get(user);
    if (last !== undefined && !this.#uses.has(last) && chain.some(({ ranges }) => ranges.some(holds(last)))) {
      return last;
    }
    for (const { ranges } of chain) {
      const address = this.#chooseIn(ranges);
      if (address !== undefined) return address;
    }
    return {
      refused: 'pool-exhausted',
      text: `no free address in ${chain.map((pool) => pool.name).join(', ')}`,
    };
  }

  /** The pool and those that follow it, each once: a circle of pools ends where it began. */
  #chain(poolName: string): readonly Pool[] | AddressRefusal {
    const chain = new Set<Pool>();
    for (let name: string | undefined = poolName; name !== undefined; ) {
      const pool = this.#pools.get(name);
      if (pool === undefined)
        return { refused: 'no-such-pool', text: `there is no pool ${name} in /ip pool` };
      if (chain.has(pool)) break;
      chain.add(pool);
      name = pool.nextPool;
    }
    return [...chain];
  }

  #chooseIn(ranges: readonly AddressRange[]): Ipv4 | undefined {
    return this.#choice === 'first'
      ? this.#nthFree(ranges, 0)
      : (this.#throwAt(ranges) ?? this.#nthFree(ranges, this.#anyFree(ranges)));
  }

  /** Pools are mostly free: a few throws find an address long before the pages of a large one are counted. */
  #throwAt(ranges: readonly AddressRange[]): Ipv4 | undefined {
    const size = sum(ranges, sizeOf);
    for (let left = size === 0 ? 0 : throws; left > 0; left--) {
      let skip = below(this.#random, size);
      const hit = ranges.find((range) => {
        if (skip < sizeOf(range)) return true;
        skip -= sizeOf(range);
        return false;
      });
      if (hit !== undefined && !this.#uses.has(hit.first + skip)) return hit.first + skip;
    }
    return undefined;
  }

  #anyFree(ranges: readonly AddressRange[]): number {
    return below(
      this.#random,
      sum(ranges, (range) => this.#freeIn(range)),
    );
  }

  /** The free address with `skip` free ones before it; undefined if there are not so many. */
  #nthFree(ranges: readonly AddressRange[], skip: number): Ipv4 | undefined {
    let left = skip;
    for (const range of ranges) {
      for (const part of pages(range)) {
        const free = this.#freeInPage(part);
        if (left < free) return this.#freeAfter(part, left);
        left -= free;
      }
    }
    return undefined;
  }

  #freeIn(range: AddressRange): number {
    let free = 0;
    for (const part of pages(range)) free += this.#freeInPage(part);
    return free;
  }

  /** `part` lies in one page. */
  #freeInPage(part: AddressRange): number {
    const size = sizeOf(part);
    const uses = this.#usesOfPage.get(part.first >>> pageBits) ?? 0;
    if (uses === 0 || size === pageSize) return size - uses;
    let free = 0;
    for (let address = part.first; address <= part.last; address++) free += this.#uses.has(address) ? 0 : 1;
    return free;
  }

  /** The free address of `part` with `skip` free ones before it. */
  #freeAfter(part: AddressRange, skip: number): Ipv4 {
    let address = part.first;
    for (let left = skip; this.#uses.has(address) || left > 0; address++) {
      if (!this.#uses.has(address)) left -= 1;
    }
    return address;
  }

  #unused(address: Ipv4): Ipv4 | AddressRefusal {
    const use = this.#uses.get(address);
    return use === undefined ? address : inUse(address, use);
  }

  #use(address: Ipv4, use: Use, holder: string): Ipv4 {
    if (!this.#uses.has(address)) {
      this.#uses.set(address, use);
      this.#count(address, 1);
    }
    const held = this.#held.get(holder) ?? [];
    held.push(address);
    this.#held.set(holder, held);
    return address;
  }

  #count(address: Ipv4, change: 1 | -1): void {
    const page = address >>> pageBits;
    const uses = (this.#usesOfPage.get(page) ?? 0) + change;
    if (uses === 0) this.#usesOfPage.delete(page);
    else this.#usesOfPage.set(page, uses);
  }

  #remember(user: string, address: Ipv4): void {
    this.#lastOf.delete(user);
    this.#lastOf.set(user, address);
    const [eldest] = this.#lastOf.size > rememberedUsers ? this.#lastOf.keys() : [];
    if (eldest !== undefined) this.#lastOf.delete(eldest);
  }
}

function inUse(address: Ipv4, use: Use): AddressRefusal {
  const who = 'only' in use ? `session ${use.only} has it` : "it is this node's end of other tunnels";
  return { refused: 'address-in-use', text: `${formatIpv4(address)} is in use: ${who}` };
}

/** The same addresses in ascending ranges, of which no two touch: none may be counted twice. */
function disjoint(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const joined: AddressRange[] = [];
  for (const { first, last } of ranges.toSorted((one, other) => one.first - other.first)) {
    const before = joined.at(-1);
    if (before === undefined || first > before.last + 1) joined.push({ first, last });
    else joined[joined.length - 1] = { first: before.first, last: Math.max(before.last, last) };
  }
  return joined;
}

/** `range`, cut where pages end. */
function* pages({ first, last }: AddressRange): Generator<AddressRange> {
  for (let from = first; from <= last; ) {
    const to = Math.min(last, (Math.floor(from / pageSize) + 1) * pageSize - 1);
    yield { first: from, last: to };
    from = to + 1;
  }
}

function holds(address: Ipv4): (range: AddressRange) => boolean {
  return ({ first, last }) => first <= address && address <= last;
}

function sizeOf({ first, last }: AddressRange): number {
  return last - first + 1;
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
