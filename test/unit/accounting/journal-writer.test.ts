import { expect, test } from 'vitest';
import type { Finished, SegmentStore } from '../../../src/accounting/journal-writer.ts';
import { JournalWriter } from '../../../src/accounting/journal-writer.ts';
import { LedgerState } from '../../../src/accounting/ledger.ts';
import { recover } from '../../../src/accounting/recovery.ts';
import { toBytes } from '../../../src/base/bytes.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import type { Log } from '../../../src/base/observe.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { factsOf, startOf, stopOf, usageOf } from './facts.ts';

/** A disk in memory: what is written survives a kill, what is synced a power cut. Slow, and it fails when told to. */
class Disk implements SegmentStore {
  segments: { written: string; synced: number }[] = [];
  fails: () => boolean = () => false;
  delayMs: () => number = () => 1;
  readonly calls: string[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  begin(lines: Iterable<string>, finished: (error: Error | undefined, octets: number) => void): void {
    const segment = { written: '', synced: 0 };
    const chunks = [...lines];
    this.#later('begin', () => {
      if (this.fails()) return finished(full, 0);
      segment.written = chunks.join('');
      segment.synced = segment.written.length;
      this.segments = [segment];
      finished(undefined, segment.synced);
    });
  }

  append(text: string, finished: Finished): void {
    const segment = this.segments.at(-1);
    this.#later('append', () => {
      if (segment === undefined || this.fails()) return finished(full);
      segment.written += text;
      finished();
    });
  }

  sync(finished: Finished): void {
    const segment = this.segments.at(-1);
    const size = segment?.written.length ?? 0;
    this.#later('sync', () => {
      if (segment === undefined || this.fails()) return finished(full);
      segment.synced = size;
      finished();
    });
  }

  close(finished: Finished): void {
    this.#later('close', () => finished());
  }

  #later(call: string, go: () => void): void {
    this.calls.push(call);
    this.#clock.arm(this.delayMs(), go);
  }

  after(what: 'kill' | 'power cut'): LedgerState {
    const segments = this.segments.map(({ written, synced }, at) => ({
      file: String(at),
      octets: toBytes(what === 'kill' ? written : written.slice(0, synced)),
    }));
    return recover(segments, () => {});
  }
}

const full = new Error('ENOSPC: no space left on device');

function bench(segmentOctetsMax?: number) {
  const clock = new VirtualClock();
  const disk = new Disk(clock);
  const logged: string[] = [];
  const log: Log = (severity, _topics, text) => logged.push(`${severity} ${text}`);
  const ports = {
    store: disk,
    clock,
    log,
    machine: 'm',
    mark: 3,
    ...(segmentOctetsMax && { segmentOctetsMax }),
  };
  const ledger = new JournalWriter(ports, new LedgerState());
  ledger.begin();
  clock.advance(10);
  return { clock, disk, ledger, logged };
}

test('a record is kept when a power cut cannot take it', () => {
  const { clock, disk, ledger } = bench();
  const kept: number[] = [];

  ledger.record(startOf('a'), ({ number }) => {
    kept.push(number);
    expect([...disk.after('power cut').pending.keys()]).toEqual([0]);
  });

  expect(kept).toEqual([]);
  clock.advance(100);
  expect(kept).toEqual([0]);
});

test('that a request is sent is written before it goes, and costs no sync', () => {
  const { clock, disk, ledger } = bench();
  ledger.record(startOf('a'), () => {});
  clock.advance(100);
  const syncs = disk.calls.filter((call) => call === 'sync').length;
  const sent = { server: 's', port: 1, octets: new Uint8Array(3) };

  let isWritten = false;
  ledger.sent(0, sent, () => {
    isWritten = true;
    expect(disk.after('kill').pending.get(0)?.sent).toEqual(sent);
  });
  clock.advance(100);

  expect(isWritten).toBe(true);
  expect(disk.calls.filter((call) => call === 'sync').length).toBe(syncs);
});

test('a thousand records at once take two writes and two syncs', () => {
  const { clock, disk, ledger } = bench();
  let kept = 0;

  for (let at = 0; at < 1_000; at++) ledger.record(startOf(`s${at}`), () => kept++);
  clock.advance(100);

  expect(kept).toBe(1_000);
  expect(disk.calls).toEqual(['begin', 'append', 'sync', 'append', 'sync']);
});

test('the disk holds no more than a few times what is true', () => {
  const { clock, disk, ledger } = bench(20_000);
  let largest = 0;

  for (let at = 0; at < 5_000; at++) {
    ledger.record(startOf('a'), ({ number }) => ledger.done(number));
    clock.advance(50);
    largest = Math.max(
      largest,
      disk.segments.reduce((sum, { written }) => sum + written.length, 0),
    );
  }

  expect(largest).toBeLessThan(25_000);
  expect(ledger.pending).toBe(0);
});

test('a disk that fails stops nothing, is told of once, and has everything when it is mended', () => {
  const { clock, disk, ledger, logged } = bench();
  disk.fails = () => true;
  const kept: number[] = [];

  for (let at = 0; at < 100; at++) {
    ledger.record(startOf(`s${at}`), ({ number }) => kept.push(number));
    clock.advance(100);
  }
  expect(kept).toEqual(Array.from({ length: 100 }, (_, at) => at));
  expect(ledger.isHealthy).toBe(false);
  ledger.record(stopOf('s5', 77, 5_000), () => {});
  ledger.done(3);
  disk.fails = () => false;
  clock.advance(1_100);

  expect(ledger.isHealthy).toBe(true);
  expect(logged.map((line) => line.split(' ')[0])).toEqual(['error', 'warning']);
  const state = disk.after('power cut');
  expect([...state.pending.keys()]).toEqual([0, 1, 2, ...Array.from({ length: 97 }, (_, at) => at + 4)]);
  expect([state.sessions.has('s5'), state.sessions.size]).toEqual([false, 99]);
});

test('a disk that fails is tried once a second', () => {
  const { clock, disk, ledger } = bench();
  disk.fails = () => true;
  ledger.record(startOf('a'), () => {});
  clock.advance(10);
  disk.calls.length = 0;

  for (let second = 0; second < 60; second++) {
    ledger.record(startOf(`s${second}`), () => {});
    clock.advance(1_000);
  }

  expect(disk.calls.filter((call) => call === 'begin').length).toBeGreaterThan(55);
  expect(disk.calls.length).toBeLessThanOrEqual(60);
});

test('closing writes what waits, and syncs it', () => {
  const { clock, disk, ledger } = bench();
  let isClosed = false;
  ledger.usage('a', { atMs: 1, uptimeMs: 1, usage: usageOf(1) });
  ledger.open({ facts: factsOf('a'), interimMs: 0, known: { atMs: 1, uptimeMs: 1, usage: usageOf(1) } });

  ledger.close(() => {
    isClosed = true;
    expect(disk.after('power cut').sessions.size).toBe(1);
  });
  clock.advance(100);

  expect(isClosed).toBe(true);
});

test.each([1, 2, 3, 4, 5, 6])(
  'whatever the disk does, what was kept while it was healthy survives (seed %i)',
  (seed) => {
    const random = seededRandom(seed);
    const { clock, disk, ledger } = bench(3_000);
    let isFailing = false;
    disk.delayMs = () => below(random, 30);
    disk.fails = () => isFailing && below(random, 3) > 0;
    const promised = new Set<number>();
    const order: number[] = [];
    let made = 0;

    for (let step = 0; step < 1_500; step++) {
      if (below(random, 100) === 0) isFailing = !isFailing;
      if (below(random, 3) > 0) {
        made += 1;
        ledger.record(startOf(`s${below(random, 50)}`), ({ number }) => {
          order.push(number);
          if (ledger.isHealthy) promised.add(number);
        });
      }
      const [done] = promised;
      if (done !== undefined && below(random, 3) > 0) {
        promised.delete(done);
        ledger.done(done);
      }
      clock.advance(below(random, 40));
      // What was kept is there, if the disk has not begun to fail since; then only memory has it, until it is mended.
      if (step % 25 > 0 || !ledger.isHealthy) continue;
      const state = disk.after('power cut');
      for (const number of promised)
        expect(state.pending.has(number), `record ${number}, step ${step}`).toBe(true);
    }
    isFailing = false;
    clock.advance(5_000);

    expect(order).toEqual(Array.from({ length: made }, (_, at) => at));
    expect(disk.after('kill').pending.size).toBe(ledger.pending);
    expect(disk.after('power cut').next).toBe(made);
  },
);
