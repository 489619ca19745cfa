/**
 * The journal as it is written: what goes to the disk when, and what is to be done when the disk fails.
 *
 * Enter: facts, through the face of ledger.ts. Leave: text for segments, and to who waits for it, that a line would survive a
 * kill or a power cut. Lines that come while a write is under way are written together, and one sync serves all that were
 * written before it. A segment that has grown is followed by one that opens with all that is still true: what is kept on the
 * disk is never more than a few times what is true.
 *
 * A disk that fails stops nothing. What is true is in memory anyway; each second a new segment is tried, which says all of it.
 * Until one succeeds, a crash loses what has happened since, and `isHealthy` says so. Pure; journal.io.ts has the files.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/observe.ts';
import type { SentRequest } from '../radius/query.ts';
import type { Entry } from './delivery.ts';
import { encodeLine, type JournalLine, type Known, type OpenSession } from './journal.ts';
import type { Ledger, LedgerState } from './ledger.ts';
import type { AccountingRecord } from './record.ts';
import { accountingTally } from './tally.ts';

/** Takes what went wrong, if anything did. Never called from within the call that it answers. */
export type Finished = (error?: Error) => void;

/**
 * Segments on a disk, of which the newest is written to. One `append`, one `sync` and one `begin` at a time; they may overlap,
 * and what they answer is about the segment that was the newest when they were called.
 */
export interface SegmentStore {
  /** Makes a new segment of these lines, syncs it, and removes those of before. If it fails, none of it is left. */
  begin(lines: Iterable<string>, finished: (error: Error | undefined, octets: number) => void): void;
  /** `finished` when the text would survive a kill. */
  append(text: string, finished: Finished): void;
  /** `finished` when what was appended before would survive a power cut. */
  sync(finished: Finished): void;
  close(finished: Finished): void;
}

export interface JournalWriterPorts {
  readonly store: SegmentStore;
  readonly clock: Clock;
  readonly log: Log;
  /** What segments say of their writer. */
  readonly machine: string;
  readonly mark: number;
  /** Octets after which a segment is followed by another, unless its opening was large. */
  readonly segmentOctetsMax?: number;
}

/** A minute of 10,000 sessions: read again in a fraction of a second. */
const segmentOctetsMaxDefault = 16 * 1024 * 1024;
/** Between two syncs, in ms: fifty a second wear no disk out, and nobody waits for one for long. */
const syncEveryMs = 20;
/** Between two attempts to begin a segment on a disk that fails, in ms. */
const retryMs = 1_000;

interface Line {
  readonly text: string;
  readonly until: 'written' | 'synced';
  readonly done: () => void;
}

const nobody = () => {};

export class JournalWriter implements Ledger {
  readonly #ports: JournalWriterPorts;
  readonly #state: LedgerState;
  /** `failing`: no segment can be written to; `beginning`: one is being made, lines wait until it can. */
  #mode: 'writing' | 'beginning' | 'failing' = 'failing';
  #isHealthy = true;
  /** Counts segments: an answer about one that was given up comes too late. */
  #segment = 0;
  /** Not written yet, and those of them that are being written. */
  #lines: Line[] = [];
  #appending: readonly Line[] = [];
  /** Who waits for a sync of lines that are written, in their order. */
  #unsynced: (() => void)[] = [];
  /** Who need not wait, because the disk fails. */
  #unkept: (() => void)[] = [];
  #isAppending = false;
  #isSyncing = false;
  #rest: Timer | undefined;
  #retry: Timer | undefined;
  /** Of the segment that is written to, and how many of them are its opening. */
  #octets = 0;
  #openingOctets = 0;
  #closed: (() => void) | undefined;

  /** Continues `state`. */
  constructor(ports: JournalWriterPorts, state: LedgerState) {
    this.#ports = ports;
    this.#state = state;
  }

  get pending(): number {
    return this.#state.pending.size;
  }

  /** When the oldest record still to be told was made, since 1970; undefined if there is none. */
  get oldestAtMs(): number | undefined {
    const [oldest] = this.#state.pending.values();
    return oldest?.record.atMs;
  }

  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** Of the segment that is written to. */
  get octets(): number {
    return this.#octets;
  }

  /** Begins a segment. To be called once, before anything else; `begun` is told how that went. */
  begin(begun: Finished = nobody): void {
    const { store, machine, mark } = this.#ports;
    this.#mode = 'beginning';
    this.#segment += 1;
    accountingTally.add('journalSegments');
    store.begin(textOf(this.#state.opening(machine, mark)), (error, octets) => {
      if (error === undefined) this.#begun(octets);
      else this.#failed(error);
      begun(error);
      this.#write();
    });
  }

  open(session: OpenSession): void {
    this.#append({ is: 'open', session }, 'synced', nobody);
  }

  usage(sessionId: string, known: Known): void {
    this.#append({ is: 'usage', sessionId, known }, 'synced', nobody);
  }

  record(record: AccountingRecord, kept: (entry: Entry) => void): void {
    const number = this.#state.next;
    this.#append({ is: 'record', number, record }, 'synced', () => kept({ number, record }));
  }

  sent(number: number, sent: SentRequest, written: () => void): void {
    if (this.#state.pending.has(number)) this.#append({ is: 'sent', number, sent }, 'written', written);
    else this.#ports.clock.arm(0, written);
  }

  done(number: number): void {
    if (this.#state.pending.has(number)) this.#append({ is: 'done', number }, 'written', nobody);
  }

  /** Writes and syncs what waits, lets go of the folder, then calls `closed`. Nothing can be kept any more. */
  close(closed: () => void): void {
    this.#closed = closed;
    this.#retry?.cancel();
    this.#write();
  }

  #append(line: JournalLine, until: Line['until'], done: () => void): void {
    this.#state.apply(line);
    if (this.#mode === 'failing') {
      if (this.#unkept.push(done) === 1) this.#ports.clock.arm(0, () => this.#release());
      return;
    }
    this.#lines.push({ text: encodeLine(line), until, done });
    this.#write();
  }

  #write(): void {
    if (this.#isAppending || this.#mode === 'beginning') return;
    if (this.#lines.length === 0) return this.#finish();
    const segment = this.#segment;
    const text = this.#lines.map((line) => line.text).join('');
    this.#appending = this.#lines;
    this.#lines = [];
    this.#isAppending = true;
    this.#ports.store.append(text, (error) => {
      this.#isAppending = false;
      if (this.#isCurrent(segment)) {
        if (error === undefined) this.#written(text.length);
        else this.#failed(error);
      }
      this.#write();
    });
  }

  /** Whether an answer about `segment` still says something: one that has been given up has nobody waiting for it. */
  #isCurrent(segment: number): boolean {
    return segment === this.#segment && this.#mode === 'writing';
  }

  #written(octets: number): void {
    const lines = this.#appending;
    this.#appending = [];
    for (const { until, done } of lines) {
      if (until === 'synced') this.#unsynced.push(done);
      else done();
    }
    this.#sync();
    this.#octets += octets;
    const max = Math.max(this.#ports.segmentOctetsMax ?? segmentOctetsMaxDefault, 2 * this.#openingOctets);
    if (this.#octets - this.#openingOctets > max) this.begin();
  }

  #sync(): void {
    const segment = this.#segment;
    const served = this.#unsynced.length;
    if (this.#isSyncing || this.#rest !== undefined || served === 0) return;
    this.#isSyncing = true;
    this.#rest = this.#ports.clock.arm(syncEveryMs, () => {
      this.#rest = undefined;
      this.#sync();
    });
    this.#ports.store.sync((error) => {
      this.#isSyncing = false;
      if (this.#isCurrent(segment)) {
        if (error !== undefined) this.#failed(error);
        else for (const done of this.#unsynced.splice(0, served)) done();
      }
      this.#sync();
      this.#write();
    });
  }

  /** Nobody waits for what is written so far, in the order in which it was. */
  #release(): void {
    const released = [...this.#unsynced, ...this.#unkept];
    this.#unsynced = [];
    this.#unkept = [];
    for (const done of released) done();
  }

  /** All that was true when the segment was begun is safe in it; what waits was written before that. */
  #begun(octets: number): void {
    this.#mode = 'writing';
    this.#octets = octets;
    this.#openingOctets = octets;
    this.#release();
    if (this.#isHealthy) return;
    this.#isHealthy = true;
    const text = 'the disk takes the accounting journal again: nothing is missing in it';
    this.#ports.log('warning', 'radius,account', text);
  }

  /** The disk is given up for a second. What waited for it waits no longer. */
  #failed(error: Error): void {
    this.#mode = 'failing';
    for (const { done } of [...this.#appending, ...this.#lines]) this.#unsynced.push(done);
    this.#appending = [];
    this.#lines = [];
    if (this.#isHealthy) {
      this.#isHealthy = false;
      accountingTally.add('journalFaults');
      const text = `the disk does not take the accounting journal: ${error.message}`;
      const hint =
        'Make room or mend the disk: until then accounting goes on from memory, which a crash would lose.';
      this.#ports.log('error', 'radius,account', text, { hint });
    }
    if (this.#closed === undefined) this.#retry = this.#ports.clock.arm(retryMs, () => this.begin());
    this.#release();
  }

  #finish(): void {
    const closed = this.#closed;
    if (closed === undefined || this.#isSyncing) return;
    this.#closed = undefined;
    this.#rest?.cancel();
    const { store } = this.#ports;
    if (this.#mode === 'failing') store.close(closed);
    else store.sync(() => store.close(closed));
  }
}

function* textOf(lines: Iterable<JournalLine>): Generator<string> {
  for (const line of lines) yield encodeLine(line);
}
