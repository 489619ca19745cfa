/**
 * A subscriber's session as the outside knows it, by its identity. Enter: the news of the session, and what a RADIUS server or
 * an operator wants of it. Leave: what accounting is told of it, each thing once. What happens inside is session.ts's.
 */

import type { Change } from '../aaa/change.ts';
import type { DynamicTarget } from '../aaa/dynamic.ts';
import { placesOf } from '../aaa/grant.ts';
import type { SessionIdentity } from '../aaa/identity.ts';
import { noUsage } from '../accounting/ledger.ts';
import { acctTerminateCause, type SessionFacts, type Usage } from '../accounting/record.ts';
import type { Clock } from '../base/clock.ts';
import { formatIpv4 } from '../base/ip.ts';
import type { Method } from '../ppp/auth/method.ts';
import type { Mppe } from '../ppp/ccp/options.ts';
import { errorCauses } from '../radius/error-cause.ts';
import { type EndingCause, endingOf } from './ending.ts';
import { isAlive } from './lifecycle.ts';
import { type Line, memoOctets, type StandingCaller } from './memo.ts';
import { encodingOf } from './network.ts';
import type { NetworkUp } from './party.ts';
import type { Owner, Registry, SessionRow } from './registry/registry.ts';
import type { FinalCounters, Session } from './session.ts';
import type { Outcome } from './session-interface.ts';
import { setUpPhases } from './set-up.ts';
import type { Subscriber } from './subscriber.ts';
import { endingTally, lifetimeSeconds, setUpFailureTally, setUpPhaseSeconds, setUpSeconds } from './tally.ts';

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

export interface ServedServices {
  readonly clock: Clock;
  readonly books: Books;
  readonly registry: Pick<Registry, 'up' | 'resume' | 'ended'>;
  /** Who this node is to the others. */
  readonly owner: Owner;
}

export class ServedSession {
  readonly identity: SessionIdentity;
  readonly session: Session;
  readonly #line: Line;
  readonly #subscriber: Subscriber;
  readonly #calledAtMs: number;
  readonly #services: ServedServices;
  #classes: readonly Uint8Array[] = [];
  #interimMs = 0;
  #row: SessionRow | undefined;

  constructor(
    identity: SessionIdentity,
    line: Line,
    session: Session,
    subscriber: Subscriber,
    services: ServedServices,
  ) {
    this.identity = identity;
    this.#line = line;
    this.session = session;
    this.#subscriber = subscriber;
    this.#services = services;
    this.#calledAtMs = services.clock.nowMs();
  }

  /** As accounting has it; empty before the session has been up. */
  get user(): string {
    return this.session.terms?.user ?? '';
  }

  /** How it proved who it is. */
  get method(): Method | undefined {
    return this.#subscriber.method;
  }

  /** As all nodes see it; undefined before the session has been up, and accounting knows nothing of it. */
  get row(): SessionRow | undefined {
    return this.#row;
  }

  /** Its counters as they were at `known.atMs`. */
  counted(known: SessionRow['known']): void {
    if (this.#row !== undefined) this.#row = { ...this.#row, known };
  }

  /** As a RADIUS server can name it and order it about; undefined while it is not up. */
  get target(): DynamicTarget | undefined {
    const { limits, state } = this.session;
    if (this.#row === undefined || limits === undefined || !isAlive(state)) return undefined;
    return {
      identity: this.identity,
      user: this.user,
      framedAddress: this.#row.framedAddress,
      standing: { ...limits, classes: this.#classes, interimMs: this.#interimMs },
      change: (change, done) =>
        this.change(change, (trouble) =>
          done(trouble === undefined ? undefined : errorCauses.resourcesUnavailable),
        ),
      disconnect: () => this.session.end('radius-disconnect'),
    };
  }

  /** It has come up. */
  up({ remote, mppe }: NetworkUp): void {
    const { accepted } = this.#subscriber;
    const { books, registry, clock } = this.#services;
    if (accepted === undefined || remote === undefined) throw new Error('nobody came up without a name');
    setUpSeconds.add((clock.nowMs() - this.#calledAtMs) / 1000);
    for (const phase of setUpPhases) setUpPhaseSeconds[phase].add(this.session.setUpMs[phase] / 1000);
    this.#classes = accepted.classes;
    this.#interimMs = accepted.interimMs ?? books.interimMs;
    const { identity, user } = this;
    const { classes, source } = accepted;
    const facts = { identity, user, classes, authentic: source, framedAddress: remote };
    this.#row = this.#rowOf(facts, mppe, clock.wallMs());
    books.up(facts, this.#interimMs);
    registry.up(this.#row);
  }

  /** It is up since a process before this one: its books go on by themselves. */
  resume({ facts, interimMs, startedAtMs, session, subscriber }: StandingCaller): void {
    this.#classes = facts.classes;
    this.#interimMs = interimMs;
    this.#row = this.#rowOf(facts, session.network.agreed.mppe, startedAtMs);
    this.#services.registry.resume(this.#row, placesOf(subscriber.grant));
  }

  #rowOf(facts: SessionFacts, mppe: Mppe | undefined, startedAtMs: number): SessionRow {
    const { identity, user, framedAddress } = facts;
    return {
      ...this.#services.owner,
      sessionId: identity.sessionId,
      user,
      framedAddress,
      callerId: formatIpv4(identity.peerAddress),
      interfaceName: this.session.name,
      encoding: encodingOf(mppe),
      startedAtMs,
      facts,
      known: { atMs: startedAtMs, uptimeMs: 0, usage: noUsage },
    };
  }

  /** The engine keeps what a control process after this one has to know; no Acct-Session-Id before the session has been up. */
  remember(): void {
    const standing = this.#standing;
    const sessionId = this.#row?.sessionId;
    this.session.remember(memoOctets({ sessionId, standing, line: standing ? undefined : this.#line }));
  }

  get #standing(): StandingCaller | undefined {
    const [row, session, subscriber] = [this.#row, this.session.standing, this.#subscriber.standing];
    if (row === undefined || session === undefined || subscriber === undefined) return undefined;
    const { facts, startedAtMs } = row;
    return {
      ...this.#line,
      facts: { ...facts, classes: this.#classes },
      interimMs: this.#interimMs,
      startedAtMs,
      subscriber,
      session,
    };
  }

  /** It is over, for good. */
  ended(cause: EndingCause, counters: FinalCounters): void {
    const { books, registry } = this.#services;
    const { sessionId } = this.identity;
    if (this.#row === undefined) setUpFailureTally.add(cause);
    else {
      endingTally.add(cause);
      lifetimeSeconds.add(this.session.uptimeMs / 1000);
      books.ended(sessionId, {
        usage: counters,
        uptimeMs: this.session.uptimeMs,
        terminateCause: acctTerminateCause[endingOf(cause).acct],
      });
    }
    registry.ended(sessionId);
  }

  /** All of it or nothing: `done` tells what was in the way. */
  change({ classes, interimMs, ...limits }: Change, done: Outcome): void {
    this.session.change(limits, (trouble) => {
      if (trouble === undefined) {
        this.#classes = classes ?? this.#classes;
        this.#interimMs = interimMs ?? this.#interimMs;
        this.#services.books.changed(this.identity.sessionId, {
          ...(classes && { classes }),
          ...(interimMs !== undefined && { interimMs }),
        });
        this.remember();
      }
      done(trouble);
    });
  }
}
