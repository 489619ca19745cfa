/**
 * The commands that change something: `add`, `set`, `remove`, `enable`, `disable`, `comment`. A change of the configuration is
 * a candidate that is checked whole, and in force or not at all; items that came by themselves are ended by what runs them.
 * Pure.
 */

import type { AnyMenu } from '../base/setting.ts';
import { readChanges } from '../config/arguments.ts';
import type { Change, Command as ConfigCommand, Selector } from '../config/command.ts';
import { type Position, placed, ScriptFault } from '../config/fault.ts';
import { takeItems } from '../config/script.ts';
import { type Node, placeOf } from '../config/syntax.ts';
import { type Command, type Desk, faceAt, type Request } from './desk.ts';
import type { Face, Shown } from './face.ts';
import { documentOf } from './json.ts';
import { done, type Run } from './run.ts';
import { select } from './select.ts';

function isConfiguredList(face: Face | undefined): boolean {
  return face?.configured?.kind === 'list';
}

function configuredOf({ configured, menu }: Face): AnyMenu {
  if (configured === undefined) throw new Error(`${menu.path} is not configured`);
  return configured;
}

export const add: Command = {
  help: 'Adds an item.',
  appliesTo: isConfiguredList,
  *run(request, desk) {
    const menu = configuredOf(faceAt(request, desk));
    const changes = readChanges(request.nodes, menu);
    yield* commit({ verb: 'add', menu, changes, at: request.at }, desk);
    const id = desk.store.current.tree.lists.get(menu.path)?.lastId ?? 0;
    if (desk.form.json) yield documentOf({ ret: `*${id.toString(16).toUpperCase()}` });
  },
};

export const set: Command = {
  help: 'Gives properties new values.',
  appliesTo: (face) => face?.configured !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
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
  appliesTo: (face) => isConfiguredList(face) || face?.live?.remove !== undefined,
  *run(request, desk) {
    const face = faceAt(request, desk);
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

function* commit(command: ConfigCommand, desk: Desk): Run {
  const candidate = desk.store.propose([command]);
  yield* done((answer) => desk.commit(candidate, answer));
}

function notConfigured(what: 'change' | 'remove', at: Position): ScriptFault {
  const hint = 'It came by itself; add an item of your own to configure it.';
  return new ScriptFault('CONFIG_ITEM', at, `failure: can not ${what} a dynamic item`, hint);
}

function expectEnd([extra]: readonly Node[], hint: string): void {
  if (extra === undefined) return;
  throw placed('CONFIG_COMMAND', placeOf(extra), 'expected end of command', hint);
}
