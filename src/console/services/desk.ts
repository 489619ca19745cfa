/**
 * What programs work on, as desk.ts is for operators: the menus, the configuration, and whose turn it is to change it. Their
 * commands are coroutines as those of the console, which give rows instead of text. Pure.
 */

import type { Clock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { AnyMenu, MenuPath, Setting } from '../../base/setting.ts';
import { ScriptFault } from '../../config/fault.ts';
import type { Place } from '../../config/menu-tree.ts';
import type { Desk } from '../desk.ts';
import { configuredItems, type Face, type Listing, type Shown } from '../face.ts';
import { ask, type Step } from '../run.ts';
import { type Query, readQuery } from './query.ts';
import { chosen, type Row, rowOf } from './row.ts';
import type { Turns } from './turns.ts';
import type { Rights } from './users.ts';

export interface ServiceDesk extends Pick<Desk, 'commit'> {
  readonly store: Pick<Desk['store'], 'current' | 'propose'>;
  readonly faces: ReadonlyMap<MenuPath, Face>;
  /** The tree of their menus. */
  readonly root: Place;
  readonly clock: Clock;
  readonly turns: Turns;
}

/** A row for who asked. */
export interface Told {
  readonly row: Row;
}

/** A command on its way: rows, rests and waits; in the end what `=ret=` is to be, if anything. */
export type Flow<T = string | undefined> = Generator<Step | Told, T, unknown>;

/** A command, with the menu that it is for. */
export interface Inquiry {
  readonly face: Face;
  readonly arguments: ReadonlyMap<string, string>;
  /** Words of a query without their question marks. */
  readonly query: readonly string[];
  readonly rights: Rights;
}

/** Items between two rests: a hundred take about a millisecond. */
const itemsBetweenRests = 100;

/** What the menu shows now. */
export function* itemsOf({ face }: Inquiry, { store }: ServiceDesk): Flow<Iterable<Shown>> {
  const configured = configuredItems(face, store.current.tree);
  const { live } = face;
  if (live === undefined) return configured;
  const { items } = yield* ask<Listing>((answer) => live.items(configured, answer));
  return items;
}

/** An item, and how programs see it. */
export interface Seen {
  readonly item: Shown;
  readonly row: Row;
}

/** Hands `see` all items that the query and the ids of `inquiry` mean, with rests. */
export function* forEachSeen(
  inquiry: Inquiry,
  desk: ServiceDesk,
  see: (seen: Seen) => Told | undefined,
): Flow<void> {
  const { face, rights } = inquiry;
  const query: Query = readQuery(inquiry.query, face.menu);
  const named =
    inquiry.arguments.get('.id') ?? inquiry.arguments.get('numbers') ?? inquiry.arguments.get('from');
  const items = named === undefined ? yield* itemsOf(inquiry, desk) : yield* select(named, inquiry, desk);
  let count = 0;
  for (const item of items) {
    count += 1;
    if (count % itemsBetweenRests === 0) yield '';
    const row = rowOf(face.menu, item, rights);
    const told = query(row) ? see({ item, row }) : undefined;
    if (told !== undefined) yield told;
  }
}

/** The items that `references` name, by `*id` or by name, with commas between. Throws a `Fault` if one is not there. */
export function* select(references: string, inquiry: Inquiry, desk: ServiceDesk): Flow<readonly Shown[]> {
  const wanted = references.split(',').map((each) => (each.startsWith('*') ? each.toUpperCase() : each));
  const found = new Map<unknown, Shown[]>(wanted.map((reference) => [reference, []]));
  let count = 0;
  for (const item of yield* itemsOf(inquiry, desk)) {
    count += 1;
    if (count % itemsBetweenRests === 0) yield '';
    found.get(item.id)?.push(item);
    // A user may be connected more than once: his name means all of his sessions.
    if (item.values.name !== item.id) found.get(item.values.name)?.push(item);
  }
  for (const [reference, items] of found) {
    if (items.length === 0) throw noSuchItem(`${inquiry.face.menu.path} has no ${reference}.`);
  }
  return [...new Set([...found.values()].flat())];
}

/** The items of a command that is about some. */
export function selected(inquiry: Inquiry, desk: ServiceDesk): Flow<readonly Shown[]> {
  const named = inquiry.arguments.get('.id') ?? inquiry.arguments.get('numbers');
  if (named === undefined) throw missing('.id');
  return select(named, inquiry, desk);
}

/** `row` with what was asked of it. */
export function told(row: Row, inquiry: Inquiry): Told {
  return { row: chosen(row, inquiry.arguments.get('.proplist')) };
}

/** The row of `menu` that is called `name`; names of programs are written in full. */
export function settingNamed(name: string, menu: AnyMenu): Setting<unknown> {
  const setting = menu.named.get(name);
  if (setting !== undefined) return setting;
  throw unknownParameter(name, `Properties of ${menu.path}: ${[...menu.named.keys()].join(', ')}.`);
}

/** What programs are refused for; the console's own codes stand beside these. */
export type ServiceFaultCode =
  | 'SERVICE_COMMAND' // no such menu, or no such command there
  | 'SERVICE_ITEM' // no such item
  | 'SERVICE_VALUE' // an argument that there is not, or that has no such value
  | 'SERVICE_RIGHTS' // the user's group does not allow it
  | 'SERVICE_ENDLESS' // would never end, where it must
  | 'SERVICE_API'; // not understood by the protocol itself

export function serviceFault(code: ServiceFaultCode, words: string, hint: string): Fault {
  return new Fault(code, 'operator', words, hint);
}

export function noSuchItem(hint: string): Fault {
  return serviceFault('SERVICE_ITEM', 'no such item', hint);
}

export function unknownParameter(name: string, hint: string): Fault {
  return serviceFault('SERVICE_VALUE', `unknown parameter ${name}`, hint);
}

export function missing(name: string): Fault {
  return serviceFault(
    'SERVICE_VALUE',
    `missing value(s) of argument(s) ${name}`,
    'The command cannot be without.',
  );
}

/** What a program is told of `fault`: without the place in a script, which it did not write. */
export function wordsOf(fault: Fault): string {
  return fault instanceof ScriptFault ? fault.wording : fault.message;
}
