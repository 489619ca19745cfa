/**
 * Delivery: accounting records on their way from the journal to a server, in order within a stream, many streams at once, and
 * never given up. The face stands here with the delivery that needs no service; bullmq.io.ts is the other, and both pass
 * test/conformance/delivery.ts.
 *
 * Enter: entries of the journal, in its order. Leave: questions to the sender, one at a time for each stream, and the numbers
 * that the journal may forget. What a record says is not looked at, but that an Interim-Update of which no server has heard
 * is replaced by a newer one (RFC 5080 erratum 4623): an outage leaves no more than a Start, an Interim-Update and a Stop of
 * each session.
 *
 * An outage is the servers', not a stream's. So the number of entries that are asked for at once shrinks with every silence,
 * down to one with pauses, and grows with every acknowledgement; a stream that fails while others succeed rests by itself.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/observe.ts';
import { below, type Random } from '../base/random.ts';
import type { SentRequest } from '../radius/query.ts';
import { type AccountingRecord, streamOf } from './record.ts';
import { accountingTally, recordTallies } from './tally.ts';

/** A record with its number in the journal, which grows from record to record and over restarts. */
export interface Entry {
  readonly number: number;
  readonly record: AccountingRecord;
  /** The request that a process before this one sent, and whose answer it did not live to see. */
  readonly sent?: SentRequest;
}

/** Tells a server, and calls `done` once: true if it has acknowledged; false if not now, try later. */
export type Sender = (entry: Entry, done: (delivered: boolean) => void) => void;

export interface Delivery {
  /** Takes an entry to keep, for good. Entries of a stream come in the order in which they are to be told. */
  deliver(entry: Entry): void;
  /** A server is back: nothing waits any longer. */
  hurry(): void;
  /** Entries taken and not yet acknowledged. */
  readonly pending: number;
  /** Asks for nothing more, then calls `closed`. What is left the journal delivers again, to the next process. */
  close(closed: () => void): void;
}

export interface DeliveryPorts {
  readonly send: Sender;
  /** The journal may forget the entry: a server has it, or a newer one says all of it. Called once for each. */
  done(number: number): void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Entries asked for at once: enough to keep servers busy at 100 ms of distance; the exchange has its own bound per server. */
const askedMax = 256;
/** The pause of all after a silence, in ms: short, because a single record that a server cannot stomach must not hold up others. */
const pauseMs = { first: 250, last: 5_000 } as const;

/** How long one stream rests after a silence: doubles from `first` to `last` with each, in ms. */
export interface Rest {
  readonly first: number;
  readonly last: number;
}

/** An operator who mends a server by hand waits no longer than this. */
export const customaryRest: Rest = { first: 1_000, last: 60_000 };

interface Stream {
  readonly name: string;
  /** Never empty while the stream is kept; the first is the one to ask for. */
  readonly entries: Entry[];
  isAsked: boolean;
  silences: number;
  rest: Timer | undefined;
}

export class EmbeddedDelivery implements Delivery {
  readonly #ports: DeliveryPorts;
  readonly #rest: Rest;
  readonly #streams = new Map<string, Stream>();
  /** Streams whose first entry can be asked for. Starts and Stops overtake Interim-Updates here too. */
  readonly #ready = { urgent: new Set<Stream>(), patient: new Set<Stream>() };
  #pending = 0;
  #asked = 0;
  #askedLimit = askedMax;
  #silencesInARow = 0;
  #pause: Timer | undefined;
  #isAsking = false;
  #isClosed = false;

  constructor(ports: DeliveryPorts, rest = customaryRest) {
    this.#ports = ports;
    this.#rest = rest;
  }

  get pending(): number {
    return this.#pending;
  }

  deliver(entry: Entry): void {
    this.#pending += 1;
    const name = streamOf(entry.record);
    const stream = this.#streams.get(name);
    if (stream === undefined) {
      const fresh: Stream = { name, entries: [entry], isAsked: false, silences: 0, rest: undefined };
      this.#streams.set(name, fresh);
      this.#makeReady(fresh);
    } else {
      stream.entries.push(entry);
      this.#supersede(stream);
    }
    this.#ask();
  }

  hurry(): void {
    this.#silencesInARow = 0;
    this.#pause?.cancel();
    this.#pause = undefined;
    for (const stream of this.#streams.values()) {
      stream.silences = 0;
      if (stream.rest === undefined) continue;
      stream.rest.cancel();
      this.#makeReady(stream);
    }
    this.#ask();
  }

  close(closed: () => void): void {
    this.#isClosed = true;
    this.#pause?.cancel();
    for (const { rest } of this.#streams.values()) rest?.cancel();
    closed();
  }

  #makeReady(stream: Stream): void {
    stream.rest = undefined;
    const urgency = stream.entries[0]?.record.kind === 'interim' ? 'patient' : 'urgent';
    this.#ready[urgency].add(stream);
  }

  #ask(): void {
    // The sender may answer within the question; then this loop goes on, not one inside it.
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (!this.#isClosed && this.#pause === undefined && this.#asked < this.#askedLimit) {
      const [stream] = this.#ready.urgent.size > 0 ? this.#ready.urgent : this.#ready.patient;
      if (stream === undefined) break;
      this.#ready.urgent.delete(stream);
      this.#ready.patient.delete(stream);
      this.#askFor(stream);
    }
    this.#isAsking = false;
  }

  #askFor(stream: Stream): void {
    const [entry] = stream.entries;
    if (entry === undefined) throw new Error(`stream ${stream.name} is ready, and empty`);
    stream.isAsked = true;
    this.#asked += 1;
    this.#ports.send(entry, (delivered) => {
      stream.isAsked = false;
      this.#asked -= 1;
      if (delivered) this.#delivered(stream, entry);
      else this.#unanswered(stream, entry);
      this.#ask();
    });
  }

  #delivered(stream: Stream, entry: Entry): void {
    accountingTally.add('delivered');
    recordTallies.acknowledged.add(entry.record.kind);
    this.#silencesInARow = 0;
    this.#askedLimit = Math.min(askedMax, this.#askedLimit + 1);
    stream.silences = 0;
    stream.entries.shift();
    this.#forget(entry);
    if (stream.entries.length === 0) this.#streams.delete(stream.name);
    else this.#makeReady(stream);
  }

  #unanswered(stream: Stream, { number, record }: Entry): void {
    accountingTally.add('undelivered');
    // What the process before had sent has had its round; the next one is made anew, with the delay that it has by then.
    stream.entries[0] = { number, record };
    this.#supersede(stream);
    if (this.#isClosed) return;
    stream.rest = this.#ports.clock.arm(this.#backoffMs(this.#rest, stream.silences++), () => {
      this.#makeReady(stream);
      this.#ask();
    });
    this.#askedLimit = Math.max(1, Math.floor(this.#askedLimit / 2));
    if (this.#askedLimit > 1 || this.#pause !== undefined) return;
    this.#pause = this.#ports.clock.arm(this.#backoffMs(pauseMs, this.#silencesInARow++), () => {
      this.#pause = undefined;
      this.#ask();
    });
  }

  /** An Interim-Update with a newer one behind it is told no more, unless it is being told just now. */
  #supersede(stream: Stream): void {
    const { entries } = stream;
    for (let at = stream.isAsked ? 1 : 0; at + 1 < entries.length; ) {
      const [older, newer] = [entries[at], entries[at + 1]];
      if (older?.record.kind !== 'interim' || newer?.record.kind !== 'interim') {
        at += 1;
        continue;
      }
      entries.splice(at, 1);
      accountingTally.add('superseded');
      this.#forget(older);
    }
  }

  #forget({ number }: Entry): void {
    this.#pending -= 1;
    this.#ports.done(number);
  }

  /** Doubles with each silence up to the last, half of it random: streams that failed together do not come back together. */
  #backoffMs({ first, last }: Rest, silences: number): number {
    const fullMs = Math.min(last, first * 2 ** Math.min(silences, 30));
    return fullMs / 2 + below(this.#ports.random, Math.floor(fullMs / 2));
  }
}
