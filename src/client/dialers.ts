/** All `/interface pptp-client` entries: a dialer for each that is enabled, begun, replaced and ended as the configuration changes. */

import { type Profile, profileMenu } from '../aaa/settings.ts';
import { defaultsOf } from '../base/setting.ts';
import type { EndingCause } from '../session/ending.ts';
import type { InheritedDial } from '../session/estate.ts';
import { removeDetour } from './detour.ts';
import { Dialer, type DialerServices } from './dialer.ts';
import { entryText, isSame, settingsIn } from './entry.ts';
import type { ClientSettings } from './settings.ts';

interface Entry {
  readonly settings: ClientSettings;
  readonly profile: Profile;
}

export class Dialers {
  readonly #services: DialerServices;
  readonly #running = new Map<string, Dialer>();
  readonly #ending = new Set<Dialer>();
  #wanted: ReadonlyMap<string, Entry> = new Map();
  #onEmpty: (() => void) | undefined;

  constructor(services: DialerServices) {
    this.#services = services;
  }

  get dialers(): Iterable<Dialer> {
    return this.#running.values();
  }

  /**
   * Tunnels of a process before this one go on; gives the calls that do. One whose entry is another now, or none, is ended, as if that
   * had been changed while it stood. Before `configure`.
   */
  resume(
    dials: readonly InheritedDial[],
    clients: readonly ClientSettings[],
    profiles: readonly Profile[],
  ): ReadonlySet<number> {
    const entries = wantedOf(clients, profiles);
    const going = dials.filter((dial) => this.#resumeDial(dial, entries));
    return new Set(going.map(({ place }) => place.call));
  }

  #resumeDial({ place, entry, tunnel }: InheritedDial, entries: ReadonlyMap<string, Entry>): boolean {
    const before = settingsIn(entry);
    const now = entries.get(before.name);
    const same = now && isSame(entryText(now.settings), entry) ? now : undefined;
    const { settings, profile } = same ?? { settings: before, profile: noProfile };
    const dialer = new Dialer(settings, profile, this.#services);
    if (tunnel === undefined || !dialer.resume(tunnel)) {
      if (settings.addDefaultRoute) removeDetour(place.peerAddress, this.#services);
      return false;
    }
    this.#running.set(settings.name, dialer);
    if (same === undefined) this.#end(dialer, 'client-disabled');
    return true;
  }

  /** What the operator wants now: a changed entry is dialled anew, an unchanged one is left alone. */
  configure(clients: readonly ClientSettings[], profiles: readonly Profile[]): void {
    this.#wanted = wantedOf(clients, profiles);
    for (const dialer of [...this.#running.values()]) {
      const entry = this.#wanted.get(dialer.settings.name);
      if (entry === undefined || !isSame(entryText(entry.settings), dialer.entry))
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
    this.#wanted = new Map();
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

/** The entries that are enabled and whose profile exists, by name. */
function wantedOf(
  clients: readonly ClientSettings[],
  profiles: readonly Profile[],
): ReadonlyMap<string, Entry> {
  const entries = clients.flatMap((settings) => {
    const profile = profiles.find(({ name }) => name === settings.profile);
    return settings.disabled || profile === undefined
      ? []
      : [[settings.name, { settings, profile }] as const];
  });
  return new Map(entries);
}

/** Of a tunnel whose entry is no more: it has no next session. */
const noProfile: Profile = defaultsOf(profileMenu);
