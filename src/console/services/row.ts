/** Items as programs get them: a property's name to its text, as RouterOS's API and REST write them. Pure. */

import { Refusal, type Setting } from '../../base/setting.ts';
import type { Face, Shown } from '../face.ts';
import { objectOf } from '../json.ts';
import type { Rights } from './users.ts';

export type Row = Readonly<Record<string, string>>;

/** `item` with what `rights` let see of it. What is secret is left out as if it were not there: no query can feel for it. */
export function rowOf(menu: Face['menu'], item: Shown, rights: Rights): Row {
  const settings = menu.settings.filter(({ sensitive }) => !sensitive || rights.has('sensitive'));
  return objectOf(menu, item, settings);
}

/** The properties of `row` that `proplist` names, in its order; without a list, all. Names that there are not are passed over. */
export function chosen(row: Row, proplist: string | undefined): Row {
  if (proplist === undefined) return row;
  const pairs = proplist.split(',').flatMap((name) => {
    const text = Object.hasOwn(row, name) ? row[name] : undefined;
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(pairs);
}

/** `text` as rows have it, if it is a value of `setting`: `yes` to `true`, `90s` to `1m30s`. */
export function asInRows(text: string, { kind }: Setting<unknown>): string {
  const value = kind.parse(text);
  if (value instanceof Refusal || value === undefined) return text;
  const written = kind.format(value);
  return kind.words?.join() === 'yes,no' ? String(written === 'yes') : written;
}
