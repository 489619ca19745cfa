/** Which items are meant: by number of the last print, by name, by `*id`, by `[ find … ]`. Pure. */

import type { Selector } from '../config/command.ts';
import { ScriptFault } from '../config/fault.ts';
import type { Condition } from '../config/where.ts';
import type { Desk } from './desk.ts';
import { configuredItems, type Face, type Listing, type Shown } from './face.ts';
import { ask, forEach, type Run } from './run.ts';

/** All that the menu of `face` shows now. */
export function* listing(face: Face, { store }: Desk): Run<Listing> {
  const { live } = face;
  const configured = configuredItems(face, store.current.tree);
  if (live === undefined) return { items: configured };
  return yield* ask<Listing>((answer) => live.items(configured, answer));
}

/** Those of `items` that `condition` is true of. */
export function* filter(items: Iterable<Shown>, condition: Condition): Run<readonly Shown[]> {
  const found: Shown[] = [];
  yield* forEach(items, (item) => {
    if (condition(item)) found.push(item);
  });
  return found;
}

/** The items that `selector` means, each once. Throws a `ScriptFault` if it names one that there is not. */
export function* select(face: Face, selector: Selector, desk: Desk): Run<readonly Shown[]> {
  const { items } = yield* listing(face, desk);
  if (selector.by === 'find') return yield* filter(items, selector.matches);
  const all = yield* index(items);
  const printed = desk.printed.get(face.menu.path) ?? [...all.byId.keys()];
  const found = selector.references.flatMap(({ text, at }) => {
    const byNumber = /^\d+$/.test(text) ? all.byId.get(printed[Number(text)] ?? '') : undefined;
    const one = byNumber ?? all.byId.get(text.toUpperCase());
    const meant = one === undefined ? all.byName.get(text) : [one];
    if (meant !== undefined) return meant;
    throw new ScriptFault('CONFIG_ITEM', at, 'no such item', `${face.menu.path} has no ${text}.`);
  });
  return [...new Set(found)];
}

interface Index {
  readonly byId: ReadonlyMap<string, Shown>;
  /** A user may be connected more than once: his name means all of his sessions. */
  readonly byName: ReadonlyMap<string, readonly Shown[]>;
}

function* index(items: Iterable<Shown>): Run<Index> {
  const byId = new Map<string, Shown>();
  const byName = new Map<string, Shown[]>();
  yield* forEach(items, (item) => {
    byId.set(item.id, item);
    const { name } = item.values;
    if (typeof name !== 'string') return;
    const namesakes = byName.get(name);
    if (namesakes === undefined) byName.set(name, [item]);
    else namesakes.push(item);
  });
  return { byId, byName };
}
