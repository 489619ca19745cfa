/**
 * What may stand where the cursor is: menus, commands, properties, values, items. The answer comes from the same tree that the
 * commands are read by, so it cannot offer what would be refused. Serves Tab and `?`. Pure.
 */

import { type AnyMenu, type MenuPath, Refusal, type Setting } from '../base/setting.ts';
import { ScriptFault } from '../config/fault.ts';
import { namesMatching, type Place } from '../config/menu-tree.ts';
import { quote } from '../config/quotation.ts';
import { walk } from '../config/script.ts';
import { type Node, parseStatements } from '../config/syntax.ts';
import { type Cursor, cursorOf } from './cursor.ts';
import type { Command, Desk, Takes } from './desk.ts';
import type { Face } from './face.ts';
import { forEach, type Run } from './run.ts';
import { listing } from './select.ts';

/** One thing that may stand there. */
export interface Candidate {
  readonly text: string;
  /** What is to follow it at once: a blank, `=`, or nothing. */
  readonly end: ' ' | '=' | '';
  /** One sentence; empty where the text says all. */
  readonly help: string;
}

export interface Completion {
  /** Offset at which the candidates begin. */
  readonly from: number;
  /** In alphabetical order; those of which the typed text is the beginning. */
  readonly candidates: readonly Candidate[];
  /** What all of them begin with, also those that are not told. */
  readonly prefix: string;
  /** How many were left out. */
  readonly omitted: number;
}

/** More than these nobody reads: ten thousand users are connected. */
const candidatesMax = 100;

/** The commands of a place, by their words. */
export type CommandsAt = (place: Place) => Readonly<Record<string, Command>>;

/** What may stand at the end of `text`, typed by an operator who stands at `here`. */
export function* complete(text: string, here: Place, commandsAt: CommandsAt, desk: Desk): Run<Completion> {
  const cursor = cursorOf(text);
  try {
    return yield* new Completer(cursor, commandsAt, desk).answer(here);
  } catch (error) {
    // What stands before the cursor is wrong: nothing can be said of what follows.
    if (error instanceof ScriptFault) return { from: text.length, candidates: [], prefix: '', omitted: 0 };
    throw error;
  }
}

class Completer {
  readonly #cursor: Cursor;
  readonly #commandsAt: CommandsAt;
  readonly #desk: Desk;

  constructor(cursor: Cursor, commandsAt: CommandsAt, desk: Desk) {
    this.#cursor = cursor;
    this.#commandsAt = commandsAt;
    this.#desk = desk;
  }

  *answer(here: Place): Run<Completion> {
    const { finished, statement, query, word, at } = this.#cursor;
    let place = here;
    for (const { nodes } of parseStatements(finished, 'console')) {
      const led = this.#walk(nodes, place);
      if (led.verb === undefined) place = led.place;
    }
    const nodes = nodesOf(statement);
    const outer = this.#walk(nodes, place);
    if (query !== undefined) return this.#inQuery(nodesOf(query), outer.place);
    if (outer.verb !== undefined) return yield* this.#behind(outer.verb, outer.rest, outer.place);

    // A path may go on in the word itself: /ppp/sec
    const slash = word.lastIndexOf('/') + 1;
    const led = this.#walk([...nodes, ...nodesOf(word.slice(0, slash))], place);
    const candidates = led.verb === undefined ? this.#wordsAt(led.place) : [];
    return completionOf(word.slice(slash), at + slash, candidates);
  }

  #walk(nodes: readonly Node[], place: Place) {
    return walk(nodes, place, (at) => Object.keys(this.#commandsAt(at)));
  }

  /** Menus below `place`, and commands in it. */
  #wordsAt(place: Place): Candidate[] {
    const menus = Array.from(place.below, ([text, { menu }]) => candidate(text, ' ', menu?.help ?? ''));
    const commands = Object.entries(this.#commandsAt(place)).map(([text, { help }]) =>
      candidate(text, ' ', help),
    );
    return [...menus, ...commands];
  }

  /** `[ find …`. */
  #inQuery(nodes: readonly Node[], { menu }: Place): Completion {
    const { word, at } = this.#cursor;
    if (menu === undefined || nodes.length > 0)
      return this.#namedOrValue(menu?.settings ?? [], conditions(menu));
    return completionOf(word, at, [candidate('find', ' ', 'Items of which a condition is true.')]);
  }

  /** Behind a command's verb. */
  *#behind(verb: string, rest: readonly Node[], place: Place): Run<Completion> {
    const face = place.menu && this.#desk.faces.get(place.menu.path);
    const takes = this.#commandsAt(place)[verb]?.takes(face) ?? {};
    const { word, at } = this.#cursor;
    const isConditional = takes.condition === 'alone' || rest.some(isWhere);
    if (isConditional && takes.condition !== undefined) {
      return this.#namedOrValue(face?.menu.settings ?? [], conditions(face?.menu));
    }
    if (takes.items && face !== undefined && !rest.some(isItems) && !/^[a-z-]+=/.test(word)) {
      const from = word.startsWith('"') ? 0 : word.lastIndexOf(',') + 1;
      const items = yield* this.#items(face, word.startsWith('"'));
      return completionOf(word.slice(from), at + from, inList(from, items));
    }
    return this.#namedOrValue(settingsFor(takes, face), namesFor(takes, face, rest));
  }

  /** A name, or the value of one of `settings` if `name=` has been typed. */
  #namedOrValue(settings: readonly Setting<unknown>[], names: readonly Candidate[]): Completion {
    const { word, at } = this.#cursor;
    const [head, name = ''] = /^!?([a-z\d-]+)(?:[!<>]?=|[<>~])/.exec(word) ?? [];
    if (head === undefined) {
      const bare = word.replace(/^!/, '');
      return completionOf(bare, at + word.length - bare.length, names);
    }
    const [only, ...others] = namesMatching(
      name,
      settings.map((each) => each.name),
    );
    const setting = others.length === 0 ? settings.find((each) => each.name === only) : undefined;
    const typed = word.slice(head.length);
    const isQuoted = typed.startsWith('"');
    const from = isQuoted ? 0 : typed.lastIndexOf(',') + 1;
    const values = setting === undefined ? [] : this.#valuesOf(setting, isQuoted);
    return completionOf(typed.slice(from), at + head.length + from, inList(from, values));
  }

  /** The words of a fixed set, and the names of items that the property may refer to. */
  #valuesOf({ kind, help }: Setting<unknown>, isQuoted: boolean): Candidate[] {
    const words = kind.words?.map((word) => candidate(word, ' ', '')) ?? [];
    // Which menu a kind refers to is known by what it makes of a name.
    const sample = kind.parse('a');
    const menus = sample instanceof Refusal ? [] : (kind.references?.(sample) ?? []);
    const names = menus.flatMap(({ menu }) => this.#namesIn(menu, isQuoted));
    const all = [...words, ...names];
    return all.length > 0 ? all : [candidate('', '', `${kind.label}. ${help}`)];
  }

  #namesIn(path: MenuPath, isQuoted: boolean): Candidate[] {
    const items = [...(this.#desk.store.current.tree.lists.get(path)?.items.values() ?? [])];
    return items.map(({ values }) => named(String(values.name), String(values.comment ?? ''), isQuoted));
  }

  /** The names of the items of a list; their numbers, where they have none. */
  *#items(face: Face, isQuoted: boolean): Run<Candidate[]> {
    const candidates = new Map<string, Candidate>();
    const { items } = yield* listing(face, this.#desk);
    let number = 0;
    yield* forEach(items, ({ values: { name, comment } }) => {
      const text = typeof name === 'string' ? name : String(number);
      number += 1;
      candidates.set(text, named(text, typeof comment === 'string' ? comment : '', isQuoted));
    });
    return [...candidates.values()];
  }
}

/** The nodes of one statement that has been typed in whole words. */
function nodesOf(text: string): readonly Node[] {
  return parseStatements(text, 'console')[0]?.nodes ?? [];
}

function candidate(text: string, end: Candidate['end'], help: string): Candidate {
  return { text, end, help };
}

/** A name as it is typed: in quotation marks if they were begun, or if it would mean something else. */
function named(name: string, help: string, isQuoted: boolean): Candidate {
  const written = quote(name);
  const isBare = !isQuoted && !written.includes(',');
  return candidate(isBare || written.startsWith('"') ? written : `"${written}"`, ' ', help);
}

/** Behind a comma nothing can stand in quotation marks. */
function inList(from: number, candidates: readonly Candidate[]): readonly Candidate[] {
  return from === 0 ? candidates : candidates.filter(({ text }) => !text.startsWith('"'));
}

const isWhere = (node: Node): boolean => node.node === 'word' && !node.quoted && node.text === 'where';
const isItems = (node: Node): boolean =>
  node.node !== 'argument' || namesMatching(node.name.text, ['numbers']).length > 0;

/** Properties that a condition may be about, and flags. */
function conditions(menu: AnyMenu | undefined): Candidate[] {
  const properties = menu?.settings.map(({ name, help }) => candidate(name, '', help)) ?? [];
  const flags = menu?.flags?.filter(({ name }) => !properties.some(({ text }) => text === name)) ?? [];
  return [...properties, ...flags.map(({ name, letter }) => candidate(name, ' ', `Those with ${letter}.`))];
}

function settingsFor(takes: Takes, face: Face | undefined): readonly Setting<unknown>[] {
  const properties = takes.properties === 'values' ? (face?.configured?.settings ?? []) : [];
  return [...properties.filter(({ readOnly }) => !readOnly), ...(takes.arguments?.settings ?? [])];
}

/** Names that may follow, but for those that have been given. */
function namesFor(takes: Takes, face: Face | undefined, rest: readonly Node[]): Candidate[] {
  const given = new Set(rest.flatMap((node) => (node.node === 'argument' ? [node.name.text] : [])));
  const values = settingsFor(takes, face).map(({ name, help }) => candidate(name, '=', help));
  const properties = takes.properties === 'names' ? (face?.menu.settings ?? []) : [];
  return [
    ...values,
    ...properties.map(({ name, help }) => candidate(name, ' ', help)),
    ...Object.entries(takes.words ?? {}).map(([text, help]) => candidate(text, ' ', help)),
    ...(takes.condition === 'where'
      ? [candidate('where', ' ', 'Only those of which a condition is true.')]
      : []),
  ].filter(({ text }) => !given.has(text));
}

/** Those of `candidates` that begin with `typed`, and no more than are read. */
function completionOf(typed: string, from: number, candidates: readonly Candidate[]): Completion {
  const fitting = candidates.filter(({ text }) => text.startsWith(typed) || text === '');
  const sorted = fitting.toSorted((one, other) => (one.text < other.text ? -1 : 1));
  return {
    from,
    candidates: sorted.slice(0, candidatesMax),
    prefix: prefixOf(sorted.map(({ text }) => text)),
    omitted: Math.max(0, sorted.length - candidatesMax),
  };
}

/** What all of `sorted` begin with: what the first and the last have in common. */
function prefixOf(sorted: readonly string[]): string {
  const [first = '', last = ''] = [sorted[0], sorted.at(-1)];
  let length = 0;
  while (length < first.length && first[length] === last[length]) length += 1;
  return first.slice(0, length);
}
