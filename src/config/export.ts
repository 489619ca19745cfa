/**
 * A configuration to a RouterOS script, as `export` prints it: for each menu its path, then a line for each item, with what
 * is not default, properties in alphabetical order, wrapped. Read back, the script gives the same configuration. Pure.
 */

import { type AnyMenu, defaultsOf, type Setting } from '../base/setting.ts';
import { quote } from './quotation.ts';
import type { Item, Tree, Values } from './tree.ts';

/** What is written: what is not default, everything, or each command on one line with its path. */
export type ExportForm = 'compact' | 'verbose' | 'terse';

export interface ExportOptions {
  /** Undefined: compact. */
  readonly form?: ExportForm | undefined;
  /** Whether passwords and other secrets are written; without them the script is for eyes, not for a node. */
  readonly showSensitive: boolean;
}

/** RouterOS wraps near this column, with ` \` at the end. */
const widthMax = 80;
const indent = '    ';

/** The script of all of `tree` that is not default: empty text if everything is. */
export function exportScript(tree: Tree, options: ExportOptions): string {
  return tree.menus.map((menu) => exportMenu(tree, menu, options)).join('');
}

/** The part of the script that is about `menu`. */
function exportMenu(tree: Tree, menu: AnyMenu, options: ExportOptions): string {
  const commands =
    menu.kind === 'settings' ? settingsCommands(tree, menu, options) : listCommands(tree, menu, options);
  if (commands.length === 0) return '';
  return options.form === 'terse'
    ? commands.map((words) => `${[menu.path, ...words].join(' ')}\n`).join('')
    : `${[menu.path, ...commands.map(wrap)].join('\n')}\n`;
}

/** A command, word by word. */
type Words = readonly string[];

function settingsCommands(tree: Tree, menu: AnyMenu, options: ExportOptions): Words[] {
  const words = argumentsOf(menu, tree.settings.get(menu.path) ?? {}, defaultsOf(menu), options);
  return words.length === 0 ? [] : [['set', ...words]];
}

function listCommands(tree: Tree, menu: AnyMenu, options: ExportOptions): Words[] {
  const items = [...(tree.lists.get(menu.path)?.items.values() ?? [])];
  const blank = blankOf(menu);
  return items.flatMap((item) => {
    const origin = item.builtIn || menu.isGiven ? originOf(menu, item) : blank;
    const words = argumentsOf(menu, item.values, origin, options);
    if (!item.builtIn && !menu.isGiven) return [['add', ...words]];
    const named = menu.isGiven ? quote(String(item.values.name)) : idOf(item);
    return words.length === 0 ? [] : [['set', named, ...words]];
  });
}

/** What a new item has before `add` said anything; what `add` has to say is not there. */
function blankOf(menu: AnyMenu): Values {
  const required = menu.settings.filter((setting) => setting.required);
  return { ...defaultsOf(menu), ...Object.fromEntries(required.map(({ key }) => [key, undefined])) };
}

/** What an item that nobody added has before anybody changed it. */
function originOf(menu: AnyMenu, { id, values }: Item): Values {
  if (menu.isGiven) return { ...defaultsOf(menu), name: values.name };
  return { ...defaultsOf(menu), ...menu.builtIn?.find((origin) => origin.id === id)?.values };
}

/** `*1A`. */
export function idOf({ id }: Item): string {
  return `*${id.toString(16).toUpperCase()}`;
}

/** `name=value` for each value that differs from `origin`, or for all if the export is verbose. */
function argumentsOf(menu: AnyMenu, values: Values, origin: Values, options: ExportOptions): string[] {
  const said = menu.settings.filter((setting) => {
    if (setting.readOnly || (setting.sensitive && !options.showSensitive)) return false;
    if (options.form === 'verbose') return true;
    if (values[setting.key] === origin[setting.key]) return false;
    return textOf(setting, values) !== textOf(setting, origin);
  });
  const sorted = said.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return sorted.map((setting) => {
    const text = textOf(setting, values);
    return text === undefined ? `!${setting.name}` : `${setting.name}=${quote(text)}`;
  });
}

function textOf({ key, kind }: Setting<unknown>, values: Values): string | undefined {
  const value = values[key];
  return value === undefined ? undefined : kind.format(value);
}

/** The words on lines of at most 80 columns, if they are not longer themselves. */
function wrap(words: Words): string {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > widthMax - ' \\'.length) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].join(' \\\n');
}
