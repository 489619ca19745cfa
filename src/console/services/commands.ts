/**
 * What programs can do in menus, whichever protocol they speak: a path of menus and a verb enter, with arguments and a query; rows
 * leave, or a `Fault` in RouterOS's words. Names are written in full here. Pure.
 */

import type { Place } from '../../config/menu-tree.ts';
import type { Face } from '../face.ts';
import { add, move, remove, set, setting, unset } from './change.ts';
import {
  type Flow,
  forEachSeen,
  type Inquiry,
  missing,
  type ServiceDesk,
  serviceFault,
  told,
  unknownParameter,
} from './desk.ts';
import { again, listen, monitor } from './listen.ts';
import { mayChange, type Rights } from './users.ts';

/** A command as it came. */
export interface Asked {
  /** Words of the menu's path. */
  readonly path: readonly string[];
  readonly verb: string;
  readonly arguments: ReadonlyMap<string, string>;
  readonly query: readonly string[];
}

interface Verb {
  readonly changes?: true;
  /** Arguments that it takes; undefined: properties of the menu. */
  readonly takes?: readonly string[];
  appliesTo(face: Face): boolean;
  run(inquiry: Inquiry, desk: ServiceDesk): Flow;
}

const everywhere = () => true;
const isList = ({ menu }: Face): boolean => menu.kind === 'list';
const isConfiguredList = ({ configured }: Face): boolean => configured?.kind === 'list';
const isGrowingList = (face: Face): boolean => isConfiguredList(face) && face.configured?.isGiven !== true;
const hasRow = (name: string) => (face: Face) =>
  isConfiguredList(face) && face.configured?.named.has(name) === true;

/** What the console takes for its looks is taken and means nothing. */
const looks = ['detail', 'brief', 'terse', 'as-value', 'stats', 'without-paging', 'append'];
const items = ['.id', 'numbers'];

const print: Verb = {
  takes: ['.proplist', ...items, 'from', 'count-only', 'follow', 'follow-only', 'interval', ...looks],
  appliesTo: everywhere,
  run: printing,
};

const verbs: Readonly<Record<string, Verb>> = {
  print,
  getall: print,
  get: { takes: [...items, 'value-name'], appliesTo: everywhere, run: get },
  find: { takes: [], appliesTo: isList, run: find },
  listen: {
    takes: ['.proplist', ...items],
    appliesTo: everywhere,
    run: (inquiry, desk) => listen(inquiry, desk, false),
  },
  monitor: {
    takes: ['.proplist', ...items, 'once', 'interval'],
    appliesTo: ({ live }) => live?.monitor !== undefined,
    run: monitor,
  },
  add: { changes: true, appliesTo: isGrowingList, run: add },
  set: { changes: true, appliesTo: ({ configured }) => configured !== undefined, run: set },
  unset: { changes: true, takes: [...items, 'value-name'], appliesTo: isConfiguredList, run: unset },
  remove: {
    changes: true,
    takes: items,
    appliesTo: (face) => isGrowingList(face) || face.live?.remove !== undefined,
    run: remove,
  },
  move: {
    changes: true,
    takes: [...items, 'destination'],
    appliesTo: ({ configured }) => configured?.isOrdered === true,
    run: move,
  },
  enable: {
    changes: true,
    takes: items,
    appliesTo: hasRow('disabled'),
    run: setting('disabled', () => 'no'),
  },
  disable: {
    changes: true,
    takes: items,
    appliesTo: hasRow('disabled'),
    run: setting('disabled', () => 'yes'),
  },
  comment: {
    changes: true,
    takes: [...items, 'comment'],
    appliesTo: hasRow('comment'),
    run: setting('comment', ({ arguments: given }) => given.get('comment') ?? ''),
  },
};

/** The menu at `path` from the root; undefined if there is none, or if a place that only holds others is there. */
export function faceAt(path: readonly string[], { root, faces }: ServiceDesk): Face | undefined {
  let place: Place | undefined = root;
  for (const word of path) place = place?.below.get(word);
  return place?.menu && faces.get(place.menu.path);
}

/** Does what was asked, as far as `rights` go. */
export function* perform({ path, verb: name, ...asked }: Asked, rights: Rights, desk: ServiceDesk): Flow {
  const face = faceAt(path, desk);
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (face === undefined) {
    throw serviceFault('SERVICE_COMMAND', 'no such command prefix', `There is no menu /${path.join(' ')}.`);
  }
  if (verb === undefined || !verb.appliesTo(face)) {
    const possible = Object.keys(verbs).filter((each) => verbs[each]?.appliesTo(face));
    throw serviceFault(
      'SERVICE_COMMAND',
      'no such command',
      `Possible in ${face.menu.path}: ${possible.join(', ')}.`,
    );
  }
  if (!(verb.changes ? mayChange(rights, face.menu.path) : rights.has('read'))) {
    throw serviceFault('SERVICE_RIGHTS', 'not enough permissions (9)', 'See group= of the user in /user.');
  }
  const { takes } = verb;
  const strange = takes && [...asked.arguments.keys()].find((each) => !takes.includes(each));
  if (strange !== undefined) throw unknownParameter(strange, `${name} takes: ${takes?.join(', ')}.`);
  return yield* verb.run({ face, rights, ...asked }, desk);
}

/** Whether it would go on until it is cancelled. */
export function isEndless({ verb, arguments: given }: Asked): boolean {
  if (verb === 'listen' || given.has('interval')) return true;
  return verb === 'monitor' ? !given.has('once') : given.has('follow') || given.has('follow-only');
}

function* printing(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const { arguments: given } = inquiry;
  if (given.has('count-only')) {
    let count = 0;
    yield* forEachSeen(inquiry, desk, () => {
      count += 1;
      return undefined;
    });
    return String(count);
  }
  if (given.has('follow') || given.has('follow-only')) {
    return yield* listen(inquiry, desk, given.has('follow'));
  }
  yield* again(inquiry, desk, undefined, () => forEachSeen(inquiry, desk, ({ row }) => told(row, inquiry)));
  return undefined;
}

function* find(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const ids: string[] = [];
  yield* forEachSeen(inquiry, desk, ({ item }) => {
    ids.push(item.id);
    return undefined;
  });
  return ids.join(';');
}

/** One value of one item, or all of them as `name=value;…`. */
function* get(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const { arguments: given, face } = inquiry;
  const name = given.get('value-name');
  if (face.menu.kind === 'list' && !items.some((each) => given.has(each))) throw missing('.id');
  let text = '';
  yield* forEachSeen(inquiry, desk, ({ row }) => {
    const words = Object.entries(row).map(([key, value]) => `${key}=${value}`);
    text = name === undefined ? words.join(';') : (row[name] ?? '');
    return undefined;
  });
  return text;
}
