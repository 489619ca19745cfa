/**
 * RouterOS script text to commands: which menu, which verb, which items, which values. A path alone on a line is entered and
 * the lines after it stand in it, as `export` writes them; a path before a verb leads there for that line only. Names of
 * menus, verbs and properties may be cut short as long as they mean one thing. Pure; the menus come in.
 */

import type { AnyMenu } from '../base/setting.ts';
import { readChanges } from './arguments.ts';
import { type Command, type ItemReference, type Selector, type Verb, verbsOf } from './command.ts';
import { type Position, placed, ScriptFault } from './fault.ts';
import { namesMatching, type Place } from './menu-tree.ts';
import { type Node, parseStatements, placeOf, type Query, type Statement, type Word } from './syntax.ts';
import { type Condition, readCondition } from './where.ts';

/** The commands of `text`, which begins at the menu tree's `root`. Throws a `ScriptFault` at the first mistake. */
export function parseScript(text: string, file: string, root: Place): Command[] {
  const commands: Command[] = [];
  let here = root;
  for (const statement of parseStatements(text, file)) {
    const { place, verb, rest } = walk(statement.nodes, here, verbsAt);
    if (verb === undefined) here = place;
    else commands.push(understand(place, verb, rest, statement));
  }
  return commands;
}

function verbsAt({ menu }: Place): readonly Verb[] {
  return menu === undefined ? [] : verbsOf(menu);
}

/** Where the words at the head of a statement lead. */
export interface Walk<V extends string> {
  readonly place: Place;
  /** The command to be done there; undefined if the statement is a path alone. */
  readonly verb: V | undefined;
  /** What stands behind the verb. */
  readonly rest: readonly Node[];
}

/** Follows menu words from `here` up to a verb. `/ppp secret add` and `/ppp/secret/add` are the same; `..` leads up. */
export function walk<V extends string>(
  nodes: readonly Node[],
  here: Place,
  verbsOfPlace: (place: Place) => readonly V[],
): Walk<V> {
  let place = isAbsolute(nodes) ? rootOf(here) : here;
  for (const [at, node] of nodes.entries()) {
    if (node.node !== 'word') {
      const hint = possibleHere([...place.below.keys(), ...verbsOfPlace(place)]);
      throw placed('CONFIG_COMMAND', placeOf(node), 'expected command name', hint);
    }
    const pieces = piecesOf(node);
    for (const [index, piece] of pieces.entries()) {
      const next = step(piece, place, verbsOfPlace(place));
      if (typeof next !== 'string') {
        place = next;
        continue;
      }
      const tooMuch = pieces[index + 1];
      if (tooMuch !== undefined) throw unknownCommand(tooMuch, []);
      return { place, verb: next, rest: nodes.slice(at + 1) };
    }
  }
  return { place, verb: undefined, rest: [] };
}

function isAbsolute([first]: readonly Node[]): boolean {
  return first?.node === 'word' && !first.quoted && first.text.startsWith('/');
}

/** The place below or above `place`, or the verb, that `word` means. Throws if it means none or several. */
function step<V extends string>(word: Word, place: Place, verbs: readonly V[]): Place | V {
  if (word.text === '..') return place.above ?? place;
  const possible = [...place.below.keys(), ...verbs];
  const names = word.quoted ? [] : namesMatching(word.text, possible);
  const [only, ...others] = names;
  if (others.length > 0) {
    const hint = `It may be ${names.join(' or ')}.`;
    throw placed('CONFIG_COMMAND', word.at, `ambiguous command name ${word.text}`, hint);
  }
  const meant = place.below.get(only ?? '') ?? verbs.find((verb) => verb === only);
  if (meant === undefined) throw unknownCommand(word, possible);
  return meant;
}

/** The words between the slashes of `word`, each with its own column. */
function piecesOf(word: Word): Word[] {
  if (word.quoted) return [word];
  const pieces: Word[] = [];
  let column = word.at.column;
  for (const text of word.text.split('/')) {
    if (text !== '') pieces.push({ ...word, text, at: { ...word.at, column } });
    column += text.length + 1;
  }
  return pieces;
}

function unknownCommand({ text, at }: Word, possible: readonly string[]): ScriptFault {
  return placed('CONFIG_COMMAND', at, `bad command name ${text}`, possibleHere(possible));
}

function possibleHere(possible: readonly string[]): string {
  return possible.length === 0 ? 'A command ends the path.' : `Possible here: ${possible.join(', ')}.`;
}

function rootOf(place: Place): Place {
  return place.above === undefined ? place : rootOf(place.above);
}

/** The command that `verb` and the nodes behind it ask for. */
function understand(place: Place, verb: Verb, rest: readonly Node[], { nodes, end }: Statement): Command {
  const menu = place.menu;
  const first = nodes[0];
  if (menu === undefined || first === undefined) throw new Error(`${verb} where there is no menu`);
  const at = placeOf(first);
  if (verb === 'add') return { verb, menu, changes: readChanges(rest, menu), at };
  if (menu.kind === 'settings')
    return { verb: 'set', menu, items: undefined, changes: readChanges(rest, menu), at };

  const [items, others] = takeItems(rest, end, place);
  if (verb === 'set') return { verb, menu, items, changes: readChanges(others, menu), at };
  const [extra] = others;
  if (extra !== undefined) {
    const hint = `${verb} takes the items and nothing else.`;
    throw placed('CONFIG_COMMAND', placeOf(extra), 'expected end of command', hint);
  }
  if (verb === 'remove') return { verb, menu, items, at };
  const disabled = menu.settings.find(({ key }) => key === 'disabled');
  if (disabled === undefined) throw new Error(`${verb} in ${menu.path}, which cannot be disabled`);
  return { verb: 'set', menu, items, changes: [{ setting: disabled, value: verb === 'disable', at }], at };
}

/** Splits off which items are meant: the node without a name, or the argument `numbers`. */
export function takeItems(nodes: readonly Node[], end: Position, place: Place): [Selector, readonly Node[]] {
  const index = nodes.findIndex(
    (node, at) => node.node === 'query' || (node.node === 'word' ? at === 0 : node.name.text === 'numbers'),
  );
  const node = nodes[index];
  if (node === undefined) {
    const hint = 'Say which items: a number, a name, or [ find … ].';
    throw new ScriptFault('CONFIG_ITEM', end, 'missing value(s) of argument(s) numbers', hint);
  }
  const meant = node.node === 'argument' ? node.value : node;
  return [readSelector(meant, place), nodes.toSpliced(index, 1)];
}

function readSelector(meant: Word | Query, place: Place): Selector {
  return meant.node === 'query'
    ? { by: 'find', matches: readFind(meant, place) }
    : { by: 'reference', references: readReferences(meant) };
}

/** Items by number, `*id` or name, with commas between unless quoted. */
export function readReferences({ text, quoted, at }: Word): readonly ItemReference[] {
  return (quoted ? [text] : text.split(',')).map((each) => ({ text: each, at }));
}

/** `[ find name=x disabled ]`: all items that have each of these values. */
function readFind({ nodes, at }: Query, place: Place): Condition {
  const found = walk(nodes, place, () => ['find'] as const);
  if (found.verb !== 'find' || found.place !== place || place.menu === undefined) {
    throw placed('CONFIG_COMMAND', at, 'expected find', 'Only [ find … ] of the same menu can stand here.');
  }
  return readWhere(found.rest, place.menu);
}

/** What stands behind `find`, with or without the word `where`. */
export function readWhere(nodes: readonly Node[], menu: AnyMenu): Condition {
  const [head, ...others] = nodes;
  return readCondition(head?.node === 'word' && head.text === 'where' ? others : nodes, menu);
}
