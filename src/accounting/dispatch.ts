/**
 * The dispatch: from the journal to the delivery, and the node's own records in the right place among those of its sessions.
 *
 * Enter: records as they are made, and the journal's word that one is kept. Leave: entries to the delivery. An Accounting-On
 * makes servers close all sessions of the node (RFC 2866 section 5.1), so it goes out when what a process before has left is
 * told, and before anything of a new session is; an Accounting-Off goes out after the last Stop. Neither is waited for
 * for ever: a server that is away must not keep records from those that come after. Pure.
 */

import type { NasIdentity } from '../aaa/identity.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Delivery, Entry } from './delivery.ts';
import type { Ledger } from './ledger.ts';
import type { AccountingRecord } from './record.ts';
import { accountingTally, recordTallies } from './tally.ts';

/** What the dispatch is given. */
export interface DispatchPorts {
  readonly ledger: Ledger;
  /** Makes the delivery, which tells `done` which records the journal may forget. */
  makeDelivery(done: (number: number) => void): Delivery;
  readonly clock: Clock;
  /** Of the node's own records: session-id.ts. */
  readonly nodeSessionId: string;
}

/** For what a process before has left to be told before Accounting-On, in ms. New sessions are up meanwhile, and wait to be told. */
const leftoverMs = 10_000;
/** For Accounting-On to be acknowledged before new sessions are told, in ms. */
const onMs = 10_000;
/** For the last Stops before Accounting-Off, and then for that, in ms: together less than a service has to stop. */
const stopsMs = 3_000;
const offMs = 1_500;

/** Records in memory and on the disk: half a gigabyte. Ten minutes without a server, at 300 sessions a second, make 360,000. */
const recordsMax = 500_000;

interface Wait {
  readonly isReached: () => boolean;
  readonly reached: (isReached: boolean) => void;
  readonly timer: Timer;
}

export class Dispatch {
  readonly delivery: Delivery;
  readonly #ports: DispatchPorts;
  /** On and Off of processes before. */
  #superseded: Entry[] = [];
  /** Records made since the node is up that wait for its Accounting-On; undefined if nothing waits. */
  #held: Entry[] | undefined;
  /** How many were made since then, kept already or not. */
  #made = 0;
  /** The node's own record that is on its way. */
  #ofNode: number | undefined;
  #wait: Wait | undefined;
  /** Sessions of whose Starts no server has heard, by the numbers of these. */
  readonly #starts = new Map<number, string>();

  constructor(ports: DispatchPorts) {
    this.#ports = ports;
    this.delivery = ports.makeDelivery((number) => {
      ports.ledger.done(number);
      this.#starts.delete(number);
      if (number === this.#ofNode) this.#ofNode = undefined;
      this.#check();
    });
  }

  /** No new session should be taken: there is hardly room left to account for it. */
  get isFull(): boolean {
    return this.#ports.ledger.pending > 0.9 * recordsMax;
  }

  /** Whether a server may yet hear of the Start of this session, or hear of it again. */
  hasUntoldStart(sessionId: string): boolean {
    return [...this.#starts.values()].includes(sessionId);
  }

  /** Takes what a process before has left untold. */
  recovered(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if ('facts' in entry.record) this.delivery.deliver(entry);
      else this.#superseded.push(entry);
    }
  }

  keep(record: AccountingRecord): void {
    this.hold(record, (decide) => decide(true));
  }

  /** `kept` when the journal has it, with how it is told whether it is this node's to tell: else it is forgotten. */
  hold(record: AccountingRecord, kept: (decide: (isOurs: boolean) => void) => void): void {
    this.#made += 1;
    // What was made before the node was up is what its Accounting-On waits for, also if it is kept only later.
    const isNew = this.#held !== undefined;
    this.#ports.ledger.record(record, (entry) => {
      if (record.kind === 'start') this.#starts.set(entry.number, record.facts.identity.sessionId);
      kept((isOurs) => {
        if (!isOurs) return this.#forget(entry);
        recordTallies.made.add(record.kind);
        if (isNew && this.#held !== undefined) this.#held.push(entry);
        else this.delivery.deliver(entry);
      });
    });
  }

  #forget({ number }: Entry): void {
    this.#ports.ledger.done(number);
    this.#check();
  }

  /** The node takes sessions from now on. */
  nodeUp(nas: NasIdentity): void {
    const { ledger } = this.#ports;
    this.#held = [];
    this.#made = 0;
    const isLeftoverTold = () => ledger.pending - this.#made - this.#superseded.length <= 0;
    this.#waitFor(isLeftoverTold, leftoverMs, () => {
      // The new Accounting-On says all that those of before would have said.
      for (const { number } of this.#superseded) ledger.done(number);
      this.#superseded = [];
      this.#tellOfNode('on', nas, onMs, (isTold) => {
        if (!isTold) accountingTally.add('lateNodeRecords');
        this.#release();
      });
    });
  }

  /** The node goes on with sessions of the process before: to servers nothing has happened. */
  nodeContinues(): void {
    for (const entry of this.#superseded) this.delivery.deliver(entry);
    this.#superseded = [];
  }

  /** The node takes no more sessions, and the Stop of the last has been made. `done` is called when all is told, or soon. */
  nodeDown(nas: NasIdentity, done: () => void): void {
    this.#release();
    const areStopsTold = () => this.#ports.ledger.pending === 0;
    this.#waitFor(areStopsTold, stopsMs, () => this.#tellOfNode('off', nas, offMs, done));
  }

  #tellOfNode(kind: 'on' | 'off', nas: NasIdentity, waitMs: number, then: (isTold: boolean) => void): void {
    const { ledger, clock, nodeSessionId } = this.#ports;
    ledger.record({ kind, nas, sessionId: nodeSessionId, atMs: clock.wallMs() }, (entry) => {
      this.#ofNode = entry.number;
      recordTallies.made.add(kind);
      this.#waitFor(() => this.#ofNode === undefined, waitMs, then);
      this.delivery.deliver(entry);
    });
  }

  /** Calls `go` once: true when the condition holds, which is looked at whenever a record is done; false when it is too late. */
  #waitFor(isReached: () => boolean, waitMs: number, go: (isReached: boolean) => void): void {
    this.#wait?.timer.cancel();
    const reached = (is: boolean) => {
      this.#wait?.timer.cancel();
      this.#wait = undefined;
      go(is);
    };
    this.#wait = { isReached, reached, timer: this.#ports.clock.arm(waitMs, () => reached(false)) };
    this.#check();
  }

  #check(): void {
    if (this.#wait?.isReached() === true) this.#wait.reached(true);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const entry of held) this.delivery.deliver(entry);
  }
}
