/**
 * `print detail`, `terse`, `as-value`, and the values of settings: properties with their values, as RouterOS writes them.
 *
 *      0 R name="pptp-out1" max-mtu=1450 connect-to=192.168.62.2
 *         user="MT-User"
 *
 * Values come from peers too: no control character reaches the operator's terminal. Pure.
 */

import type { AnyMenu, Setting } from '../base/setting.ts';
import { quote } from '../config/quotation.ts';
import type { Values } from '../config/tree.ts';
import { type Shown, textOf } from './face.ts';
import type { Run } from './run.ts';

/** Columns of a block's lines where there is no terminal to fit. */
const widthDefault = 80;
const indent = '    ';

/** An item with the number that the operator may call it by. */
export interface Numbered {
  readonly number: number;
  readonly item: Shown;
}

/** `Flags: X - disabled; R - running`, of the letters in `among`; empty if there is none. */
export function legendOf({ flags = [] }: AnyMenu, among: string): string {
  const used = flags.filter(({ letter }) => among.includes(letter));
  return used.length === 0
    ? ''
    : `Flags: ${used.map(({ letter, name }) => `${letter} - ${name}`).join('; ')}\n`;
}

/** `;;; remark`, which stands above an item; empty if it has none. */
export function remarkOf({ comment }: Values): string {
  return typeof comment === 'string' && comment !== '' ? `;;; ${visible(comment)}\n` : '';
}

/** `text` without what a terminal would obey. */
export function visible(text: string): string {
  return /\p{Cc}/u.test(text) ? quote(text).slice(1, -1) : text;
}

/** The rows that stand in blocks: what a flag or the remark says is not said again. */
export function blockSettings({ settings, flags = [] }: AnyMenu): readonly Setting<unknown>[] {
  return settings.filter(({ key }) => key !== 'comment' && !flags.some(({ name }) => name === key));
}

export function* blocks(
  menu: AnyMenu,
  rows: readonly Numbered[],
  settings: readonly Setting<unknown>[],
  width: number | undefined,
): Run {
  yield legendOf(menu, (menu.flags ?? []).map(({ letter }) => letter).join(''));
  for (const { number, item } of rows) {
    const words = wordsOf(item.values, settings);
    const remark = remarkOf(item.values);
    const head = `${String(number).padStart(2)} ${item.flags.padEnd(1)} `;
    yield remark === ''
      ? `${wrap(head, words, width)}\n\n`
      : `${head}${remark}${wrap(indent, words, width)}\n\n`;
  }
}

/** One line for each item, for those who search in them. */
export function* terse(rows: readonly Numbered[], settings: readonly Setting<unknown>[]): Run {
  for (const { number, item } of rows) {
    const { comment } = item.values;
    const remark = typeof comment === 'string' && comment !== '' ? [`comment=${quote(comment)}`] : [];
    yield `${[`${number} ${item.flags.padEnd(1)}`, ...remark, ...wordsOf(item.values, settings)].join(' ')}\n`;
  }
}

/** One line for each item, for scripts: `.id=*1;name=ex;service=pptp`. */
export function* asValue(rows: readonly Numbered[], settings: readonly Setting<unknown>[]): Run {
  for (const { item } of rows) {
    const words = settings.flatMap((setting) => {
      const text = textOf(item.values, setting);
      return text === undefined ? [] : [`${setting.name}=${visible(text)}`];
    });
    yield `${[...(item.id === '' ? [] : [`.id=${item.id}`]), ...words].join(';')}\n`;
  }
}

/** The values alone, a line for each item. */
export function* lines(items: readonly Shown[], settings: readonly Setting<unknown>[]): Run {
  for (const { values } of items) {
    yield `${settings.map((setting) => visible(textOf(values, setting) ?? '')).join(' ')}\n`;
  }
}

/** The values of a menu of settings, their colons below each other. */
export function* sheet(values: Values, settings: readonly Setting<unknown>[]): Run {
  const longest = Math.max(0, ...settings.map(({ name }) => name.length));
  for (const setting of settings) {
    const line = `${setting.name.padStart(longest + 2)}: ${visible(textOf(values, setting) ?? '')}`;
    yield `${line.trimEnd()}\n`;
  }
}

/** `name="value"` for each value that there is. */
function wordsOf(values: Values, settings: readonly Setting<unknown>[]): string[] {
  return settings.flatMap((setting) => {
    const text = textOf(values, setting);
    if (text === undefined) return [];
    const written = quote(text);
    const isBare = setting.kind.quoted === true && !written.startsWith('"');
    return [`${setting.name}=${isBare ? `"${written}"` : written}`];
  });
}

/** The words behind `head`, on lines that fit; lines after the first are indented. */
function wrap(head: string, words: readonly string[], width = widthDefault): string {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of words) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line += isEmpty ? word : ` ${word}`;
    }
    isEmpty = false;
  }
  return [...lines, line].join('\n');
}
