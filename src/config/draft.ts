/**
 * A configuration in the making: starts as a copy of a tree, takes commands, is checked whole, and gives the next tree. What
 * a command can know is refused at once (a name that is taken, no such item); what only the whole can tell, whether every
 * name that is used exists, when all commands have run: so a secret may stand before its profile.
 */

import { type AnyMenu, defaultsOf, type MenuPath, type Reference, Refusal } from '../base/setting.ts';
import { raise } from './arguments.ts';
import type { Change, Command, ItemReference, Selector } from './command.ts';
import { type Position, ScriptFault } from './fault.ts';
import { Names } from './names.ts';
import { flagsOf, type Item, type Tree, type Values } from './tree.ts';

interface GrowingList {
  readonly items: Map<number, Item>;
  lastId: number;
}

export class Draft {
  readonly #menus: readonly AnyMenu[];
  readonly #settings: Map<MenuPath, Values>;
  readonly #lists: Map<MenuPath, GrowingList>;
  readonly #names: Names;
  /** Where each value of this draft was written, so that the check of the whole can point at it. */
  readonly #written = new Map<string, Position>();
  /** Where each item of this draft was removed or lost its name. */
  readonly #gone = new Map<string, Position>();

  constructor(base: Tree) {
    this.#menus = base.menus;
    this.#settings = new Map(base.settings);
    this.#lists = new Map(
      Array.from(base.lists, ([path, { items, lastId }]) => [path, { items: new Map(items), lastId }]),
    );
    this.#names = new Names(base);
  }

  /** Does what `command` asks for. Throws a `ScriptFault`, after which the draft is to be thrown away. */
  run(command: Command): void {
    const { menu } = command;
    switch (command.verb) {
      case 'add':
        this.#add(menu, command.changes, command.at);
        break;
      case 'remove':
        for (const item of this.#select(menu, command.items)) this.#remove(menu, item, command.at);
        break;
      case 'move':
        this.#move(menu, this.#select(menu, command.items), command.before);
        break;
      case 'set':
        if (command.items === undefined) this.#setSettings(menu, command.changes);
        else this.#setItems(menu, this.#select(menu, command.items), command.changes, command.at);
        break;
    }
  }

  /** The next tree, if every name that is used exists; the draft is spent. Throws a `ScriptFault` where one does not. */
  checked(): Tree {
    for (const menu of this.#menus) {
      const settings = this.#settings.get(menu.path);
      if (settings !== undefined) this.#checkReferences(menu, settings, 'settings');
      for (const { id, values } of this.#lists.get(menu.path)?.items.values() ?? []) {
        this.#checkReferences(menu, values, id);
      }
    }
    return { menus: this.#menus, settings: this.#settings, lists: this.#lists };
  }

  #setSettings(menu: AnyMenu, changes: readonly Change[]): void {
    const before = this.#settings.get(menu.path);
    if (before === undefined) throw new Error(`${menu.path} has no settings`);
    this.#settings.set(menu.path, this.#changed(menu, before, changes, 'settings'));
  }

  #add(menu: AnyMenu, changes: readonly Change[], at: Position): void {
    const missing = menu.settings.filter(
      (setting) => setting.required && !changes.some((change) => change.setting === setting),
    );
    if (missing.length > 0) {
      const names = missing.map(({ name }) => name).join(',');
      const words = `missing value(s) of argument(s) ${names}`;
      throw new ScriptFault('CONFIG_VALUE', at, words, `Items of ${menu.path} cannot be without.`);
    }
    this.#put(menu, changes, at);
  }

  #put(menu: AnyMenu, changes: readonly Change[], at: Position): Item {
    const list = this.#list(menu);
    const id = list.lastId + 1;
    const values = this.#changed(menu, defaultsOf(menu), changes, id);
    const item = { id, builtIn: false, values: this.#names.numbered(menu, values) };
    this.#takeName(menu, item, at);
    list.lastId = id;
    list.items.set(id, item);
    return item;
  }

  #setItems(menu: AnyMenu, items: readonly Item[], changes: readonly Change[], at: Position): void {
    for (const item of items) this.#setItem(menu, item, changes, at);
  }

  #setItem(menu: AnyMenu, before: Item, changes: readonly Change[], at: Position): void {
    const values = this.#changed(menu, before.values, changes, before.id);
    if (menu.naming !== undefined && values.name !== before.values.name) {
      if (before.builtIn) {
        const hint = 'Add an item of your own instead.';
        throw new ScriptFault('CONFIG_ITEM', at, 'failure: can not rename a built-in item', hint);
      }
      this.#dropName(menu, before, at);
      this.#takeName(menu, { ...before, values }, at);
    }
    const { items } = this.#list(menu);
    items.set(before.id, { ...before, values });
    if (!menu.isGiven || !isPlain(menu, values)) return;
    // It is there whether anything is said of it or not.
    this.#names.drop(menu, String(values.name));
    items.delete(before.id);
  }

  #remove(menu: AnyMenu, item: Item, at: Position): void {
    if (item.builtIn) {
      const hint = 'It exists always; its values can be set.';
      throw new ScriptFault('CONFIG_ITEM', at, 'failure: can not remove a built-in item', hint);
    }
    this.#dropName(menu, item, at);
    this.#list(menu).items.delete(item.id);
  }

  /** The items, in the order named, before the first of `before`; one that is moved before itself stays. */
  #move(menu: AnyMenu, items: readonly Item[], before: Selector | undefined): void {
    const list = this.#list(menu);
    const moved = new Set(items);
    const [target] = before === undefined ? [] : this.#select(menu, before);
    const all = [...list.items.values()];
    const next = target && all.slice(all.indexOf(target)).find((item) => !moved.has(item));
    const others = all.filter((item) => !moved.has(item));
    const at = next === undefined ? others.length : others.indexOf(next);
    list.items.clear();
    for (const item of others.toSpliced(at, 0, ...moved)) list.items.set(item.id, item);
  }

  /** `before` with `changes`, unless the menu refuses what they make together. */
  #changed(menu: AnyMenu, before: Values, changes: readonly Change[], id: number | 'settings'): Values {
    const after = {
      ...before,
      ...Object.fromEntries(changes.map(({ setting, value }) => [setting.key, value])),
    };
    for (const { setting, at } of changes) this.#written.set(`${menu.path} ${id} ${setting.key}`, at);
    const complaint = menu.check?.(after);
    if (complaint === undefined) return after;
    const last = changes.findLast(({ setting }) => setting.key === complaint.argument) ?? changes.at(-1);
    const setting = menu.settings.find(({ key }) => key === complaint.argument);
    if (setting === undefined || last === undefined) throw new Error(`${menu.path} refuses its own defaults`);
    return raise(complaint.refusal, setting, last.at);
  }

  #takeName(menu: AnyMenu, { id, values }: Item, at: Position): void {
    if (menu.naming === undefined || this.#names.take(menu, String(values.name))) return;
    const where = this.#written.get(`${menu.path} ${id} name`) ?? at;
    const hint = `${values.name} is taken; choose another name, or set the item that has it.`;
    throw new ScriptFault('CONFIG_ITEM', where, `failure: ${menu.naming.taken}`, hint);
  }

  #dropName(menu: AnyMenu, { values }: Item, at: Position): void {
    if (menu.naming === undefined) return;
    this.#names.drop(menu, String(values.name));
    this.#gone.set(`${menu.path} ${values.name}`, at);
  }

  #select(menu: AnyMenu, selector: Selector): Item[] {
    if (selector.by === 'reference') {
      const found = selector.references.map((reference) => this.#find(menu, reference));
      return [...new Set(found)];
    }
    const described = (item: Item) => ({ values: item.values, flags: flagsOf(menu, item) });
    return [...this.#list(menu).items.values()].filter((item) => selector.matches(described(item)));
  }

  #find(menu: AnyMenu, { text, at }: ItemReference): Item {
    const { items } = this.#list(menu);
    const id = /^\*([0-9A-F]+)$/i.exec(text)?.[1];
    let found: Item | undefined;
    if (menu.isGiven) return this.#given(menu, text, at);
    if (id !== undefined) found = items.get(Number.parseInt(id, 16));
    else if (/^\d+$/.test(text)) found = [...items.values()][Number(text)];
    else if (menu.naming !== undefined)
      found = [...items.values()].find(({ values }) => values.name === text);
    if (found !== undefined) return found;
    throw new ScriptFault('CONFIG_ITEM', at, 'no such item', `${menu.path} has no ${text}.`);
  }

  /** The item of this name: it is made when it is first spoken of. */
  #given(menu: AnyMenu, name: string, at: Position): Item {
    const known = [...this.#list(menu).items.values()].find(({ values }) => values.name === name);
    if (known !== undefined) return known;
    const setting = menu.settings.find(({ key }) => key === 'name');
    if (setting === undefined) throw new Error(`${menu.path} has no names`);
    const value = setting.kind.parse(name);
    return value instanceof Refusal
      ? raise(value, setting, at)
      : this.#put(menu, [{ setting, value, at }], at);
  }

  #list(menu: AnyMenu): GrowingList {
    const list = this.#lists.get(menu.path);
    if (list === undefined) throw new Error(`${menu.path} is no list`);
    return list;
  }

  #checkReferences(menu: AnyMenu, values: Values, id: number | 'settings'): void {
    for (const setting of menu.settings) {
      for (const reference of setting.kind.references?.(values[setting.key]) ?? []) {
        if (this.#names.exists(reference)) continue;
        const at = this.#written.get(`${menu.path} ${id} ${setting.key}`);
        throw at === undefined
          ? this.#stillUsed(menu, values, reference)
          : missing(setting.name, reference, at);
      }
    }
  }

  /** A name that vanished under a value which this draft did not touch: the fault is where it vanished. */
  #stillUsed(menu: AnyMenu, values: Values, { menu: path, name }: Reference): Error {
    const at = this.#gone.get(`${path} ${name}`);
    if (at === undefined) return new Error(`${path} never had ${name}, which ${menu.path} uses`);
    const user = menu.naming === undefined ? menu.path : `${menu.path} ${values.name}`;
    const hint = `Change ${user} first.`;
    return new ScriptFault('CONFIG_REFERENCE', at, `failure: ${name} is used by ${user}`, hint);
  }
}

/** Whether only its name tells an item from any other. */
function isPlain(menu: AnyMenu, values: Values): boolean {
  const defaults: Values = defaultsOf(menu);
  return menu.settings.every(({ key, kind }) => {
    return key === 'name' || kind.format(values[key]) === kind.format(defaults[key]);
  });
}

function missing(argument: string, { menu, name }: Reference, at: Position): ScriptFault {
  const hint = `${menu} has no ${name}.`;
  return new ScriptFault('CONFIG_REFERENCE', at, `input does not match any value of ${argument}`, hint);
}
