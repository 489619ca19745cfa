/**
 * What one session is held to while it lives (`Limits` of aaa/grant.ts): rates and octets by the engine, filters and address
 * lists by the firewall, time by a clock. Enter: the limits of its grant, and changes of them. Leave: commands to the engine,
 * orders to the firewall, and one cause when time or octets are used up.
 *
 * A change is whole or nothing: what can be refused, which is the firewall's part alone, is done first. One is made at a time,
 * in the order they came, so that each is a change of what the one before it has left.
 */

import type { Limits, Rate } from '../aaa/grant.ts';
import type { Clock } from '../base/clock.ts';
import { anyAddress, type Ipv4 } from '../base/ip.ts';
import { type Command, direction } from '../datapath/contract.ts';
import type { FilterPlan } from '../net/filter-plan.ts';
import type { Firewall } from './firewall.ts';
import type { Outcome } from './session-interface.ts';
import { Timers } from './timers.ts';

/** What every restraint is given. */
export interface RestraintServices {
  readonly clock: Clock;
  readonly firewall: Firewall;
}

/** What the conductor does for it. */
export interface RestraintOwner {
  /** A command about the call, to be performed while the engine holds it. */
  command(command: Command): void;
  /** Silence and idleness are watched together; 0: no limit. */
  watch(idleMs: number): void;
  exhausted(cause: 'session-timeout'): void;
}

/** Whom it holds: the interface, and the address of its other end if that is known before the peer agrees to it. */
export interface Held {
  readonly linkName: string;
  readonly address: Ipv4 | undefined;
}

/** What holds a session, as it is told to a process after this one. */
export interface StandingRestraint {
  readonly limits: Limits;
  /** When the session time was set, on the clock, which goes on over processes. */
  readonly countsFromMs: number;
}

interface Wish {
  readonly change: Partial<Limits>;
  readonly done: Outcome;
}

/** Changes of one session under way: servers send one and await its answer; a few servers and operators may do so at once. */
const changesMax = 16;

export class Restraint {
  readonly #call: number;
  readonly #clock: Clock;
  readonly #firewall: Firewall;
  readonly #owner: RestraintOwner;
  readonly #timers: Timers<'session-timeout'>;
  #held: Held | undefined;
  #limits: Limits | undefined;
  /** The first is under way, the others wait for it. */
  readonly #changes: Wish[] = [];
  #isRunning = false;
  /** When the session time was set, on the clock. */
  #countsFromMs = 0;

  constructor(call: number, services: RestraintServices, owner: RestraintOwner) {
    this.#call = call;
    this.#clock = services.clock;
    this.#firewall = services.firewall;
    this.#owner = owner;
    this.#timers = new Timers(services.clock);
  }

  /** What holds now; undefined before `begin`. The session time is what is left of it. */
  get limits(): Limits | undefined {
    const { sessionTimeoutMs } = this.#limits ?? {};
    if (this.#limits === undefined || sessionTimeoutMs === undefined) return this.#limits;
    const goneMs = this.#isRunning ? this.#clock.nowMs() - this.#countsFromMs : 0;
    return { ...this.#limits, sessionTimeoutMs: Math.max(0, sessionTimeoutMs - goneMs) };
  }

  /** What a process after this one goes on from; undefined while no time runs. */
  get standing(): StandingRestraint | undefined {
    if (this.#limits === undefined || !this.#isRunning) return undefined;
    return { limits: this.#limits, countsFromMs: this.#countsFromMs };
  }

  /**
   * The engine holds the session to it: a process before this one has told it. The firewall, whose rules were that process's, is told
   * anew; `done` if it has not refused. Instead of `begin` and `start`.
   */
  resume(held: Held, { limits, countsFromMs }: StandingRestraint, done: Outcome): void {
    this.#held = held;
    this.#limits = limits;
    this.#isRunning = true;
    this.#armSessionTimeout(limits, countsFromMs);
    this.#firewall.resume(held.linkName, this.#filtersOf(limits), done);
  }

  /** Before the first packet passes. LCP that starts over changes nothing: what was changed since stays changed. */
  begin(held: Held, limits: Limits, done: Outcome): void {
    if (this.#limits !== undefined) return done(undefined);
    this.#held = held;
    this.#carryOut(noLimits, limits, done);
  }

  /** Packets pass: time runs, the first time; idleness is watched each time. */
  start(): void {
    if (this.#limits === undefined) throw new Error('a session that is up has limits');
    this.#owner.watch(this.#limits.idleTimeoutMs ?? 0);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#armSessionTimeout(this.#limits, this.#clock.nowMs());
  }

  /**
   * Replaces what `change` names. A new session time counts from now: it is what the session has left. Octets count from the
   * session's beginning, as RADIUS counts them.
   */
  change(change: Partial<Limits>, done: Outcome): void {
    if (this.#changes.length === changesMax) return done(`${changesMax} changes are under way already`);
    this.#changes.push({ change, done });
    if (this.#changes.length === 1) this.#makeChanges();
  }

  /** The session ends: no time runs any more. */
  stop(): void {
    this.#timers.disarmAll();
    this.#isRunning = false;
  }

  /** Gives back what the firewall holds for the session; `closed` is called when it is so. Only after `stop`. */
  close(closed: () => void): void {
    if (this.#held === undefined) return closed();
    this.#firewall.follow(this.#held.linkName, undefined, closed);
  }

  /** Makes the first change, then those that came meanwhile. */
  #makeChanges(): void {
    const [wish] = this.#changes;
    if (wish === undefined) return;
    this.#make(wish.change, (trouble) => {
      wish.done(trouble);
      this.#changes.shift();
      this.#makeChanges();
    });
  }

  #make(change: Partial<Limits>, done: Outcome): void {
    const before = this.#limits;
    if (before === undefined || !this.#isRunning) return done(notUp);
    const next = { ...before, ...change };
    this.#carryOut(before, next, (trouble) => {
      if (trouble !== undefined) return done(trouble);
      if (!this.#isRunning) return done(notUp);
      if ('sessionTimeoutMs' in change) this.#armSessionTimeout(next, this.#clock.nowMs());
      if ('idleTimeoutMs' in change) this.#owner.watch(next.idleTimeoutMs ?? 0);
      done(undefined);
    });
  }

  #carryOut(before: Limits, next: Limits, done: Outcome): void {
    this.#firewall.follow(this.#heldNow.linkName, this.#filtersOf(next), (trouble) => {
      if (trouble !== undefined) return done(trouble);
      this.#limits = next;
      this.#shape(before, next);
      if (next.quota !== before.quota) this.#setQuota(next);
      done(undefined);
    });
  }

  #filtersOf({ filters, addressLists }: Limits): FilterPlan {
    const { linkName, address } = this.#heldNow;
    // An address that only the peer will tell is in no list: the lists are of addresses that this node has given.
    const listed =
      address === undefined ? { address: anyAddress, addressLists: [] } : { address, addressLists };
    return { linkName, filters, ...listed };
  }

  #shape({ rates: before }: Limits, { rates: next }: Limits): void {
    if (before === next) return;
    const halves = [
      [direction.receive, next?.receive ?? unlimited],
      [direction.transmit, next?.transmit ?? unlimited],
    ] as const;
    for (const [half, { limit, burst, threshold, burstTimeMs }] of halves) {
      this.#owner.command({
        kind: 'call-shape',
        call: this.#call,
        direction: half,
        limit: BigInt(limit),
        burst: BigInt(burst),
        threshold: BigInt(threshold),
        burstTimeMs,
      });
    }
  }

  #setQuota({ quota: { receiveOctets = 0, transmitOctets = 0, totalOctets = 0 } }: Limits): void {
    this.#owner.command({
      kind: 'call-quota',
      call: this.#call,
      receiveOctets: BigInt(receiveOctets),
      transmitOctets: BigInt(transmitOctets),
      totalOctets: BigInt(totalOctets),
    });
  }

  #armSessionTimeout({ sessionTimeoutMs }: Limits, countsFromMs: number): void {
    this.#timers.disarmAll();
    this.#countsFromMs = countsFromMs;
    if (sessionTimeoutMs === undefined) return;
    const leftMs = Math.max(0, countsFromMs + sessionTimeoutMs - this.#clock.nowMs());
    this.#timers.arm('session-timeout', leftMs, () => this.#owner.exhausted('session-timeout'));
  }

  get #heldNow(): Held {
    if (this.#held === undefined) throw new Error('nobody is held');
    return this.#held;
  }
}

/** Trouble with a change of a session that has not begun, or has ended meanwhile. */
const notUp = 'the session is not up';

const unlimited: Rate = { limit: 0, burst: 0, threshold: 0, burstTimeMs: 0 };

const noQuota: Limits['quota'] = {
  receiveOctets: undefined,
  transmitOctets: undefined,
  totalOctets: undefined,
};

/** What holds a session that nobody has said anything about. */
export const noLimits: Limits = {
  sessionTimeoutMs: undefined,
  idleTimeoutMs: undefined,
  rates: undefined,
  quota: noQuota,
  filters: { incoming: undefined, outgoing: undefined },
  addressLists: [],
};
