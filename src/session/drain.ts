/**
 * Taking a node out of service. Soft: no new calls, those that are up stay until they end; hard: they are ended, so many a second; cancel:
 * calls are taken again, and what was ended stays ended. Enter: the operator's orders, here or from another node, cordons, the end of the
 * process, and the news that a session is gone. Leave: sessions to end, whether calls are refused, lines of the log. Pure.
 *
 *     off ──soft──► soft ──hard──► hard         any order from any state; cancel leads back to off
 *
 * A cordon is soft, and gives way: it begins nothing while the operator drains, and its end cancels only what it has begun. With any
 * order of his the drain becomes the operator's.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/observe.ts';
import { eventOf } from './events.ts';

export type DrainOrder = 'soft' | 'hard' | 'cancel';

export interface DrainProgress {
  readonly mode: 'off' | 'soft' | 'hard';
  /** Since the first order, in ms; 0 while it is off. */
  readonly forMs: number;
  /** Sessions that there were then. */
  readonly begunWith: number;
  readonly left: number;
}

/** What can be told to end. */
export interface Drained {
  end(cause: 'shut-down'): void;
}

export interface DrainPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** All of the server's, also those that are not up yet or are ending. */
  sessions(): ReadonlyMap<Drained, unknown>;
  /** Whether calls are refused from now on. */
  refuse(isRefusing: boolean): void;
  /** Sessions a second. */
  rate(): number;
}

/** Between two strokes of hard, in ms: each ends its share of a second's sessions. */
const strokeMs = 100;
/** How long the end of the process may take to end all sessions, in ms: a third of what systemd allows, so that peers and RADIUS have the rest. */
const lastStrokesMs = 30_000;

/** How far hard has come. */
interface Felling {
  /** The next one last. */
  readonly waiting: Drained[];
  /** Sessions a second. */
  readonly rate: number;
  readonly told: () => void;
  strokes: number;
  ended: number;
}

export class Drain {
  readonly #ports: DrainPorts;
  #mode: DrainProgress['mode'] = 'off';
  #sinceMs = 0;
  #begunWith = 0;
  #timer: Timer | undefined;
  /** A cordon has begun it, and the operator has not said anything since. */
  #isOfCordon = false;
  /** The process ends: nothing is cancelled any more. */
  #isLast = false;

  constructor(ports: DrainPorts) {
    this.#ports = ports;
  }

  get isOn(): boolean {
    return this.#mode !== 'off';
  }

  get progress(): DrainProgress {
    const { clock } = this.#ports;
    const forMs = this.isOn ? clock.nowMs() - this.#sinceMs : 0;
    return { mode: this.#mode, forMs, begunWith: this.#begunWith, left: this.#left };
  }

  /** Obeys at once; an order that is obeyed already does nothing. */
  order(order: DrainOrder): void {
    if (this.#isLast) return;
    this.#isOfCordon = false;
    if (order === 'cancel') this.#cancel();
    else if (order === 'soft') this.#soften();
    else if (this.#mode !== 'hard') this.#harden(this.#ports.rate(), () => {});
  }

  /** Whoever runs the machine wants it empty, or no more: told once for each change. */
  cordon(isCordoned: boolean): void {
    if (this.#isLast) return;
    if (isCordoned && !this.isOn) this.#soften();
    else if (!isCordoned && this.#isOfCordon) this.#cancel();
    else return;
    this.#isOfCordon = isCordoned;
  }

  /** The process ends: all sessions are told to, within half a minute however many they are. `told` when they have been. */
  finish(told: () => void): void {
    this.#isLast = true;
    this.#harden(Math.max(this.#ports.rate(), (this.#left * 1000) / lastStrokesMs), told);
  }

  /** A session is gone. */
  sessionEnded(): void {
    if (this.isOn && this.#left === 0) this.#say('drained: no session is left');
  }

  #begin(mode: 'soft' | 'hard'): void {
    if (!this.isOn) {
      this.#sinceMs = this.#ports.clock.nowMs();
      this.#begunWith = this.#left;
    }
    this.#mode = mode;
    this.#ports.refuse(true);
  }

  #cancel(): void {
    if (!this.isOn) return;
    this.#timer?.cancel();
    this.#mode = 'off';
    this.#begunWith = 0;
    this.#ports.refuse(false);
    this.#say('drain cancelled: calls are taken again');
  }

  /** Also out of hard: what has not been told to end may stay. */
  #soften(): void {
    if (this.#mode === 'soft') return;
    this.#timer?.cancel();
    this.#begin('soft');
    this.#say(`draining: new calls are refused, ${this.#left} sessions stay until they end`);
  }

  #harden(rate: number, told: () => void): void {
    this.#timer?.cancel();
    this.#begin('hard');
    // New calls are refused: these are all that there will be.
    const waiting = [...this.#ports.sessions().keys()].reverse();
    if (waiting.length > 0) {
      this.#say(
        `draining: new calls are refused, ${waiting.length} sessions are ended, ${Math.ceil(rate)} a second`,
      );
    }
    this.#stroke({ waiting, rate, strokes: 0, ended: 0, told });
  }

  /** The first is ended at once, however slow the rate. */
  #stroke(felling: Felling): void {
    const { waiting, rate, told } = felling;
    const { sessions, clock } = this.#ports;
    const due = 1 + Math.floor((felling.strokes * strokeMs * rate) / 1000);
    while (felling.ended < due) {
      const session = waiting.pop();
      if (session === undefined) return told();
      // Those that have gone by themselves cost nobody anything.
      if (!sessions().has(session)) continue;
      session.end('shut-down');
      felling.ended += 1;
    }
    felling.strokes += 1;
    this.#timer = clock.arm(strokeMs, () => this.#stroke(felling));
  }

  get #left(): number {
    return this.#ports.sessions().size;
  }

  #say(text: string): void {
    this.#ports.log('info', 'system', text, { ...eventOf('drain'), sessions: this.#left });
  }
}
