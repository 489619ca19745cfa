import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../../../src/base/ip.ts';
import { below, seededRandom } from '../../../../src/base/random.ts';
import { Refusal } from '../../../../src/base/setting.ts';
import { sizeOf, sum } from '../../../../src/session/address-ranges.ts';
import { customaryTerms } from '../../../../src/session/registry/blocks.ts';
import { type Pool, poolMenu } from '../../../../src/session/settings.ts';
import { type SimulatedNode, World } from './blocks-world.ts';

const terms = customaryTerms;
const minuteMs = 60_000;
const ip = (text: string): number => parseIpv4(text) ?? Number.NaN;

function pool(name: string, text: string, nextPool?: string): Pool {
  const ranges = poolMenu.rows.ranges.kind.parse(text);
  if (ranges instanceof Refusal) throw new Error(text);
  return { name, ranges, nextPool, comment: '' };
}

/** Three nodes that have settled, over `pools`. */
function settled(seed: number, pools: readonly Pool[], names = ['a', 'b', 'c']): World {
  const world = new World(seededRandom(seed), terms, pools, names);
  world.clock.advance(terms.settleMs + 2 * terms.lookMs);
  return world;
}

const nodesOf = (world: World) => world.nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
const leased = (node: SimulatedNode) => sum(node.leases.blocks, sizeOf);

/** Callers come one after another until `node` has no address for one; how many got one. */
function fill(world: World, node: SimulatedNode, name: string, most = Number.POSITIVE_INFINITY): number {
  let calls = 0;
  while (calls < most && node.call(name)) {
    calls += 1;
    world.clock.advance(5);
  }
  return calls;
}

describe('leases of blocks', () => {
  it('are kept ready before anybody calls, a few of each pool, and in nobody else’s way', () => {
    const world = settled(1, [pool('large', '10.0.0.0/16'), pool('small', '192.0.2.1-192.0.2.20')]);

    for (const node of world.nodes) {
      expect(node.leases.useOf('large')).toMatchObject({ used: 0, free: 64 });
      expect(node.leases.useOf('small')).toMatchObject({ used: 0, free: 1 });
    }
    expect(world.books.entries.length).toBe(6);
  });

  it('are not granted while the books settle', () => {
    const world = new World(seededRandom(1), terms, [pool('p', '10.0.0.0/16')], ['a']);
    world.clock.advance(terms.settleMs - 1);
    expect(world.nodes[0]?.call('p')).toBe(false);
    expect(world.nodes[0]?.leases.delay).toBe('redis is new or has come back: it leases addresses in 1 s');

    world.clock.advance(terms.lookMs + 100);
    expect(world.nodes[0]?.call('p')).toBe(true);
    expect(world.nodes[0]?.leases.delay).toBe(undefined);
  });

  it('are what a node has to wait for when it begins, and no more after that', () => {
    const world = new World(seededRandom(1), terms, [pool('p', '10.0.0.0/16')], ['a', 'b']);
    world.state = 'down';
    world.clock.advance(terms.settleMs);
    const [a] = nodesOf(world);
    expect(a.leases.delay).toBe('redis has not said which addresses this node may give');
    world.configure([]);
    expect(a.leases.delay).toBe(undefined);
    world.configure([pool('p', '10.0.0.0/16')]);

    world.return('up');
    world.clock.advance(terms.settleMs + 2 * terms.lookMs);
    expect(a.leases.delay).toBe(undefined);
    world.state = 'down';
    world.clock.advance(10 * terms.leaseMs);
    expect(a.leases.delay).toBe(undefined);
  });

  it('are asked for ahead: a storm of callers meets no end of addresses', () => {
    const world = settled(2, [pool('p', '10.0.0.0/16')]);
    const [a] = nodesOf(world);
    let refused = 0;
    for (let call = 0; call < 5_000; call++) {
      if (!a.call('p')) refused += 1;
      world.clock.advance(1);
    }

    expect(refused).toBe(0);
    const { used, free } = a.leases.useOf('p') ?? { used: 0, free: 0 };
    expect(used).toBe(5_000);
    expect(free).toBeGreaterThanOrEqual(1_000);
    expect(free).toBeLessThan(1_200);
  });

  it('go back when they have been empty for long, all but a reserve', () => {
    const world = settled(3, [pool('p', '10.0.0.0/16')]);
    const [a] = nodesOf(world);
    fill(world, a, 'p', 3_000);
    for (const holder of [...a.sessions.keys()]) a.hangUp(holder);

    world.clock.advance(terms.emptyMs - minuteMs);
    expect(leased(a)).toBeGreaterThan(3_000);
    world.clock.advance(2 * minuteMs);
    expect(leased(a)).toBe(128);
    expect(world.books.entries.filter(({ owner }) => owner === 'a@1').length).toBe(2);
  });

  it.each([
    ['10.0.0.0/22', 1_024],
    ['10.0.0.2-10.0.0.254', 253],
    ['10.1.1.1-10.1.1.12', 12],
  ])('let one node alone use all but a twentieth of %s, which it shares with two idle ones', (text, size) => {
    const world = settled(4, [pool('p', text)]);
    const [a] = nodesOf(world);
    // Who is refused calls again.
    for (let calls = 0; calls < 4 * size; calls++) {
      a.call('p');
      world.clock.advance(500);
    }

    const kept = size > 20 ? 0.05 : 2 / size;
    expect(world.sessions / size).toBeGreaterThanOrEqual(1 - kept);
    expect(world.doubles()).toEqual([]);
  });

  it.each([1, 2, 3])('let three nodes use all but a twentieth of a pool (seed %i)', (seed) => {
    const world = settled(seed, [pool('p', '10.0.0.0/20')]);
    let atFirst = 0;
    for (let refusals = 0; refusals < 200; ) {
      const node = world.nodes[below(world.random, 3)];
      if (node?.call('p') === false) {
        atFirst ||= world.sessions;
        refusals += 1;
      }
      world.clock.advance(100);
    }

    expect(atFirst / 4_096).toBeGreaterThan(0.9);
    expect(world.sessions / 4_096).toBeGreaterThan(0.95);
    expect(world.doubles()).toEqual([]);
  });

  it('serve callers while the books are away, for as long as they last, and no longer', () => {
    const world = settled(5, [pool('p', '10.0.0.0/16')]);
    const [a] = nodesOf(world);
    fill(world, a, 'p', 1_000);
    world.state = 'down';
    world.clock.advance(terms.leaseMs - 2 * minuteMs);
    expect(fill(world, a, 'p', 150)).toBe(150);

    world.clock.advance(3 * minuteMs);
    expect(a.call('p')).toBe(false);
    expect(a.sessions.size).toBe(1_150);
    world.clock.advance(5 * terms.leaseMs);
    world.return('up');
    world.clock.advance(100);
    expect(a.sessions.size).toBe(1_150);
    // Nobody else can have got one; but the books settle first, for it has been long.
    expect(a.call('p')).toBe(false);
    world.clock.advance(terms.settleMs + 2 * terms.lookMs);
    expect(a.call('p')).toBe(true);
  });

  it('are granted to another only when expired, rested, and nothing else is left', () => {
    const world = settled(6, [pool('p', '10.0.0.0/24')], ['a', 'b']);
    const [a, b] = nodesOf(world);
    fill(world, a, 'p', 100);
    const dead = leased(a);
    a.isReachable = false;
    world.clock.advance(minuteMs);
    for (let calls = 0; calls < 300; calls++) {
      b.call('p');
      world.clock.advance(1_000);
    }
    expect(b.sessions.size).toBe(256 - dead);

    world.clock.advance(terms.leaseMs - 5 * minuteMs - minuteMs);
    expect(b.call('p')).toBe(false);
    world.clock.advance(terms.quarantineMs + 3 * minuteMs);
    expect(b.call('p')).toBe(true);
  });

  it('are taken over by a new boot of their node at once', () => {
    const world = settled(7, [pool('p', '10.0.0.0/24')], ['a', 'b']);
    const [a] = nodesOf(world);
    fill(world, a, 'p', 100);
    const before = leased(a);
    a.boot();
    world.clock.advance(100);

    expect(leased(a)).toBe(before);
    expect(a.call('p')).toBe(true);
    expect(new Set(world.books.entries.map(({ owner }) => owner))).toEqual(new Set(['a@2', 'b@1']));
  });

  it('that no pool has any more serve nobody, and go when their last session has gone', () => {
    const world = settled(8, [pool('p', '10.0.0.0/24')], ['a']);
    const [a] = nodesOf(world);
    fill(world, a, 'p', 3);
    const old = new Set(a.sessions.values());
    world.configure([pool('p', '10.9.0.0/24')]);
    world.clock.advance(terms.lookMs);

    expect(a.sessions.size).toBe(3);
    fill(world, a, 'p', 20);
    for (const address of a.sessions.values()) {
      if (!old.has(address)) expect(address).toBeGreaterThanOrEqual(ip('10.9.0.0'));
    }
    for (const holder of [...a.sessions.keys()]) a.hangUp(holder);
    world.clock.advance(2 * terms.lookMs);
    expect(a.leases.blocks.every(({ first }) => first >= ip('10.9.0.0'))).toBe(true);
  });

  it('go on to the next pool when one is used up everywhere', () => {
    const world = settled(9, [pool('p', '10.0.0.0/28', 'q'), pool('q', '10.1.0.0/24')], ['a', 'b']);
    const [a] = nodesOf(world);
    fill(world, a, 'p', 100);

    expect(a.sessions.size).toBe(100);
    expect([...a.sessions.values()].filter((address) => address >= ip('10.1.0.0')).length).toBeGreaterThan(
      84,
    );
  });

  it('go back at the end', () => {
    const world = settled(10, [pool('p', '10.0.0.0/16')], ['a']);
    const [a] = nodesOf(world);
    fill(world, a, 'p', 500);
    for (const holder of [...a.sessions.keys()]) a.hangUp(holder);
    let isClosed = false;
    a.leases.close(() => {
      isClosed = true;
    });
    world.clock.advance(100);

    expect(isClosed).toBe(true);
    expect(world.books.entries).toEqual([]);
    expect(a.call('p')).toBe(false);
  });
});

/** `a` has forty sessions and is cut off until its block is free to others; then `b` takes all that it can have. */
function cutOff(seed: number): {
  readonly world: World;
  readonly a: SimulatedNode;
  readonly b: SimulatedNode;
} {
  const world = settled(seed, [pool('p', '10.0.0.0/26')], ['a', 'b']);
  const [a, b] = nodesOf(world);
  fill(world, a, 'p', 40);
  a.isReachable = false;
  world.clock.advance(terms.leaseMs + terms.quarantineMs + 2 * minuteMs);
  for (let calls = 0; calls < 100; calls++) {
    b.call('p');
    world.clock.advance(1_000);
  }
  return { world, a, b };
}

describe('a node that was cut off for longer than lease and quarantine', () => {
  it('loses to who was granted its block, and learns which sessions must end', () => {
    const { world, a, b } = cutOff(11);
    expect(world.doubles().length).toBeGreaterThan(0);
    const doubled = world.doubles().length;
    a.reconnected();
    world.clock.advance(1_100);

    expect(world.doubles()).toEqual([]);
    expect(a.lost).toBeGreaterThanOrEqual(doubled);
    expect(b.lost).toBe(0);
  });

  it('loses also when the books are empty, whoever speaks first', () => {
    const { world, a, b } = cutOff(12);
    world.books.empty();
    b.isReachable = false;
    a.reconnected();
    world.clock.advance(1_100);
    expect(a.call('p')).toBe(false);
    b.reconnected();
    world.clock.advance(2 * terms.lookMs);

    expect(world.doubles()).toEqual([]);
    expect(b.lost).toBe(0);
  });
});

/** What happens at random; each fault alone is survived without the loss of a session, and so are most together. */
class Chaos {
  readonly world: World;
  readonly #pools: readonly string[];
  /** No further node is cut off or paused before. */
  #calmUntilMs = 0;
  #snapshot: () => void;
  calls = 0;
  refused = 0;
  faults = 0;

  constructor(seed: number, pools: readonly Pool[], lossPercent: number) {
    this.world = settled(seed, pools);
    this.world.lossPercent = lossPercent;
    this.#pools = pools.map(({ name }) => name);
    this.#snapshot = this.world.books.snapshot();
  }

  step(): void {
    const { world } = this;
    const chance = below(world.random, 1_000);
    if (chance < 600) this.#call();
    else if (chance < 940) this.#hangUp();
    else if (chance < 950) this.#crash();
    else if (chance < 958) this.#isolate();
    else if (chance < 964) this.#outage();
    else if (chance < 970) this.#snapshot = this.#isCalm ? world.books.snapshot() : this.#snapshot;
    world.clock.advance(below(world.random, 6_000));
  }

  get #isCalm(): boolean {
    const { world } = this;
    const isWhole = world.nodes.every((node) => node.isReachable && !node.isPaused);
    return world.state === 'up' && isWhole && world.clock.nowMs() >= this.#calmUntilMs;
  }

  #any<T>(values: readonly T[]): T {
    return values[below(this.world.random, values.length)] as T;
  }

  /** Callers come in crowds. */
  #call(): void {
    const node = this.#any(this.world.nodes);
    const name = this.#any(this.#pools);
    for (let left = below(this.world.random, 12); left > 0; left--) {
      this.calls += 1;
      if (!node.call(name)) this.refused += 1;
    }
  }

  #hangUp(): void {
    const node = this.#any(this.world.nodes);
    const many = below(this.world.random, 10) === 0;
    for (const holder of [...node.sessions.keys()]) {
      if (below(this.world.random, many ? 2 : 40) === 0) node.hangUp(holder);
    }
  }

  #crash(): void {
    const node = this.#any(this.world.nodes);
    if (node.isPaused) return;
    this.faults += 1;
    node.boot();
  }

  /** One node, cut off or paused, for less than lease and quarantine together: longer is more than the law promises for. */
  #isolate(): void {
    const { world } = this;
    if (!this.#isCalm) return;
    this.faults += 1;
    const node = this.#any(world.nodes);
    const mostMs = terms.leaseMs + terms.quarantineMs - 3 * terms.renewMs;
    const isPause = below(world.random, 2) === 0;
    if (isPause) node.isPaused = true;
    else node.isReachable = false;
    this.#calmUntilMs = Number.POSITIVE_INFINITY;
    world.clock.arm(below(world.random, mostMs), () => {
      node.reconnected();
      this.#calmUntilMs = world.clock.nowMs() + 3 * terms.renewMs;
    });
  }

  /** The books away for any time; back as they were, emptied, or with old data. */
  #outage(): void {
    const { world } = this;
    if (!this.#isCalm) return;
    this.faults += 1;
    const loss = this.#any(['none', 'empty', 'older'] as const);
    world.state = loss === 'none' && below(world.random, 2) === 0 ? 'frozen' : 'down';
    this.#calmUntilMs = Number.POSITIVE_INFINITY;
    world.clock.arm(
      below(world.random, this.#any([20_000, 20_000, 10 * minuteMs, 2 * terms.leaseMs])),
      () => {
        const wasDown = world.state === 'down';
        if (loss === 'empty') world.books.empty();
        else if (loss === 'older') this.#snapshot();
        else if (wasDown) world.books.snapshot()();
        world.return('up');
        this.#calmUntilMs = world.clock.nowMs() + terms.settleMs + 3 * terms.renewMs;
      },
    );
  }

  heal(): void {
    this.world.lossPercent = 0;
    this.world.clock.advance(2 * (terms.leaseMs + terms.quarantineMs));
  }
}

describe('whatever happens to nodes and books', () => {
  const pools = [
    pool('a', '10.0.0.2-10.0.3.200', 'b'),
    pool('b', '10.0.3.100-10.0.4.30,10.7.0.1-10.7.0.40'),
    pool('tiny', '10.0.4.20-10.0.4.29', 'a'),
  ];
  const size = new Set(
    pools.flatMap(({ ranges }) =>
      ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at)),
    ),
  ).size;

  it.each(Array.from({ length: Number(process.env.REGISTRY_SEEDS ?? 4) }, (_, at) => at + 1))(
    'no two live sessions have one address, none is lost, and all addresses come back (seed %i)',
    (seed) => {
      const chaos = new Chaos(seed, pools, seed % 3);
      const { world } = chaos;
      for (let step = 0; step < 2_000; step++) {
        chaos.step();
        expect(world.doubles(), `seed ${seed} step ${step}`).toEqual([]);
      }
      expect(
        sum(world.nodes, ({ lost }) => lost),
        `seed ${seed}`,
      ).toBe(0);
      expect(chaos.faults).toBeGreaterThan(10);
      expect(chaos.calls - chaos.refused).toBeGreaterThan(500);

      chaos.heal();
      for (let calls = 0; calls < 1_500; calls++) {
        for (const node of world.nodes) for (const name of ['a', 'tiny']) node.call(name);
        world.clock.advance(500);
      }
      expect(world.sessions, `seed ${seed}`).toBe(size);
      expect(world.doubles()).toEqual([]);

      for (const node of world.nodes) for (const holder of [...node.sessions.keys()]) node.hangUp(holder);
      world.clock.advance(2 * terms.emptyMs);
      expect(sum(world.nodes, leased), `seed ${seed}`).toBeLessThan(size / 2);
    },
  );
});
