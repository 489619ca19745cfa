/**
 * What stands behind `where` and in `[ find … ]`: conditions on the items of a menu. `name=x`, `!=`, `<`, `>`, `<=`, `>=`, `~`
 * (a regular expression), a flag or a yes-no property by its name alone, `!` before any of these, `and` and `or` between; two
 * without a word between them are `and`, which binds closer than `or`. Pure.
 */

import { type AnyMenu, type Flag, Refusal, type Setting } from '../base/setting.ts';
import { raise } from './arguments.ts';
import { type Position, placed } from './fault.ts';
import { namesMatching } from './menu-tree.ts';
import { type Node, placeOf, type Query, type Word } from './syntax.ts';
import type { Values } from './tree.ts';

/** What of an item a condition is about. */
export interface Described {
  readonly values: Values;
  /** Letters of its flags. */
  readonly flags: string;
}

export type Condition = (item: Described) => boolean;

/**
 * Bounds of a regular expression: characters, and repetitions. All sessions wait while one is tried, and JavaScript's take
 * time exponential in repetitions of groups, and in the number of repetitions otherwise.
 */
const patternMax = { characters: 256, repetitions: 3 } as const;

/** A word at the head of a condition: `!`, a name, and perhaps an operator with its value, or its half before `=`. */
const headPattern = /^(!?)([a-z\d-]+)(?:([<>~]|!$)(.*))?$/s;
const operatorPattern = /^([<>~])(.*)$/s;

const conjunctions: Readonly<Record<string, 'and' | 'or'>> = {
  and: 'and',
  '&&': 'and',
  or: 'or',
  '||': 'or',
};

/** The condition that `nodes` write down: true of all items if there is none. Throws a `ScriptFault`. */
export function readCondition(nodes: readonly Node[], menu: AnyMenu): Condition {
  const alternatives: Condition[][] = [[]];
  const rest = [...nodes];
  let missing: Position | undefined;
  for (let node = rest.shift(); node !== undefined; node = rest.shift()) {
    const conjunction = conjunctionOf(node);
    const current = alternatives.at(-1) ?? [];
    if (conjunction === undefined) current.push(readComparison(node, rest, menu));
    else if (current.length === 0 || missing !== undefined) throw notHere(node);
    else if (conjunction === 'or') alternatives.push([]);
    missing = conjunction && placeOf(node);
  }
  if (missing !== undefined) throw wrong(missing, 'A condition follows and, or.');
  return (item) => alternatives.some((all) => all.every((condition) => condition(item)));
}

function conjunctionOf(node: Node): 'and' | 'or' | undefined {
  return node.node === 'word' && !node.quoted && Object.hasOwn(conjunctions, node.text)
    ? conjunctions[node.text]
    : undefined;
}

/** One comparison, which may take more nodes off `rest`. */
function readComparison(node: Node, rest: Node[], menu: AnyMenu): Condition {
  if (node.node === 'query') throw notHere(node);
  const head = node.node === 'argument' ? node.name : node;
  const [, not, name, operator, tail] = (head.quoted ? undefined : headPattern.exec(head.text)) ?? [];
  if (name === undefined) throw unknown(head, menu);
  const subject = { ...head, text: name, at: { ...head.at, column: head.at.column + (not?.length ?? 0) } };
  const condition =
    node.node === 'argument'
      ? compare(propertyNamed(subject, menu), `${operator ?? ''}=`, wordOf(node.value))
      : readWord(subject, operator, tail ?? '', rest, menu);
  return not === '!' ? (item) => !condition(item) : condition;
}

/** A name alone, or one with `<`, `>` or `~`, with or without blanks around. */
function readWord(
  subject: Word,
  operator: string | undefined,
  tail: string,
  rest: Node[],
  menu: AnyMenu,
): Condition {
  if (operator !== undefined) {
    const value = tail === '' ? takeValue(subject, rest) : { ...subject, text: tail };
    return compare(propertyNamed(subject, menu), operator, value);
  }
  const [next] = rest;
  const [, sign, behind] =
    (next?.node === 'word' && !next.quoted ? operatorPattern.exec(next.text) : undefined) ?? [];
  if (sign === undefined) return isSet(subject, menu);
  rest.shift();
  return readWord(subject, sign, behind ?? '', rest, menu);
}

function takeValue(subject: Word, rest: Node[]): Word {
  const next = rest.shift();
  if (next?.node !== 'word') throw wrong(subject.at, `A value is missing behind ${subject.text}.`);
  return next;
}

function wordOf(value: Word | Query): Word {
  if (value.node === 'query') throw notHere(value);
  return value;
}

/** A flag, or a property that is yes. */
function isSet(subject: Word, menu: AnyMenu): Condition {
  const flag = flagNamed(subject.text, menu);
  if (flag !== undefined) return ({ flags }) => flags.includes(flag.letter);
  const setting = propertyNamed(subject, menu);
  if (setting.kind.words?.includes('yes') !== true)
    throw wrong(subject.at, `Compare ${setting.name} to a value.`);
  return compare(setting, '=', { ...subject, text: 'yes' });
}

function flagNamed(text: string, { flags = [], settings }: AnyMenu): Flag | undefined {
  if (settings.some(({ name }) => name === text)) return undefined;
  const names = flags.map(({ name }) => name);
  const [only, ...others] = namesMatching(text, names);
  return others.length > 0 ? undefined : flags.find(({ name }) => name === only);
}

function compare(setting: Setting<unknown>, operator: string, { text, at }: Word): Condition {
  const { key, kind } = setting;
  const shown = (values: Values): string => (values[key] === undefined ? '' : kind.format(values[key]));
  if (operator === '~') {
    const pattern = patternOf(text, at);
    return ({ values }) => pattern.test(shown(values));
  }
  const parsed = text === '' ? undefined : kind.parse(text);
  if (parsed instanceof Refusal) return raise(parsed, setting, at);
  const wanted = parsed === undefined ? text : kind.format(parsed);
  const order = (values: Values): number =>
    typeof parsed === 'number' && typeof values[key] === 'number'
      ? values[key] - parsed
      : Number(shown(values) > wanted) - Number(shown(values) < wanted);
  switch (operator) {
    case '=':
      return ({ values }) => shown(values) === wanted;
    case '!=':
      return ({ values }) => shown(values) !== wanted;
    case '<':
      return ({ values }) => order(values) < 0;
    case '>':
      return ({ values }) => order(values) > 0;
    case '<=':
      return ({ values }) => order(values) <= 0;
    case '>=':
      return ({ values }) => order(values) >= 0;
    default:
      throw new Error(`no operator ${operator}`);
  }
}

function patternOf(text: string, at: Position): RegExp {
  const signs = text.replace(/\\./g, '.');
  const repetitions = signs.match(/[*+{]/g)?.length ?? 0;
  if (text.length > patternMax.characters || repetitions > patternMax.repetitions || /\)[*+{]/.test(signs)) {
    const hint = `A regular expression has at most ${patternMax.characters} characters and ${patternMax.repetitions} repetitions, none of a group.`;
    throw wrong(at, hint);
  }
  try {
    return new RegExp(text);
  } catch {
    throw wrong(at, 'That is no regular expression.');
  }
}

/** The row that `word` names, in full or cut short: also one that is only shown. */
function propertyNamed(word: Word, menu: AnyMenu): Setting<unknown> {
  const named = new Map(
    menu.settings.flatMap((setting) =>
      [setting.name, ...(setting.aliases ?? [])].map((name) => [name, setting] as const),
    ),
  );
  const exact = named.get(word.text);
  if (exact !== undefined) return exact;
  const [only, ...others] = new Set(namesMatching(word.text, named.keys()).map((name) => named.get(name)));
  if (only === undefined || others.length > 0) throw unknown(word, menu);
  return only;
}

function unknown({ at }: Word, { path, settings }: AnyMenu) {
  const hint = `Properties of ${path}: ${settings.map(({ name }) => name).join(', ')}.`;
  return placed('CONFIG_COMMAND', at, 'expected end of command', hint);
}

function notHere(node: Node) {
  return wrong(
    placeOf(node),
    'A condition is property=value, with and, or between; brackets are not supported.',
  );
}

function wrong(at: Position, hint: string) {
  return placed('CONFIG_SYNTAX', at, 'syntax error', hint);
}
