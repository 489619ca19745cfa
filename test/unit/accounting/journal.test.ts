import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/accounting/crc32.ts';
import { decodeLine, encodeLine, type JournalLine } from '../../../src/accounting/journal.ts';
import { LedgerState, noUsage } from '../../../src/accounting/ledger.ts';
import { type Damage, recover } from '../../../src/accounting/recovery.ts';
import { concat, toBytes } from '../../../src/base/bytes.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { factsOf, interimOf, startOf, stopOf, usageOf } from './facts.ts';

const known = { atMs: 1_700_000_000_000, uptimeMs: 61_000, usage: usageOf(2n ** 63n) };
const sent = { server: '192.0.2.9:1813', port: 40_123, octets: Uint8Array.from([4, 0, 255, 128]) };

const everyKind: readonly JournalLine[] = [
  { is: 'segment', format: 1, machine: 'a-boot-id', mark: 1_700_000_000, next: 17 },
  { is: 'open', session: { facts: factsOf('s1', [Uint8Array.of(0, 255)]), interimMs: 60_000, known } },
  { is: 'record', number: 17, record: startOf('s1') },
  { is: 'record', number: 18, record: interimOf('s1', 2n ** 40n, 60_000) },
  { is: 'record', number: 19, record: stopOf('s1', 2n ** 40n, 61_000) },
  {
    is: 'record',
    number: 20,
    record: { kind: 'on', nas: { identifier: 'n', address: undefined }, sessionId: 'n0', atMs: 5 },
  },
  { is: 'sent', number: 17, sent },
  { is: 'done', number: 17 },
  { is: 'usage', sessionId: 's1', known },
  { is: 'whole' },
];

describe('a line', () => {
  test('of every kind is read as it was written', () => {
    for (const line of everyKind) expect(decodeLine(body(line))).toEqual(line);
  });

  test('is text that a person can find', () => {
    expect(encodeLine({ is: 'done', number: 4711 })).toBe('5036e568 {"is":"done","number":4711}\n');
  });

  test('is refused if any of its bits is another', () => {
    const line = body({ is: 'done', number: 4711 });
    for (let bit = 0; bit < line.length * 8; bit++) {
      const mangled = line.slice();
      mangled[bit >> 3] = (mangled[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeLine(mangled), `bit ${bit}`).toBe('corrupt');
    }
  });

  test('that is cut anywhere is refused', () => {
    const line = body(everyKind[3] as JournalLine);
    for (let size = 0; size < line.length; size++) expect(decodeLine(line.subarray(0, size))).toBe('corrupt');
  });

  test.each(['{"is":"merged"}', '{"is":"done"}', '{"is":"done","number":"1"}', '[]', 'null', 'words'])(
    'that is whole but not ours is told apart: %s',
    (json) => {
      expect(decodeLine(toBytes(`${crc32(toBytes(json)).toString(16).padStart(8, '0')} ${json}`))).toBe(
        'unknown',
      );
    },
  );

  test('lets pass what a newer program has added to it', () => {
    const json = '{"is":"done","number":5,"why":"because"}';
    const line = toBytes(`${crc32(toBytes(json)).toString(16).padStart(8, '0')} ${json}`);

    expect(decodeLine(line)).toEqual({ is: 'done', number: 5 });
  });
});

test('the check is that of IEEE 802.3', () => {
  expect(crc32(toBytes('123456789'))).toBe(0xcbf43926);
});

describe('recovery', () => {
  test('finds the pending records in order, and the open sessions with their last counters', () => {
    const state = recovered([
      { is: 'segment', format: 1, machine: 'm', mark: 7, next: 5 },
      { is: 'whole' },
      {
        is: 'open',
        session: { facts: factsOf('a'), interimMs: 60_000, known: { ...known, usage: noUsage, uptimeMs: 0 } },
      },
      { is: 'record', number: 5, record: startOf('a') },
      { is: 'record', number: 6, record: startOf('b') },
      { is: 'sent', number: 6, sent },
      { is: 'done', number: 5 },
      { is: 'usage', sessionId: 'a', known },
      { is: 'record', number: 7, record: stopOf('b', 5, 10) },
    ]);

    expect([...state.pending.values()]).toEqual([
      { number: 6, record: startOf('b'), sent },
      { number: 7, record: stopOf('b', 5, 10) },
    ]);
    expect([...state.sessions.values()]).toEqual([{ facts: factsOf('a'), interimMs: 60_000, known }]);
    expect([state.next, state.mark, state.machine]).toEqual([8, 7, 'm']);
  });

  test('a session whose opening line is damaged is known from its records', () => {
    const state = recovered([
      { is: 'record', number: 1, record: startOf('a') },
      { is: 'record', number: 2, record: interimOf('b', 700, 60_000) },
    ]);

    expect([...state.sessions.keys()]).toEqual(['a', 'b']);
    expect(state.sessions.get('b')?.known.usage).toEqual(usageOf(700));
  });

  test('the newest whole segment speaks alone; one that was not finished only adds', () => {
    const old = segment('1', [
      ...opening(new LedgerState()),
      { is: 'record', number: 0, record: startOf('old') },
    ]);
    const whole = segment('2', [
      ...opening(new LedgerState()),
      { is: 'record', number: 1, record: startOf('a') },
    ]);
    const begun = segment('3', [
      { is: 'segment', format: 1, machine: 'm', mark: 9, next: 2 },
      { is: 'open', session: { facts: factsOf('a'), interimMs: 30_000, known } },
    ]);

    const state = recover([old, whole, begun], () => expect.unreachable());

    expect([...state.pending.keys()]).toEqual([1]);
    expect([...state.sessions.values()]).toEqual([{ facts: factsOf('a'), interimMs: 30_000, known }]);
    expect(state.mark).toBe(9);
  });

  test('a journal that is cut at any octet loses only the line that is cut', () => {
    const lines = everyKind.slice(0, -1);
    const octets = concat(...lines.map((line) => toBytes(encodeLine(line))));
    let end = 0;
    const ends = lines.map((line) => {
      end += toBytes(encodeLine(line)).length;
      return end;
    });

    for (let size = 0; size <= octets.length; size++) {
      const damages: Damage[] = [];
      const state = recover([{ file: 'f', octets: octets.subarray(0, size) }], (damage) =>
        damages.push(damage),
      );

      // A line lacks nothing but its line feed: it is good.
      const good = ends.filter((end) => end <= size + 1).length;
      expect(seen(state), `cut at ${size}`).toEqual(seen(applied(lines.slice(0, good))));
      const isTorn = size > (ends[good - 1] ?? 0);
      expect(damages).toEqual(isTorn ? [{ file: 'f', line: good + 1, is: 'torn' }] : []);
    }
  });

  test('a damaged line is told with file and number, and what follows is read', () => {
    const seed = 11;
    const random = seededRandom(seed);
    const lines = Array.from(
      { length: 40 },
      (_, number): JournalLine => ({ is: 'record', number, record: startOf(`s${number}`) }),
    );
    for (let round = 0; round < 200; round++) {
      const texts = lines.map((line) => toBytes(encodeLine(line)));
      const hit = below(random, 40);
      const at = below(random, (texts[hit]?.length ?? 0) - 1);
      const mangled = texts[hit] as Uint8Array;
      // Not into a line feed: that is two damaged lines.
      const other = ((mangled[at] ?? 0) + 1 + below(random, 255)) & 255;
      if (other === 10) continue;
      mangled[at] = other;
      const damages: Damage[] = [];

      const state = recover([{ file: 'f', octets: concat(...texts) }], (damage) => damages.push(damage));

      expect(damages, `seed ${seed}`).toEqual([{ file: 'f', line: hit + 1, is: 'corrupt' }]);
      expect([...state.pending.keys()]).toEqual(
        lines.map((_, number) => number).filter((number) => number !== hit),
      );
    }
  });
});

test('an opening amounts to the state that it was made of', () => {
  const state = applied(everyKind.slice(0, 7));

  expect(seen(applied([...opening(state)]))).toEqual(seen(state));
});

function body(line: JournalLine): Uint8Array {
  return toBytes(encodeLine(line).slice(0, -1));
}

function opening(state: LedgerState): JournalLine[] {
  return [...state.opening('m', 3)];
}

function segment(file: string, lines: readonly JournalLine[]) {
  return { file, octets: concat(...lines.map((line) => toBytes(encodeLine(line)))) };
}

function recovered(lines: readonly JournalLine[]): LedgerState {
  return recover([segment('f', lines)], () => expect.unreachable());
}

function applied(lines: readonly JournalLine[]): LedgerState {
  const state = new LedgerState();
  for (const line of lines) state.apply(line);
  return state;
}

function seen(state: LedgerState): unknown {
  return [[...state.pending.values()], [...state.sessions.values()], state.next];
}
