/**
 * The commands that change something: `add`, `set`, `remove`, `enable`, `disable`, `comment`, `move`. A change of the configuration is
 * a candidate that is checked whole, and in force or not at all; items that came by themselves are ended by what runs them.
 * Pure.
 */

import { optional, text } from '../base/kind.ts';
import { type AnyMenu, menu } from '../base/setting.ts';
import { readChanges } from '../config/arguments.ts';
import type { Change, Command as ConfigCommand, Selector } from '../config/command.ts';
import { type Position, placed, ScriptFault } from '../config/fault.ts';
import { readReferences, takeItems } from '../config/script.ts';
import type { Candidate } from '../config/store.ts';
import { type Node, placeOf } from '../config/syntax.ts';
import { type Command, type Desk, faceAt, type Request } from './desk.ts';
import type { Face, Shown } from './face.ts';
import { documentOf } from './json.ts';
import { readOptions } from './options.ts';
import { done, type Run } from './run.ts';
import { select } from './select.ts';

function isConfiguredList(face: Face | undefined): boolean {
  return face?.configured?.kind === 'list';
}

/** Where items are added and removed: not those that are given from outside. */
function isGrowingList(face: Face | undefined): boolean {
  return isConfiguredList(face) && face?.configured?.isGiven !== true;
}

/** Throws if what `face` shows is the host's: then the commands that change it exist only to say so. */
function refuseForeign({ foreign, menu }: Face, at: Position): void {
  if (foreign === undefined) return;
  throw new ScriptFault('CONFIG_ITEM', at, `failure: ${menu.path} shows what is the host's`, foreign);
}

function configuredOf({ configured, menu }: Face): AnyMenu {
  if (configured === undefined) throw new Error(`${menu.path} is not configured`);
  return configured;
}

export const add: Command = {
  help: 'Adds an item.',
  takes: () => ({ properties: 'values' }),
  appliesTo: (face) => isGrowingList(face) || face?.foreign !== undefined,
  *run(request, desk) {
    refuseForeign(faceAt(request, desk), request.at);
    const menu = configuredOf(faceAt(request, desk));
    const changes = readChanges(request.nodes, menu);
    // Of what was committed: another change may have come since.
    const { tree } = yield* commit({ verb: 'add', menu, changes, at: request.at }, desk);
    const id = tree.lists.get(menu.path)?.lastId ?? 0;
    if (desk.form.json) yield documentOf({ ret: `*${id.toString(16).toUpperCase()}` });
  },
};

export const set: Command = {
  help: 'Gives properties new values.',
  takes: (face) => ({ properties: 'values', ...(face?.menu.kind === 'list' ? { items: true } : {}) }),
  appliesTo: (face) => face?.configured !== undefined || face?.foreign !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
    refuseForeign(face, request.at);
    const menu = configuredOf(face);
    if (menu.kind === 'list') {
      const [selector, nodes] = takeItems(request.nodes, request.end, request.place);
      const changes = readChanges(nodes, menu);
      return yield* setItems(face, yield* select(face, selector, desk), changes, request.at, desk);
    }
    const changes = readChanges(request.nodes, menu);
    yield* commit({ verb: 'set', menu, items: undefined, changes, at: request.at }, desk);
  },
};

export const remove: Command = {
  help: 'Removes items; those that came by themselves are ended.',
  takes: () => ({ items: true }),
  appliesTo: (face) => isGrowingList(face) || face?.live?.remove !== undefined || face?.foreign !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
    refuseForeign(face, request.at);
    const items = yield* itemsAlone(request, 'remove', face, desk);
    const configured = items.filter(({ isConfigured }) => isConfigured);
    const running = items.filter(({ isConfigured }) => !isConfigured);
    const end = face.live?.remove;
    if (running.length > 0 && end === undefined) throw notConfigured('remove', request.at);
    // First what may be refused whole: sessions that have been ended do not come back.
    if (configured.length > 0) {
      const selector = selectorOf(configured, request.at);
      yield* commit({ verb: 'remove', menu: configuredOf(face), items: selector, at: request.at }, desk);
    }
    if (running.length > 0 && end !== undefined) yield* done((answer) => end(running, answer));
  },
};

export const enable = switching('enable', 'Switches items on.');
export const disable = switching('disable', 'Switches items off; they are kept.');

function switching(verb: 'enable' | 'disable', help: string): Command {
  return {
    help,
    takes: () => ({ items: true }),
    appliesTo: (face) => isConfiguredList(face) && face?.configured?.rows.disabled !== undefined,
    *run(request, desk) {
      const face = faceAt(request, desk);
      const items = yield* itemsAlone(request, verb, face, desk);
      yield* setItems(
        face,
        items,
        [changeOf('disabled', verb === 'disable', face, request)],
        request.at,
        desk,
      );
    },
  };
}

export const comment: Command = {
  help: 'Gives items a remark.',
  takes: () => ({ items: true }),
  appliesTo: (face) => isConfiguredList(face) && face?.configured?.rows.comment !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
    const [selector, [node, ...others]] = takeItems(request.nodes, request.end, request.place);
    expectEnd(others, 'comment takes the items and one text.');
    if (node === undefined) {
      const words = 'missing value(s) of argument(s) comment';
      throw new ScriptFault('CONFIG_VALUE', request.end, words, 'An empty remark is "".');
    }
    const changes =
      node.node === 'word'
        ? [changeOf('comment', node.text, face, request)]
        : readChanges([node], configuredOf(face));
    yield* setItems(face, yield* select(face, selector, desk), changes, request.at, desk);
  },
};

const moveRows = menu({
  path: '/move',
  kind: 'settings',
  help: '',
  rows: {
    destination: {
      kind: optional(text),
      default: undefined,
      applies: 'live',
      help: 'Item that they will stand before.',
    },
  },
});

export const move: Command = {
  help: 'Moves items before another, or to the end, where their order counts.',
  takes: () => ({ items: true, arguments: moveRows }),
  appliesTo: (face) => isConfiguredList(face) && face?.configured?.isOrdered === true,
  *run(request, desk) {
    const face = faceAt(request, desk);
    const [selector, nodes] = takeItems(request.nodes, request.end, request.place);
    const options = { words: {}, arguments: moveRows, unnamed: 'destination' } as const;
    const { destination } = readOptions(nodes, options).written;
    const items = yield* select(face, selector, desk);
    const before =
      destination &&
      (yield* select(face, { by: 'reference', references: readReferences(destination) }, desk));
    if (items.length === 0) return;
    const menu = configuredOf(face);
    const { at } = request;
    yield* commit(
      { verb: 'move', menu, items: selectorOf(items, at), before: before && selectorOf(before, at), at },
      desk,
    );
  },
};

function changeOf(key: string, value: unknown, face: Face, { at }: Request): Change {
  const setting = configuredOf(face).settings.find((each) => each.key === key);
  if (setting === undefined) throw new Error(`${face.menu.path} has no ${key}`);
  return { setting, value, at };
}

/** The items of a command that takes nothing else. */
function* itemsAlone(
  { nodes, end, place }: Request,
  verb: string,
  face: Face,
  desk: Desk,
): Run<readonly Shown[]> {
  const [selector, others] = takeItems(nodes, end, place);
  expectEnd(others, `${verb} takes the items and nothing else.`);
  return yield* select(face, selector, desk);
}

function* setItems(
  face: Face,
  items: readonly Shown[],
  changes: readonly Change[],
  at: Position,
  desk: Desk,
): Run {
  if (items.some(({ isConfigured }) => !isConfigured)) throw notConfigured('change', at);
  if (items.length === 0) return;
  const selector = selectorOf(items, at);
  yield* commit({ verb: 'set', menu: configuredOf(face), items: selector, changes, at }, desk);
}

function selectorOf(items: readonly Shown[], at: Position): Selector {
  return { by: 'reference', references: items.map(({ id }) => ({ text: id, at })) };
}

function* commit(command: ConfigCommand, desk: Desk): Run<Candidate> {
  const candidate = desk.store.propose([command]);
  yield* done((answer) => desk.commit(candidate, answer));
  return candidate;
}

function notConfigured(what: 'change' | 'remove', at: Position): ScriptFault {
  const hint = 'It came by itself; add an item of your own to configure it.';
  return new ScriptFault('CONFIG_ITEM', at, `failure: can not ${what} a dynamic item`, hint);
}

/** Throws a `ScriptFault` if anything is left. */
export function expectEnd([extra]: readonly Node[], hint: string): void {
  if (extra === undefined) return;
  throw placed('CONFIG_COMMAND', placeOf(extra), 'expected end of command', hint);
}
