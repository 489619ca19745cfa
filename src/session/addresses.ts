/**
 * The addresses of tunnels: who has which, and which comes next out of a pool. No two sessions have one remote address.
 *
 * A wish (an address or a pool's name) and a holder go in, an address or a refusal comes out. What is in use costs memory,
 * what is free costs none, however large the pools: uses are counted per page of neighbouring addresses, and where a random
 * choice is not free, the counts lead to one that is. Which of a pool's addresses are fit for use is the operator's word; none is left out.
 *
 * A node alone gives any address of a pool. One of a service gives those that are leased to it (`Leases`), the first leased block first:
 * the last ones empty themselves, and go back. Whether another node's session has an address, because it was named for its user, is not
 * known here: who draws one asks the registry (claims.ts), and draws again if so.
 */

import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { AddressOrPool, AddressRange } from '../base/kind.ts';
import { below, type Random } from '../base/random.ts';
import { disjoint, holds, sizeOf, sum } from './address-ranges.ts';
import type { Pool } from './settings.ts';

export type AddressCause = 'address-in-use' | 'pool-exhausted' | 'no-such-pool';

/** Why there is no address. */
export interface AddressRefusal {
  readonly refused: AddressCause;
  /** For the log: names the address and who has it, or the pool. */
  readonly text: string;
}

/** An address that a session has, and the wish that it answered. */
interface Standing {
  readonly wish: AddressOrPool;
  readonly address: Ipv4;
}

/** What of the pools this node may give, now. */
export interface Leases {
  /** Addresses of a pool that nobody else gives, in the order of preference; none of them twice. */
  within(pool: string): readonly AddressRange[];
  /** Somebody has asked for an address of the pool. */
  drawn(pool: string): void;
}

export interface AddressesOptions {
  readonly random: Random;
  /** None: the node stands alone, and all addresses of its pools are its own. */
  readonly leases?: Leases;
  /** Which free address a pool gives: any (guessing gains nothing, and an address rests), or the lowest. */
  readonly choice?: 'random' | 'first';
}

/** 64 addresses to the page: a leased block is one count, and one page is searched in a microsecond. */
const pageBits = 6;
const pageSize = 1 << pageBits;

/** Throws at a pool before it is counted: half full, one pool in 256 is. */
const throws = 8;

/** Users whose last address is remembered, so that it can be theirs again: more than a node has sessions, a few megabytes. */
const rememberedUsers = 65_536;

export interface PoolUsage {
  readonly size: number;
  /** Addresses that this node may give: all of them, if it stands alone. */
  readonly leased: number;
  readonly used: number;
  /** How often somebody was to have one, and neither the pool nor those that follow it had any. */
  readonly refused: number;
}

/** Who has an address: one session, which drew it out of a pool or was given it by name, or all that share it as this node's end. */
type Use = { readonly only: string; readonly isDrawn: boolean } | { readonly sharers: Set<string> };

export class Addresses {
  readonly #random: Random;
  readonly #choice: 'random' | 'first';
  readonly #leases: Leases | undefined;
  readonly #uses = new Map<Ipv4, Use>();
  readonly #usesOfPage = new Map<number, number>();
  readonly #held = new Map<string, Ipv4[]>();
  /** What a session has drawn for its user, the latest last. */
  readonly #drawn = new Map<string, { readonly pool: string; readonly addresses: Ipv4[] }>();
  /** The last address of each user, longest unused first. */
  readonly #lastOf = new Map<string, Ipv4>();
  /** How often a pool, with those that follow it, had no address. */
  readonly #refusals = new Map<string, number>();
  #pools: ReadonlyMap<string, Pool> = new Map();

  constructor({ random, choice = 'random', leases }: AddressesOptions) {
    this.#random = random;
    this.#choice = choice;
    this.#leases = leases;
  }

  /** From now on these are the pools. Addresses in use stay so, in a pool or not. */
  configure(pools: Iterable<Pool>): void {
    this.#pools = new Map(
      Array.from(pools, (pool) => [pool.name, { ...pool, ranges: disjoint(pool.ranges) }]),
    );
    for (const name of this.#refusals.keys()) if (!this.#pools.has(name)) this.#refusals.delete(name);
  }

  /** The user's end: nobody else's, and if possible the one that `user` had last. Who has drawn from the pool before has that address. */
  takeRemote(wish: AddressOrPool, holder: string, user: string): Ipv4 | AddressRefusal {
    if (!('pool' in wish)) return this.#remembered(user, this.#takeOnly(wish.address, holder));
    const drawn = this.#drawn.get(holder);
    const latest = drawn?.pool === wish.pool ? drawn.addresses.at(-1) : undefined;
    return latest ?? this.#drawRemote(wish.pool, holder, user);
  }

  /**
   * The session of a process before this one has these addresses, wished for then: from a pool, or by name. False, and nothing is taken,
   * if another session has one of them.
   */
  resume(holder: string, user: string, local: Standing, remote: Standing): boolean {
    const isShared = !('pool' in local.wish);
    const use = this.#uses.get(local.address);
    const sharers = use !== undefined && 'sharers' in use ? use.sharers : new Set<string>();
    const isTaken = use !== undefined && !(isShared && 'sharers' in use);
    if (isTaken || this.#uses.has(remote.address) || local.address === remote.address) return false;
    const isDrawn = 'pool' in remote.wish;
    this.#use(
      local.address,
      isShared ? { sharers: sharers.add(holder) } : { only: holder, isDrawn: true },
      holder,
    );
    this.#use(remote.address, { only: holder, isDrawn }, holder);
    if ('pool' in remote.wish)
      this.#drawn.set(holder, { pool: remote.wish.pool, addresses: [remote.address] });
    this.#remember(user, remote.address);
    return true;
  }

  /**
   * Somebody elsewhere has what `holder` drew: another out of the same pool. What he drew before stays taken, so that he does not draw
   * it again, until he settles for one. Undefined if he has drawn nothing, or is gone.
   */
  drawAgain(holder: string, user: string): Ipv4 | AddressRefusal | undefined {
    const drawn = this.#drawn.get(holder);
    return drawn && this.#drawRemote(drawn.pool, holder, user);
  }

  /** Of all that `holder` has drawn he keeps the latest. */
  settle(holder: string): void {
    const drawn = this.#drawn.get(holder);
    for (const address of drawn?.addresses.splice(0, drawn.addresses.length - 1) ?? []) {
      this.#letGo(address, holder);
      this.#free(address);
    }
  }

  /** This node's end: sessions share an address that was named; one out of a pool is the session's own. */
  takeLocal(wish: AddressOrPool, holder: string): Ipv4 | AddressRefusal {
    if ('pool' in wish) return this.#draw(wish.pool, holder);
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
      this.#free(address);
    }
    this.#held.delete(holder);
    this.#drawn.delete(holder);
  }

  /** How many addresses of a range are in use. */
  usedIn(range: AddressRange): number {
    return sizeOf(range) - this.#freeIn(range);
  }

  /** The sessions that drew an address of this range out of a pool: those that must end when the range turns out to be another node's. */
  drawersIn(range: AddressRange): readonly string[] {
    const isInside = (address: Ipv4) => holds(address)(range);
    return [...this.#uses].flatMap(([address, use]) =>
      'only' in use && use.isDrawn && isInside(address) ? [use.only] : [],
    );
  }

  /** How a pool stands; undefined if there is no such pool. */
  usageOf(poolName: string): PoolUsage | undefined {
    const pool = this.#pools.get(poolName);
    if (pool === undefined) return undefined;
    const size = sum(pool.ranges, sizeOf);
    return {
      size,
      leased: sum(this.#rangesOf(pool), sizeOf),
      used: size - sum(pool.ranges, (range) => this.#freeIn(range)),
      refused: this.#refusals.get(poolName) ?? 0,
    };
  }

  #drawRemote(pool: string, holder: string, user: string): Ipv4 | AddressRefusal {
    const address = this.#remembered(user, this.#draw(pool, holder, user));
    if (typeof address !== 'number') return address;
    const drawn = this.#drawn.get(holder);
    if (drawn?.pool === pool) drawn.addresses.push(address);
    else this.#drawn.set(holder, { pool, addresses: [address] });
    return address;
  }

  #draw(poolName: string, holder: string, user?: string): Ipv4 | AddressRefusal {
    const chain = this.#chain(poolName);
    if ('refused' in chain) return chain;
    const address = this.#choose(chain, user);
    if (typeof address === 'number') this.#use(address, { only: holder, isDrawn: true }, holder);
    else this.#refusals.set(poolName, (this.#refusals.get(poolName) ?? 0) + 1);
    for (const { name } of chain) this.#leases?.drawn(name);
    return address;
  }

  #takeOnly(address: Ipv4, holder: string): Ipv4 | AddressRefusal {
    const use = this.#uses.get(address);
    return use === undefined
      ? this.#use(address, { only: holder, isDrawn: false }, holder)
      : inUse(address, use);
  }

  /** A free address of the first of these pools that has one. */
  #choose(chain: readonly Pool[], user?: string): Ipv4 | AddressRefusal {
    const last = user === undefined ? undefined : this.#lastOf.get(user);
    if (last !== undefined && !this.#uses.has(last)) {
      if (chain.some((pool) => this.#rangesOf(pool).some(holds(last)))) return last;
    }
    for (const pool of chain) {
      const address = this.#chooseIn(pool);
      if (address !== undefined) return address;
    }
    return {
      refused: 'pool-exhausted',
      text: `no free address in ${chain.map((pool) => pool.name).join(', ')}`,
    };
  }

  #rangesOf({ name, ranges }: Pool): readonly AddressRange[] {
    return this.#leases?.within(name) ?? ranges;
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

  /** Of a pool that is this node's own, any; of leases, the first that is not full. */
  #chooseIn({ name, ranges }: Pool): Ipv4 | undefined {
    if (this.#leases === undefined) return this.#chooseAmong(ranges);
    const block = this.#leases.within(name).find((range) => this.#freeIn(range) > 0);
    return block && this.#chooseAmong([block]);
  }

  #chooseAmong(ranges: readonly AddressRange[]): Ipv4 | undefined {
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
    if (this.#uses.size < sizeOf(range) / pageSize) {
      // A large pool has more pages than there are addresses in use.
      return sizeOf(range) - sum([...this.#uses.keys()], (address) => (holds(address)(range) ? 1 : 0));
    }
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

  #use(address: Ipv4, use: Use, holder: string): Ipv4 {
    if (!this.#uses.has(address)) {
      this.#uses.set(address, use);
      this.#count(address, 1);
    }
    this.#hold(address, holder);
    return address;
  }

  #hold(address: Ipv4, holder: string): void {
    const held = this.#held.get(holder) ?? [];
    held.push(address);
    this.#held.set(holder, held);
  }

  #letGo(address: Ipv4, holder: string): void {
    const left = (this.#held.get(holder) ?? []).filter((held) => held !== address);
    if (left.length === 0) this.#held.delete(holder);
    else this.#held.set(holder, left);
  }

  #free(address: Ipv4): void {
    this.#uses.delete(address);
    this.#count(address, -1);
  }

  #count(address: Ipv4, change: 1 | -1): void {
    const page = address >>> pageBits;
    const uses = (this.#usesOfPage.get(page) ?? 0) + change;
    if (uses === 0) this.#usesOfPage.delete(page);
    else this.#usesOfPage.set(page, uses);
  }

  #remembered(user: string, address: Ipv4 | AddressRefusal): Ipv4 | AddressRefusal {
    if (typeof address === 'number') this.#remember(user, address);
    return address;
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

/** `range`, cut where pages end. */
function* pages({ first, last }: AddressRange): Generator<AddressRange> {
  for (let from = first; from <= last; ) {
    const to = Math.min(last, (Math.floor(from / pageSize) + 1) * pageSize - 1);
    yield { first: from, last: to };
    from = to + 1;
  }
}
