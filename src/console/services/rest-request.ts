/**
 * Requests of REST, as RouterOS 7 has it: a method, an address and a body enter; a command of the menus and the shape of its answer
 * leave, or why not.
 *
 *     GET    /rest/ppp/secret                     all items           GET /rest/ppp/secret/*1, GET /rest/ppp/secret/ex   one
 *     GET    /rest/ppp/secret?profile=default&.proplist=name
 *     PUT    /rest/ppp/secret      {"name":"ex"}  adds                PATCH /rest/ppp/secret/*1  {"name":"ex"}           sets
 *     DELETE /rest/ppp/secret/*1                  removes
 *     POST   /rest/ppp/secret/print {".query":["name=ex"],".proplist":["name"]}                                          any command
 *
 * Pure.
 */

import type { Asked } from './commands.ts';

export interface RestRequest extends Asked {
  /** How the rows become the body. */
  readonly shape: 'all' | 'one' | 'created' | 'changed' | 'nothing' | 'outcome';
}

/** Why a request is none. */
export interface RestError {
  readonly status: number;
  readonly detail: string;
}

export interface RestHead {
  readonly method: string;
  /** As on the first line: path and search. */
  readonly target: string;
}

/** What lies in the menus, for addresses whose last word may be a menu or an item. */
export interface RestMap {
  /** Whether there is a list or settings at `path`; undefined if there is no menu. */
  kindAt(path: readonly string[]): 'list' | 'settings' | undefined;
}

/** The command that `head` and `body` ask for; an undefined body is none. */
export function readRequest(head: RestHead, body: unknown, map: RestMap): RestRequest | RestError {
  const address = readTarget(head.target);
  if (address === undefined) return { status: 404, detail: 'only /rest is here' };
  const read = Object.hasOwn(methods, head.method) ? methods[head.method] : undefined;
  if (read === undefined) return { status: 405, detail: `method ${head.method} is not allowed` };
  const values = valuesIn(body);
  if (values === undefined) return { status: 400, detail: 'the body is not an object of names and values' };
  return read({ ...address, values, map });
}

interface Address {
  readonly path: readonly string[];
  readonly search: readonly (readonly [name: string, value: string])[];
}

interface Told extends Address {
  readonly values: Values;
  readonly map: RestMap;
}

const methods: Readonly<Record<string, (told: Told) => RestRequest | RestError>> = {
  GET({ path, search, map }) {
    const proplist = search.find(([name]) => name === '.proplist')?.[1];
    const chosen = proplist === undefined ? [] : [['.proplist', proplist] as const];
    const query = search.filter(([name]) => name !== '.proplist').map(([name, value]) => `${name}=${value}`);
    const kind = map.kindAt(path);
    const request = { path, verb: 'print', arguments: new Map(chosen), query };
    if (kind !== undefined) return { ...request, shape: kind === 'settings' ? 'one' : 'all' };
    const item = itemAt(path, map);
    if (item === undefined) return noSuchPath(path);
    return {
      ...request,
      path: path.slice(0, -1),
      arguments: new Map([...chosen, ['.id', item]]),
      shape: 'one',
    };
  },

  PUT({ path, values, map }) {
    if (map.kindAt(path) === undefined) return noSuchPath(path);
    return { path, verb: 'add', arguments: values.arguments, query: [], shape: 'created' };
  },

  PATCH({ path, values, map }) {
    const item = itemAt(path, map);
    if (item === undefined) return noSuchPath(path);
    const given = new Map([...values.arguments, ['.id', item] as const]);
    return { path: path.slice(0, -1), verb: 'set', arguments: given, query: [], shape: 'changed' };
  },

  DELETE({ path, map }) {
    const item = itemAt(path, map);
    if (item === undefined) return noSuchPath(path);
    const given = new Map([['.id', item]]);
    return { path: path.slice(0, -1), verb: 'remove', arguments: given, query: [], shape: 'nothing' };
  },

  POST({ path, values, map }) {
    const menu = path.slice(0, -1);
    if (map.kindAt(menu) === undefined) return noSuchPath(path);
    return { path: menu, verb: path.at(-1) ?? '', ...values, shape: 'outcome' };
  },
};

/** The last word of `path`, if the others lead to a list. */
function itemAt(path: readonly string[], map: RestMap): string | undefined {
  return map.kindAt(path.slice(0, -1)) === 'list' ? path.at(-1) : undefined;
}

function noSuchPath(path: readonly string[]): RestError {
  return { status: 400, detail: `no such command or directory (${path.at(-1) ?? ''})` };
}

/** The words behind `/rest`, and what is searched; undefined if `target` lies elsewhere or is no address. */
function readTarget(target: string): Address | undefined {
  const [path = '', search = ''] = target.split(/\?(.*)/s);
  const [first, root, ...words] = path.split('/');
  if (first !== '' || root !== 'rest') return undefined;
  try {
    const decoded = words.filter((word) => word !== '').map(decodeURIComponent);
    return { path: decoded, search: [...new URLSearchParams(search)] };
  } catch {
    return undefined; // A percent sign that encodes nothing: there is no such address.
  }
}

interface Values {
  readonly arguments: ReadonlyMap<string, string>;
  readonly query: readonly string[];
}

/** The properties of `body`: each value is taken as a text, also a number, a truth or a list. Undefined if it is not such an object. */
function valuesIn(body: unknown): Values | undefined {
  if (body === undefined) return { arguments: new Map(), query: [] };
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const { '.query': query = [], ...others } = body as Readonly<Record<string, unknown>>;
  const given = Object.entries(others).map(([name, value]) => [name, textOf(value)] as const);
  const isQuery = Array.isArray(query) && query.every((word) => typeof word === 'string');
  if (!isQuery || given.some(([, text]) => text === undefined)) return undefined;
  return { arguments: new Map(given as (readonly [string, string])[]), query };
}

function textOf(value: unknown): string | undefined {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.every((each) => typeof each === 'string') ? value.join() : undefined;
  return typeof value === 'object' ? undefined : String(value);
}
