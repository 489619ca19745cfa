/**
 * A subscriber's session as the outside knows it, by its identity. Enter: the news of the session, and what a RADIUS server or
 * an operator wants of it. Leave: what accounting is told of it, each thing once. What happens inside is session.ts's.
 */

import type { Change } from '../aaa/change.ts';
import type { DynamicTarget } from '../aaa/dynamic.ts';
import type { SessionIdentity } from '../aaa/identity.ts';
import type { SessionFacts, Usage } from '../accounting/record.ts';
import { toBytes, toText } from '../base/bytes.ts';
import type { Ipv4 } from '../base/ip.ts';
import { errorCauses } from '../radius/error-cause.ts';
import { acctTerminateCause, type EndingCause, endingOf } from './ending.ts';
import { isAlive } from './lifecycle.ts';
import type { NetworkUp } from './party.ts';
import type { FinalCounters, Session } from './session.ts';
import type { Outcome } from './session-interface.ts';
import type { Subscriber } from './subscriber.ts';

/** Who keeps the books: told of sessions that came up, of no others. */
export interface Books {
  /** Between two Interim-Updates of a session that nobody else said anything about, in ms; 0: none. */
  readonly interimMs: number;
  /** No new session should be taken: RADIUS servers have been away for so long that there is hardly room left for its records. */
  readonly isFull: boolean;
  up(facts: SessionFacts, interimMs: number): void;
  changed(sessionId: string, change: Pick<Change, 'classes' | 'interimMs'>): void;
  ended(sessionId: string, end: SessionEnd): void;
}

export interface SessionEnd {
  readonly usage: Usage;
  readonly uptimeMs: number;
  /** Acct-Terminate-Cause. */
  readonly terminateCause: number;
}

export class ServedSession {
  readonly identity: SessionIdentity;
  readonly session: Session;
  readonly #subscriber: Subscriber;
  readonly #books: Books;
  #classes: readonly Uint8Array[] = [];
  #interimMs = 0;
  /** Undefined before the session has been up: accounting knows nothing of it then. */
  #framedAddress: Ipv4 | undefined;

  constructor(identity: SessionIdentity, session: Session, subscriber: Subscriber, books: Books) {
    this.identity = identity;
    this.session = session;
    this.#subscriber = subscriber;
    this.#books = books;
  }

  /** As accounting has it; empty before the session has been up. */
  get user(): string {
    return this.session.terms?.user ?? '';
  }

  /** As a RADIUS server can name it and order it about; undefined while it is not up. */
  get target(): DynamicTarget | undefined {
    const { limits, state } = this.session;
    if (this.#framedAddress === undefined || limits === undefined || !isAlive(state)) return undefined;
    return {
      identity: this.identity,
      user: this.user,
      framedAddress: this.#framedAddress,
      standing: { ...limits, classes: this.#classes, interimMs: this.#interimMs },
      change: (change, done) =>
        this.change(change, (trouble) =>
          done(trouble === undefined ? undefined : errorCauses.resourcesUnavailable),
        ),
      disconnect: () => this.session.end('radius-disconnect'),
    };
  }

  /** It has come up. */
  up({ remote }: NetworkUp): void {
    const { accepted } = this.#subscriber;
    if (accepted === undefined || remote === undefined) throw new Error('nobody came up without a name');
    this.#framedAddress = remote;
    this.#classes = accepted.classes;
    this.#interimMs = accepted.interimMs ?? this.#books.interimMs;
    this.session.remember(memoOf(this.identity.sessionId));
    const { identity, user } = this;
    const { classes, source } = accepted;
    this.#books.up({ identity, user, classes, authentic: source, framedAddress: remote }, this.#interimMs);
  }

  /** It is over, for good. */
  ended(cause: EndingCause, counters: FinalCounters): void {
    if (this.#framedAddress === undefined) return;
    this.#books.ended(this.identity.sessionId, {
      usage: counters,
      uptimeMs: this.session.uptimeMs,
      terminateCause: acctTerminateCause[endingOf(cause).acct],
    });
  }

  /** All of it or nothing: `done` tells what was in the way. */
  change({ classes, interimMs, ...limits }: Change, done: Outcome): void {
    this.session.change(limits, (trouble) => {
      if (trouble === undefined) {
        this.#classes = classes ?? this.#classes;
        this.#interimMs = interimMs ?? this.#interimMs;
        this.#books.changed(this.identity.sessionId, {
          ...(classes && { classes }),
          ...(interimMs !== undefined && { interimMs }),
        });
      }
      done(trouble);
    });
  }
}

/** What the engine keeps, so that a control process after this one can tell accounting whose call it was. */
function memoOf(sessionId: string): Uint8Array {
  return toBytes(JSON.stringify({ version: 1, sessionId }));
}

/** The Acct-Session-Id in a memo; undefined if there is none, because the session was not up. */
export function sessionIdIn(memo: Uint8Array): string | undefined {
  if (memo.length === 0) return undefined;
  const { sessionId } = JSON.parse(toText(memo)) as { readonly sessionId?: unknown };
  return typeof sessionId === 'string' ? sessionId : undefined;
}
