/**
 * `print`: which items, which of their properties, in which of RouterOS's forms; once, again and again (`interval`), or as
 * they come (`follow`). Pure.
 */

import { duration, optional, text } from '../base/kind.ts';
import { menu, type Setting } from '../base/setting.ts';
import { placed } from '../config/fault.ts';
import { namesMatching } from '../config/menu-tree.ts';
import { readReferences } from '../config/script.ts';
import type { Node, Word } from '../config/syntax.ts';
import { type Condition, readCondition } from '../config/where.ts';
import { asValue, blockSettings, blocks, lines, type Numbered, sheet, terse } from './block.ts';
import { type Command, type Desk, faceAt } from './desk.ts';
import type { Face, Listing, Shown } from './face.ts';
import { Inbox } from './inbox.ts';
import { array, documentOf, objectOf } from './json.ts';
import { readOptions } from './options.ts';
import { repeated } from './repeat.ts';
import type { Run } from './run.ts';
import { filter, listing, select } from './select.ts';
import { table } from './table.ts';

const forms = {
  brief: 'Shows a table.',
  detail: 'Shows all properties, in blocks.',
  terse: 'Shows all properties, a line for each item.',
  'as-value': 'Shows all properties, for scripts.',
  'count-only': 'Tells how many items there are.',
} as const;
type FormName = keyof typeof forms;
/** The second is accepted, and true anyway: nothing here waits for a key. */
const words = { ...forms, 'without-paging': 'Does not stop at the end of a page.' } as const;
const following = {
  follow: 'Goes on with what comes.',
  'follow-only': 'Shows only what comes.',
} as const;

/** Items that come while the reader of those before is slow: as many as the log keeps. */
const followedMax = 1000;

/** What `print` may be told beside its words. */
const argumentRows = menu({
  path: '/print',
  kind: 'settings',
  help: '',
  rows: {
    from: { kind: optional(text), default: undefined, applies: 'live', help: 'Items to be shown.' },
    proplist: { kind: optional(text), default: undefined, applies: 'live', help: 'Properties to be shown.' },
    interval: {
      kind: optional(duration(100, 3_600_000)),
      default: undefined,
      applies: 'live',
      help: 'Shows it again after this time, until interrupted.',
    },
  },
});

interface Wanted {
  readonly form: FormName | undefined;
  readonly follow: 'follow' | 'follow-only' | undefined;
  readonly where: Condition;
  /** Items that are named: only these are printed. */
  readonly from: Word | undefined;
  /** Names of properties; undefined: those that the form has. */
  readonly properties: Word | undefined;
  readonly intervalMs: number | undefined;
}

export const print: Command = {
  help: 'Shows the items, or the values.',
  takes: (face) => ({ words: wordsFor(face), arguments: argumentRows, condition: 'where' }),
  appliesTo: (face) => face !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
    const wanted = readWanted(request.nodes, face);
    if (wanted.follow !== undefined) return yield* printFollowed(face, wanted, desk);
    yield* repeated(wanted.intervalMs, desk, () => printOnce(face, wanted, desk));
  },
};

function* printOnce(face: Face, wanted: Wanted, desk: Desk): Run {
  if (face.menu.kind === 'settings') yield* printSettings(face, wanted, desk);
  else yield* printList(face, wanted, yield* listing(face, desk), desk);
}

function* printList(face: Face, wanted: Wanted, { items, hidden = [], remark }: Listing, desk: Desk): Run {
  const named =
    wanted.from === undefined
      ? items
      : yield* select(face, { by: 'reference', references: readReferences(wanted.from) }, desk);
  const found = yield* filter(named, wanted.where);
  if (wanted.form === 'count-only') {
    yield desk.form.json ? documentOf({ ret: String(found.length) }) : `${found.length}\n`;
    return;
  }
  desk.printed.set(
    face.menu.path,
    found.map(({ id }) => id),
  );
  const isForReaders = !desk.form.json && wanted.form !== 'terse' && wanted.form !== 'as-value';
  if (remark !== undefined && isForReaders) yield `;;; ${remark}\n`;
  yield* printItems(face, found, hidden, wanted, desk);
}

/** What there is, and then what comes, until the operator has seen enough. */
function* printFollowed(face: Face, wanted: Wanted, desk: Desk): Run {
  const inbox = new Inbox<Shown>(followedMax);
  const stop = face.live?.follow?.((item) => inbox.put(item));
  try {
    const present = yield* listing(face, desk);
    if (wanted.follow === 'follow') yield* printList(face, wanted, present, desk);
    for (;;) {
      const found = yield* filter(yield* inbox.take(), wanted.where);
      yield* printItems(face, found, [], wanted, desk);
    }
  } finally {
    stop?.();
  }
}

function* printSettings(face: Face, { form, properties }: Wanted, desk: Desk): Run {
  const [item] = (yield* listing(face, desk)).items;
  if (item === undefined) throw new Error(`${face.menu.path} has no values`);
  const settings = properties === undefined ? face.menu.settings : namedIn(properties, face);
  if (desk.form.json) yield documentOf(objectOf(face.menu, item, settings));
  else if (form === 'as-value') yield* asValue([{ number: 0, item }], settings);
  else yield* sheet(item.values, settings);
}

function* printItems(
  face: Face,
  items: readonly Shown[],
  hidden: readonly string[],
  { form, properties }: Wanted,
  { form: { json, width } }: Desk,
): Run {
  const { menu, columns, isLines } = face;
  const chosen = properties && namedIn(properties, face);
  if (json) return yield* array(objects(face, items, chosen ?? menu.settings));
  const rows: readonly Numbered[] = items.map((item, number) => ({ number, item }));
  if (form === 'as-value') return yield* asValue(rows, chosen ?? menu.settings);
  if (form === 'terse') return yield* terse(rows, chosen ?? blockSettings(menu));
  const keys = (columns ?? ['name']).filter((key) => !hidden.includes(key));
  const isTable = form === 'brief' || (form === undefined && (columns ?? chosen) !== undefined);
  if (!isTable) return yield* blocks(menu, rows, chosen ?? blockSettings(menu), width);
  const shown = chosen ?? settingsOf(face, keys);
  yield* isLines ? lines(items, shown) : table(menu, rows, shown, width);
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

function wordsFor(face: Face | undefined): Readonly<Record<string, string>> {
  return face?.live?.follow === undefined ? words : { ...words, ...following };
}

function readWanted(nodes: readonly Node[], face: Face): Wanted {
  const end = nodes.findIndex((node) => node.node === 'word' && !node.quoted && node.text === 'where');
  const { said, values, written } = readOptions(end < 0 ? nodes : nodes.slice(0, end), {
    words: wordsFor(face),
    arguments: argumentRows,
  });
  return {
    form: [...said].findLast((word): word is FormName => word in forms),
    follow: [...said].findLast((word): word is keyof typeof following => word in following),
    where: end < 0 ? () => true : readCondition(nodes.slice(end + 1), face.menu),
    from: written.from,
    properties: written.proplist,
    intervalMs: values.interval,
  };
}
