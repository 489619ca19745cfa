/**
 * What a control process before this one left in the engine. Until sessions can be taken over, they are closed, each with a
 * line in the log, and the server waits until the engine has let go of all of them: their handles would clash with new ones.
 */

import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { EngineEvent, Switchboard } from './switchboard.ts';

export class Orphans {
  readonly #log: Log;
  readonly #done: () => void;
  #awaited = 0;
  #complete = false;

  /** `done` is called once, when the snapshot is complete and nothing of it is left. */
  constructor(log: Log, done: () => void) {
    this.#log = log;
    this.#done = done;
  }

  /** Takes one event of the snapshot. */
  found(event: EngineEvent, switchboard: Switchboard): void {
    const gone = () => {
      this.#awaited -= 1;
      this.#check();
    };
    switch (event.kind) {
      case 'connection-held':
        this.#awaited += 1;
        switchboard.holdConnection(event.connection, ({ kind }) => kind === 'tcp-closed' && gone());
        switchboard.send({ kind: 'tcp-close', connection: event.connection, abort: 0 });
        break;
      case 'call-held':
        this.#awaited += 1;
        this.#log(
          'warning',
          'pptp,ppp',
          `closing a call of ${formatIpv4(event.peerAddress)}: its control process ended`,
        );
        switchboard.adoptCall(event.call, ({ kind }) => kind === 'closed' && gone());
        switchboard.send({ kind: 'call-close', call: event.call });
        break;
      case 'link-held':
        this.#awaited += 1;
        switchboard.adoptLink(event.link, ({ kind }) => kind === 'link-closed' && gone());
        switchboard.send({ kind: 'link-close', link: event.link });
        break;
      case 'snapshot-end':
        this.#complete = true;
        this.#check();
        break;
      default:
        break;
    }
  }

  #check(): void {
    if (this.#complete && this.#awaited === 0) this.#done();
  }
}
