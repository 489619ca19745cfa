/**
 * Drives a coroutine of a service: takes what it gives to whoever reads, waits where it waits, rests when it has run for long enough
 * or the reader is behind, and breaks it off when nobody wants it any more. Time and the event loop are ports. Pure.
 */

import { Fault } from '../../base/fault.ts';
import type { Step, Wait } from '../run.ts';

/** How long one command may hold the event loop at a stretch, in ms: frames of all sessions wait meanwhile. */
const sliceMs = 2;

export interface EventLoop {
  nowMs(): number;
  /** Calls `act` when all that has come meanwhile has had its turn. */
  soon(act: () => void): void;
}

export interface Outlet<P> {
  take(piece: P): void;
  /** Whether the reader has fallen behind; then `whenTaken` calls back when it has caught up. */
  isBehind(): boolean;
  whenTaken(goOn: () => void): void;
  /** It has ended, with a `Fault` if it was refused. Not told of one that was broken off. */
  ended(result: string | undefined, fault: Fault | undefined): void;
}

export class Drive<P extends object> {
  readonly #flow: Generator<Step | P, string | undefined, unknown>;
  readonly #loop: EventLoop;
  readonly #outlet: Outlet<P>;
  #isOver = false;
  /** Stops the wait that it is in. */
  #unwait: (() => void) | undefined;

  /** Begins when all that has come meanwhile has had its turn. */
  constructor(flow: Generator<Step | P, string | undefined, unknown>, loop: EventLoop, outlet: Outlet<P>) {
    this.#flow = flow;
    this.#loop = loop;
    this.#outlet = outlet;
    this.#goOnSoon(undefined);
  }

  /** Breaks it off. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unwait?.();
    this.#flow.return(undefined);
  }

  #goOnSoon(answer: unknown): void {
    this.#loop.soon(() => this.#goOn(answer));
  }

  #goOn(answer: unknown): void {
    if (this.#isOver) return;
    const untilMs = this.#loop.nowMs() + sliceMs;
    let next = answer;
    try {
      do {
        const { done, value } = this.#flow.next(next);
        next = undefined;
        if (done) return this.#end(value, undefined);
        if (typeof value === 'object' && isWait(value)) return this.#wait(value);
        if (typeof value === 'object') this.#outlet.take(value);
      } while (!this.#outlet.isBehind() && this.#loop.nowMs() < untilMs);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return this.#end(undefined, error);
    }
    if (this.#outlet.isBehind()) this.#outlet.whenTaken(() => this.#goOn(undefined));
    else this.#goOnSoon(undefined);
  }

  #wait({ begin }: Wait): void {
    const unwait = begin((answer) => {
      this.#unwait = undefined;
      this.#goOnSoon(answer);
    });
    this.#unwait = typeof unwait === 'function' ? unwait : undefined;
  }

  #end(result: string | undefined, fault: Fault | undefined): void {
    this.#isOver = true;
    this.#outlet.ended(result, fault);
  }
}

function isWait(value: object): value is Wait {
  return 'begin' in value;
}
