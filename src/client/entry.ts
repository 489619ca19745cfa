/**
 * A client's entry as text, property by property, by which it is known again: after a change of the configuration, and by a process
 * after this one, whose release may know more properties or fewer. Secrets are told by their digests alone. Pure.
 */

import { createHash } from 'node:crypto';
import { defaultsOf, Refusal } from '../base/setting.ts';
import { type ClientSettings, clientMenu } from './settings.ts';

/** By the keys of `clientMenu`. */
export type EntryText = ReadonlyMap<string, string>;

export function entryText(settings: ClientSettings): EntryText {
  return new Map(
    clientMenu.settings.map(({ key, kind, sensitive }) => {
      const text = kind.format(settings[key as keyof ClientSettings]);
      return [key, sensitive ? digestOf(text) : text];
    }),
  );
}

/** What was said in `entry`; its secrets cannot be told from it, and have their defaults. */
export function settingsIn(entry: EntryText): ClientSettings {
  const values = clientMenu.settings.flatMap(({ key, kind, sensitive }) => {
    const text = sensitive ? undefined : entry.get(key);
    const value = text === undefined ? undefined : kind.parse(text);
    return value === undefined || value instanceof Refusal ? [] : [[key, value] as const];
  });
  return { ...defaultsOf(clientMenu), ...Object.fromEntries(values) };
}

/** A property of which one says nothing has its default there: the release that wrote it did not know the property. */
export function isSame(one: EntryText, other: EntryText): boolean {
  const said = (entry: EntryText, key: string) => entry.get(key) ?? defaults.get(key);
  return clientMenu.settings.every(({ key }) => said(one, key) === said(other, key));
}

const defaults = entryText(defaultsOf(clientMenu));

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
