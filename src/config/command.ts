/** What a script asks for, once its words are understood: changes to the configuration, each with its place. */

import type { AnyMenu, Setting } from '../base/setting.ts';
import type { Position } from './fault.ts';
import type { Condition } from './where.ts';

/** A property's new value. */
export interface Change {
  readonly setting: Setting<unknown>;
  readonly value: unknown;
  /** Where the value was written. */
  readonly at: Position;
}

/** One item as typed: a number from the top, `*` and an internal number in hexadecimal, or a name. */
export interface ItemReference {
  readonly text: string;
  readonly at: Position;
}

/** Which items of a list: those named, or all of which a condition is true. */
export type Selector =
  | { readonly by: 'reference'; readonly references: readonly ItemReference[] }
  | { readonly by: 'find'; readonly matches: Condition };

export type Command =
  | {
      readonly verb: 'add';
      readonly menu: AnyMenu;
      readonly changes: readonly Change[];
      readonly at: Position;
    }
  | {
      readonly verb: 'set';
      readonly menu: AnyMenu;
      /** Undefined for a menu that is one set of values. */
      readonly items: Selector | undefined;
      readonly changes: readonly Change[];
      readonly at: Position;
    }
  | {
      readonly verb: 'move';
      readonly menu: AnyMenu;
      readonly items: Selector;
      /** The first of these; undefined: behind all. */
      readonly before: Selector | undefined;
      readonly at: Position;
    }
  | { readonly verb: 'remove'; readonly menu: AnyMenu; readonly items: Selector; readonly at: Position };

/** The words for commands that change the configuration. `enable` and `disable` set the row `disabled`. */
export type Verb = 'add' | 'set' | 'remove' | 'enable' | 'disable';

/** What can be done in `menu`. */
export function verbsOf(menu: AnyMenu): readonly Verb[] {
  if (menu.kind === 'settings') return ['set'];
  const items = menu.isGiven ? (['set'] as const) : (['add', 'set', 'remove'] as const);
  return menu.rows.disabled === undefined ? items : [...items, 'enable', 'disable'];
}
