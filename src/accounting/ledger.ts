/**
 * The ledger: which records are still to be told, and which sessions are open. As a face, it is what accounting writes to and
 * journal.io.ts implements; as a state, it is what the lines of a journal amount to. Pure.
 */

import type { SentRequest } from '../radius/query.ts';
import type { Entry } from './delivery.ts';
import { type JournalLine, journalFormat, type Known, type OpenSession } from './journal.ts';
import type { AccountingRecord } from './record.ts';

export interface Ledger {
  /** A session has come up, or what is said of it has changed. */
  open(session: OpenSession): void;
  /** The last known use of an open session. */
  usage(sessionId: string, known: Known): void;
  /**
   * Numbers a record and keeps it; a Stop closes its session. `kept` is called, never from within, when the record would
   * survive a power cut, or when there is no hope of that for now: a disk that fails must not hold up accounting.
   */
  record(record: AccountingRecord, kept: (entry: Entry) => void): void;
  /**
   * `written` is called, never from within, when the line would survive a kill; sooner if the disk fails, or if the record
   * is done: then who delivers it keeps that it was sent.
   */
  sent(number: number, sent: SentRequest, written: () => void): void;
  /** A number that is done already is let pass. */
  done(number: number): void;
  /** Records still to be told. */
  readonly pending: number;
  /** False while the disk takes nothing: what is new is in memory only. */
  readonly isHealthy: boolean;
}

/** What a process finds that the one before has left. */
export interface Recovered {
  /** In the order in which they were made. */
  readonly pending: readonly Entry[];
  readonly sessions: readonly OpenSession[];
  /** The machine has started anew since; or there was no journal. */
  readonly hasRebooted: boolean;
  /** For session-id.ts: no process before had it. */
  readonly mark: number;
}

/**
 * Sessions of this node that were up, and those of which something is still to be told. Those of other nodes, which this one buries, are
 * its own to tell: it had struck them off, and that they are buried says nothing else.
 */
export function sessionIdsIn({ pending, sessions }: Recovered, node: string): readonly string[] {
  const told = pending.flatMap(({ record }) => ('facts' in record ? record.facts : []));
  const all = [...told, ...sessions.map(({ facts }) => facts)];
  const own = all.filter(({ identity }) => identity.nas.identifier === node);
  return [...new Set(own.map(({ identity }) => identity.sessionId))];
}

export class LedgerState {
  readonly #pending = new Map<number, Entry>();
  readonly #sessions = new Map<string, OpenSession>();
  #next = 0;
  #machine: string | undefined;
  #mark = 0;

  get pending(): ReadonlyMap<number, Entry> {
    return this.#pending;
  }

  get sessions(): ReadonlyMap<string, OpenSession> {
    return this.#sessions;
  }

  /** The number of the next record. */
  get next(): number {
    return this.#next;
  }

  /** Of the segment read last; undefined if none was. */
  get machine(): string | undefined {
    return this.#machine;
  }

  get mark(): number {
    return this.#mark;
  }

  apply(line: JournalLine): void {
    switch (line.is) {
      case 'segment':
        this.#machine = line.machine;
        this.#mark = Math.max(this.#mark, line.mark);
        this.#next = Math.max(this.#next, line.next);
        break;
      case 'whole':
        break;
      case 'record':
        this.#next = Math.max(this.#next, line.number + 1);
        this.#pending.set(line.number, { number: line.number, record: line.record });
        this.#follow(line.record);
        break;
      case 'sent': {
        const entry = this.#pending.get(line.number);
        if (entry !== undefined) this.#pending.set(line.number, { ...entry, sent: line.sent });
        break;
      }
      case 'done':
        this.#pending.delete(line.number);
        break;
      case 'open':
        this.#sessions.set(line.session.facts.identity.sessionId, line.session);
        break;
      case 'usage':
        this.#learn(line.sessionId, line.known);
        break;
    }
  }

  /** The opening of a segment. The state may change while it is walked through: such changes are lines of their own, behind it. */
  *opening(machine: string, mark: number): Generator<JournalLine> {
    yield { is: 'segment', format: journalFormat, machine, mark, next: this.#next };
    for (const session of this.#sessions.values()) yield { is: 'open', session };
    for (const { number, record, sent } of this.#pending.values()) {
      yield { is: 'record', number, record };
      if (sent !== undefined) yield { is: 'sent', number, sent };
    }
    yield { is: 'whole' };
  }

  /** What a record says of its session. A session whose `open` was on a damaged line is known from its records. */
  #follow(record: AccountingRecord): void {
    if (!('facts' in record)) return;
    const { facts, atMs } = record;
    const { sessionId } = facts.identity;
    if (record.kind === 'stop') {
      this.#sessions.delete(sessionId);
      return;
    }
    const { uptimeMs, usage } = record.kind === 'interim' ? record : { uptimeMs: 0, usage: noUsage };
    const known = { atMs, uptimeMs, usage };
    if (this.#sessions.has(sessionId)) this.#learn(sessionId, known);
    else this.#sessions.set(sessionId, { facts, interimMs: 0, known });
  }

  #learn(sessionId: string, known: Known): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || known.uptimeMs < session.known.uptimeMs) return;
    this.#sessions.set(sessionId, { ...session, known });
  }
}

export const noUsage = {
  receivedOctets: 0n,
  transmittedOctets: 0n,
  receivedPackets: 0n,
  transmittedPackets: 0n,
} as const;
