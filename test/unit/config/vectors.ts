/** Reads the blocks of test/vectors/config-*.txt, and prints a configuration in their form. */

import { readFileSync } from 'node:fs';
import { type AnyMenu, defaultsOf } from '../../../src/base/setting.ts';
import { idOf } from '../../../src/config/export.ts';
import type { Tree, Values } from '../../../src/config/tree.ts';

export interface Block {
  readonly law: string;
  readonly script: string;
  readonly expected: string;
}

export function blocksOf(file: string): Block[] {
  const text = readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8');
  return text
    .split(/^== /m)
    .slice(1)
    .map((block) => {
      const [head = '', expected = ''] = block.split(/^--$/m);
      const lawEnd = head.indexOf('\n');
      const script = unspell(head.slice(lawEnd + 1));
      return { law: head.slice(0, lawEnd), script, expected: expected.trim() };
    });
}

function unspell(script: string): string {
  return script.replaceAll('«TAB»', '\t').replaceAll('«CR»', '\r').replaceAll('«SP»', ' ');
}

/** What differs from the defaults of the rows or of the built-in items, a line for each set of values. */
export function describeTree(tree: Tree): string {
  return tree.menus.flatMap((menu) => describeMenu(tree, menu)).join('\n');
}

function describeMenu(tree: Tree, menu: AnyMenu): string[] {
  const settings = tree.settings.get(menu.path);
  if (settings !== undefined) return lineOf(menu.path, differences(menu, settings, {}));
  return [...(tree.lists.get(menu.path)?.items.values() ?? [])].flatMap((item) => {
    const origin = menu.builtIn?.find(({ id }) => id === item.id)?.values ?? {};
    return lineOf(`${menu.path} ${idOf(item)}`, differences(menu, item.values, origin));
  });
}

function lineOf(head: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [[head, ...words].join(' ')];
}

function differences(menu: AnyMenu, values: Values, origin: Values): string[] {
  const defaults: Values = { ...defaultsOf(menu), ...origin };
  const changed = menu.settings.filter(
    ({ key, kind }) => kind.format(values[key]) !== kind.format(defaults[key]),
  );
  return changed.map(({ key, name, kind }) => `${name}=${JSON.stringify(kind.format(values[key]))}`).sort();
}
