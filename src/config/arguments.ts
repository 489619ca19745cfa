/**
 * `name=value` arguments of a command to values of a menu's rows: `!name` takes a value away, a name alone means `yes`. Older scripts
 * write `name value`, which is understood where a name alone would mean nothing.
 * Refusals become faults here, where it is known which argument they are about and where it stands.
 */

import { type AnyMenu, Refusal, type Setting } from '../base/setting.ts';
import type { Change } from './command.ts';
import { type Position, placed, ScriptFault } from './fault.ts';
import { namesMatching } from './menu-tree.ts';
import { type Argument, type Node, placeOf, type Word } from './syntax.ts';

/** The changes that `nodes` ask for in `menu`, in the order written. Throws a `ScriptFault`. */
export function readChanges(nodes: readonly Node[], menu: AnyMenu): Change[] {
  const changes: Change[] = [];
  for (const node of joined(nodes, menu)) {
    const change = readChange(node, menu);
    if (changes.some(({ setting }) => setting === change.setting)) {
      throw placed('CONFIG_SYNTAX', placeOf(node), 'syntax error', `${change.setting.name} is given twice.`);
    }
    changes.push(change);
  }
  return changes;
}

/** `nodes` with each name that needs a value and the word behind it as one argument. */
function joined(nodes: readonly Node[], menu: AnyMenu): readonly Node[] {
  const read: Node[] = [];
  for (let at = 0; at < nodes.length; at += 1) {
    const [name, value] = [nodes[at], nodes[at + 1]];
    const isNamed = name?.node === 'word' && value?.node === 'word' && needsValue(name, menu);
    if (isNamed) at += 1;
    if (name !== undefined) read.push(isNamed ? { node: 'argument', name, value } : name);
  }
  return read;
}

function needsValue(word: Word, menu: AnyMenu): boolean {
  if (word.quoted || word.text.startsWith('!')) return false;
  return settingNamed(word, menu).kind.words?.includes('yes') !== true;
}

function readChange(node: Node, menu: AnyMenu): Change {
  switch (node.node) {
    case 'query':
      throw placed('CONFIG_SYNTAX', node.at, 'expected end of command', 'No items are asked for here.');
    case 'word':
      return readBare(node, menu);
    case 'argument':
      return readArgument(node, menu);
  }
}

function readArgument({ name, value }: Argument, menu: AnyMenu): Change {
  const setting = settingNamed(name, menu);
  if (value.node === 'query') {
    throw placed('CONFIG_SYNTAX', value.at, 'syntax error', 'Only the items of a command can be found so.');
  }
  return { setting, value: parsed(setting, value.text, value.at), at: value.at };
}

/** A name without a value: `disabled`, `!remote-address`. */
function readBare(word: Word, menu: AnyMenu): Change {
  const unset = !word.quoted && word.text.startsWith('!');
  const setting = settingNamed(unset ? { ...word, text: word.text.slice(1) } : word, menu);
  const yesNo = setting.kind.words?.includes('yes') === true;
  if (unset && setting.kind.optional) return { setting, value: undefined, at: word.at };
  if (yesNo) return { setting, value: parsed(setting, unset ? 'no' : 'yes', word.at), at: word.at };
  if (unset) throw placed('CONFIG_VALUE', word.at, 'syntax error', `${setting.name} always has a value.`);
  const words = `missing value(s) of argument(s) ${setting.name}`;
  throw new ScriptFault('CONFIG_VALUE', word.at, words, `${setting.name} is: ${setting.kind.label}.`);
}

function parsed(setting: Setting<unknown>, text: string, at: Position): unknown {
  const value = setting.kind.parse(text);
  return value instanceof Refusal ? raise(value, setting, at) : value;
}

/** The fault that `refusal` is, about `setting` at `at`. */
export function raise(refusal: Refusal, setting: Setting<unknown>, at: Position): never {
  const words = refusal.wording(setting.name);
  const hint = `${setting.name} is: ${setting.kind.label}.`;
  throw refusal.placed
    ? placed('CONFIG_VALUE', at, words, hint)
    : new ScriptFault('CONFIG_VALUE', at, words, hint);
}

/** The row that `word` names, by its name or an older one, in full or cut short. */
function settingNamed({ text, quoted, at }: Word, { path, named }: AnyMenu): Setting<unknown> {
  const exact = quoted ? undefined : named.get(text);
  if (exact !== undefined) return exact;
  const names = quoted ? [] : namesMatching(text, named.keys());
  const [only, ...others] = new Set(names.map((name) => named.get(name)));
  if (only !== undefined && others.length === 0) return only;
  const hint =
    only === undefined
      ? `Properties of ${path}: ${[...named.keys()].join(', ')}.`
      : `It may be ${names.join(' or ')}.`;
  throw placed('CONFIG_COMMAND', at, 'expected end of command', hint);
}
