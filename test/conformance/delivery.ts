/**
 * What every Delivery promises, however it keeps its entries: nothing is lost, order within a stream holds, Interim-Updates
 * give way to newer ones, a restart delivers what was left. The world that a suite is run in brings its own clock: virtual
 * where the delivery needs nothing but memory, real where it speaks with a service.
 */

import { afterEach, describe, expect, test } from 'vitest';
import type { Delivery, Entry, Sender } from '../../src/accounting/delivery.ts';
import { type AccountingRecord, streamOf } from '../../src/accounting/record.ts';
import type { Clock } from '../../src/base/clock.ts';
import { below, type Random, seededRandom } from '../../src/base/random.ts';

/** What the suite gives to the delivery under test. */
export interface Surroundings {
  readonly send: Sender;
  done(number: number): void;
  readonly random: Random;
}

export interface DeliveryWorld {
  readonly clock: Clock;
  /** A delivery as a process has it from its start. The one before, if any, has been killed. */
  start(surroundings: Surroundings): Promise<Delivery>;
  /** Ends the process without a word, as kill -9 does: what the delivery had in its own memory is gone. */
  kill(): Promise<void>;
  /** Lets time pass until `condition` holds; fails the test if it never does. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** The suite, for the delivery called `name`. */
export function describeDelivery(name: string, makeWorld: () => Promise<DeliveryWorld>): void {
  describe(`${name} as a delivery`, () => {
    let bench: Bench;
    const open = async (seed = 1) => {
      bench = new Bench(await makeWorld(), seed);
      await bench.start();
      return bench;
    };
    afterEach(() => bench.close());

    test('tells every record of a session, in its order', async () => {
      const { server } = await open();

      bench.keep(...recordsOf('a', 'start', 'interim', 'stop'), ...recordsOf('b', 'start', 'stop'));
      await bench.untilAllDone();

      expect(server.acknowledged('a')).toEqual(['start', 'interim', 'stop']);
      expect(server.acknowledged('b')).toEqual(['start', 'stop']);
    });

    test('asks for one record of a session at a time', async () => {
      const { server } = await open();
      server.answer = () => undefined;

      bench.keep(...recordsOf('a', 'start', 'interim', 'stop'));
      bench.keep(...recordsOf('b', 'start'));
      await bench.world.until(() => server.open.length === 2);

      expect(server.open.map(({ record }) => record.kind)).toEqual(['start', 'start']);
      server.answerOpen(true);
      await bench.world.until(() => server.open.length === 1);
      expect(server.open.map(({ record }) => record.kind)).toEqual(['interim']);
    });

    test('tries again without end, and keeps the order while it does', async () => {
      const { server } = await open();
      let silences = 8;
      server.answer = () => silences-- <= 0;

      bench.keep(...recordsOf('a', 'start', 'interim', 'stop'));
      await bench.untilAllDone();

      expect(server.acknowledged('a')).toEqual(['start', 'interim', 'stop']);
      expect(server.asked('a')).toEqual([...Array(9).fill('start'), 'interim', 'stop']);
    });

    test('one Interim-Update of a session waits, the newest', async () => {
      const { server } = await open();
      server.answer = () => undefined;
      const records = recordsOf('a', 'start', 'interim', 'interim', 'interim', 'stop');

      bench.keep(...records);
      await bench.world.until(() => server.open.length === 1);
      server.answer = () => true;
      server.answerOpen(true);
      await bench.untilAllDone();

      expect(server.acknowledged('a')).toEqual(['start', 'interim', 'stop']);
      expect(server.acknowledgedEntries('a')[1]?.record).toEqual(records[3]);
    });

    test('an Interim-Update that was tried in vain gives way to a newer one', async () => {
      const { server } = await open();
      const [start, first, second] = recordsOf('a', 'start', 'interim', 'interim');
      bench.keep(start);
      await bench.untilAllDone();
      server.answer = () => undefined;
      bench.keep(first);
      await bench.world.until(() => server.open.length === 1);

      bench.keep(second);
      server.answer = () => true;
      server.answerOpen(false);
      await bench.untilAllDone();

      expect(server.acknowledgedEntries('a').map(({ record }) => record)).toEqual([start, second]);
    });

    test('a session that no server will have holds up no other', async () => {
      const { server } = await open();
      server.answer = ({ record }) => streamOf(record) !== 'poison';

      bench.keep(...recordsOf('poison', 'start', 'stop'));
      for (let at = 0; at < 50; at++) bench.keep(...recordsOf(`a${at}`, 'start', 'stop'));
      await bench.world.until(() => bench.done.size === 100);

      expect(server.acknowledged('poison')).toEqual([]);
      expect(bench.left.map(({ record }) => streamOf(record))).toEqual(['poison', 'poison']);
    });

    test('when a server is back, what rested is told at once', async () => {
      const { server } = await open();
      server.answer = () => false;
      bench.keep(...recordsOf('a', 'start'), ...recordsOf('b', 'start'));
      await bench.world.until(() => server.asked('a').length > 6 && server.asked('b').length > 6);

      server.answer = () => true;
      const beforeMs = bench.world.clock.nowMs();
      bench.delivery.hurry();
      await bench.untilAllDone();

      expect(bench.world.clock.nowMs() - beforeMs).toBeLessThan(1000);
    });

    test('counts what it has not told yet', async () => {
      const { server } = await open();
      server.answer = () => undefined;

      bench.keep(...recordsOf('a', 'start', 'stop'), ...recordsOf('b', 'start'));
      await bench.world.until(() => server.open.length === 2);
      expect(bench.delivery.pending).toBe(3);
      server.answer = () => true;
      server.answerOpen(true);
      await bench.world.until(() => bench.delivery.pending === 0);
    });

    test('after close it asks for nothing more', async () => {
      const { server } = await open();
      server.answer = () => false;
      bench.keep(...recordsOf('a', 'start'));
      await bench.world.until(() => server.asked('a').length > 0);

      let isClosed = false;
      bench.delivery.close(() => {
        isClosed = true;
      });
      await bench.world.until(() => isClosed);
      const asked = server.asked('a').length;
      let isLater = false;
      bench.world.clock.arm(1500, () => {
        isLater = true;
      });
      await bench.world.until(() => isLater);

      expect(server.asked('a').length).toBe(asked);
    });

    test.each([1, 2, 3, 4, 5])(
      'loses and disorders nothing over silences and kills (seed %i)',
      async (seed) => {
        const { server, random } = await open(seed);
        server.answer = () => below(random, 10) > 2;
        server.delayMs = () => below(random, 40);
        const sessions = Array.from({ length: 40 }, (_, at) => `s${at}`);
        const scripts = new Map(sessions.map((name) => [name, randomLife(name, random)]));

        for (let round = 0; round < 4; round++) {
          for (let step = 0; step < 60; step++) {
            const name = sessions[below(random, sessions.length)] ?? '';
            const record = scripts.get(name)?.shift();
            if (record !== undefined) bench.keep(record);
          }
          const goal = bench.done.size + below(random, 30);
          await bench.world.until(() => bench.done.size >= goal || bench.left.length === 0);
          await bench.restart();
        }
        for (const rest of scripts.values()) bench.keep(...rest);
        await bench.untilAllDone();

        for (const name of sessions) {
          const numbers = server.acknowledgedEntries(name).map(({ number }) => number);
          const kinds = [...new Set(numbers)].map((number) => bench.kindOf(number));
          expect(numbers, `order of ${name}, seed ${seed}`).toEqual(numbers.toSorted((a, b) => a - b));
          expect([kinds.at(0), kinds.at(-1)], `ends of ${name}, seed ${seed}`).toEqual(['start', 'stop']);
        }
      },
    );
  });
}

/** A server that can be told how to answer: true acknowledges, false stays silent until given up, undefined says nothing yet. */
class Server {
  answer: (entry: Entry) => boolean | undefined = () => true;
  delayMs: () => number = () => 1;
  readonly #clock: Clock;
  readonly #asked: Entry[] = [];
  readonly #acknowledged: Entry[] = [];
  #open: { entry: Entry; done: (delivered: boolean) => void }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A process's way to the server. What it asks after it was killed nobody hears. */
  sender(isAlive: () => boolean): Sender {
    return (entry, done) => {
      if (!isAlive()) return;
      this.#asked.push(entry);
      const answer = this.answer(entry);
      if (answer === undefined) {
        this.#open.push({ entry, done });
        return;
      }
      // The server has it now; its answer may come when the process that asked is no more.
      if (answer) this.#acknowledged.push(entry);
      this.#clock.arm(this.delayMs(), () => isAlive() && done(answer));
    };
  }

  get open(): readonly Entry[] {
    return this.#open.map(({ entry }) => entry);
  }

  answerOpen(delivered: boolean): void {
    const open = this.#open;
    this.#open = [];
    for (const { entry, done } of open) {
      if (delivered) this.#acknowledged.push(entry);
      done(delivered);
    }
  }

  asked(stream: string): string[] {
    return this.#asked.filter(({ record }) => streamOf(record) === stream).map(({ record }) => record.kind);
  }

  acknowledgedEntries(stream: string): Entry[] {
    return this.#acknowledged.filter(({ record }) => streamOf(record) === stream);
  }

  acknowledged(stream: string): string[] {
    return this.acknowledgedEntries(stream).map(({ record }) => record.kind);
  }
}

/** The journal's part: numbers the records, knows which are done, and after a kill delivers the others again. */
class Bench {
  readonly world: DeliveryWorld;
  readonly server: Server;
  readonly random: Random;
  readonly done = new Set<number>();
  readonly #entries: Entry[] = [];
  #delivery: Delivery | undefined;
  #life = 0;

  constructor(world: DeliveryWorld, seed: number) {
    this.world = world;
    this.server = new Server(world.clock);
    this.random = seededRandom(seed);
  }

  get delivery(): Delivery {
    if (this.#delivery === undefined) throw new Error('the delivery has not been started');
    return this.#delivery;
  }

  get left(): readonly Entry[] {
    return this.#entries.filter(({ number }) => !this.done.has(number));
  }

  kindOf(number: number): string | undefined {
    return this.#entries[number]?.record.kind;
  }

  async start(): Promise<void> {
    this.#life += 1;
    const life = this.#life;
    this.#delivery = await this.world.start({
      send: this.server.sender(() => life === this.#life),
      done: (number) => {
        if (life !== this.#life) return;
        expect(this.done.has(number), `entry ${number} is done once`).toBe(false);
        this.done.add(number);
      },
      random: this.random,
    });
    for (const entry of this.left) this.#delivery.deliver(entry);
  }

  async restart(): Promise<void> {
    this.#life += 1;
    await this.world.kill();
    await this.start();
  }

  keep(...records: readonly AccountingRecord[]): void {
    for (const record of records) {
      const entry = { number: this.#entries.length, record };
      this.#entries.push(entry);
      this.delivery.deliver(entry);
    }
  }

  /** Until the journal may forget all, and the servers have had it. */
  async untilAllDone(): Promise<void> {
    await this.world.until(() => this.left.length === 0 && this.delivery.pending === 0);
  }

  async close(): Promise<void> {
    this.#life += 1;
    await this.world.close();
  }
}

const address = (last: number) => (10 << 24) + last;

/** Records of one session, one of each kind named, in this order. */
export function recordsOf<const Kinds extends readonly ('start' | 'interim' | 'stop')[]>(
  sessionId: string,
  ...kinds: Kinds
): { readonly [Index in keyof Kinds]: AccountingRecord } {
  const facts = {
    identity: {
      nas: { identifier: 'nas', address: address(1) },
      sessionId,
      nasPort: 7,
      nasPortId: 'pptp-7',
      peerAddress: address(2),
      localAddress: address(3),
      connectInfo: '',
    },
    user: 'someone',
    authentic: 'radius' as const,
    framedAddress: address(4),
    classes: [new Uint8Array([1, 2, 255])],
  };
  const records = kinds.map((kind, at): AccountingRecord => {
    const atMs = Date.UTC(2026, 0, 1) + at * 1000;
    if (kind === 'start') return { kind, facts, atMs };
    const octets = 2n ** 33n + BigInt(at);
    const usage = {
      receivedOctets: octets,
      transmittedOctets: octets,
      receivedPackets: BigInt(at),
      transmittedPackets: 0n,
    };
    const use = { facts, atMs, uptimeMs: at * 1000, usage };
    return kind === 'stop' ? { kind, ...use, terminateCause: 1 } : { kind, ...use };
  });
  return records as { readonly [Index in keyof Kinds]: AccountingRecord };
}

function randomLife(sessionId: string, random: Random): AccountingRecord[] {
  const interims = Array.from({ length: below(random, 5) }, () => 'interim' as const);
  return [...recordsOf(sessionId, 'start', ...interims, 'stop')];
}
