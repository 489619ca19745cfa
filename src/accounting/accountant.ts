/**
 * The accountant: which sessions are up, what was last known of their use, and the records that follow from that.
 *
 * Enter: sessions that come up, change and end, the engine's counters, the clock, what a process before has left. Leave:
 * records to the dispatch and last known counters to the ledger. Each session has one Start and one Stop, whatever happens
 * between; nothing of it waits for a disk or a server (dispatch.ts, journal-writer.ts). Attributes are by-radius.ts's. Pure.
 *
 * One sweep, every five seconds, looks at all sessions and asks the engine for all counters at once: those that owe an
 * Interim-Update get one, and those of which nothing was noted for a minute get a note in the journal, so that a machine
 * that dies leaves counters no older than that.
 */

import type { NasIdentity } from '../aaa/identity.ts';
import type { Timer } from '../base/clock.ts';
import { below, type Random } from '../base/random.ts';
import type { Entry } from './delivery.ts';
import { Dispatch, type DispatchPorts } from './dispatch.ts';
import type { Known } from './journal.ts';
import { noUsage, type Recovered } from './ledger.ts';
import { acctTerminateCause, type SessionFacts, type Usage } from './record.ts';
import { accountingTally } from './tally.ts';

/** Asks the engine once, and answers once for any number of sessions; undefined for those that it does not hold. */
export type ReadUsage = (read: (usageOf: (sessionId: string) => Usage | undefined) => void) => void;

export interface AccountantPorts extends DispatchPorts {
  readonly random: Random;
  readonly readUsage: ReadUsage;
}

/** How a session has ended. */
export interface End {
  /** Final counters; undefined if nobody knows them: the last known then. */
  readonly usage: Usage | undefined;
  /** Undefined for a session of a process before: as the clock has it. */
  readonly uptimeMs?: number;
  /** Acct-Terminate-Cause (RFC 2866 section 5.10). */
  readonly terminateCause: number;
}

const { lostService, nasReboot } = acctTerminateCause;

const sweepMs = 5_000;
/** A note of a session's counters is no older than this, and a sweep, in ms. */
const noteMs = 60_000;
/** When an answer of the engine is not awaited any longer, in ms. */
const readMs = 10_000;

interface Live {
  facts: SessionFacts;
  interimMs: number;
  known: Known;
  /** Of the monotonic clock. */
  readonly upSinceMs: number;
  interimDueMs: number;
  noteDueMs: number;
}

export class Accountant {
  readonly #ports: AccountantPorts;
  readonly #dispatch: Dispatch;
  readonly #live = new Map<string, Live>();
  #sweep: Timer | undefined;

  constructor(ports: AccountantPorts) {
    this.#ports = ports;
    this.#dispatch = new Dispatch(ports);
  }

  /** Sessions that are up. */
  get sessions(): number {
    return this.#live.size;
  }

  /** Records that no server has acknowledged. */
  get pending(): number {
    return this.#ports.ledger.pending;
  }

  /** No new session should be taken: servers have been away for so long that there is hardly room left to account for it. */
  get isFull(): boolean {
    return this.#dispatch.isFull;
  }

  /**
   * Takes what a process before has left; to be called once, first. Sessions that the engine still holds go on, until `ended`
   * is called or for good; the others have ended, nobody knows when after they were last seen. What another node has buried
   * has had its Stop: nothing may be told of it any more, least of all a Start, with which it would be up again.
   */
  recover(
    { pending, sessions, hasRebooted }: Recovered,
    isHeld: (sessionId: string) => boolean,
    wasBuried: (sessionId: string) => boolean = () => false,
  ): void {
    const { clock, ledger } = this.#ports;
    const isBuried = ({ record }: Entry) => 'facts' in record && wasBuried(record.facts.identity.sessionId);
    for (const { number } of pending.filter(isBuried)) ledger.done(number);
    this.#dispatch.recovered(pending.filter((entry) => !isBuried(entry)));
    for (const { facts, interimMs, known } of sessions) {
      if (wasBuried(facts.identity.sessionId)) {
        this.#forget({ facts, known });
        continue;
      }
      if (isHeld(facts.identity.sessionId)) {
        const sinceKnownMs = Math.max(0, clock.wallMs() - known.atMs);
        this.#add(facts, interimMs, known, clock.nowMs() - known.uptimeMs - sinceKnownMs);
        continue;
      }
      accountingTally.add('recoveredStops');
      const terminateCause = hasRebooted ? nasReboot : lostService;
      this.#dispatch.keep({ kind: 'stop', facts, ...known, terminateCause });
    }
  }

  /** The node takes sessions from now on. Accounting-On closes all that servers know of it: not told if any was taken over. */
  nodeUp(nas: NasIdentity): void {
    if (this.#live.size > 0) this.#dispatch.nodeContinues();
    else this.#dispatch.nodeUp(nas);
  }

  /** The node takes no more sessions, and the last has ended. `done` is called when servers know, or after a few seconds. */
  nodeDown(nas: NasIdentity, done: () => void): void {
    this.#dispatch.nodeDown(nas, done);
  }

  /** A session's network has come up. `interimMs` lies between two Interim-Updates; 0: none. */
  up(facts: SessionFacts, interimMs: number): void {
    const { clock, ledger } = this.#ports;
    const atMs = clock.wallMs();
    const known = { atMs, uptimeMs: 0, usage: noUsage };
    accountingTally.add('starts');
    this.#add(facts, interimMs, known, clock.nowMs());
    // In this order: a kill between the two must not leave a session without a Start. The Start opens it as well.
    this.#dispatch.keep({ kind: 'start', facts, atMs });
    ledger.open({ facts, interimMs, known });
  }

  /** What is said of a session from now on, and how often. */
  changed(
    sessionId: string,
    change: { readonly classes?: readonly Uint8Array[]; readonly interimMs?: number },
  ): void {
    const live = this.#live.get(sessionId);
    if (live === undefined) return;
    if (change.classes !== undefined) live.facts = { ...live.facts, classes: change.classes };
    if (change.interimMs !== undefined) {
      live.interimMs = change.interimMs;
      live.interimDueMs = this.#ports.clock.nowMs() + this.#interimDelayMs(change.interimMs, 'next');
    }
    this.#ports.ledger.open({ facts: live.facts, interimMs: live.interimMs, known: live.known });
  }

  /** A session has ended. One that was never up, or has ended before, is counted and let pass. */
  ended(sessionId: string, { usage, uptimeMs, terminateCause }: End): void {
    const live = this.#live.get(sessionId);
    if (live === undefined) return accountingTally.add('strays');
    this.#live.delete(sessionId);
    accountingTally.add('stops');
    const known = this.#knownNow(live, usage);
    const { facts } = live;
    // An Interim-Update may have been due between the cause of the end and its last octet: time goes back no more than octets do.
    const endedMs = Math.max(Math.round(uptimeMs ?? known.uptimeMs), live.known.uptimeMs);
    this.#dispatch.keep({ kind: 'stop', facts, ...known, uptimeMs: endedMs, terminateCause });
  }

  /**
   * Another node has made the Stop of a session that is still up here: nothing more is told of it. But if its Start is still on its way,
   * a server would hear of it behind that Stop, and have the session up for ever: then it has a Stop of its own.
   */
  abandon(sessionId: string): void {
    const live = this.#live.get(sessionId);
    if (live === undefined) return accountingTally.add('strays');
    if (this.#dispatch.hasUntoldStart(sessionId)) {
      return this.ended(sessionId, { usage: live.known.usage, terminateCause: lostService });
    }
    this.#live.delete(sessionId);
    this.#forget(live);
  }

  /**
   * Sessions of a node that has died, as they were last seen: their Stop is made here, because nobody else will. `kept` when all are
   * safe, with how it is told whether they are this node's to tell, or another's.
   */
  bury(
    sessions: readonly { readonly facts: SessionFacts; readonly known: Known }[],
    kept: (decide: (isOurs: boolean) => void) => void,
  ): void {
    const decisions: ((isOurs: boolean) => void)[] = [];
    const decide = (isOurs: boolean) => {
      if (isOurs) accountingTally.add('recoveredStops', decisions.length);
      for (const each of decisions) each(isOurs);
    };
    for (const { facts, known } of sessions) {
      this.#dispatch.hold({ kind: 'stop', facts, ...known, terminateCause: lostService }, (each) => {
        decisions.push(each);
        if (decisions.length === sessions.length) kept(decide);
      });
    }
  }

  /** A server that was away is back. */
  hurry(): void {
    this.#dispatch.delivery.hurry();
  }

  /** Tells nothing more; what is left is in the journal. */
  close(closed: () => void): void {
    this.#sweep?.cancel();
    this.#dispatch.delivery.close(closed);
  }

  /** The journal closes a session whose Stop somebody else has told. */
  #forget({ facts, known }: Pick<Live, 'facts' | 'known'>): void {
    const { ledger } = this.#ports;
    const told = { kind: 'stop', facts, ...known, terminateCause: lostService } as const;
    ledger.record(told, ({ number }) => ledger.done(number));
  }

  #add(facts: SessionFacts, interimMs: number, known: Known, upSinceMs: number): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#live.set(facts.identity.sessionId, {
      facts,
      interimMs,
      known,
      upSinceMs,
      interimDueMs: nowMs + this.#interimDelayMs(interimMs, 'first'),
      noteDueMs: nowMs + noteMs,
    });
    this.#sweep ??= this.#ports.clock.arm(sweepMs, () => this.#look());
  }

  /** The first anywhere in the interval, so that sessions that came together part; the others up to a tenth early, never late. */
  #interimDelayMs(interimMs: number, which: 'first' | 'next'): number {
    if (interimMs === 0) return Number.POSITIVE_INFINITY;
    const jitterMs = below(this.#ports.random, Math.ceil(which === 'first' ? interimMs : interimMs / 10));
    return interimMs - jitterMs;
  }

  #look(): void {
    const { clock, readUsage } = this.#ports;
    const nowMs = clock.nowMs();
    const due = [...this.#live].filter(
      ([, { interimDueMs, noteDueMs }]) => Math.min(interimDueMs, noteDueMs) <= nowMs,
    );
    this.#sweep = undefined;
    if (due.length === 0) return this.#lookLater();
    let isAwaited = true;
    const unread = clock.arm(readMs, () => {
      isAwaited = false;
      accountingTally.add('unread');
      this.#lookLater();
    });
    this.#sweep = unread;
    readUsage((usageOf) => {
      if (!isAwaited) return;
      isAwaited = false;
      unread.cancel();
      for (const [sessionId, live] of due) {
        if (this.#live.get(sessionId) === live) this.#take(sessionId, live, usageOf(sessionId));
      }
      this.#lookLater();
    });
  }

  #lookLater(): void {
    this.#sweep = this.#live.size === 0 ? undefined : this.#ports.clock.arm(sweepMs, () => this.#look());
  }

  /** Takes the counters of a session of which something is due. */
  #take(sessionId: string, live: Live, usage: Usage | undefined): void {
    const { clock, ledger } = this.#ports;
    const nowMs = clock.nowMs();
    live.known = this.#knownNow(live, usage);
    live.noteDueMs = nowMs + noteMs;
    if (live.interimDueMs > nowMs) return ledger.usage(sessionId, live.known);
    live.interimDueMs = nowMs + this.#interimDelayMs(live.interimMs, 'next');
    accountingTally.add('interims');
    this.#dispatch.keep({ kind: 'interim', facts: live.facts, ...live.known });
  }

  /** Never less than was told before, whatever the engine says: servers take what goes back for a new session. */
  #knownNow({ known, upSinceMs }: Live, usage: Usage = noUsage): Known {
    const { clock } = this.#ports;
    return {
      atMs: clock.wallMs(),
      uptimeMs: Math.round(clock.nowMs() - upSinceMs),
      usage: {
        receivedOctets: greater(known.usage.receivedOctets, usage.receivedOctets),
        transmittedOctets: greater(known.usage.transmittedOctets, usage.transmittedOctets),
        receivedPackets: greater(known.usage.receivedPackets, usage.receivedPackets),
        transmittedPackets: greater(known.usage.transmittedPackets, usage.transmittedPackets),
      },
    };
  }
}

function greater(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
