/** The automaton against the RFC's own table, which test/vectors/rfc1661-automaton.txt holds as text. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { step } from '../../../src/base/machine.ts';
import { automaton, type Event, events, type State, states } from '../../../src/ppp/automaton.ts';

const text = readFileSync(new URL('../../vectors/rfc1661-automaton.txt', import.meta.url), 'utf8');

/** Cells as the RFC writes them, without footnotes: event to state number to text. */
function readTable(): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const line of text.split('\n').filter((each) => !each.startsWith('#'))) {
    const [, event, cells] = /^ ?([A-Za-z+-]+) *\|(.*)$/.exec(line) ?? [];
    if (event === undefined || cells === undefined || event === 'Events' || event.startsWith('--')) continue;
    table.set(event, [...(table.get(event) ?? []), ...cells.trim().split(/\s+/)]);
  }
  return table;
}

const rfc = readTable();
const stateLine = text.match(/^Events\|.*$/gm)?.flatMap((line) => line.slice(7).trim().split(/\s+/));

function cellText(state: State, event: Event): string {
  const cell = step(automaton, state, event);
  if (cell === undefined) return '-';
  return [...(cell.actions.length > 0 ? [cell.actions.join(',')] : []), states.indexOf(cell.next)].join('/');
}

describe('the automaton of RFC 1661 section 4.1', () => {
  it('has the states and events of the RFC, in its order', () => {
    expect(stateLine).toEqual([...states]);
    expect([...rfc.keys()]).toEqual([...events]);
  });

  const cells = events.flatMap((event) => states.map((state, at) => ({ event, state, at })));
  it('has 160 cells', () => {
    expect(cells).toHaveLength(160);
    expect([...rfc.values()].every((row) => row.length === states.length)).toBe(true);
  });

  it.each(cells)('does on $event in $state what the RFC says', ({ event, state, at }) => {
    expect(cellText(state, event)).toBe(rfc.get(event)?.[at]?.replace(/[rpx]$/, ''));
  });
});
