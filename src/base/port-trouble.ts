/**
 * A port of this node that cannot be had now: the process before this one may still hold it. Enter: the errors of opening it. Leave:
 * a line in the log for each that is new, with what an operator can do about it, and another attempt every few seconds. Pure.
 */

import type { Clock, Timer } from './clock.ts';
import type { Log } from './observe.ts';

/** A process that ends takes a second or two; who watches the log sees the port come back. */
const retryMs = 5_000;

export class PortTrouble {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #topics: string;
  readonly #hints: Readonly<Record<string, string>>;
  #retry: Timer | undefined;
  /** What the log was told last, so that a retry does not tell it again. */
  #told = '';

  /** `hints` by the system's name of the error. */
  constructor(
    { clock, log }: { readonly clock: Clock; readonly log: Log },
    topics: string,
    hints: Readonly<Record<string, string>>,
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#topics = topics;
    this.#hints = hints;
  }

  /** `what` is the port, as in "TCP port 9723 for health cannot be had"; `open` is called after a while. */
  failed(what: string, port: number, error: unknown, open: () => void): void {
    this.pause();
    this.#retry = this.#clock.arm(retryMs, open);
    const text = `${what} cannot be had: ${error instanceof Error ? error.message : String(error)}`;
    if (text === this.#told) return;
    this.#told = text;
    this.#log('error', this.#topics, text, { port, hint: this.#hints[codeOf(error)] });
  }

  /** It is not tried again by itself. */
  pause(): void {
    this.#retry?.cancel();
  }

  /** It is open, or no longer wanted: the next error is news. */
  over(): void {
    this.pause();
    this.#told = '';
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
