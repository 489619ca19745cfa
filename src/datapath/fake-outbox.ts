/**
 * The events of a fake engine on their way to control: delivered in order, one at a time, by the clock and never from within
 * a command. While control is away, what peers said waits here, within bounds; everything else the next control learns from
 * the snapshot. Pure.
 */

import type { Clock } from '../base/clock.ts';
import type { Event } from './contract.ts';

/** Octets of frames and TCP data kept for an absent control; what is more is dropped and counted. */
const keptBytesMax = 1 << 20;

/** What a kept event costs beside the octets that it carries. */
const eventBytes = 32;

export class Outbox {
  /** Frames and TCP data that could not be kept. */
  dropped = 0n;
  readonly #clock: Clock;
  #onEvent: ((event: Event) => void) | undefined;
  /** True from the hello of a control until it leaves. */
  #present = false;
  #waiting: Event[] = [];
  #keptBytes = 0;
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get present(): boolean {
    return this.#present;
  }

  listen(onEvent: (event: Event) => void): void {
    this.#onEvent = onEvent;
    this.#deliverSoon();
  }

  /** Control has come: `greeting` goes before what was kept for it. */
  open(greeting: readonly Event[]): void {
    this.#present = true;
    this.#waiting = [...greeting, ...this.#waiting];
    this.#deliverSoon();
  }

  /** Control goes: what it has not been told is kept for the next one, if that cannot see it otherwise. */
  close(): void {
    this.#present = false;
    this.#onEvent = undefined;
    const untold = this.#waiting;
    this.#waiting = [];
    this.#keptBytes = 0;
    for (const event of untold) this.emit(event);
  }

  emit(event: Event): void {
    if (!this.#present && !this.#keeps(event)) return;
    this.#waiting.push(event);
    this.#deliverSoon();
  }

  #keeps(event: Event): boolean {
    if (event.kind === 'quota') return true; // said once: the next control learns it from nothing else
    if (event.kind !== 'frame' && event.kind !== 'tcp-data') return false;
    const bytes = eventBytes + (event.kind === 'frame' ? event.information : event.bytes).length;
    if (this.#keptBytes + bytes > keptBytesMax) {
      this.dropped++;
      return false;
    }
    this.#keptBytes += bytes;
    return true;
  }

  #deliverSoon(): void {
    if (this.#armed || !this.#present || this.#waiting.length === 0) return;
    this.#armed = true;
    this.#clock.arm(0, () => {
      this.#armed = false;
      this.#deliver();
    });
  }

  /** The listener may send commands, and they may emit: such events join the end of this same turn. */
  #deliver(): void {
    while (this.#present && this.#onEvent !== undefined) {
      const event = this.#waiting.shift();
      if (event === undefined) return;
      this.#onEvent(event);
    }
  }
}
