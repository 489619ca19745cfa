/**
 * What a menu is to the console: its rows, whether they come from the configuration, from what runs, or from both, and what
 * can be done to them. Every face of the program (console, and what follows it) works on these, so a menu is described once.
 * Pure.
 */

import type { Fault } from '../base/fault.ts';
import type { AnyMenu } from '../base/setting.ts';
import { idOf } from '../config/export.ts';
import { flagsOf, type Item, type Tree, type Values } from '../config/tree.ts';
import type { DrainOrder } from '../session/drain.ts';

/** An item as it is now, or the values of a menu of settings. */
export interface Shown {
  /** `*1A`: never another item's. Empty for settings. */
  readonly id: string;
  /** Letters of the flags that it has. */
  readonly flags: string;
  readonly values: Values;
  /** Whether the configuration holds it; else it came by itself. */
  readonly isConfigured: boolean;
}

export interface Listing {
  /** May be made as they are asked for: they are gone through once. */
  readonly items: Iterable<Shown>;
  /** Keys of columns that would tell nothing now. */
  readonly hidden?: readonly string[];
  /** What a reader must know of the whole: it stands above it. */
  readonly remark?: string | undefined;
}

/** The part of a menu that runs and is not configured. */
export interface Live {
  /** All that is to be shown now; `configured` is what the configuration says. */
  items(configured: readonly Shown[], answer: (listing: Listing) => void): void;
  /** Ends what these items, which came by themselves, stand for. Undefined where nothing can be ended. */
  readonly remove?: (items: readonly Shown[], answer: (fault: Fault | undefined) => void) => void;
  /** What `monitor` shows of one item. */
  readonly monitor?: Monitor;
  /** Takes nodes out of service. */
  readonly drain?: Drainer;
  /** Tells of items as they come; gives back how to stop that. For lists that only grow. */
  readonly follow?: (see: (item: Shown) => void) => () => void;
}

/** Of a node by its name; undefined: this one. */
export interface Drainer {
  order(order: DrainOrder, node: string | undefined, answer: (fault: Fault | undefined) => void): void;
  /** How many sessions it has; undefined if nobody knows. */
  left(node: string | undefined, answer: (sessions: number | undefined) => void): void;
}

export interface Monitor {
  readonly menu: AnyMenu;
  /** Undefined while there is nothing to tell. */
  of(item: Shown): Values | undefined;
}

export interface Face {
  /** All that is shown. */
  readonly menu: AnyMenu;
  /** What can be configured of it; undefined if nothing can. */
  readonly configured: AnyMenu | undefined;
  /** Keys of the columns of its table; undefined: `print` writes blocks. */
  readonly columns: readonly string[] | undefined;
  /** Its items are lines: `print` writes the columns alone, without titles and numbers. */
  readonly isLines?: true;
  readonly live: Live | undefined;
  /** What is shown is the host's: what to do instead of changing it here. */
  readonly foreign?: string | undefined;
}

/** What the configuration says of the menu of `face`. */
export function configuredItems({ configured }: Face, tree: Tree): readonly Shown[] {
  if (configured === undefined) return [];
  const settings = tree.settings.get(configured.path);
  if (settings !== undefined) return [{ id: '', flags: '', values: settings, isConfigured: true }];
  return Array.from(tree.lists.get(configured.path)?.items.values() ?? [], (item) =>
    shownOf(configured, item),
  );
}

function shownOf(menu: AnyMenu, item: Item): Shown {
  return { id: idOf(item), flags: flagsOf(menu, item), values: item.values, isConfigured: true };
}

/** A value as text; undefined if there is none. */
export function textOf(values: Values, { key, kind }: AnyMenu['settings'][number]): string | undefined {
  const value = values[key];
  return value === undefined ? undefined : kind.format(value);
}
