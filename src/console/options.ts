/**
 * What stands behind a verb, where it is about the command and not about an item: words that stand alone (`detail`, `once`) and
 * arguments (`interval=2s`), whose rows are a menu of their own, so that they are read, refused and completed like properties.
 * Pure.
 */

import type { AnyMenu, Menu } from '../base/setting.ts';
import { readChanges } from '../config/arguments.ts';
import { type Position, placed, ScriptFault } from '../config/fault.ts';
import { namesMatching } from '../config/menu-tree.ts';
import { type Argument, type Node, placeOf, type Word } from '../config/syntax.ts';

/** What a command takes. */
export interface Accepted<V> {
  /** Words that stand alone, each with its sentence. */
  readonly words: Readonly<Record<string, string>>;
  readonly arguments: Menu<V>;
  /** The argument that needs no name, as the address in `ping 10.0.0.1`. */
  readonly unnamed?: keyof V & string;
}

export interface Options<V> {
  /** In the order typed. */
  readonly said: ReadonlySet<string>;
  readonly values: Partial<V>;
  /** The same values as written, for those that are read once more. */
  readonly written: Readonly<Partial<Record<keyof V, Word>>>;
}

/** Reads `nodes`. Throws a `ScriptFault`. */
export function readOptions<V>(nodes: readonly Node[], accepted: Accepted<V>): Options<V> {
  const reader = new Reader(accepted.words, accepted.arguments as unknown as AnyMenu, accepted.unnamed);
  const said = new Set<string>();
  const named: Argument[] = [];
  for (const node of nodes) {
    const word = reader.wordOf(node);
    if (word === undefined) named.push(reader.argumentOf(node));
    else said.add(word);
  }
  const changes = readChanges(named, reader.menu);
  const values = changes.map(({ setting, value }) => [setting.key, value]);
  const written = changes.map(({ setting }, at) => [setting.key, named[at]?.value]);
  return {
    said,
    values: Object.fromEntries(values) as Partial<V>,
    written: Object.fromEntries(written) as Partial<Record<keyof V, Word>>,
  };
}

/** Without `argument` the command makes no sense; `at` is where it could stand. */
export function missing(argument: string, at: Position, hint: string): ScriptFault {
  return new ScriptFault('CONFIG_VALUE', at, `missing value(s) of argument(s) ${argument}`, hint);
}

class Reader {
  readonly menu: AnyMenu;
  readonly #words: readonly string[];
  readonly #unnamed: string | undefined;

  constructor(words: Accepted<unknown>['words'], menu: AnyMenu, unnamed: string | undefined) {
    this.menu = menu;
    this.#words = Object.keys(words);
    this.#unnamed = menu.settings.find(({ key }) => key === unnamed)?.name;
  }

  /** The word that `node` is, in full or cut short; undefined if it is an argument. */
  wordOf(node: Node): string | undefined {
    if (node.node === 'query' || (node.node === 'word' && node.quoted)) return undefined;
    const { text, at } = node.node === 'word' ? node : node.name;
    const [only, ...others] = namesMatching(text, [...this.#words, ...this.menu.named.keys()]);
    const word = others.length === 0 ? this.#words.find((each) => each === only) : undefined;
    if (word === undefined || node.node === 'word') return word;
    // The word stands alone: RouterOS points at the sign behind it.
    throw this.#notHere({ ...at, column: at.column + text.length });
  }

  argumentOf(node: Node): Argument {
    if (node.node === 'argument') return node;
    if (node.node === 'query' || this.#unnamed === undefined) throw this.#notHere(placeOf(node));
    const name = { ...node, text: this.#unnamed, quoted: false };
    return { node: 'argument', name, value: node };
  }

  #notHere(at: Position) {
    const possible = [...this.#words, ...Array.from(this.menu.named.keys(), (name) => `${name}=`)];
    return placed('CONFIG_COMMAND', at, 'expected end of command', `Possible here: ${possible.join(', ')}.`);
  }
}
