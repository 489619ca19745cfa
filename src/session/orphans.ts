/**
 * What a control process before this one left in the engine. Until sessions can be taken over, they are closed, each with a
 * line in the log, and the server waits until the engine has let go of all of them: their handles would clash with new ones.
 */

import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { CommandOf, EventOf } from '../datapath/contract.ts';
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

/** What the engine holds, and how it is told to let go. */
interface Held {
  readonly letGo: CommandOf<'tcp-close' | 'link-close' | 'call-close'>;
  readonly say: () => void;
  /** It has gone; the owner is told when he is ready to hear it. */
  gone: (() => void) | undefined;
}

export class Orphans {
  readonly #log: Log;
  readonly #owner: OrphansOwner;
  readonly #held: Held[] = [];
  readonly #sessionIds = new Set<string>();
  /** Undefined before they are closed. */
  #awaited: number | undefined;

  constructor(log: Log, owner: OrphansOwner) {
    this.#log = log;
    this.#owner = owner;
  }

  /** Takes one event of the snapshot. What becomes of what is held is heard from now on: a peer may leave before it is closed. */
  found(event: EngineEvent, switchboard: Switchboard): void {
    switch (event.kind) {
      case 'connection-held': {
        const { connection } = event;
        const held = this.#hold({ kind: 'tcp-close', connection, abort: 0 });
        return switchboard.holdConnection(
          connection,
          ({ kind }) => kind === 'tcp-closed' && this.#gone(held),
        );
      }
      case 'link-held': {
        const { link } = event;
        const held = this.#hold({ kind: 'link-close', link });
        return switchboard.adoptLink(link, ({ kind }) => kind === 'link-closed' && this.#gone(held));
      }
      case 'call-held':
        return this.#foundCall(event, switchboard);
      case 'snapshot-end':
        return this.#owner.found(this.#sessionIds, () => this.#close(switchboard));
      default:
        break;
    }
  }

  #foundCall({ call, peerAddress, memo }: EventOf<'call-held'>, switchboard: Switchboard): void {
    const sessionId = sessionIdIn(memo);
    if (sessionId !== undefined) this.#sessionIds.add(sessionId);
    const text = `closing a call of ${formatIpv4(peerAddress)}: its control process ended`;
    const say = () => this.#log('warning', 'pptp,ppp', text, { sessionId });
    const held = this.#hold({ kind: 'call-close', call }, say);
    switchboard.adoptCall(call, (event) => {
      if (event.kind !== 'closed') return;
      this.#gone(held, () => sessionId !== undefined && this.#owner.ended(sessionId, event));
    });
  }

  #hold(letGo: Held['letGo'], say = () => {}): Held {
    const held = { letGo, say, gone: undefined };
    this.#held.push(held);
    return held;
  }

  #close(switchboard: Switchboard): void {
    const left = this.#held.filter(({ gone }) => gone === undefined);
    this.#awaited = left.length;
    for (const { gone } of this.#held) gone?.();
    if (left.length === 0) return this.#owner.done();
    for (const { say, letGo } of left) {
      say();
      switchboard.send(letGo);
    }
  }

  #gone(held: Held, tell: () => void = () => {}): void {
    held.gone = tell;
    if (this.#awaited === undefined) return;
    tell();
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#owner.done();
  }
}
