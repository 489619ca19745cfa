import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { freeTunnels, type Member, selectAddresses } from '../../../src/dns/selection.ts';

const seed = 4;
const draws = 10_000;
const nodes = (...weights: number[]): Member[] =>
  weights.map((weight, at) => ({ address: at, weight, isReady: true }));

/** How often each node stands first, and how often at all, of all answers. */
function shares(members: readonly Member[], count: number): { first: number[]; named: number[] } {
  const random = seededRandom(seed);
  const [first, named] = [members.map(() => 0), members.map(() => 0)];
  for (let draw = 0; draw < draws; draw += 1) {
    const selected = selectAddresses(members, count, random);
    for (const [at, address] of selected.entries()) {
      if (at === 0) first[address] = (first[address] ?? 0) + 1 / draws;
      named[address] = (named[address] ?? 0) + 1 / draws;
    }
  }
  return { first, named };
}

describe(`10,000 answers (seed ${seed})`, () => {
  it.each([
    [[1, 1], 1],
    [[200, 100, 100], 2],
    [[10_000, 200, 200, 1], 8],
    [[5, 10, 15, 20, 25, 30], 3],
    [Array.from({ length: 50 }, (_, at) => at + 1), 2],
  ])('name first each of %j by its weight, within 3 %%', (weights, count) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);

    for (const [at, share] of shares(nodes(...weights), count).first.entries()) {
      expect(Math.abs(share - (weights[at] ?? 0) / total)).toBeLessThan(0.03);
    }
  });

  it('follow the weights within 3 % also for resolvers that turn the order about, if there are many nodes', () => {
    const weights = Array.from({ length: 20 }, (_, at) => (at < 10 ? 50 : 200));
    const { named } = shares(nodes(...weights), 2);
    const light = named.slice(0, 10).reduce((sum, share) => sum + share, 0);

    expect(Math.abs(light / 2 - 500 / 2_500)).toBeLessThan(0.03);
  });

  it('name nobody who is full, and nobody twice', () => {
    const { named } = shares(nodes(200, 0, 100), 8);

    expect(named[1]).toBe(0);
    expect(named[0]).toBeCloseTo(1);
    expect(named[2]).toBeCloseTo(1);
  });
});

describe('an answer', () => {
  const random = seededRandom(seed);
  const sorted = (members: readonly Member[], count: number) =>
    [...selectAddresses(members, count, random)].sort();

  it('names only who is ready', () => {
    const members = nodes(10, 10, 10).map((member) => ({ ...member, isReady: member.address === 1 }));

    expect(sorted(members, 8)).toEqual([1]);
  });

  it('names all who live if nobody is ready', () => {
    expect(sorted(nodes(0, 0), 8)).toEqual([0, 1]);
    expect(
      sorted(
        nodes(10, 10).map((member) => ({ ...member, isReady: false })),
        8,
      ),
    ).toEqual([0, 1]);
  });

  it('names no more than it may, and an address that two nodes have once', () => {
    const twins = [...nodes(1, 1, 1), ...nodes(1, 1, 1)];

    expect(sorted(twins, 8)).toEqual([0, 1, 2]);
    expect(sorted(nodes(...new Array<number>(200).fill(1)), 2)).toHaveLength(2);
    expect(sorted([], 2)).toEqual([]);
  });
});

it('counts what a licence leaves free, and an unlimited one by what a process holds', () => {
  expect(freeTunnels(200, 150)).toBe(50);
  expect(freeTunnels(200, 201)).toBe(0);
  expect(freeTunnels(undefined, 1_000)).toBe(9_000);
});
