/** How long a session has been at each step of its coming up. Enter: its states, with the time. Leaves: sums. Pure. */

import type { LifeState } from './lifecycle.ts';

/** What a subscriber waits for: LCP, his proof with all that RADIUS takes, his interface, encryption and addresses. */
export const setUpPhases = ['linking', 'authenticating', 'preparing', 'networking'] as const;
export type SetUpPhase = (typeof setUpPhases)[number];

export class SetUp {
  /** A phase that was entered twice counts twice: LCP may start over. */
  readonly spentMs: Record<SetUpPhase, number> = {
    linking: 0,
    authenticating: 0,
    preparing: 0,
    networking: 0,
  };
  #phase: SetUpPhase | undefined;
  #sinceMs = 0;

  enter(state: LifeState, nowMs: number): void {
    if (this.#phase !== undefined) this.spentMs[this.#phase] += nowMs - this.#sinceMs;
    this.#phase = setUpPhases.find((phase) => phase === state);
    this.#sinceMs = nowMs;
  }
}
