/**
 * One look at the protocol of a subscriber, as long as somebody reads: moments enter, lines leave, in order. Bounded in what a second may
 * bring and in what waits for a slow reader; what is left out is counted and said. Pure.
 */

import type { Clock, Timer } from '../../base/clock.ts';
import type { AttributeCodec } from '../../radius/attribute.ts';
import { type Moment, tell } from './moment.ts';
import { traceTally } from './tally.ts';
import type { Wanted } from './wanted.ts';

/** A line as RouterOS's log has it. */
export interface TraceLine {
  /** Since 1970. */
  readonly atMs: number;
  readonly topics: string;
  readonly message: string;
}

/** Moments that a second may bring: a call takes about forty from SCCRQ to IPCP, and nobody reads more than a few at once. */
const momentsPerSecond = 200;
/** Lines that wait for a slow reader. */
const linesMax = 1000;
/** Sessions that are still known when their last accounting is told: those of the last minutes behind one address. */
const sessionsMax = 1000;
const secondMs = 1000;
/** Between two lines about calls without a name: some of ten thousand users fail at all times. */
const namelessMs = 10_000;

export interface TracePorts {
  readonly clock: Clock;
  readonly codec: Pick<AttributeCodec, 'decode'>;
}

export class Trace {
  readonly wanted: Wanted;
  readonly #ports: TracePorts;
  readonly #closed: (trace: Trace) => void;
  readonly #sessions = new Set<string>();
  #lines: TraceLine[] = [];
  #awaited: (() => void) | undefined;
  #secondSinceMs = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  #missed = 0;
  #missedTimer: Timer | undefined;
  /** Calls that ended before their users had said a name and that nobody was told of, and when somebody was told last. */
  #nameless = 0;
  #namelessToldMs = Number.NEGATIVE_INFINITY;

  constructor(wanted: Wanted, ports: TracePorts, closed: (trace: Trace) => void) {
    this.wanted = wanted;
    this.#ports = ports;
    this.#closed = closed;
  }

  /** Calls `there` once, as soon as there are lines to be taken; gives back how to stop that. */
  awaitLines(there: () => void): () => void {
    if (this.#lines.length > 0) there();
    else this.#awaited = there;
    return () => {
      this.#awaited = undefined;
    };
  }

  /** The lines that have come, oldest first. */
  take(): readonly TraceLine[] {
    const taken = this.#lines;
    this.#lines = [];
    return taken;
  }

  close(): void {
    this.#missedTimer?.cancel();
    this.#lines = [];
    this.#awaited = undefined;
    this.#closed(this);
  }

  // ---- for who tells it

  /** A session that it is about. */
  follows(sessionId: string): boolean {
    return this.#sessions.has(sessionId);
  }

  follow(sessionId: string): void {
    this.#sessions.add(sessionId);
    if (this.#sessions.size <= sessionsMax) return;
    for (const oldest of this.#sessions) return void this.#sessions.delete(oldest);
  }

  /** What happened at `atMs`, since 1970. */
  give(moment: Moment, atMs: number): void {
    if (!this.#isRoom()) return this.miss(1);
    this.#inSecond += 1;
    this.#tellMissed(atMs);
    const { topics, messages } = tell(moment, this.#ports.codec);
    traceTally.add('moments');
    this.#put(messages.map((message) => ({ atMs, topics, message })));
  }

  /** Something of it was not kept. */
  miss(count: number): void {
    if (count === 0) return;
    traceTally.add('missed', count);
    this.#missed += count;
    const { clock } = this.#ports;
    this.#missedTimer ??= clock.arm(secondMs, () => this.#tellMissed(clock.wallMs()));
  }

  /** A call of `callerId` that might have been his has ended without a name. */
  missNameless(callerId: string): void {
    const { clock } = this.#ports;
    this.#nameless += 1;
    if (clock.nowMs() - this.#namelessToldMs < namelessMs) return;
    const calls = this.#nameless === 1 ? 'a call' : `${this.#nameless} calls`;
    const text = `${calls} ended before a name was said, the last from ${callerId}`;
    this.#nameless = 0;
    this.#namelessToldMs = clock.nowMs();
    this.give({ kind: 'remark', topics: 'pptp,ppp,debug', text }, clock.wallMs());
  }

  #isRoom(): boolean {
    const nowMs = this.#ports.clock.nowMs();
    if (nowMs - this.#secondSinceMs >= secondMs) {
      this.#secondSinceMs = nowMs;
      this.#inSecond = 0;
    }
    return this.#inSecond < momentsPerSecond && this.#lines.length < linesMax;
  }

  #tellMissed(atMs: number): void {
    this.#missedTimer?.cancel();
    this.#missedTimer = undefined;
    if (this.#missed === 0) return;
    const message = `... ${this.#missed} not shown`;
    this.#missed = 0;
    this.#put([{ atMs, topics: 'debug', message }]);
  }

  #put(lines: readonly TraceLine[]): void {
    this.#lines.push(...lines);
    const awaited = this.#awaited;
    this.#awaited = undefined;
    awaited?.();
  }
}
