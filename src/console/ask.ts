/** The commands that only tell, beside `print`: `find`, `get`, `monitor`. Pure. */

import { duration, optional } from '../base/kind.ts';
import { menu, type Setting } from '../base/setting.ts';
import { placed, ScriptFault } from '../config/fault.ts';
import { namesMatching } from '../config/menu-tree.ts';
import { readWhere, takeItems } from '../config/script.ts';
import { type Node, placeOf } from '../config/syntax.ts';
import { sheet, visible } from './block.ts';
import { type Command, type Desk, faceAt, type Request } from './desk.ts';
import { type Face, type Shown, textOf } from './face.ts';
import { documentOf, objectOf } from './json.ts';
import { readOptions } from './options.ts';
import { repeated } from './repeat.ts';
import type { Run } from './run.ts';
import { filter, listing, select } from './select.ts';

export const find: Command = {
  help: 'Tells the internal numbers of items.',
  takes: () => ({ condition: 'alone' }),
  appliesTo: (face) => face?.menu.kind === 'list',
  *run(request, desk) {
    const face = faceAt(request, desk);
    const condition = readWhere(request.nodes, face.menu);
    const { items } = yield* listing(face, desk);
    const ids = (yield* filter(items, condition)).map(({ id }) => id);
    yield desk.form.json ? documentOf(ids) : `${ids.join(';')}\n`;
  },
};

export const get: Command = {
  help: 'Tells one value of one item.',
  takes: (face) => ({ properties: 'names', ...(face?.menu.kind === 'list' ? { items: true } : {}) }),
  appliesTo: (face) => face !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
    const [item, nodes] = yield* oneItem(request, face, desk);
    const [node, extra] = nodes;
    if (extra !== undefined) throw notHere(extra, 'get takes an item and a property.');
    if (node === undefined) {
      if (desk.form.json) yield documentOf(objectOf(face.menu, item, face.menu.settings));
      else yield* sheet(item.values, face.menu.settings);
      return;
    }
    const text = textOf(item.values, propertyIn(node, face)) ?? '';
    yield desk.form.json ? documentOf({ ret: text }) : `${visible(text)}\n`;
  },
};

const monitorWords = { once: 'Shows it one time.' } as const;
const monitorRows = menu({
  path: '/monitor',
  kind: 'settings',
  help: '',
  rows: {
    interval: {
      kind: optional(duration(100, 3_600_000)),
      default: undefined,
      applies: 'live',
      help: 'Shows it again after this time, until interrupted; on a terminal every second.',
    },
  },
});
const monitorIntervalMs = 1000;

export const monitor: Command = {
  help: 'Shows what an item does now.',
  takes: () => ({ items: true, words: monitorWords, arguments: monitorRows }),
  appliesTo: (face) => face?.live?.monitor !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
    const [item, nodes] = yield* oneItem(request, face, desk);
    const { said, values } = readOptions(nodes, { words: monitorWords, arguments: monitorRows });
    const onTerminal = desk.form.width === undefined ? undefined : monitorIntervalMs;
    const intervalMs = said.has('once') ? undefined : (values.interval ?? onTerminal);
    yield* repeated(intervalMs, desk, () => monitored(item, face, desk));
  },
};

function* monitored(item: Shown, { live }: Face, { form }: Desk): Run {
  const shown = live?.monitor;
  const values = shown?.of(item);
  if (shown === undefined || values === undefined) return;
  const known = shown.menu.settings.filter(({ key }) => values[key] !== undefined);
  if (form.json) yield documentOf(objectOf(shown.menu, { ...item, values }, known));
  else yield* sheet(values, known);
}

/** The item of a command for one, or the values of settings; and what stands behind it. */
export function* oneItem(request: Request, face: Face, desk: Desk): Run<[Shown, readonly Node[]]> {
  if (face.menu.kind === 'settings') {
    const [values] = (yield* listing(face, desk)).items;
    if (values === undefined) throw new Error(`${face.menu.path} has no values`);
    return [values, request.nodes];
  }
  const [selector, others] = takeItems(request.nodes, request.end, request.place);
  const [item, ...more] = yield* select(face, selector, desk);
  if (item !== undefined && more.length === 0) return [item, others];
  const words = item === undefined ? 'no such item' : 'only one item can be given';
  throw new ScriptFault('CONFIG_ITEM', request.at, words, 'Name one item that there is.');
}

function propertyIn(node: Node, { menu }: Face): Setting<unknown> {
  const named = node.node === 'argument' && node.name.text === 'value-name' ? node.value : node;
  const text = named.node === 'word' ? named.text : '';
  const [only, ...others] = namesMatching(
    text,
    menu.settings.map(({ name }) => name),
  );
  const setting = menu.settings.find(({ name }) => name === only);
  if (setting !== undefined && others.length === 0) return setting;
  throw notHere(node, `Properties of ${menu.path}: ${menu.settings.map(({ name }) => name).join(', ')}.`);
}

function notHere(node: Node, hint: string) {
  return placed('CONFIG_COMMAND', placeOf(node), 'expected end of command', hint);
}
