/**
 * What programs change: `add`, `set`, `unset`, `remove`, `enable`, `disable`, `comment`, `move`. A change is a candidate of the whole
 * configuration, in force or not at all; items that came by themselves are ended by what runs them. Pure.
 */

import { Fault } from '../../base/fault.ts';
import { type AnyMenu, Refusal } from '../../base/setting.ts';
import type { Change, Command, Selector } from '../../config/command.ts';
import type { Position } from '../../config/fault.ts';
import type { Candidate } from '../../config/store.ts';
import type { Shown } from '../face.ts';
import { ask, done } from '../run.ts';
import {
  type Flow,
  type Inquiry,
  missing,
  type ServiceDesk,
  select,
  selected,
  serviceFault,
  settingNamed,
  unknownParameter,
} from './desk.ts';

/** Programs have no lines: their faults are told without a place. */
const at: Position = { file: 'service', line: 1, column: 1 };

/** Tries of one change: the console's may come between. */
const triesMax = 5;

/** Arguments that say which items, and what of them is to be told. */
const about: ReadonlySet<string> = new Set(['.id', 'numbers', '.proplist']);

export function* add(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const menu = configuredOf(inquiry);
  const { tree } = yield* commit({ verb: 'add', menu, changes: changesOf(inquiry, menu), at }, desk);
  const id = tree.lists.get(menu.path)?.lastId ?? 0;
  return `*${id.toString(16).toUpperCase()}`;
}

export function* set(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const menu = configuredOf(inquiry);
  const changes = changesOf(inquiry, menu);
  if (menu.kind === 'list') return yield* setItems(inquiry, changes, desk);
  yield* commit({ verb: 'set', menu, items: undefined, changes, at }, desk);
  return undefined;
}

export function* unset(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const name = inquiry.arguments.get('value-name');
  if (name === undefined) throw missing('value-name');
  const setting = settingNamed(name, configuredOf(inquiry));
  if (!setting.kind.optional)
    throw serviceFault('SERVICE_VALUE', `${name} can not be unset`, 'It always has a value.');
  return yield* setItems(inquiry, [{ setting, value: undefined, at }], desk);
}

/** `enable`, `disable`, and `comment`, which set one row. */
export function setting(name: string, textOf: (inquiry: Inquiry) => string) {
  return function* (inquiry: Inquiry, desk: ServiceDesk): Flow {
    return yield* setItems(inquiry, [changeOf(name, textOf(inquiry), configuredOf(inquiry))], desk);
  };
}

export function* remove(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const items = yield* selected(inquiry, desk);
  const configured = items.filter(({ isConfigured }) => isConfigured);
  const running = items.filter(({ isConfigured }) => !isConfigured);
  const end = inquiry.face.live?.remove;
  if (running.length > 0 && end === undefined) throw notConfigured('remove');
  // First what may be refused whole: sessions that have been ended do not come back.
  if (configured.length > 0) {
    yield* commit({ verb: 'remove', menu: configuredOf(inquiry), items: selectorOf(configured), at }, desk);
  }
  if (running.length > 0 && end !== undefined) yield* done((answer) => end(running, answer));
  return undefined;
}

function* setItems(inquiry: Inquiry, changes: readonly Change[], desk: ServiceDesk): Flow {
  const items = yield* selected(inquiry, desk);
  if (items.some(({ isConfigured }) => !isConfigured)) throw notConfigured('change');
  yield* commit({ verb: 'set', menu: configuredOf(inquiry), items: selectorOf(items), changes, at }, desk);
  return undefined;
}

/** Before the item `destination`, or to the end. */
export function* move(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const items = selectorOf(yield* selected(inquiry, desk));
  const destination = inquiry.arguments.get('destination');
  const before =
    destination === undefined ? undefined : selectorOf(yield* select(destination, inquiry, desk));
  yield* commit({ verb: 'move', menu: configuredOf(inquiry), items, before, at }, desk);
  return undefined;
}

/** Puts what `command` makes in force, when it is its turn. */
function* commit(command: Command, desk: ServiceDesk): Flow<Candidate> {
  let isOurs = false;
  try {
    yield* ask<void>((go) =>
      desk.turns.take(() => {
        isOurs = true;
        go();
      }),
    );
    for (let tries = 1; ; tries += 1) {
      const candidate = desk.store.propose([command]);
      const fault = yield* ask<Fault | undefined>((answer) => desk.commit(candidate, answer));
      if (fault === undefined) return candidate;
      if (fault.code !== 'CONFIG_STALE' || tries === triesMax) throw fault;
    }
  } finally {
    if (isOurs) desk.turns.pass();
  }
}

function changesOf({ arguments: given }: Inquiry, menu: AnyMenu): Change[] {
  const named = [...given].filter(([name]) => !about.has(name) || menu.named.has(name));
  return named.map(([name, text]) => changeOf(name, text, menu));
}

/** RouterOS takes an empty text, or a name behind `!`, for no value, where there may be none. */
function changeOf(name: string, text: string, menu: AnyMenu): Change {
  const isUnset = name.startsWith('!');
  const row = settingNamed(isUnset ? name.slice(1) : name, menu);
  if (isUnset && !row.kind.optional) throw unknownParameter(name, `${row.name} always has a value.`);
  if (row.kind.optional && (isUnset || text === '')) return { setting: row, value: undefined, at };
  const value = row.kind.parse(text);
  if (!(value instanceof Refusal)) return { setting: row, value, at };
  const words = value.placed ? `input does not match any value of ${row.name}` : value.wording(row.name);
  throw serviceFault('SERVICE_VALUE', words, `${row.name} is: ${row.kind.label}.`);
}

function configuredOf({ face: { configured, menu } }: Inquiry): AnyMenu {
  if (configured === undefined) throw new Error(`${menu.path} is not configured`);
  return configured;
}

function selectorOf(items: readonly Shown[]): Selector {
  return { by: 'reference', references: items.map(({ id }) => ({ text: id, at })) };
}

function notConfigured(what: 'change' | 'remove'): Fault {
  const hint = 'It came by itself; add an item of your own to configure it.';
  return new Fault('CONFIG_ITEM', 'operator', `failure: can not ${what} a dynamic item`, hint);
}
