/**
 * Whether a server lives, in one role, by what it answers. Told of every transmission, every timeout and every valid reply;
 * times are handed in. Pure; what follows from a state is target.ts's and choice.ts's.
 *
 *     alive ── several timeouts in a row, nothing heard for a while ──► zombie ── and nothing for longer ──► dead
 *       ▲                                                                 │                                    │
 *       └───────────────────────── any valid reply ◄─────────────────────┴────────────────────────────────────┘
 *
 * One lost packet must not send all subscribers elsewhere, hence the zombie: it gets no new requests while another server
 * lives, but those in flight may finish. Status-Server (RFC 5997) brings the valid reply. A server that has never answered one
 * may not know it: after a hold time it is given a single request on trial.
 */

export type ServerState = 'alive' | 'zombie' | 'dead';

/** Timeouts in a row, of any requests: one request's round of transmissions. */
export const zombieAfterTimeouts = 3;

/** And this long nothing: under load three datagrams are lost together easily, three seconds of them are not. */
export const zombieAfterMs = 3_000;

/** From zombie to dead: time for two Status-Servers and their replies. */
export const deadAfterMs = 10_000;

/** RFC 3539 section 3.4.1, which RFC 5997 section 4.2 follows: probes are at least six seconds apart, ± 10 % here. */
export const probeIntervalMs = 6_000;

/** Between two trials of a dead server: each may cost a subscriber a round of transmissions. */
export const trialIntervalMs = 30_000;

export class Health {
  #state: ServerState = 'alive';
  #timeouts = 0;
  #silentSinceMs: number | undefined;
  #lastTrialMs = 0;
  #knowsStatusServer = false;

  get state(): ServerState {
    return this.#state;
  }

  /** Something was sent that has to be answered. */
  asked(nowMs: number): void {
    this.#silentSinceMs ??= nowMs;
  }

  /** The wait for a reply is over. True if that makes it a zombie. */
  timedOut(nowMs: number): boolean {
    this.#timeouts += 1;
    const silentMs = nowMs - (this.#silentSinceMs ?? nowMs);
    if (this.#state !== 'alive' || this.#timeouts < zombieAfterTimeouts || silentMs < zombieAfterMs)
      return false;
    this.#state = 'zombie';
    return true;
  }

  /** `deadAfterMs` as a zombie have passed, or no wire leads to it. True if that is news. */
  died(nowMs: number): boolean {
    if (this.#state === 'dead') return false;
    this.#state = 'dead';
    this.#lastTrialMs = nowMs;
    return true;
  }

  /** A valid reply. True if it had been given up. */
  heard(toStatusServer: boolean): boolean {
    const isRevived = this.#state !== 'alive';
    this.#state = 'alive';
    this.#timeouts = 0;
    this.#silentSinceMs = undefined;
    this.#knowsStatusServer ||= toStatusServer;
    return isRevived;
  }

  /** True if a dead server that cannot be probed may have a request to show that it lives again. */
  isTrialDue(nowMs: number): boolean {
    return this.#state === 'dead' && !this.#knowsStatusServer && nowMs - this.#lastTrialMs >= trialIntervalMs;
  }

  /** It has been given a request: the next trial is not before its time. */
  entrusted(nowMs: number): void {
    this.#lastTrialMs = nowMs;
  }
}
