/** All `/interface pptp-client` entries: a dialer for each that is enabled, begun, replaced and ended as the configuration changes. */

import type { Profile } from '../aaa/settings.ts';
import type { EndingCause } from '../session/ending.ts';
import { Dialer, type DialerServices } from './dialer.ts';
import { type ClientSettings, clientMenu } from './settings.ts';

interface Entry {
  readonly settings: ClientSettings;
  readonly profile: Profile;
}

export class Dialers {
  readonly #services: DialerServices;
  readonly #running = new Map<string, Dialer>();
  readonly #ending = new Set<Dialer>();
  #wanted = new Map<string, Entry>();
  #onEmpty: (() => void) | undefined;

  constructor(services: DialerServices) {
    this.#services = services;
  }

  get dialers(): Iterable<Dialer> {
    return this.#running.values();
  }

  /** What the operator wants now: a changed entry is dialled anew, an unchanged one is left alone. */
  configure(clients: readonly ClientSettings[], profiles: readonly Profile[]): void {
    this.#wanted = new Map();
    for (const settings of clients) {
      const profile = profiles.find(({ name }) => name === settings.profile);
      if (!settings.disabled && profile !== undefined) this.#wanted.set(settings.name, { settings, profile });
    }
    for (const dialer of [...this.#running.values()]) {
      const entry = this.#wanted.get(dialer.settings.name);
      if (entry === undefined || !isSame(entry.settings, dialer.settings))
        this.#end(dialer, 'client-disabled');
      else dialer.profile = entry.profile;
    }
    this.#dial();
  }

  /** The kernel is told which routes lead through the tunnels now. */
  replan(): void {
    for (const dialer of this.#running.values()) dialer.replan();
  }

  /** Ends all; `done` is called when none is left. */
  end(cause: EndingCause, done: () => void): void {
    this.#wanted.clear();
    this.#onEmpty = done;
    for (const dialer of [...this.#running.values()]) this.#end(dialer, cause);
    this.#checkEmpty();
  }

  #end(dialer: Dialer, cause: EndingCause): void {
    this.#running.delete(dialer.settings.name);
    this.#ending.add(dialer);
    dialer.end(cause, () => {
      this.#ending.delete(dialer);
      this.#dial();
      this.#checkEmpty();
    });
  }

  /** Begins what is wanted and not there; an entry whose name is still being given back waits for that. */
  #dial(): void {
    const busy = new Set(Array.from(this.#ending, ({ settings }) => settings.name));
    for (const [name, { settings, profile }] of this.#wanted) {
      if (this.#running.has(name) || busy.has(name)) continue;
      const dialer = new Dialer(settings, profile, this.#services);
      this.#running.set(name, dialer);
      dialer.begin();
    }
  }

  #checkEmpty(): void {
    if (this.#running.size + this.#ending.size > 0) return;
    const done = this.#onEmpty;
    this.#onEmpty = undefined;
    done?.();
  }
}

function isSame(one: ClientSettings, other: ClientSettings): boolean {
  return clientMenu.settings.every(({ key, kind }) => {
    const at = key as keyof ClientSettings;
    return kind.format(one[at]) === kind.format(other[at]);
  });
}
