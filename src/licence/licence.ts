/**
 * The count of tunnels that the licence is for: those that subscribers have opened to this node, from the call's request, which
 * is before authentication, until the engine has let go of the call. Tunnels that this node opens itself are not counted.
 *
 * A place is an object: it can be given back once, whichever way its session goes, and a second time is harmless. The count
 * lives in memory and with the sessions: a process that dies leaves none behind.
 */

import { tally } from '../base/observe.ts';
import { type LicenceLevel, tunnelsOf } from './levels.ts';

export const licenceTally = tally('licence', {
  tunnelsRefused: 'calls refused because the licence was used up',
});

export class Licence {
  #level: LicenceLevel;
  #used = 0;

  constructor(level: LicenceLevel) {
    this.#level = level;
  }

  get level(): LicenceLevel {
    return this.#level;
  }

  /** Infinity: none. */
  get limit(): number {
    return tunnelsOf[this.#level];
  }

  get used(): number {
    return this.#used;
  }

  /** True if the next call will be refused. */
  get isUsedUp(): boolean {
    return this.#used >= this.limit;
  }

  /** What to say when there is no place. */
  get refusal(): string {
    return `the licence is used up: ${this.#level} allows ${this.limit} ${this.limit === 1 ? 'tunnel' : 'tunnels'}`;
  }

  /** Tunnels beyond a lower level stay; no new ones come until enough have left. */
  configure(level: LicenceLevel): void {
    this.#level = level;
  }

  /** Takes a place; undefined if there is none. */
  reserve(): LicencePlace | undefined {
    if (!this.isUsedUp) return this.occupy();
    licenceTally.add('tunnelsRefused');
    return undefined;
  }

  /** A tunnel that is there has its place, within the limit or beyond it. */
  occupy(): LicencePlace {
    this.#used += 1;
    let isHeld = true;
    return {
      release: () => {
        if (isHeld) this.#used -= 1;
        isHeld = false;
      },
    };
  }
}

export interface LicencePlace {
  release(): void;
}
