/** Logins that failed, by the address that they came from: after some the address waits. Pure. */

import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Ipv4 } from '../../base/ip.ts';

/** Slips of a person, or of a script that was given an old password. */
const failuresMax = 5;
/** Failures further apart than this are not one series. */
const seriesMs = 600_000;
/** 5 guesses a minute are 2.6 million a year: nothing against a password that is not in a list. */
const barredMs = 60_000;
/** Addresses that are remembered; with more at a time the one that failed longest ago is forgotten. */
const addressesMax = 4096;

interface Series {
  failures: number;
  lastAtMs: number;
}

export class Attempts {
  readonly barredText: string = formatDuration(barredMs);
  readonly #clock: Clock;
  /** Those that failed last stand last. */
  readonly #byAddress = new Map<Ipv4, Series>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isBarred(address: Ipv4): boolean {
    const series = this.#byAddress.get(address);
    return (
      series !== undefined &&
      series.failures >= failuresMax &&
      this.#clock.nowMs() - series.lastAtMs < barredMs
    );
  }

  /** True if the address is barred from now on. */
  failed(address: Ipv4): boolean {
    const nowMs = this.#clock.nowMs();
    const before = this.#byAddress.get(address);
    const isNew =
      before === undefined || before.failures >= failuresMax || nowMs - before.lastAtMs > seriesMs;
    const series = { failures: isNew ? 1 : before.failures + 1, lastAtMs: nowMs };
    this.#byAddress.delete(address);
    if (this.#byAddress.size === addressesMax) {
      for (const oldest of this.#byAddress.keys()) {
        this.#byAddress.delete(oldest);
        break;
      }
    }
    this.#byAddress.set(address, series);
    return series.failures === failuresMax;
  }

  succeeded(address: Ipv4): void {
    this.#byAddress.delete(address);
  }
}
