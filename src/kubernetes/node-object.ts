/**
 * Our Node object as the API server tells of it: a NodeList once, then a watch, which is a line of JSON for each change. Enter: octets,
 * cut anywhere. Leave: whether the node is cordoned, and the resource version from which a watch goes on. Of all that a Node says, only
 * `spec.unschedulable` is read. Kubernetes API concepts, "Efficient detection of changes". Pure.
 */

import { Malformed } from '../base/fault.ts';

export interface NodeList {
  /** From where to watch. */
  readonly version: string;
  /** Undefined if there is no such node. */
  readonly isCordoned: boolean | undefined;
}

export type WatchEvent =
  | { readonly kind: 'node'; readonly version: string; readonly isCordoned: boolean }
  /** Nothing new, up to this version: a bookmark, or the object was deleted. */
  | { readonly kind: 'version'; readonly version: string }
  /** The API server has forgotten the version from which the watch was to go on (410 Gone). */
  | { readonly kind: 'expired' }
  /** Another error, by its HTTP status. */
  | { readonly kind: 'error'; readonly status: number };

/** Of a list or a line, in characters: etcd takes no object of more than 1.5 MiB. */
const textMax = 4 * 1024 * 1024;

/** Collects a NodeList. */
export class ListText {
  readonly #decoder = new TextDecoder();
  #text = '';

  push(octets: Uint8Array): Malformed | undefined {
    this.#text += this.#decoder.decode(octets, { stream: true });
    return this.#text.length > textMax
      ? new Malformed('KUBERNETES_TOO_LONG', 'NodeList', textMax)
      : undefined;
  }

  /** When all of it is there. */
  read(): NodeList | Malformed {
    const list = parsed(this.#text, 'NodeList');
    if (list instanceof Malformed) return list;
    const version = versionOf(list);
    const items = at(list, 'items');
    if (version instanceof Malformed) return version;
    if (!Array.isArray(items)) return new Malformed('KUBERNETES_BAD_OBJECT', 'items', 0);
    const [node]: readonly unknown[] = items;
    return { version, isCordoned: node === undefined ? undefined : isCordoned(node) };
  }
}

/** Cuts a watch into lines. */
export class WatchText {
  readonly #decoder = new TextDecoder();
  #line = '';

  /** What has become whole. Nothing more may be pushed after a `Malformed`. */
  push(octets: Uint8Array): readonly (WatchEvent | Malformed)[] {
    const [first = '', ...others] = this.#decoder.decode(octets, { stream: true }).split('\n');
    const lines = [this.#line + first, ...others];
    this.#line = lines.pop() ?? '';
    const events = lines.filter((line) => line.trim() !== '').map(watchEvent);
    if (this.#line.length <= textMax) return events;
    return [...events, new Malformed('KUBERNETES_TOO_LONG', 'WatchEvent', textMax)];
  }
}

function watchEvent(line: string): WatchEvent | Malformed {
  const event = parsed(line, 'WatchEvent');
  if (event instanceof Malformed) return event;
  const [type, object] = [at(event, 'type'), at(event, 'object')];
  if (type === 'ERROR') return errorOf(object);
  const version = versionOf(object);
  if (version instanceof Malformed) return version;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'node', version, isCordoned: isCordoned(object) };
    case 'BOOKMARK':
    case 'DELETED':
      return { kind: 'version', version };
    default:
      return new Malformed('KUBERNETES_BAD_OBJECT', 'type', 0);
  }
}

/** Of a Status. */
function errorOf(status: unknown): WatchEvent | Malformed {
  const code = at(status, 'code');
  if (typeof code !== 'number') return new Malformed('KUBERNETES_BAD_OBJECT', 'code', 0);
  return code === 410 ? { kind: 'expired' } : { kind: 'error', status: code };
}

/** False is left out of objects. */
const isCordoned = (node: unknown): boolean => at(node, 'spec', 'unschedulable') === true;

function versionOf(object: unknown): string | Malformed {
  const version = at(object, 'metadata', 'resourceVersion');
  if (typeof version === 'string' && version !== '') return version;
  return new Malformed('KUBERNETES_BAD_OBJECT', 'metadata.resourceVersion', 0);
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new Malformed('KUBERNETES_BAD_JSON', what, 0);
  }
}

/** What stands at the end of `path`; undefined if the path leads nowhere. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (within, name) =>
      typeof within === 'object' && within !== null
        ? (within as Readonly<Record<string, unknown>>)[name]
        : undefined,
    value,
  );
}
