/** The names that items have: unique in their space, which several menus may share, and found without a search. */

import type { AnyMenu, Naming, Reference } from '../base/setting.ts';
import type { Tree, Values } from './tree.ts';

export class Names {
  /** For each space, the menu that each name belongs to. */
  readonly #spaces = new Map<string, Map<string, string>>();
  readonly #namings = new Map<string, Naming>();

  /** The names of all items of `tree`. */
  constructor(tree: Tree) {
    for (const menu of tree.menus) {
      if (menu.naming === undefined) continue;
      this.#namings.set(menu.path, menu.naming);
      for (const { values } of tree.lists.get(menu.path)?.items.values() ?? []) {
        this.take(menu, String(values.name));
      }
    }
  }

  /** False if the space has an item of this name. */
  take(menu: AnyMenu, name: string): boolean {
    const space = this.#space(menu.path);
    if (space.has(name)) return false;
    space.set(name, menu.path);
    return true;
  }

  drop(menu: AnyMenu, name: string): void {
    this.#space(menu.path).delete(name);
  }

  exists({ menu, name }: Reference): boolean {
    return this.#space(menu).get(name) === menu;
  }

  /** `values` with the menu's prefix and the first free number for a name, if they have none and the menu numbers. */
  numbered(menu: AnyMenu, values: Values): Values {
    const prefix = menu.naming?.prefix;
    if (prefix === undefined || values.name !== '') return values;
    const space = this.#space(menu.path);
    let number = 1;
    while (space.has(`${prefix}${number}`)) number += 1;
    return { ...values, name: `${prefix}${number}` };
  }

  #space(path: string): Map<string, string> {
    const naming = this.#namings.get(path);
    if (naming === undefined) throw new Error(`the items of ${path} have no names`);
    const names = this.#spaces.get(naming.space) ?? new Map<string, string>();
    this.#spaces.set(naming.space, names);
    return names;
  }
}
