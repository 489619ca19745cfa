/**
 * What a control process before this one left in the engine. Until sessions can be taken over, they are closed, each with a
 * line in the log, and the server waits until the engine has let go of all of them: their handles would clash with new ones.
 */

import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { EventOf } from '../datapath/contract.ts';
import { sessionIdIn } from './served-session.ts';
import type { FinalCounters } from './session.ts';
import type { EngineEvent, Switchboard } from './switchboard.ts';

export interface OrphansOwner {
  /** The snapshot is complete: these sessions, by Acct-Session-Id, are held. They end when `go` is called. Called once. */
  found(sessionIds: ReadonlySet<string>, go: () => void): void;
  /** One of them is over, with all that passed through it, also while nobody was in control. */
  ended(sessionId: string, counters: FinalCounters): void;
  /** Nothing is left. Called once, after all else. */
  done(): void;
}

type Held = EventOf<'connection-held' | 'call-held' | 'link-held'>;

export class Orphans {
  readonly #log: Log;
  readonly #owner: OrphansOwner;
  readonly #held: Held[] = [];
  #awaited = 0;

  constructor(log: Log, owner: OrphansOwner) {
    this.#log = log;
    this.#owner = owner;
  }

  /** Takes one event of the snapshot. */
  found(event: EngineEvent, switchboard: Switchboard): void {
    switch (event.kind) {
      case 'connection-held':
      case 'call-held':
      case 'link-held':
        this.#held.push(event);
        break;
      case 'snapshot-end':
        this.#complete(switchboard);
        break;
      default:
        break;
    }
  }

  #complete(switchboard: Switchboard): void {
    const ids = this.#held.map((held) => (held.kind === 'call-held' ? sessionIdIn(held.memo) : undefined));
    this.#owner.found(new Set(ids.filter((id) => id !== undefined)), () => {
      this.#awaited = this.#held.length;
      if (this.#awaited === 0) return this.#owner.done();
      for (const held of this.#held) this.#close(held, switchboard);
    });
  }

  #close(held: Held, switchboard: Switchboard): void {
    switch (held.kind) {
      case 'connection-held':
        switchboard.holdConnection(held.connection, ({ kind }) => kind === 'tcp-closed' && this.#gone());
        return switchboard.send({ kind: 'tcp-close', connection: held.connection, abort: 0 });
      case 'link-held':
        switchboard.adoptLink(held.link, ({ kind }) => kind === 'link-closed' && this.#gone());
        return switchboard.send({ kind: 'link-close', link: held.link });
      case 'call-held':
        return this.#closeCall(held, switchboard);
    }
  }

  #closeCall({ call, peerAddress, memo }: EventOf<'call-held'>, switchboard: Switchboard): void {
    const sessionId = sessionIdIn(memo);
    const text = `closing a call of ${formatIpv4(peerAddress)}: its control process ended`;
    this.#log('warning', 'pptp,ppp', text, { sessionId });
    switchboard.adoptCall(call, (event) => {
      if (event.kind !== 'closed') return;
      if (sessionId !== undefined) this.#owner.ended(sessionId, event);
      this.#gone();
    });
    switchboard.send({ kind: 'call-close', call });
  }

  #gone(): void {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#owner.done();
  }
}
