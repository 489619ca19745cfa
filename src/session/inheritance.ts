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
import type { CommandOf } from '../datapath/contract.ts';
import { stopRequest } from '../pptp/control-messages.ts';
import { encode } from '../pptp/messages.ts';
import { Estate, type Inherited } from './estate.ts';
import { eventOf } from './events.ts';
import type { FinalCounters } from './session.ts';
import type { EngineEvent, Switchboard } from './switchboard.ts';
import { takeoverTally } from './tally.ts';

export interface Heir {
  /** These go on as far as they can; gives the calls that do. Called once, first. */
  resume(inherited: Inherited): ReadonlySet<number>;
  /** These sessions, by Acct-Session-Id, are held. Those that do not go on end when `close` is called. Called once. */
  found(sessionIds: ReadonlySet<string>, close: () => void): void;
  /** One of those has ended, with all that passed through it, also while nobody was in control. */
  ended(sessionId: string, counters: FinalCounters): void;
  /** Nothing is left of those. Called once, after all else. */
  done(): void;
}

/** What is to be closed, and how the engine is told so. */
interface Rest {
  readonly letGo: CommandOf<'tcp-close' | 'link-close' | 'call-close'>;
  /** What is said before. */
  readonly farewell: () => void;
  /** It has gone; the heir is told when he is ready to hear it. */
  gone: (() => void) | undefined;
}

export class Inheritance {
  readonly #log: Log;
  readonly #heir: Heir;
  readonly #estate = new Estate();
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
      case 'link-held':
      case 'call-held':
        this.#estate.found(event);
        break;
      case 'snapshot-end':
        this.#takeOver(switchboard);
        break;
      default:
        break;
    }
  }

  #takeOver(switchboard: Switchboard): void {
    const sessionIds = Array.from(this.#estate.calls).flatMap(({ said }) => said?.sessionId ?? []);
    const resumed = this.#heir.resume(this.#estate.inherited);
    takeoverTally.add('resumed', resumed.size);
    if (resumed.size > 0)
      this.#log('info', 'system', 'sessions of the control process before this one go on', {
        ...eventOf('sessions-resumed'),
        sessions: resumed.size,
      });
    for (const call of resumed) this.#estate.take(call);
    this.#holdRest(switchboard);
    this.#heir.found(new Set(sessionIds), () => this.#close(switchboard));
  }

  /** A peer may leave before it is told to. */
  #holdRest(switchboard: Switchboard): void {
    const { connections, calls, links } = this.#estate;
    for (const connection of connections) {
      // Sent without waiting for its reply: all end with the connection, whatever it was about, and nobody else is to wait for one peer.
      const rest = this.#keep({ kind: 'tcp-close', connection, abort: 0 }, () =>
        switchboard.send({ kind: 'tcp-send', connection, bytes: encode(stopRequest('stopLocalShutdown')) }),
      );
      switchboard.holdConnection(connection, ({ kind }) => kind === 'tcp-closed' && this.#gone(rest));
    }
    for (const { call, peerAddress, said } of calls) {
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
    for (const link of links) {
      const rest = this.#keep({ kind: 'link-close', link });
      switchboard.adoptLink(link, ({ kind }) => kind === 'link-closed' && this.#gone(rest));
    }
  }

  #keep(letGo: Rest['letGo'], farewell = () => {}): Rest {
    const rest = { letGo, farewell, gone: undefined };
    this.#rest.push(rest);
    return rest;
  }

  #close(switchboard: Switchboard): void {
    const left = this.#rest.filter(({ gone }) => gone === undefined);
    this.#awaited = left.length;
    for (const { gone } of this.#rest) gone?.();
    if (left.length === 0) return this.#heir.done();
    for (const { farewell, letGo } of left) {
      if (letGo.kind === 'call-close') takeoverTally.add('closed');
      farewell();
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
