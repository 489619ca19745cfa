/**
 * `print` as a table, as the newer manual shows it: the flags in use, the columns, then a line for each item.
 *
 *     Flags: D - dynamic; R - running
 *     Columns: NAME, USER, MTU, CLIENT-ADDRESS, UPTIME, ENCODING
 *     #      NAME            USER     MTU   CLIENT-ADDRESS  UPTIME  ENCODING
 *     0  DR  <pptp-MT-User>  MT-User  1450  192.168.51.3    44m8s   MPPE128 stateless
 *
 * Columns are as wide as their longest value. On a terminal that is too narrow the last ones give way first, and what is cut
 * ends in `...`, as in the older manual. Pure.
 */

import type { AnyMenu, Setting } from '../base/setting.ts';
import { legendOf, type Numbered, remarkOf, visible } from './block.ts';
import { textOf } from './face.ts';
import { forEach, type Run } from './run.ts';

const gap = '  ';
/** A column is not cut below this: three characters and `...`. */
const columnMin = 6;

/** `width` is the terminal's; undefined: nothing is cut. */
export function* table(
  menu: AnyMenu,
  rows: readonly Numbered[],
  settings: readonly Setting<unknown>[],
  width: number | undefined,
): Run {
  const titles = settings.map(({ name }) => name.toUpperCase());
  const widths = titles.map(({ length }) => length);
  const lines: { readonly numbered: Numbered; readonly texts: readonly string[] }[] = [];
  const used = new Set<string>();
  yield* forEach(rows, (numbered) => {
    const { values, flags } = numbered.item;
    const texts = settings.map((setting) => visible(textOf(values, setting) ?? ''));
    for (const [at, { length }] of texts.entries()) widths[at] = Math.max(widths[at] ?? 0, length);
    for (const letter of flags) used.add(letter);
    lines.push({ numbered, texts });
  });

  const letters = (menu.flags ?? []).map(({ letter }) => letter).filter((letter) => used.has(letter));
  const numberWidth = String(rows.at(-1)?.number ?? 0).length;
  const leadWidth = numberWidth + gap.length + (letters.length === 0 ? 0 : letters.length + gap.length);
  const fitting = width === undefined ? widths : fitted(widths, width - leadWidth);
  const lineOf = (number: string, flags: string, texts: readonly string[]): string => {
    const shownFlags = letters.map((letter) => (flags.includes(letter) ? letter : ' ')).join('');
    const cells = texts.map((text, at) => cut(text, fitting[at] ?? 0).padEnd(fitting[at] ?? 0));
    return [number.padEnd(numberWidth), ...(shownFlags === '' ? [] : [shownFlags]), ...cells]
      .join(gap)
      .trimEnd();
  };

  yield legendOf(menu, letters.join(''));
  yield `Columns: ${titles.join(', ')}\n`;
  yield `${lineOf('#', '', titles)}\n`;
  for (const { numbered, texts } of lines) {
    const { number, item } = numbered;
    yield `${remarkOf(item.values)}${lineOf(String(number), item.flags, texts)}\n`;
  }
}

/** `widths` cut down so that all columns with their gaps fit into `available`, if they can. */
function fitted(widths: readonly number[], available: number): readonly number[] {
  const fitting = [...widths];
  let excess = widths.reduce((sum, each) => sum + each + gap.length, -gap.length) - available;
  for (let at = fitting.length - 1; at >= 0 && excess > 0; at -= 1) {
    const before = fitting[at] ?? 0;
    const after = Math.min(before, Math.max(columnMin, before - excess));
    fitting[at] = after;
    excess -= before - after;
  }
  return fitting;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}
