/**
 * The configuration as a value: for each menu its settings, or its items in order. Generic over menus; what a menu means is
 * known to the folder that its rows stand in. Never changed in place: a `Draft` makes the next one.
 */

import { type AnyMenu, defaultsOf, type Menu, type MenuPath, type ValuesOf } from '../base/setting.ts';

export type Values = Readonly<Record<string, unknown>>;

/** One item of a list. */
export interface Item<V = Values> {
  /** RouterOS's internal number, printed `*1A`: never given to another item of the list. */
  readonly id: number;
  /** True if it exists always, cannot be removed and keeps its name. */
  readonly builtIn: boolean;
  readonly values: V;
}

/** The items of a list, in order, by their ids. */
export interface List {
  readonly items: ReadonlyMap<number, Item>;
  /** The highest id ever given by counting. */
  readonly lastId: number;
}

export interface Tree {
  readonly menus: readonly AnyMenu[];
  readonly settings: ReadonlyMap<MenuPath, Values>;
  readonly lists: ReadonlyMap<MenuPath, List>;
}

/** All defaults: what a node has before any script. */
export function initialTree(menus: readonly AnyMenu[]): Tree {
  const settings = menus.filter(({ kind }) => kind === 'settings');
  const lists = menus.filter(({ kind }) => kind === 'list');
  return {
    menus,
    settings: new Map(settings.map((menu) => [menu.path, defaultsOf(menu)])),
    lists: new Map(lists.map((menu) => [menu.path, initialList(menu)])),
  };
}

function initialList(menu: AnyMenu): List {
  const items = (menu.builtIn ?? []).map(({ id, values }) => {
    return [id, { id, builtIn: true, values: { ...defaultsOf(menu), ...values } }] as const;
  });
  return { items: new Map(items), lastId: 0 };
}

/** The values of a menu of settings. */
export function settingsOf<V>(tree: Tree, menu: Menu<V>): ValuesOf<Menu<V>> {
  const values = tree.settings.get(menu.path);
  if (values === undefined) throw new Error(`${menu.path} has no settings`);
  return values as ValuesOf<Menu<V>>;
}

/** The items of a list, in order. */
export function itemsOf<V>(tree: Tree, menu: Menu<V>): readonly Item<ValuesOf<Menu<V>>>[] {
  const list = tree.lists.get(menu.path);
  if (list === undefined) throw new Error(`${menu.path} is no list`);
  return [...list.items.values()] as unknown as readonly Item<ValuesOf<Menu<V>>>[];
}

/** The letters of the flags that an item has by its configuration alone. */
export function flagsOf({ flags = [] }: AnyMenu, { builtIn, values }: Item): string {
  const has = { disabled: values.disabled === true, default: builtIn };
  return flags
    .filter(({ name }) => name in has && has[name as keyof typeof has])
    .map(({ letter }) => letter)
    .join('');
}
