/**
 * What a row of a menu is, and what a menu is. Rows stand beside the feature that they configure (`settings.ts` of its
 * folder); from them come the configuration file, the console, `print`, `export` and the typed values that the program reads:
 * one table gives a menu's type, parser, printer and help, so that none of them can disagree with the others.
 *
 *     export const radiusIncoming = menu({
 *       path: '/radius incoming', kind: 'settings', help: 'Requests that a RADIUS server may send',
 *       rows: {
 *         accept: { kind: yesNo, default: false, applies: 'live', help: 'Whether to listen' },
 *         port: { kind: integer(1, 65_535), default: 3799, applies: 'live', help: 'UDP port' },
 *       },
 *     });
 *     export type RadiusIncoming = ValuesOf<typeof radiusIncoming>;     // { accept: boolean, port: number }
 *
 * A key is the property's name in camel case: `maxMtu` is `max-mtu`. Kinds of value stand in kind.ts, rows that most lists
 * have in rows.ts. Pure; knows no menu by name.
 */

import { hyphened } from './readable.ts';

/** Why a text is not a value. A value itself, in RouterOS's words once it is known whose argument it is. */
export class Refusal {
  readonly #words: (argument: string) => string;
  /** True if the words point at a place in the line, as RouterOS's `syntax error (line 1 column 9)` does. */
  readonly placed: boolean;

  constructor(words: (argument: string) => string, placed = false) {
    this.#words = words;
    this.placed = placed;
  }

  /** The sentence for the property `argument`. */
  wording(argument: string): string {
    return this.#words(argument);
  }
}

/** The closed set of refusals. */
export const refuse = {
  /** A word that is none of a fixed set. */
  syntax: (): Refusal => new Refusal(() => 'syntax error', true),
  /** Not of the property's type. */
  invalid: (): Refusal => new Refusal((argument) => `invalid value for argument ${argument}`),
  range: (low: number, high: number): Refusal =>
    new Refusal((argument) => `value of ${argument} out of range (${low}..${high})`),
  /** A name that no item has. */
  noMatch: (): Refusal => new Refusal((argument) => `input does not match any value of ${argument}`),
  ambiguous: (): Refusal =>
    new Refusal((argument) => `ambiguous value of ${argument}, more than one possible value matches input`),
  /** Understood, and yet not possible: `text` says why. */
  failure: (text: string): Refusal => new Refusal(() => `failure: ${text}`),
} as const;

/** A menu's absolute path, words between single spaces: `/interface pptp-server server`. */
export type MenuPath = `/${string}`;

/** The name of an item of another menu, which must exist there. */
export interface Reference {
  readonly menu: MenuPath;
  readonly name: string;
}

/** The type of a property: text to value and back. `parse(format(value))` is `value` for each value that `parse` gives. */
export interface Kind<T> {
  /** As manuals print it: `yes | no`, `integer [0..255]`. */
  readonly label: string;
  /** The words that it is made of, if the set is fixed: for completion. */
  readonly words?: readonly string[];
  /** True if `print` puts it in quotation marks: RouterOS does for names and texts. */
  readonly quoted?: true;
  /** True if the property may have no value; `!name` takes it away. Such a kind is made by `optional`. */
  readonly optional?: true;
  parse(text: string): T | Refusal;
  format(value: T): string;
  /** The items of other menus that `value` names. */
  references?(value: T): readonly Reference[];
}

/** When a changed value is seen: at once, by sessions that begin after, or after a restart of the daemon. */
export type Applies = 'live' | 'next-session' | 'restart';

/** A property as its folder writes it down. */
export interface Row<T> {
  readonly kind: Kind<T>;
  readonly default: NoInfer<T>;
  /** One sentence. */
  readonly help: string;
  readonly applies: Applies;
  /** Older names, accepted on input. */
  readonly aliases?: readonly string[];
  /** Hidden by `export` unless asked for, never logged. */
  readonly sensitive?: true;
  /** Shown, never set. */
  readonly readOnly?: true;
  /** `add` without it is refused. */
  readonly required?: true;
}

/** A row with its names: `key` in the program, `name` on the console. */
export interface Setting<T> extends Row<T> {
  readonly key: string;
  readonly name: string;
}

/** A state of an item that `print` shows as a letter, such as `X - disabled`. */
export interface Flag {
  readonly letter: string;
  readonly name: string;
}

/** How the items of a list are named. The list has a row `name`. */
export interface Naming {
  /** Lists of one space share their names: a client and a static server entry are both interfaces. */
  readonly space: string;
  /** What RouterOS says when the name is taken, without `failure: `. */
  readonly taken: string;
  /** An item added without a name gets this and the first free number: `pptp-in1`. */
  readonly prefix?: string;
}

interface MenuHead<V> {
  readonly path: MenuPath;
  /** One set of values, or items that each have one. */
  readonly kind: 'settings' | 'list';
  readonly help: string;
  /** Letters that the items of a list may show, in RouterOS's order. */
  readonly flags?: readonly Flag[];
  readonly naming?: Naming;
  /** The order of the items counts: `move` changes it. */
  readonly isOrdered?: true;
  /** Items are given from outside, neither added nor removed: `set NAME` is about the one of that name, known or not. */
  readonly isGiven?: true;
  /** Items that always exist and cannot be removed; what is not said has its default. `id` is RouterOS's internal number. */
  readonly builtIn?: readonly { readonly id: number; readonly values: Partial<NoInfer<V>> }[];
  /** What no row can say alone. The argument at fault and why, or undefined. */
  check?(
    values: Readonly<NoInfer<V>>,
  ): { readonly argument: keyof NoInfer<V> & string; readonly refusal: Refusal } | undefined;
}

/** A menu whose values (of the settings, or of each item) are a `V`. */
export interface Menu<V> extends MenuHead<V> {
  readonly rows: { readonly [K in keyof V]: Row<V[K]> };
  /** The rows with their names, in the order written, which is the order of `print`. */
  readonly settings: readonly Setting<V[keyof V]>[];
  /** The same by every name that input may use, older ones too; without those that are never set. */
  readonly named: ReadonlyMap<string, Setting<V[keyof V]>>;
}

/** A menu of which only the shape is known. */
export type AnyMenu = Menu<Readonly<Record<string, unknown>>>;

/** The values that a menu describes. */
export type ValuesOf<M> = M extends Menu<infer V> ? Readonly<V> : never;

/** Makes a menu of its rows. */
export function menu<V>(
  head: MenuHead<V> & { readonly rows: { readonly [K in keyof V]: Row<V[K]> } },
): Menu<V> {
  const rows = Object.entries(head.rows) as [string, Row<V[keyof V]>][];
  const settings = rows.map(([key, row]) => ({ ...row, key, name: hyphened(key) }));
  const settable = settings.filter(({ readOnly }) => !readOnly);
  const named = settable.flatMap((setting) =>
    [setting.name, ...(setting.aliases ?? [])].map((name) => [name, setting] as const),
  );
  return { ...head, settings, named: new Map(named) };
}

/** What all rows say when nothing was set. */
export function defaultsOf<V>({ settings }: Menu<V>): Readonly<V> {
  return Object.fromEntries(settings.map(({ key, default: value }) => [key, value])) as Readonly<V>;
}
