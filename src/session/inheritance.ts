/**
 * What a control process before this one left in the engine. Enter: the engine's snapshot. Leave: the sessions that were up, with
 * their connections, to go on where they are; and the rest, which nobody can go on with, closed, each with a line in the log. The
 * server listens when the engine has let go of that: its handles would clash with new ones.
 *
 * What happened meanwhile comes right behind the snapshot: all of it finds its taker, because what goes on does so within the event
 * that ends the snapshot.
 */

import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { CommandOf, EventOf } from '../datapath/contract.ts';
import type { ConnectionPlace } from './connection.ts';
import { eventOf } from './events.ts';
import { type Memo, memoIn, type StandingCaller } from './memo.ts';
import type { MadeInterfaces } from './network.ts';
import type { FinalCounters } from './session.ts';
import type { CallPlace } from './session-call.ts';
import type { EngineEvent, Switchboard } from './switchboard.ts';
import { takeoverTally } from './tally.ts';

/** A control connection with calls that are up. */
export interface InheritedTunnel {
  readonly place: ConnectionPlace;
  readonly calls: readonly InheritedCall[];
}

export interface InheritedCall {
  readonly place: CallPlace;
  readonly peerCallId: number;
  readonly made: MadeInterfaces;
  readonly standing: StandingCaller;
}

export interface Heir {
  /** These go on as far as they can; gives the calls that do. Called once, first. */
  resume(tunnels: readonly InheritedTunnel[]): ReadonlySet<number>;
  /** These sessions, by Acct-Session-Id, are held. Those that do not go on end when `close` is called. Called once. */
  found(sessionIds: ReadonlySet<string>, close: () => void): void;
  /** One of those has ended, with all that passed through it, also while nobody was in control. */
  ended(sessionId: string, counters: FinalCounters): void;
  /** Nothing is left of those. Called once, after all else. */
  done(): void;
}

type HeldCall = EventOf<'call-held'> & { readonly memo: Uint8Array };
type HeldLink = EventOf<'link-held'>;
type HeldConnection = EventOf<'connection-held'>;

/** What is to be closed, and how the engine is told so. */
interface Rest {
  readonly letGo: CommandOf<'tcp-close' | 'link-close' | 'call-close'>;
  readonly say: () => void;
  /** It has gone; the heir is told when he is ready to hear it. */
  gone: (() => void) | undefined;
}

export class Inheritance {
  readonly #log: Log;
  readonly #heir: Heir;
  readonly #connections = new Map<number, HeldConnection>();
  readonly #links = new Map<number, HeldLink>();
  /** Of calls that may go on. */
  readonly #ports = new Map<number, number>();
  readonly #calls = new Map<number, HeldCall & { readonly said: Memo | undefined }>();
  readonly #rest: Rest[] = [];
  /** Undefined before the rest is closed. */
  #awaited: number | undefined;

  constructor(log: Log, heir: Heir) {
    this.#log = log;
    this.#heir = heir;
  }

  /** Takes one event of the snapshot. */
  found(event: EngineEvent, switchboard: Switchboard): void {
    switch (event.kind) {
      case 'connection-held':
        this.#connections.set(event.connection, event);
        break;
      case 'link-held':
        this.#links.set(event.link, event);
        break;
      case 'call-held':
        this.#calls.set(event.call, { ...event, said: memoIn(event.memo) });
        break;
      case 'snapshot-end':
        this.#takeOver(switchboard);
        break;
      default:
        break;
    }
  }

  #takeOver(switchboard: Switchboard): void {
    const sessionIds = [...this.#calls.values()].flatMap(({ said }) => said?.sessionId ?? []);
    const resumed = this.#heir.resume(this.#standing());
    takeoverTally.add('resumed', resumed.size);
    if (resumed.size > 0)
      this.#log('info', 'system', 'sessions of the control process before this one go on', {
        ...eventOf('sessions-resumed'),
        sessions: resumed.size,
      });
    for (const call of resumed) this.#forget(call);
    this.#holdRest(switchboard);
    this.#heir.found(new Set(sessionIds), () => this.#close(switchboard));
  }

  /** The connections of calls that are up, with those calls. */
  #standing(): InheritedTunnel[] {
    const tunnels = new Map<number, { place: ConnectionPlace; calls: InheritedCall[] }>();
    const named = new Map([...this.#links.values()].map((link) => [link.name, link]));
    for (const { call, link, localAddress, peerAddress, peerCallId, said } of this.#calls.values()) {
      const standing = said?.standing;
      const connection = standing && this.#connections.get(standing.connection);
      const made = this.#links.get(link);
      if (standing === undefined || connection === undefined || made === undefined) continue;
      // By its name: it may be there without the call.
      const port = named.get(standing.subscriber.portName ?? '');
      const tunnel = tunnels.get(connection.connection) ?? { place: connection, calls: [] };
      tunnels.set(connection.connection, tunnel);
      const place = { call, localAddress, peerAddress };
      if (port !== undefined) this.#ports.set(call, port.link);
      tunnel.calls.push({ place, peerCallId, made: { ...made, port }, standing });
    }
    return [...tunnels.values()];
  }

  /** This call goes on, with its interfaces and its connection. */
  #forget(call: number): void {
    const { link, said } = this.#calls.get(call) ?? {};
    const port = this.#ports.get(call);
    this.#calls.delete(call);
    if (link !== undefined) this.#links.delete(link);
    if (port !== undefined) this.#links.delete(port);
    if (said?.standing !== undefined) this.#connections.delete(said.standing.connection);
  }

  /** A peer may leave before it is told to. */
  #holdRest(switchboard: Switchboard): void {
    for (const connection of this.#connections.keys()) {
      const rest = this.#keep({ kind: 'tcp-close', connection, abort: 0 });
      switchboard.holdConnection(connection, ({ kind }) => kind === 'tcp-closed' && this.#gone(rest));
    }
    for (const { call, peerAddress, said } of this.#calls.values()) {
      const sessionId = said?.sessionId;
      const text = `closing a call of ${formatIpv4(peerAddress)}: its control process has gone, and it cannot go on`;
      const rest = this.#keep({ kind: 'call-close', call }, () =>
        this.#log('warning', 'pptp,ppp', text, { ...eventOf('call-closed'), sessionId }),
      );
      switchboard.adoptCall(call, (event) => {
        if (event.kind !== 'closed') return;
        this.#gone(rest, () => sessionId !== undefined && this.#heir.ended(sessionId, event));
      });
    }
    for (const link of this.#links.keys()) {
      const rest = this.#keep({ kind: 'link-close', link });
      switchboard.adoptLink(link, ({ kind }) => kind === 'link-closed' && this.#gone(rest));
    }
  }

  #keep(letGo: Rest['letGo'], say = () => {}): Rest {
    const rest = { letGo, say, gone: undefined };
    this.#rest.push(rest);
    return rest;
  }

  #close(switchboard: Switchboard): void {
    const left = this.#rest.filter(({ gone }) => gone === undefined);
    this.#awaited = left.length;
    for (const { gone } of this.#rest) gone?.();
    if (left.length === 0) return this.#heir.done();
    for (const { say, letGo } of left) {
      if (letGo.kind === 'call-close') takeoverTally.add('closed');
      say();
      switchboard.send(letGo);
    }
  }

  #gone(rest: Rest, tell: () => void = () => {}): void {
    rest.gone = tell;
    if (this.#awaited === undefined) return;
    tell();
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#heir.done();
  }
}
