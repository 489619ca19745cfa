/**
 * Brings each event of the engine to who awaits it: by connection, call or link handle, or by the token of a question. Owns
 * the maps and nothing else; decides nothing. An event for a handle that nobody holds any more is tallied and dropped.
 */

import { Malformed } from '../base/fault.ts';
import { type Tally, tally } from '../base/observe.ts';
import {
  type Command,
  type CommandOf,
  type CounterRow,
  counterRow,
  type Event,
  type EventOf,
} from '../datapath/contract.ts';
import type { Datapath } from '../datapath/datapath.ts';
import { CallSums } from './call-sums.ts';

export type ConnectionEvent = EventOf<'tcp-data' | 'tcp-closed'>;
export type CallEvent = EventOf<'frame' | 'silent' | 'idle' | 'quota' | 'cipher-lost' | 'closed'>;
export type LinkEvent = EventOf<'link-opened' | 'link-wanted' | 'link-closed'>;
/** What belongs to nobody: the snapshot, lines for the log. */
export type EngineEvent = EventOf<
  'hello' | 'connection-held' | 'link-held' | 'call-held' | 'snapshot-end' | 'trouble'
>;

/** The engine's counters at one moment: a row for each call, and what no call can be charged with. */
export interface CounterTable {
  readonly rows: readonly CounterRow[];
  readonly totals: EventOf<'totals'>;
}

type Answer = EventOf<'listening' | 'connected' | 'netlink-done' | 'counters' | 'totals'>;

export const switchboardTally: Tally<'strayEvents'> = tally('switchboard', {
  strayEvents: 'events of the engine for a connection, call, link or question that control no longer holds',
});

export class Switchboard {
  readonly #datapath: Datapath;
  readonly #connections = new Map<number, (event: ConnectionEvent) => void>();
  readonly #calls = new Map<number, (event: CallEvent) => void>();
  readonly #links = new Map<number, (event: LinkEvent) => void>();
  readonly #listeners = new Map<number, (event: EventOf<'accepted'>) => void>();
  readonly #answers = new Map<number, (event: Answer) => void>();
  readonly #onEngineEvent: (event: EngineEvent) => void;
  readonly #closedCalls = new CallSums();
  readonly #adoptedCalls = new Set<number>();
  #lastToken = 0;

  constructor(datapath: Datapath, onEngineEvent: (event: EngineEvent) => void) {
    this.#datapath = datapath;
    this.#onEngineEvent = onEngineEvent;
    datapath.listen((event) => this.#route(event));
  }

  send(command: Command): void {
    this.#datapath.send(command);
  }

  /** Listens on `address`; the returned token closes the listener by `unlisten`. */
  listen(
    where: { readonly address: number; readonly port: number; readonly backlog: number },
    accepted: (event: EventOf<'accepted'>) => void,
    listening: (event: EventOf<'listening'>) => void,
  ): number {
    const token = this.#ask((event) => {
      if ((event as EventOf<'listening'>).errno !== 0) this.#listeners.delete(token);
      listening(event as EventOf<'listening'>);
    });
    this.#listeners.set(token, accepted);
    this.send({ kind: 'listen', token, ...where });
    return token;
  }

  unlisten(token: number): void {
    this.#listeners.delete(token);
    this.send({ kind: 'unlisten', token });
  }

  connect(
    where: Omit<CommandOf<'connect'>, 'kind' | 'token'>,
    connected: (event: EventOf<'connected'>) => void,
  ): void {
    this.send({ kind: 'connect', token: this.#ask(connected as (event: Event) => void), ...where });
  }

  /** Performs netlink messages, one after the other in one string, in order. */
  netlink(messages: Uint8Array, done: (event: EventOf<'netlink-done'>) => void): void {
    this.send({
      kind: 'netlink',
      token: this.#ask(done as (event: Event) => void),
      messages,
    });
  }

  /** Asks for all counters at once: one message, or a few, however many calls there are. */
  counters(counted: (table: CounterTable) => void): void {
    const rows: CounterRow[] = [];
    const add = (octets: Uint8Array): void => {
      for (const row of rowsOf(octets)) rows.push(row);
    };
    this.counterOctets(add, (totals) => counted({ rows, totals }));
  }

  /** The same, with the rows as they come: for who cannot spare the time to read tens of thousands of them at once. */
  counterOctets(add: (rows: Uint8Array) => void, counted: (totals: EventOf<'totals'>) => void): void {
    const token = this.#ask((event) => {
      if (event.kind === 'counters') add(event.rows);
      else counted(event as EventOf<'totals'>);
    });
    this.send({ kind: 'counters-get', token });
  }

  /** Whether somebody takes the events of this call: its `closed` has not come. */
  holdsCall(call: number): boolean {
    return this.#calls.has(call);
  }

  /** Calls of a process before, whose counters are to be deducted once from what the calls of this one come to. */
  get adoptedCalls(): Set<number> {
    return this.#adoptedCalls;
  }

  /** What the calls that are over have come to. */
  get closedCalls(): CallSums {
    return this.#closedCalls;
  }

  /** Who gets what happens on a connection, until its `tcp-closed`. */
  holdConnection(connection: number, sink: (event: ConnectionEvent) => void): void {
    this.#connections.set(connection, sink);
  }

  /** Who gets what happens on a call that the engine holds already. */
  adoptCall(call: number, sink: (event: CallEvent) => void): void {
    this.#calls.set(call, sink);
    this.#adoptedCalls.add(call);
  }

  /** Who gets what happens on a link that the engine holds already. */
  adoptLink(link: number, sink: (event: LinkEvent) => void): void {
    this.#links.set(link, sink);
  }

  /** Opens a call; `sink` gets what happens on it, until its `closed`. */
  openCall(call: Omit<CommandOf<'call-open'>, 'kind'>, sink: (event: CallEvent) => void): void {
    this.#calls.set(call.call, sink);
    this.send({ kind: 'call-open', ...call });
  }

  /** Opens a link, as a port of `bridge` if one is named; `sink` gets what happens on it, until its `link-closed` or a failed `link-opened`. */
  openLink(link: number, name: string, sink: (event: LinkEvent) => void, bridge = ''): void {
    this.adoptLink(link, sink);
    this.send({ kind: 'link-open', link, name, bridge });
  }

  #ask(answered: (event: Event) => void): number {
    do {
      this.#lastToken = (this.#lastToken + 1) >>> 0;
    } while (
      this.#lastToken === 0 ||
      this.#answers.has(this.#lastToken) ||
      this.#listeners.has(this.#lastToken)
    );
    this.#answers.set(this.#lastToken, answered);
    return this.#lastToken;
  }

  #route(event: Event): void {
    switch (event.kind) {
      case 'tcp-data':
        deliver(this.#connections, event.connection, event, false);
        break;
      case 'tcp-closed':
        deliver(this.#connections, event.connection, event, true);
        break;
      case 'frame':
      case 'silent':
      case 'idle':
      case 'quota':
      case 'cipher-lost':
        deliver(this.#calls, event.call, event, false);
        break;
      case 'closed':
        this.#closedCalls.add(event);
        this.#adoptedCalls.delete(event.call);
        deliver(this.#calls, event.call, event, true);
        break;
      case 'link-opened':
        deliver(this.#links, event.link, event, event.errno !== 0);
        break;
      case 'link-wanted':
        deliver(this.#links, event.link, event, false);
        break;
      case 'link-closed':
        deliver(this.#links, event.link, event, true);
        break;
      case 'accepted':
        // Accepted just before its listener was closed: nobody else would ever close it.
        if (!this.#listeners.has(event.token))
          this.send({ kind: 'tcp-close', connection: event.connection, abort: 1 });
        deliver(this.#listeners, event.token, event, false);
        break;
      case 'listening':
      case 'connected':
      case 'netlink-done':
      case 'totals':
        deliver(this.#answers, event.token, event, true);
        break;
      case 'counters':
        deliver(this.#answers, event.token, event, false);
        break;
      default:
        this.#onEngineEvent(event);
    }
  }
}

function rowsOf(octets: Uint8Array): CounterRow[] {
  const { size } = counterRow;
  return Array.from({ length: octets.length / size }, (_, at) => {
    const row = counterRow.decode(octets.subarray(at * size, (at + 1) * size));
    if (row instanceof Malformed) throw new Error(`a row of counters that is none: ${row}`);
    return row;
  });
}

function deliver<E extends Event>(
  sinks: Map<number, (event: E) => void>,
  key: number,
  event: E,
  last: boolean,
): void {
  const sink = sinks.get(key);
  if (sink === undefined) {
    switchboardTally.add('strayEvents');
    return;
  }
  if (last) sinks.delete(key);
  sink(event);
}
