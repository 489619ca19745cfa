/**
 * Queries of RouterOS's API: words that push truths about an item on a stack, and words that work on the stack.
 *
 *     ?name          has the property            ?-name         has it not
 *     ?name=x        is x, also ?=name=x         ?<name=x  ?>name=x   is less, is greater
 *     ?#OPERATIONS   `!` not, `&` and, `|` or, on the topmost; digits are a place in the stack counted from the top: before another
 *                    sign its value is pushed once more, at the end it is all that stays; `.` pushes the topmost once more
 *
 * Below all lies what is true; an item is meant if nothing on the stack is false. Pure.
 */

import { Fault } from '../../base/fault.ts';
import type { AnyMenu, Setting } from '../../base/setting.ts';
import { asInRows, type Row } from './row.ts';

/** Steps of one query: it is taken for each of 10,000 items. */
const stepsMax = 256;

type Step = (stack: boolean[], row: Row) => void;
export type Query = (row: Row) => boolean;

/** The query that `words` are, without their question marks. Throws a `Fault` if they are none. */
export function readQuery(words: readonly string[], menu: AnyMenu): Query {
  const steps = words.flatMap((word) => stepsOf(word, menu));
  if (steps.length > stepsMax) throw wrong(`a query has at most ${stepsMax} steps`);
  return (row) => {
    const stack: boolean[] = [];
    for (const step of steps) step(stack, row);
    return !stack.includes(false);
  };
}

const comparison = /^([=<>]?)([^=<>#-][^=]*)=(.*)$/s;

function stepsOf(word: string, menu: AnyMenu): readonly Step[] {
  if (word.startsWith('#')) return operationsOf(word.slice(1));
  const [, sign, name, text] = comparison.exec(word) ?? [];
  if (name !== undefined && text !== undefined) return [push(compare(sign, name, text, menu))];
  if (/^-[^=]+$/.test(word)) return [push((row) => !Object.hasOwn(row, word.slice(1)))];
  if (/^[^=<>#-][^=]*$/.test(word)) return [push((row) => Object.hasOwn(row, word))];
  throw wrong(`?${word} is no query`);
}

function push(holds: Query): Step {
  return (stack, row) => stack.push(holds(row));
}

function compare(sign: string | undefined, name: string, text: string, { settings }: AnyMenu): Query {
  const setting = settings.find((each) => each.name === name);
  const wanted = setting === undefined ? text : asInRows(text, setting);
  if (sign !== '<' && sign !== '>') return (row) => Object.hasOwn(row, name) && row[name] === wanted;
  const direction = sign === '<' ? -1 : 1;
  return (row) => {
    const held = row[name];
    return held !== undefined && Math.sign(order(held, wanted, setting)) === direction;
  };
}

/** By value where both are numbers, or times and addresses, which are numbers inside; else by their letters. */
function order(one: string, other: string, setting: Setting<unknown> | undefined): number {
  const [left, right] = [one, other].map((text) => {
    const value = setting === undefined ? undefined : setting.kind.parse(text);
    return typeof value === 'number' ? value : undefined;
  });
  if (left !== undefined && right !== undefined) return left - right;
  return Number(one > other) - Number(one < other);
}

const operations: Readonly<Record<string, Step>> = {
  '!': (stack) => stack.push(!pop(stack)),
  '&': (stack) => {
    const [right, left] = [pop(stack), pop(stack)];
    stack.push(left && right);
  },
  '|': (stack) => {
    const [right, left] = [pop(stack), pop(stack)];
    stack.push(left || right);
  },
  '.': (stack) => stack.push(at(stack, 0)),
};

function operationsOf(text: string): readonly Step[] {
  const pieces = text.match(/\d+\.?|./gs) ?? [];
  return pieces.map((piece, index) => {
    const operation = operations[piece];
    if (operation !== undefined) return operation;
    const place = Number.parseInt(piece, 10);
    if (Number.isNaN(place) || place > stepsMax)
      throw wrong(`?#${text} has an operation that there is not: ${piece}`);
    const isLast = index === pieces.length - 1 && !piece.endsWith('.');
    if (!isLast) return (stack) => stack.push(at(stack, place));
    return (stack) => stack.splice(0, stack.length, at(stack, place));
  });
}

/** Below the lowest all is true. */
function pop(stack: boolean[]): boolean {
  return stack.pop() ?? true;
}

function at(stack: readonly boolean[], fromTop: number): boolean {
  return stack.at(-1 - fromTop) ?? true;
}

function wrong(text: string): Fault {
  return new Fault('SERVICE_VALUE', 'operator', text, 'See queries in the manual of the RouterOS API.');
}
