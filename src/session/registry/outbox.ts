/**
 * What Redis has yet to be told of own sessions: rows and claims, newer counters, ends. Names of sessions enter; batches leave, each
 * with what memory says at that moment, so that a session that changed twice is written once. What a failed command was to tell
 * waits again. Pure.
 */

import type { Clock } from '../../base/clock.ts';
import type { OwnSession, OwnSessions } from './own-sessions.ts';
import type { Loser, SharedSessions } from './shared-sessions.ts';

/** In one command: a millisecond or two of Redis's time each. */
const batch = { sessions: 100, counters: 500, ends: 500 } as const;

export class Outbox {
  readonly #shared: SharedSessions;
  readonly #own: OwnSessions;
  readonly #clock: Clock;
  readonly #lost: (losers: readonly Loser[]) => void;
  /** Sessions that Redis does not have as they are. */
  readonly #unwritten = new Set<string>();
  /** Those of which it has all but the counters. */
  readonly #uncounted = new Set<string>();
  /** Those that it does not know to be over. */
  readonly #unended = new Set<string>();

  /** `lost` is told of sessions, of any node, that were found to have the worse claim. */
  constructor(
    shared: SharedSessions,
    own: OwnSessions,
    clock: Clock,
    lost: (losers: readonly Loser[]) => void,
  ) {
    this.#shared = shared;
    this.#own = own;
    this.#clock = clock;
    this.#lost = lost;
  }

  get size(): number {
    return this.#unwritten.size + this.#uncounted.size + this.#unended.size;
  }

  write(sessionId: string): void {
    this.#unwritten.add(sessionId);
    this.#uncounted.delete(sessionId);
  }

  count(sessionId: string): void {
    this.#uncounted.add(sessionId);
  }

  end(sessionId: string): void {
    this.drop(sessionId);
    this.#unended.add(sessionId);
  }

  /** Nothing is to be told of it. */
  drop(sessionId: string): void {
    this.#unwritten.delete(sessionId);
    this.#uncounted.delete(sessionId);
  }

  /** A batch of each, the ends first: what they free is wanted. Breaks its promise with the first command that fails. */
  sendSome(): Promise<void> {
    return this.#sendEnds()
      .then(() => this.#sendSessions())
      .then(() => this.#sendCounters());
  }

  #sendEnds(): Promise<void> {
    const sessionIds = first(this.#unended, batch.ends);
    if (sessionIds.length === 0) return Promise.resolve();
    return this.#shared.end(sessionIds).then(() => {
      for (const sessionId of sessionIds) this.#unended.delete(sessionId);
    });
  }

  #sendSessions(): Promise<void> {
    const sessions = this.#take(this.#unwritten, batch.sessions);
    if (sessions.length === 0) return Promise.resolve();
    return this.#shared
      .assert(sessions, this.#clock.wallMs())
      .then(this.#lost, (error: unknown) => this.#putBack(this.#unwritten, sessions, error));
  }

  #sendCounters(): Promise<void> {
    const sessions = this.#take(this.#uncounted, batch.counters);
    const rows = sessions.flatMap(({ row }) => row ?? []);
    if (rows.length === 0) return Promise.resolve();
    return this.#shared.usage(rows).then(
      (unknown) => {
        for (const sessionId of unknown) if (this.#own.get(sessionId) !== undefined) this.write(sessionId);
      },
      (error: unknown) => this.#putBack(this.#uncounted, sessions, error),
    );
  }

  /** Before the command, so that what changes meanwhile is told again. */
  #take(waiting: Set<string>, count: number): readonly OwnSession[] {
    const sessionIds = first(waiting, count);
    for (const sessionId of sessionIds) waiting.delete(sessionId);
    return sessionIds.flatMap((sessionId) => this.#own.get(sessionId) ?? []);
  }

  /** Sessions that are over by now are not told of again. */
  #putBack(waiting: Set<string>, sessions: readonly OwnSession[], error: unknown): never {
    for (const { sessionId } of sessions) if (this.#own.get(sessionId) !== undefined) waiting.add(sessionId);
    throw error;
  }
}

function first<T>(values: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const value of values) {
    if (taken.length === count) break;
    taken.push(value);
  }
  return taken;
}
