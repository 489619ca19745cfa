/**
 * A configuration to a RouterOS script, as `export` prints it: for each menu its path, then a line for each item, with what
 * is not default, properties in alphabetical order, wrapped. Read back, the script gives the same configuration. Pure.
 */

import { type AnyMenu, defaultsOf, type Setting } from '../base/setting.ts';
import { quote } from './quotation.ts';
import type { Item, Tree, Values } from './tree.ts';

export interface ExportOptions {
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
  const lines =
    menu.kind === 'settings' ? settingsLines(tree, menu, options) : listLines(tree, menu, options);
  return lines.length === 0 ? '' : `${[menu.path, ...lines].join('\n')}\n`;
}

function settingsLines(tree: Tree, menu: AnyMenu, options: ExportOptions): string[] {
  const words = argumentsOf(menu, tree.settings.get(menu.path) ?? {}, defaultsOf(menu), options);
  return words.length === 0 ? [] : [wrap(['set', ...words])];
}

function listLines(tree: Tree, menu: AnyMenu, options: ExportOptions): string[] {
  const items = [...(tree.lists.get(menu.path)?.items.values() ?? [])];
  const blank = blankOf(menu);
  return items.flatMap((item) => {
    const words = argumentsOf(menu, item.values, item.builtIn ? originOf(menu, item) : blank, options);
    if (!item.builtIn) return [wrap(['add', ...words])];
    return words.length === 0 ? [] : [wrap(['set', idOf(item), ...words])];
  });
}

/** What a new item has before `add` said anything; what `add` has to say is not there. */
function blankOf(menu: AnyMenu): Values {
  const required = menu.settings.filter((setting) => setting.required);
  return { ...defaultsOf(menu), ...Object.fromEntries(required.map(({ key }) => [key, undefined])) };
}

/** What a built-in item has before anybody changed it. */
function originOf(menu: AnyMenu, { id }: Item): Values {
  return { ...defaultsOf(menu), ...menu.builtIn?.find((origin) => origin.id === id)?.values };
}

/** `*1A`. */
export function idOf({ id }: Item): string {
  return `*${id.toString(16).toUpperCase()}`;
}

/** `name=value` for each value that differs from `origin`. */
function argumentsOf(menu: AnyMenu, values: Values, origin: Values, options: ExportOptions): string[] {
  const said = menu.settings.filter((setting) => {
    if (values[setting.key] === origin[setting.key]) return false;
    if (setting.readOnly || (setting.sensitive && !options.showSensitive)) return false;
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
function wrap(words: readonly string[]): string {
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
