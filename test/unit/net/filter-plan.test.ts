import { describe, expect, test } from 'vitest';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { elementsOf, type FilterPlan, filterDifference, isSayable } from '../../../src/net/filter-plan.ts';
import { isList, makeFrame, setOfList } from '../../../src/net/filter-table.ts';

const address = parseIpv4('10.0.0.2') ?? Number.NaN;
const linkName = '<pptp-ex>';
const plan: FilterPlan = {
  linkName,
  address,
  filters: { incoming: 'from-users', outgoing: undefined },
  addressLists: ['vip'],
};

const nobody = (): boolean => false;

describe('the difference of two plans', () => {
  test('from nothing makes sets before their elements', () => {
    expect(filterDifference(undefined, plan, nobody)).toEqual([
      { request: 'make-set', set: 'list-vip' },
      { request: 'add-address', set: 'list-vip', address },
      { request: 'add-jump', set: 'incoming', linkName, chain: 'from-users' },
    ]);
  });

  test('to nothing takes all elements and leaves the sets, which rules may refer to', () => {
    expect(filterDifference(plan, undefined, nobody)).toEqual([
      { request: 'delete-address', set: 'list-vip', address },
      { request: 'delete-jump', set: 'incoming', linkName },
    ]);
  });

  test('of equal plans is nothing', () => {
    expect(filterDifference(plan, { ...plan, addressLists: ['vip', 'vip'] }, nobody)).toEqual([]);
  });

  test('of another chain takes the old one first: a map has one for an interface', () => {
    const to = { ...plan, filters: { incoming: 'debtors', outgoing: 'debtors' } };

    expect(filterDifference(plan, to, nobody)).toEqual([
      { request: 'delete-jump', set: 'incoming', linkName },
      { request: 'add-jump', set: 'incoming', linkName, chain: 'debtors' },
      { request: 'add-jump', set: 'outgoing', linkName, chain: 'debtors' },
    ]);
  });

  test('leaves alone what others want too', () => {
    const shared = new Set(
      elementsOf({ ...plan, filters: { incoming: undefined, outgoing: undefined } }).keys(),
    );
    const isShared = (name: string): boolean => shared.has(name);

    expect(filterDifference(undefined, plan, isShared).map(({ request }) => request)).toEqual(['add-jump']);
    expect(filterDifference(plan, undefined, isShared).map(({ request }) => request)).toEqual([
      'delete-jump',
    ]);
  });
});

test('no address list is a thing of another kind in the table', () => {
  const made = makeFrame().flatMap((request) =>
    'set' in request ? [request.set] : 'chain' in request ? [request.chain] : [],
  );

  expect(made.filter(isList)).toEqual([]);
  expect(isList(setOfList('incoming'))).toBe(true);
  expect(made).not.toContain(setOfList('incoming'));
});

test('names are those that nft can say', () => {
  expect(['vip', 'a-b', 'a.b', 'a/b', '_x', 'x'.repeat(255)].filter((name) => !isSayable(name))).toEqual([]);
  expect(['', '1x', 'a b', 'a\\b', 'a\0', 'ü', 'a\n', 'x'.repeat(256)].filter(isSayable)).toEqual([]);
});
