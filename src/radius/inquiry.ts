/**
 * A query from the moment that it is asked until it has its one outcome: a round with the best server, then with the next. With
 * a deadline the rounds go on until it passes; without one, each server is asked once.
 */

import type { Clock, Timer } from '../base/clock.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { Packet } from './packet.ts';
import type { Outcome, Query, Round } from './query.ts';
import { maximumDurationMs } from './retransmission.ts';
import type { Target } from './target.ts';

export interface InquiryPorts {
  readonly clock: Clock;
  /** The servers that it may go to now, best first. */
  targetsFor(query: Query, preferred: string | undefined): readonly Target[];
  over(inquiry: Inquiry): void;
}

export class Inquiry implements AttemptOwner {
  readonly query: Query;
  readonly #ports: InquiryPorts;
  readonly #done: (outcome: Outcome) => void;
  readonly #askedMs: number;
  readonly #deadlineMs: number | undefined;
  /** In this pass over the servers. */
  readonly #tried = new Set<Target>();
  #current: { readonly target: Target; readonly attempt: Attempt } | undefined;
  #deadline: Timer | undefined;
  #isResumed = false;
  #isOver = false;

  constructor(query: Query, done: (outcome: Outcome) => void, ports: InquiryPorts) {
    this.query = query;
    this.#done = done;
    this.#ports = ports;
    this.#askedMs = ports.clock.nowMs();
    this.#deadlineMs = query.deadlineMs ?? (query.role === 'authentication' ? maximumDurationMs : undefined);
  }

  get waitedMs(): number {
    return this.#ports.clock.nowMs() - this.#askedMs;
  }

  /** Asks the first server. The outcome never comes before this returns. */
  begin(): void {
    const { clock } = this.#ports;
    if (this.#deadlineMs !== undefined) {
      this.#deadline = clock.arm(this.#deadlineMs, () => this.#overdue());
    }
    const servers = this.#servers();
    if (this.#enterOneOf(servers)) return;
    this.#deadline?.cancel();
    const got = servers.length === 0 ? 'no-server' : 'silence';
    this.#deadline = clock.arm(0, () => this.end({ got }));
  }

  /** The one outcome; all that come after it are nothing. */
  end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.cancel();
    this.#done(outcome);
  }

  /** Without an outcome. */
  cancel(): void {
    this.#isOver = true;
    this.#deadline?.cancel();
    this.#leave();
    this.#ports.over(this);
  }

  answered(packet: Packet, round: Round): void {
    this.end({ got: 'reply', packet, round });
  }

  exhausted(): void {
    this.#next();
  }

  displaced(): void {
    this.#next();
  }

  troubled(isSent: boolean): void {
    if (this.#isOver) return;
    const servers = this.#servers();
    const here = this.#current?.target;
    const better = servers.filter((target) => target !== here && target.state === 'alive');
    const isStillAsked = here !== undefined && servers.includes(here);
    if (isStillAsked && here.state === 'alive') return;
    if (better.length > 0 && (isStillAsked || !isSent)) {
      this.#leave();
      if (!this.#enterOneOf(better)) this.#next();
    } else if (!isSent && (!isStillAsked || (here.state === 'dead' && this.#deadlineMs === undefined))) {
      this.#next();
    }
  }

  #overdue(): void {
    if (this.#current !== undefined) this.#current.target.exhausted(this.#current.attempt);
    this.end({ got: 'silence' });
  }

  /** The round has brought nothing: the next server, or the first again, or the end. */
  #next(): void {
    if (this.#isOver) return;
    this.#leave();
    const servers = this.#servers();
    if (this.#enterOneOf(servers.filter((target) => !this.#tried.has(target)))) return;
    if (this.#deadlineMs !== undefined) {
      this.#tried.clear();
      if (this.#enterOneOf(servers)) return;
    }
    this.end({ got: 'silence' });
  }

  #servers(): readonly Target[] {
    const { server, resume } = this.query;
    return this.#ports.targetsFor(this.query, this.#isResumed ? server : (resume?.server ?? server));
  }

  /** Enters with the first that has room. */
  #enterOneOf(servers: readonly Target[]): boolean {
    return servers.some((target) => {
      const { resume } = this.query;
      const isAgain = !this.#isResumed && resume?.server === target.name;
      const attempt = new Attempt(this, target, isAgain ? resume : undefined);
      // A request that is only sent again is not this process's round with the server.
      if (!isAgain) this.#tried.add(target);
      this.#isResumed ||= isAgain;
      this.#current = { target, attempt };
      return target.enter(attempt);
    });
  }

  #leave(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.target.leave(current.attempt);
  }
}
