/** `print`: which items, which of their properties, in which of RouterOS's forms. Pure. */

import type { Setting } from '../base/setting.ts';
import { type Position, placed } from '../config/fault.ts';
import { namesMatching } from '../config/menu-tree.ts';
import { readReferences } from '../config/script.ts';
import { type Node, placeOf, type Word } from '../config/syntax.ts';
import { type Condition, readCondition } from '../config/where.ts';
import { asValue, blockSettings, blocks, type Numbered, sheet, terse } from './block.ts';
import { type Command, type Desk, faceAt } from './desk.ts';
import type { Face, Shown } from './face.ts';
import { array, documentOf, objectOf } from './json.ts';
import type { Run } from './run.ts';
import { filter, listing, select } from './select.ts';
import { table } from './table.ts';

const styles = ['brief', 'detail', 'terse', 'as-value', 'count-only'] as const;
type Style = (typeof styles)[number];
/** Accepted and true anyway: nothing here waits for a key. */
const idle = ['without-paging'] as const;

interface Wanted {
  readonly style: Style | undefined;
  readonly where: Condition;
  /** Items that are named: only these are printed. */
  readonly from: Word | undefined;
  /** Names of properties; undefined: those that the form has. */
  readonly properties: Word | undefined;
}

export const print: Command = {
  help: 'Shows the items, or the values.',
  appliesTo: (face) => face !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
    const wanted = readWanted(request.nodes, face);
    if (face.menu.kind === 'settings') return yield* printSettings(face, wanted, desk);
    const { items, hidden = [] } = yield* listing(face, desk);
    const named =
      wanted.from === undefined
        ? items
        : yield* select(face, { by: 'reference', references: readReferences(wanted.from) }, desk);
    const found = yield* filter(named, wanted.where);
    if (wanted.style === 'count-only') {
      yield desk.form.json ? documentOf({ ret: String(found.length) }) : `${found.length}\n`;
      return;
    }
    desk.printed.set(
      face.menu.path,
      found.map(({ id }) => id),
    );
    yield* printItems(face, found, hidden, wanted, desk);
  },
};

function* printSettings(face: Face, { style, properties }: Wanted, desk: Desk): Run {
  const [item] = (yield* listing(face, desk)).items;
  if (item === undefined) throw new Error(`${face.menu.path} has no values`);
  const settings = properties === undefined ? face.menu.settings : namedIn(properties, face);
  if (desk.form.json) yield documentOf(objectOf(face.menu, item, settings));
  else if (style === 'as-value') yield* asValue([{ number: 0, item }], settings);
  else yield* sheet(item.values, settings);
}

function* printItems(
  face: Face,
  items: readonly Shown[],
  hidden: readonly string[],
  { style, properties }: Wanted,
  { form: { json, width } }: Desk,
): Run {
  const { menu, columns } = face;
  const chosen = properties && namedIn(properties, face);
  if (json) return yield* array(objects(face, items, chosen ?? menu.settings));
  const rows: readonly Numbered[] = items.map((item, number) => ({ number, item }));
  if (style === 'as-value') return yield* asValue(rows, chosen ?? menu.settings);
  if (style === 'terse') return yield* terse(rows, chosen ?? blockSettings(menu));
  const keys = (columns ?? ['name']).filter((key) => !hidden.includes(key));
  const isTable = style === 'brief' || (style === undefined && (columns ?? chosen) !== undefined);
  if (!isTable) return yield* blocks(menu, rows, chosen ?? blockSettings(menu), width);
  yield* table(menu, rows, chosen ?? settingsOf(face, keys), width);
}

function* objects({ menu }: Face, items: readonly Shown[], settings: readonly Setting<unknown>[]) {
  for (const item of items) yield objectOf(menu, item, settings);
}

function settingsOf({ menu }: Face, keys: readonly string[]): readonly Setting<unknown>[] {
  return keys.flatMap((key) => menu.settings.find((setting) => setting.key === key) ?? []);
}

/** The rows that a `proplist` names, in its order. */
function namedIn({ text, at }: Word, { menu }: Face): readonly Setting<unknown>[] {
  return text.split(',').map((name) => {
    const [only, ...others] = namesMatching(
      name,
      menu.settings.map((setting) => setting.name),
    );
    const setting = menu.settings.find((each) => each.name === only);
    if (setting !== undefined && others.length === 0) return setting;
    const hint = `Properties of ${menu.path}: ${menu.settings.map((each) => each.name).join(', ')}.`;
    throw placed('CONFIG_VALUE', at, 'input does not match any value of proplist', hint);
  });
}

function readWanted(nodes: readonly Node[], { menu }: Face): Wanted {
  let style: Style | undefined;
  const values: { from?: Word; proplist?: Word } = {};
  for (const [at, node] of nodes.entries()) {
    if (node.node === 'word' && !node.quoted && node.text === 'where') {
      const where = readCondition(nodes.slice(at + 1), menu);
      return { style, where, from: values.from, properties: values.proplist };
    }
    if (node.node === 'word' && !node.quoted) {
      const word = oneOf(node.text, [...styles, ...idle], node.at);
      style = styles.find((each) => each === word) ?? style;
    } else if (node.node === 'argument' && node.value.node === 'word') {
      values[oneOf(node.name.text, ['from', 'proplist'] as const, node.name.at)] = node.value;
    } else {
      throw notHere(placeOf(node));
    }
  }
  return { style, where: () => true, from: values.from, properties: values.proplist };
}

function oneOf<const W extends string>(text: string, words: readonly W[], at: Position): W {
  const [only, ...others] = namesMatching(text, words);
  const word = words.find((each) => each === only);
  if (word === undefined || others.length > 0) throw notHere(at);
  return word;
}

function notHere(at: Position) {
  const hint = `print takes ${[...styles, ...idle].join(', ')}, from=, proplist=, and last where with a condition.`;
  return placed('CONFIG_COMMAND', at, 'expected end of command', hint);
}
