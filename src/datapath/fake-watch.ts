/**
 * The watch of one call of the fake engine: how long nothing was heard of the peer, and how long no network packet passed.
 * What `call-watch` asks for is said through `say`.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { CommandOf } from './contract.ts';

/** What the watch has to say: silence, with its count, or idleness. */
export type Watched = { readonly is: 'silent'; readonly probe: number } | { readonly is: 'idle' };

export class Watch {
  readonly #clock: Clock;
  readonly #say: (watched: Watched) => void;
  #terms = { silentMs: 0, probeMs: 0, idleMs: 0 };
  #receivedAtMs: number;
  #passedAtMs: number;
  #probes = 0;
  #silence: Timer | undefined;
  #idleness: Timer | undefined;

  constructor(clock: Clock, say: (watched: Watched) => void) {
    this.#clock = clock;
    this.#say = say;
    this.#receivedAtMs = this.#passedAtMs = clock.nowMs();
  }

  set({ silentMs, probeMs, idleMs }: CommandOf<'call-watch'>): void {
    this.#terms = { silentMs, probeMs, idleMs };
    this.#probes = 0;
    this.#awaitSilence();
    this.#awaitIdleness();
  }

  /** Something came from the peer. */
  heard(): void {
    this.#receivedAtMs = this.#clock.nowMs();
    if (this.#probes === 0) return;
    this.#probes = 0;
    this.#awaitSilence();
  }

  /** A network packet passed, either way. */
  passed(): void {
    this.#passedAtMs = this.#clock.nowMs();
  }

  /** As the counters have it. */
  get ages(): { readonly silentMs: number; readonly idleMs: number } {
    const nowMs = this.#clock.nowMs();
    return {
      silentMs: Math.floor(nowMs - this.#receivedAtMs),
      idleMs: Math.floor(nowMs - this.#passedAtMs),
    };
  }

  end(): void {
    this.#silence?.cancel();
    this.#idleness?.cancel();
  }

  #awaitSilence(): void {
    const { silentMs, probeMs } = this.#terms;
    this.#silence?.cancel();
    if (silentMs === 0 || (this.#probes > 0 && probeMs === 0)) return;
    const dueMs = this.#receivedAtMs + silentMs + this.#probes * probeMs;
    this.#silence = this.#clock.arm(dueMs - this.#clock.nowMs(), () => {
      // What was heard meanwhile has moved the deadline, not the timer.
      if (this.#receivedAtMs + silentMs + this.#probes * probeMs <= this.#clock.nowMs()) {
        this.#probes++;
        this.#say({ is: 'silent', probe: this.#probes });
      }
      this.#awaitSilence();
    });
  }

  #awaitIdleness(): void {
    const { idleMs } = this.#terms;
    this.#idleness?.cancel();
    if (idleMs === 0) return;
    this.#idleness = this.#clock.arm(this.#passedAtMs + idleMs - this.#clock.nowMs(), () => {
      if (this.#passedAtMs + idleMs > this.#clock.nowMs()) this.#awaitIdleness();
      else this.#say({ is: 'idle' });
    });
  }
}
