import { describe, expect, test } from 'vitest';
import { Accountant } from '../../../src/accounting/accountant.ts';
import { type Delivery, EmbeddedDelivery, type Entry } from '../../../src/accounting/delivery.ts';
import { type Ledger, LedgerState, type Recovered, sessionIdsIn } from '../../../src/accounting/ledger.ts';
import { type AccountingRecord, streamOf, type Usage } from '../../../src/accounting/record.ts';
import { recordKinds, recordTallies } from '../../../src/accounting/tally.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/observe.ts';
import { below, type Random, seededRandom } from '../../../src/base/random.ts';
import { factsOf, usageOf } from './facts.ts';

const nas = { identifier: 'bras-1', address: undefined };

/** A disk that outlives processes: what is appended is kept a moment later, if the process lives so long. */
class Disk {
  state = new LedgerState();
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  ledger(isAlive: () => boolean): Ledger {
    const { state } = this;
    const later = (go: () => void) => this.#clock.arm(2, () => isAlive() && go());
    return {
      open: (session) => state.apply({ is: 'open', session }),
      usage: (sessionId, known) => state.apply({ is: 'usage', sessionId, known }),
      record(record, kept) {
        const number = state.next;
        state.apply({ is: 'record', number, record });
        later(() => kept({ number, record }));
      },
      sent(number, sent, written) {
        state.apply({ is: 'sent', number, sent });
        later(written);
      },
      done: (number) => state.apply({ is: 'done', number }),
      get pending() {
        return state.pending.size;
      },
      isHealthy: true,
    };
  }

  recovered(hasRebooted = false): Recovered {
    const { pending, sessions, mark } = this.state;
    return { pending: [...pending.values()], sessions: [...sessions.values()], hasRebooted, mark };
  }
}

/** A node whose control can be killed and started again, its server, and its engine's counters. */
class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly disk = new Disk(this.clock);
  /** What the server has acknowledged. */
  readonly told: AccountingRecord[] = [];
  readonly counters = new Map<string, Usage>();
  readsAnswered = true;
  reads = 0;
  answers: () => boolean = () => true;
  accountant: Accountant;
  #life = 0;

  constructor(seed = 1) {
    this.random = seededRandom(seed);
    this.accountant = this.start();
  }

  start(): Accountant {
    this.#life += 1;
    const life = this.#life;
    const isAlive = () => life === this.#life;
    const clock = {
      nowMs: () => this.clock.nowMs(),
      wallMs: () => this.clock.wallMs(),
      arm: (delayMs: number, fire: () => void) => this.clock.arm(delayMs, () => isAlive() && fire()),
    };
    const send = ({ record }: Entry, done: (delivered: boolean) => void): void => {
      if (!isAlive()) return;
      const isAnswered = this.answers();
      if (isAnswered) this.told.push(record);
      clock.arm(5, () => done(isAnswered));
    };
    this.accountant = new Accountant({
      ledger: this.disk.ledger(isAlive),
      makeDelivery: (done): Delivery =>
        new EmbeddedDelivery({ send, done, clock, random: this.random, log: silent }),
      clock,
      random: this.random,
      nodeSessionId: 'node',
      readUsage: (read) => {
        this.reads += 1;
        if (this.readsAnswered) clock.arm(1, () => read((sessionId) => this.counters.get(sessionId)));
      },
    });
    return this.accountant;
  }

  of(stream: string): AccountingRecord[] {
    return this.told.filter((record) => streamOf(record) === stream);
  }

  kinds(stream: string): string[] {
    return this.of(stream).map(({ kind }) => kind);
  }

  /** As a node that has nothing behind it. */
  ready(): this {
    this.accountant.nodeUp(nas);
    this.clock.advance(100);
    return this;
  }
}

describe('a session', () => {
  test('has a Start, Interim-Updates at its interval, and a Stop with the final counters', () => {
    const world = new World().ready();
    const { accountant, clock, counters } = world;

    accountant.up(factsOf('a'), 60_000);
    for (let minute = 0; minute < 10; minute++) {
      counters.set('a', usageOf(minute * 1000));
      clock.advance(60_000);
    }
    accountant.ended('a', { usage: usageOf(12_345), uptimeMs: 600_400, terminateCause: 1 });
    clock.advance(1_000);

    const kinds = world.kinds('a');
    expect([kinds[0], kinds.at(-1)]).toEqual(['start', 'stop']);
    expect(kinds.length).toBeGreaterThanOrEqual(2 + 9);
    expect(kinds.length).toBeLessThanOrEqual(2 + 12);
    expect(world.of('a').at(-1)).toMatchObject({
      usage: usageOf(12_345),
      uptimeMs: 600_400,
      terminateCause: 1,
    });
  });

  test('is counted by its records: when they are made, and when a server has them', () => {
    const world = new World().ready();
    const read = () => [
      ...recordKinds.map((kind) => recordTallies.made.read(kind)),
      ...recordKinds.map((kind) => recordTallies.acknowledged.read(kind)),
    ];
    const before = read();
    const sinceBefore = () => read().map((count, at) => count - (before[at] ?? 0));
    let isAway = true;
    world.answers = () => !isAway;

    world.accountant.up(factsOf('a'), 0);
    world.accountant.ended('a', { usage: usageOf(1), terminateCause: 1 });
    world.clock.advance(1_000);
    const whileAway = sinceBefore();
    isAway = false;
    world.accountant.hurry();
    world.accountant.nodeDown(nas, () => {});
    world.clock.advance(60_000);

    expect(recordKinds).toEqual(['start', 'interim', 'stop', 'on', 'off']);
    expect(whileAway).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(sinceBefore()).toEqual([1, 0, 1, 0, 1, 1, 0, 1, 0, 1]);
  });

  test('that is told while it says goodbye ends no earlier than was told', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 5_000);
    world.counters.set('a', usageOf(1));
    world.clock.advance(60_000);
    // Its cause came a minute ago, and an Interim-Update since.
    world.accountant.ended('a', { usage: usageOf(2), uptimeMs: 1_000, terminateCause: 1 });
    world.clock.advance(1_000);

    const told = world.of('a').flatMap((record) => ('uptimeMs' in record ? record.uptimeMs : []));
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual([...told].sort((one, other) => one - other));
  });

  test('has one Stop, however often it ends', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 0);

    world.accountant.ended('a', { usage: usageOf(1), terminateCause: 1 });
    world.accountant.ended('a', { usage: usageOf(2), terminateCause: 2 });
    world.accountant.ended('never-up', { usage: usageOf(2), terminateCause: 2 });
    world.clock.advance(1_000);

    expect(world.kinds('a')).toEqual(['start', 'stop']);
    expect(world.kinds('never-up')).toEqual([]);
  });

  test('is never told less than it was told before', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 60_000);
    world.counters.set('a', usageOf(5_000));
    world.clock.advance(70_000);

    world.accountant.ended('a', { usage: undefined, terminateCause: 9 });
    world.clock.advance(1_000);

    expect(world.of('a').at(-1)).toMatchObject({ kind: 'stop', usage: usageOf(5_000) });
  });

  test('whose interval is 0 has no Interim-Updates, until it is changed', () => {
    const world = new World().ready();
    const { accountant, clock } = world;
    accountant.up(factsOf('a'), 0);
    clock.advance(600_000);
    expect(world.kinds('a')).toEqual(['start']);

    const classes = [Uint8Array.of(7)];
    accountant.changed('a', { interimMs: 60_000, classes });
    clock.advance(66_000);

    expect(world.kinds('a')).toEqual(['start', 'interim']);
    expect(world.of('a')[1]).toMatchObject({ facts: { classes } });
  });

  test('leaves counters in the journal each minute, also without Interim-Updates', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 0);
    world.counters.set('a', usageOf(700));

    world.clock.advance(66_000);

    expect(world.disk.state.sessions.get('a')?.known.usage).toEqual(usageOf(700));
  });
});

test('the engine is asked once for all sessions of which something is due', () => {
  const world = new World().ready();
  for (let at = 0; at < 1_000; at++) world.accountant.up(factsOf(`s${at}`), 60_000);

  world.clock.advance(600_000);

  expect(world.reads).toBeLessThanOrEqual(120);
  expect(world.told.filter(({ kind }) => kind === 'interim').length).toBeGreaterThan(9_000);
});

test('first Interim-Updates of sessions that came together are spread over the interval', () => {
  const world = new World().ready();
  for (let at = 0; at < 1_000; at++) world.accountant.up(factsOf(`s${at}`), 60_000);

  const shares = Array.from({ length: 12 }, () => {
    const before = world.told.length;
    world.clock.advance(5_000);
    return world.told.length - before;
  });

  expect(Math.max(...shares.slice(1))).toBeLessThan(150);
});

test('an engine that does not answer holds up neither Stops nor the next sweep', () => {
  const world = new World().ready();
  world.accountant.up(factsOf('a'), 60_000);
  world.accountant.up(factsOf('b'), 60_000);
  world.readsAnswered = false;
  world.clock.advance(120_000);
  world.accountant.ended('b', { usage: usageOf(3), terminateCause: 1 });
  world.readsAnswered = true;
  world.clock.advance(20_000);

  expect(world.kinds('b')).toEqual(['start', 'stop']);
  expect(world.kinds('a')).toContain('interim');
});

describe('the node', () => {
  test('tells Accounting-On first, and its sessions after that', () => {
    const world = new World();
    world.accountant.nodeUp(nas);
    world.accountant.up(factsOf('a'), 0);

    world.clock.advance(1_000);

    expect(world.told.map(({ kind }) => kind)).toEqual(['on', 'start']);
  });

  test('waits with Accounting-On for what the process before has left', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 0);
    world.clock.advance(100);
    world.answers = () => false;
    world.accountant.ended('a', { usage: usageOf(9), terminateCause: 1 });
    world.accountant.up(factsOf('b'), 0);
    world.clock.advance(10);
    world.told.length = 0;

    const accountant = world.start();
    accountant.recover(world.disk.recovered(), () => false);
    accountant.nodeUp(nas);
    accountant.up(factsOf('c'), 0);
    world.clock.advance(3_000);
    world.answers = () => true;
    accountant.hurry();
    world.clock.advance(1_000);

    const order = world.told.map((record) => `${streamOf(record)} ${record.kind}`);
    expect(order.slice(0, 3).toSorted()).toEqual(['a stop', 'b start', 'b stop']);
    expect(order.slice(3)).toEqual(['node on', 'c start']);
  });

  test('does not wait for servers that are away: sessions are told when they can be', () => {
    const world = new World();
    world.answers = () => false;
    world.accountant.nodeUp(nas);
    world.accountant.up(factsOf('a'), 0);
    world.clock.advance(30_000);
    world.answers = () => true;
    world.accountant.hurry();
    world.clock.advance(1_000);

    expect(world.told.map(({ kind }) => kind).toSorted()).toEqual(['on', 'start']);
  });

  test('is told nothing of when it takes sessions over', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 60_000);
    world.clock.advance(100);
    world.told.length = 0;

    const accountant = world.start();
    accountant.recover(world.disk.recovered(), () => true);
    accountant.nodeUp(nas);
    world.clock.advance(61_000);
    accountant.ended('a', { usage: usageOf(4), terminateCause: 1 });
    world.clock.advance(1_000);

    expect(world.told.map(({ kind }) => kind)).toEqual(['interim', 'stop']);
    expect(world.told.at(-1)).toMatchObject({ uptimeMs: 61_100 });
  });

  test('tells Accounting-Off after the last Stop, then is done', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 0);
    world.accountant.ended('a', { usage: usageOf(1), terminateCause: 7 });
    let isDone = false;

    world.accountant.nodeDown(nas, () => {
      isDone = true;
    });
    world.clock.advance(500);

    expect([world.told.map(({ kind }) => kind), isDone]).toEqual([['on', 'start', 'stop', 'off'], true]);
  });

  test('is done within five seconds though no server answers, and tells the rest next time', () => {
    const world = new World().ready();
    world.accountant.up(factsOf('a'), 0);
    world.clock.advance(100);
    world.answers = () => false;
    world.accountant.ended('a', { usage: usageOf(1), terminateCause: 7 });
    let isDone = false;
    world.accountant.nodeDown(nas, () => {
      isDone = true;
    });
    world.clock.advance(5_000);
    expect(isDone).toBe(true);

    world.answers = () => true;
    const accountant = world.start();
    accountant.recover(world.disk.recovered(), () => false);
    accountant.nodeUp(nas);
    world.clock.advance(1_000);

    // The new Accounting-On says what the Accounting-Off would have said.
    expect(world.told.map(({ kind }) => kind)).toEqual(['on', 'start', 'stop', 'on']);
    expect(world.disk.state.pending.size).toBe(0);
  });
});

test.each([
  ['has been told is told no more', true, ['start']],
  ['is still on its way has a Stop behind it', false, ['start', 'stop']],
])('a session that another node has buried while it was up, and whose Start %s', (_, isTold, kinds) => {
  const world = new World().ready();
  world.answers = () => isTold;
  world.accountant.up(factsOf('a'), 0);
  world.clock.advance(100);

  world.accountant.abandon('a');
  world.answers = () => true;
  world.clock.advance(10_000);

  expect(world.of('a').map(({ kind }) => kind)).toEqual(kinds);
  expect([world.disk.state.pending.size, world.disk.state.sessions.size]).toEqual([0, 0]);
});

test.each([
  ['told', true, ['stop']],
  ['forgotten', false, []],
] as const)(
  "the Stop of a dead node's session waits until it is decided who tells it, and is %s",
  (_, isOurs, kinds) => {
    const world = new World().ready();
    let decide: (isOurs: boolean) => void = () => {};
    const known = { atMs: world.clock.wallMs(), uptimeMs: 5, usage: usageOf(1) };

    world.accountant.bury([{ facts: factsOf('a'), known }], (how) => {
      decide = how;
    });
    world.clock.advance(10_000);
    expect([world.of('a'), world.disk.state.pending.size]).toEqual([[], 1]);
    decide(isOurs);
    world.clock.advance(1_000);

    expect(world.of('a').map(({ kind }) => kind)).toEqual(kinds);
    expect(world.disk.state.pending.size).toBe(0);
  },
);

test('the Stop of a session that this node buries is told also by the next process', () => {
  const world = new World().ready();
  const facts = factsOf('a');
  const nasOfDead = { ...facts.identity.nas, identifier: 'bras-2' };
  const buried = { ...facts, identity: { ...facts.identity, nas: nasOfDead } };
  const known = { atMs: world.clock.wallMs(), uptimeMs: 5, usage: usageOf(1) };
  world.accountant.bury([{ facts: buried, known }], () => {});
  world.clock.advance(100);
  const recovered = world.disk.recovered();
  const asked = sessionIdsIn(recovered, nas.identifier);

  const accountant = world.start();
  accountant.recover(
    recovered,
    () => false,
    (sessionId) => asked.includes(sessionId),
  );
  world.clock.advance(1_000);

  expect(world.of('a').map(({ kind }) => kind)).toEqual(['stop']);
});

test('nothing more is told of a session that another node has buried, not even its Start', () => {
  const world = new World().ready();
  world.answers = () => false;
  for (const sessionId of ['a', 'b', 'c']) world.accountant.up(factsOf(sessionId), 0);
  world.accountant.ended('b', { usage: usageOf(1), terminateCause: 1 });
  world.clock.advance(100);
  const recovered = world.disk.recovered();
  expect(sessionIdsIn(recovered, nas.identifier).toSorted()).toEqual(['a', 'b', 'c']);

  world.answers = () => true;
  const accountant = world.start();
  accountant.recover(
    recovered,
    () => false,
    (sessionId) => sessionId !== 'c',
  );
  world.clock.advance(1_000);

  expect([world.of('a'), world.of('b')]).toEqual([[], []]);
  expect(world.of('c').map(({ kind }) => kind)).toEqual(['start', 'stop']);
  expect([world.disk.state.pending.size, world.disk.state.sessions.size]).toEqual([0, 0]);
});

test.each([
  ['the machine started anew', true, 11],
  ['only the engine has gone', false, 3],
])('a session that the engine lost is stopped as it was last known, if %s', (_, hasRebooted, cause) => {
  const world = new World().ready();
  world.accountant.up(factsOf('a'), 0);
  world.counters.set('a', usageOf(700));
  world.clock.advance(66_000);
  const known = world.disk.state.sessions.get('a')?.known;
  world.clock.advance(20_000);

  const accountant = world.start();
  accountant.recover(world.disk.recovered(hasRebooted), () => false);
  world.clock.advance(1_000);

  expect(world.of('a').at(-1)).toEqual({
    kind: 'stop',
    facts: factsOf('a'),
    ...known,
    terminateCause: cause,
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'over losses, kills and reboots each session has one Start and one Stop, in order, with its last counters (seed %i)',
  (seed) => {
    const world = new World(seed);
    const { random, clock, counters, disk } = world;
    let accountant = world.ready().accountant;
    world.answers = () => below(random, 5) > 0;
    const live = new Map<string, number>();
    let made = 0;
    for (let step = 0; step < 1_500; step++) {
      const dice = below(random, 100);
      const names = [...live.keys()];
      const name = names[below(random, Math.max(1, names.length))];
      if (dice < 20) {
        made += 1;
        live.set(`s${made}`, 0);
        accountant.up(factsOf(`s${made}`), below(random, 2) * 60_000);
      } else if (dice < 60 && name !== undefined) {
        const octets = (live.get(name) ?? 0) + below(random, 10_000);
        live.set(name, octets);
        counters.set(name, usageOf(octets));
      } else if (dice < 75 && name !== undefined) {
        accountant.ended(name, { usage: usageOf(live.get(name) ?? 0), terminateCause: 1 });
        live.delete(name);
      } else if (dice < 77) {
        accountant = world.start();
        const isHeld = new Set(names.filter(() => below(random, 2) === 0));
        accountant.recover(disk.recovered(below(random, 2) === 0), (sessionId) => isHeld.has(sessionId));
        for (const lost of names) if (!isHeld.has(lost)) live.delete(lost);
        accountant.nodeUp(nas);
      }
      clock.advance(below(random, 2_000));
    }
    for (const [name, octets] of live) accountant.ended(name, { usage: usageOf(octets), terminateCause: 1 });
    world.answers = () => true;
    accountant.hurry();
    clock.advance(600_000);

    expect([disk.state.pending.size, disk.state.sessions.size], `seed ${seed}`).toEqual([0, 0]);
    for (let at = 1; at <= made; at++) {
      // A record that was acknowledged to a process that had just been killed is told again: the same record.
      const records = [...new Set(world.of(`s${at}`))];
      const kinds = records.map(({ kind }) => kind);
      expect(
        kinds.filter((kind) => kind !== 'interim'),
        `s${at}, seed ${seed}`,
      ).toEqual(['start', 'stop']);
      expect([kinds[0], kinds.at(-1)], `s${at}, seed ${seed}`).toEqual(['start', 'stop']);
      const octets = records.map((record) => ('usage' in record ? record.usage.receivedOctets : 0n));
      expect(octets, `s${at}, seed ${seed}`).toEqual(octets.toSorted((one, other) => Number(one - other)));
    }
  },
);
