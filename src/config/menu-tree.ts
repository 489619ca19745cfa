/** The menus as the tree that their paths span: `/interface` holds `pptp-client` and `pptp-server`, which holds `server`. Pure. */

import type { AnyMenu } from '../base/setting.ts';

/** A place in the tree. Some places hold only others and are no menu themselves. */
export interface Place {
  /** Words from the root: none for the root itself. */
  readonly words: readonly string[];
  readonly menu: AnyMenu | undefined;
  /** Undefined for the root. */
  readonly above: Place | undefined;
  readonly below: ReadonlyMap<string, Place>;
}

/** The root of the tree of `menus`. */
export function menuTree(menus: readonly AnyMenu[]): Place {
  return grow([], menus, undefined);
}

function grow(words: readonly string[], menus: readonly AnyMenu[], above: Place | undefined): Place {
  const below = new Map<string, Place>();
  const isHere = ({ path }: AnyMenu) => wordsOf(path).length === words.length;
  const place: Place = { words, menu: menus.find(isHere), above, below };
  for (const menu of menus) {
    const next = wordsOf(menu.path)[words.length];
    if (next === undefined || below.has(next)) continue;
    const under = menus.filter(({ path }) => wordsOf(path)[words.length] === next);
    below.set(next, grow([...words, next], under, place));
  }
  return place;
}

function wordsOf(path: string): string[] {
  return path.slice(1).split(' ');
}

/** The `names` that `typed` may stand for: the name itself, or else all that begin so. */
export function namesMatching(typed: string, names: Iterable<string>): string[] {
  const all = [...names];
  if (all.includes(typed)) return [typed];
  return typed === '' ? [] : all.filter((name) => name.startsWith(typed));
}
