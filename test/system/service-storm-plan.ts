/**
 * What happens in one storm over a service of nodes, and when. A fault and a seed enter, deeds in their order leave: the same for the
 * same, always. Pure.
 */

import { below, type Random, seededRandom } from '../../src/base/random.ts';

/** Of the storm, in ms; what takes longer ends later. */
const stormMs = 8_000;

/** Users out of a pool, and users whose address RADIUS names, out of the same pool. */
export const users = [
  ...Array.from({ length: 24 }, (_, at) => `user${at}`),
  ...Array.from({ length: 6 }, (_, at) => `fixed${at}`),
];
/** Who dials: each user, and for every third a second one by his name. */
export const lines = [...users, ...users.filter((_, at) => at % 3 === 0)];
export const nodeCount = 3;
/** How often somebody dials or hangs up. */
const turns = 90;
const dynamicRequests = 8;

export type Deed =
  /** Dials the node if it is idle, else hangs up. */
  | { readonly do: 'turn'; readonly line: number; readonly node: number }
  | {
      readonly do: 'dynamic';
      readonly request: 'coa' | 'disconnect';
      readonly user: number;
      readonly node: number;
    }
  /** `control` leaves the engine with its sessions; `ended` says goodbye. */
  | {
      readonly do: 'reboot';
      readonly node: number;
      readonly how: 'killed' | 'control killed' | 'ended';
      readonly forMs: number;
    }
  | { readonly do: 'pause'; readonly node: number; readonly forMs: number }
  | { readonly do: 'cut'; readonly node: number; readonly from: CutFrom; readonly forMs: number }
  | { readonly do: 'redis'; readonly how: RedisFault; readonly forMs: number }
  | { readonly do: 'fail over'; readonly how: 'killed' | 'frozen' | 'asked' };

export type CutFrom = 'redis' | 'radius' | 'both' | 'everything';
export type RedisFault = 'killed' | 'emptied' | 'frozen' | 'flushed';

export interface Step {
  readonly atMs: number;
  readonly deed: Deed;
}

/** The faults of a kind, as `random` has them. */
const faults = {
  'nodes killed': (random) =>
    some(2, () => reboot(random, oneOf(random, ['killed', 'killed', 'control killed']), 9_000)),
  'nodes paused': (random) => [
    // A quarter of the storms have one of half a minute, in which the node is given up; the others are given up or not.
    {
      do: 'pause',
      node: anyNode(random),
      forMs: below(random, 4) === 0 ? 30_000 : between(random, 1_000, 9_000),
    },
    { do: 'pause', node: anyNode(random), forMs: between(random, 500, 5_000) },
  ],
  'nodes cut off': (random) =>
    some(2, () => ({
      do: 'cut',
      node: anyNode(random),
      from: oneOf(random, ['redis', 'radius', 'both', 'everything']),
      forMs: between(random, 500, 10_000),
    })),
  'redis fails': (random) =>
    shuffled(random, ['killed', 'emptied', 'frozen', 'flushed'] as const).map((how) => ({
      do: 'redis',
      how,
      forMs: between(random, 100, 4_000),
    })),
  'redis fails over': (random) => [{ do: 'fail over', how: oneOf(random, ['killed', 'frozen', 'asked']) }],
  'nodes come and go': (random) =>
    some(4, () => reboot(random, oneOf(random, ['killed', 'ended', 'ended']), 3_000)),
} as const satisfies Record<string, (random: Random) => readonly Deed[]>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as readonly FaultName[];

export function planOf(fault: FaultName, seed: number): readonly Step[] {
  const random = seededRandom(seed * faultNames.length + faultNames.indexOf(fault));
  const anyMs = () => below(random, stormMs);
  const deeds: Deed[] = [
    ...some(turns, () => ({ do: 'turn', line: below(random, lines.length), node: anyNode(random) }) as const),
    ...some(
      dynamicRequests,
      () =>
        ({
          do: 'dynamic',
          request: oneOf(random, ['coa', 'disconnect']),
          user: below(random, users.length),
          node: anyNode(random),
        }) as const,
    ),
  ];
  const calm: Step[] = deeds.map((deed) => ({ atMs: anyMs(), deed }));
  const storm: Step[] = faults[fault](random).map((deed) => ({ atMs: anyMs(), deed }));
  return [...calm, ...storm].toSorted((one, other) => one.atMs - other.atMs);
}

function reboot(random: Random, how: 'killed' | 'control killed' | 'ended', mostMs: number): Deed {
  return { do: 'reboot', node: anyNode(random), how, forMs: below(random, mostMs) };
}

function anyNode(random: Random): number {
  return below(random, nodeCount);
}

function between(random: Random, least: number, most: number): number {
  return least + below(random, most - least);
}

function oneOf<const T>(random: Random, choices: readonly T[]): T {
  const choice = choices[below(random, choices.length)];
  if (choice === undefined) throw new Error('there is nothing to choose from');
  return choice;
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const left = [...values];
  return values.flatMap(() => left.splice(below(random, left.length), 1));
}

function some<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** A line for the report: what else than calls there was. */
export function faultsOf(plan: readonly Step[]): string {
  return plan
    .filter(({ deed }) => deed.do !== 'turn' && deed.do !== 'dynamic')
    .map(({ atMs, deed }) => `${atMs} ms ${Object.values(deed).join(' ')}`)
    .join(', ');
}
