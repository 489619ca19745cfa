/**
 * Items as JSON, in the form of RouterOS's REST: every value is a text, yes and no are `"true"` and `"false"`, flags are
 * properties too. Each command's result is one document on lines of its own. Pure.
 */

import type { AnyMenu, Setting } from '../base/setting.ts';
import { type Shown, textOf } from './face.ts';
import type { Run } from './run.ts';

/** `.id`, the properties that have a value, the flags. */
export function objectOf(
  { flags = [] }: AnyMenu,
  { id, flags: letters, values }: Shown,
  settings: readonly Setting<unknown>[],
): Readonly<Record<string, string>> {
  const properties = settings.flatMap((setting) => {
    const text = textOf(values, setting);
    return text === undefined ? [] : [[setting.name, isYesNo(setting) ? String(text === 'yes') : text]];
  });
  const flagged = flags.map(({ letter, name }) => [name, String(letters.includes(letter))]);
  return Object.fromEntries([...(id === '' ? [] : [['.id', id]]), ...properties, ...flagged]);
}

function isYesNo({ kind }: Setting<unknown>): boolean {
  return kind.words?.join() === 'yes,no';
}

/** An array, an object a line. */
export function* array(objects: Iterable<unknown>): Run {
  let before = '[';
  for (const object of objects) {
    yield `${before}\n${JSON.stringify(object)}`;
    before = ',';
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}

export function documentOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
