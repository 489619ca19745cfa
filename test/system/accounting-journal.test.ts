/** The journal on real disks: one that is killed, one that is full, one that another process uses, one that has lost lines. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/accounting/delivery.ts';
import { type Journal, openJournal } from '../../src/accounting/journal.io.ts';
import { encodeLine } from '../../src/accounting/journal.ts';
import type { AccountingRecord } from '../../src/accounting/record.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { factsOf, startOf, stopOf, usageOf } from '../unit/accounting/facts.ts';

let directory = '';
let lines: string[] = [];
/** Told of each line. */
let onLine: (line: string) => void = () => {};
const log = (severity: string, _topics: string, text: string): void => {
  lines.push(`${severity} ${text}`);
  onLine(`${severity} ${text}`);
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const options = (more: { segmentOctetsMax?: number } = {}) => ({
  directory,
  clock: systemClock,
  log,
  ...more,
});

const keep = ({ ledger }: Journal, record: AccountingRecord): Promise<Entry> =>
  new Promise((kept) => ledger.record(record, kept));

const close = ({ ledger }: Journal): Promise<void> => new Promise((closed) => ledger.close(closed));

test('what was kept is there for the next process, and a mark that no process had', async () => {
  const first = await openJournal(options());
  await keep(first, startOf('a'));
  await keep(first, startOf('b'));
  await keep(first, stopOf('b', 2n ** 40n, 5_000));
  first.ledger.open({
    facts: factsOf('a'),
    interimMs: 60_000,
    known: { atMs: 7, uptimeMs: 5, usage: usageOf(9) },
  });
  first.ledger.done(0);
  const sent = { server: 's', port: 5, octets: Uint8Array.of(4, 1) };
  await new Promise<void>((written) => first.ledger.sent(1, sent, written));
  await close(first);

  const { recovered, ...second } = await openJournal(options());
  await close({ recovered, ...second });

  expect(recovered.pending).toEqual([
    { number: 1, record: startOf('b'), sent },
    { number: 2, record: stopOf('b', 2n ** 40n, 5_000) },
  ]);
  expect(recovered.sessions).toEqual([
    { facts: factsOf('a'), interimMs: 60_000, known: { atMs: 7, uptimeMs: 5, usage: usageOf(9) } },
  ]);
  expect(recovered.mark).toBeGreaterThan(first.recovered.mark);
  expect([first.recovered.hasRebooted, recovered.hasRebooted]).toEqual([true, false]);
  expect(lines).toEqual([]);
});

test('a second process is kept out, and let in when the first has gone', async () => {
  const first = await openJournal(options());

  await expect(openJournal(options())).rejects.toMatchObject({ code: 'JOURNAL_IN_USE', owner: 'operator' });
  await close(first);
  await close(await openJournal(options()));
});

test('a folder that cannot be used is a fault that names it', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');

  const opened = openJournal({ directory: join(file, 'journal'), clock: systemClock, log: silent });

  await expect(opened).rejects.toMatchObject({
    code: 'JOURNAL_UNUSABLE',
    message: expect.stringContaining(file),
  });
});

test('the folder does not grow with what is done', async () => {
  const journal = await openJournal(options({ segmentOctetsMax: 50_000 }));
  for (let at = 0; at < 100; at++) {
    const kept = Array.from({ length: 20 }, (_, each) => keep(journal, stopOf(`s${at}-${each}`, at, at)));
    for (const { number } of await Promise.all(kept)) journal.ledger.done(number);
  }
  await close(journal);

  const sizes = readdirSync(directory).map((name) => readFileSync(join(directory, name)).length);
  expect(sizes.length).toBeLessThanOrEqual(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
});

test('damage is told with file and line and put aside, and what follows it is read', async () => {
  const first = await openJournal(options());
  for (const name of ['a', 'b', 'c']) await keep(first, startOf(name));
  await close(first);
  const [name = ''] = readdirSync(directory);
  const file = join(directory, name);
  const text = readFileSync(file, 'utf8').replace('"sessionId":"b"', '"sessionId":"x"');
  const torn = encodeLine({ is: 'done', number: 0 }).slice(0, -5);
  writeFileSync(file, text + torn);

  const second = await openJournal(options());
  await close(second);

  expect(second.recovered.pending.map(({ number }) => number)).toEqual([0, 2]);
  expect(lines).toEqual([
    `error line 4 of ${file} is damaged: what it said is lost`,
    `info line 6 of ${file} is torn: the process before was killed as it wrote it`,
  ]);
  expect(readdirSync(directory).sort()).toEqual([`${name}.damaged`, 'journal-00000002']);
});

const canMount = process.getuid?.() === 0;

describe.skipIf(!canMount)('on a disk that is full', () => {
  let disk = '';
  beforeEach(() => {
    disk = join(directory, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk]);
  });
  afterEach(() => execFileSync('umount', [disk]));

  test('accounting goes on, and the journal has everything when there is room again', async () => {
    const own = { ...options(), directory: join(disk, 'accounting') };
    const journal = await openJournal(own);
    await keep(journal, startOf('before'));
    const ballast = join(disk, 'ballast');
    expect(() => writeFileSync(ballast, Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');

    for (let at = 0; journal.ledger.isHealthy; at++) await keep(journal, startOf(`s${at}`));
    const { number } = await keep(journal, stopOf('before', 5, 5));
    const isMended = new Promise<void>((mended) => {
      onLine = (line) => line.startsWith('warning') && mended();
    });
    rmSync(ballast);
    await isMended;
    await close(journal);
    const next = await openJournal(own);
    await close(next);

    expect(next.recovered.pending.find((entry) => entry.number === number)?.record).toEqual(
      stopOf('before', 5, 5),
    );
    expect(next.recovered.pending.length).toBe(journal.ledger.pending);
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'error the disk does not take the accounting journal',
      'warning the disk takes the accounting journal again',
    ]);
  });

  test('a node starts all the same', async () => {
    const ballast = join(disk, 'ballast');
    mkdirSync(join(disk, 'accounting'));
    expect(() => writeFileSync(ballast, Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');

    const journal = await openJournal({ ...options(), directory: join(disk, 'accounting') });
    await keep(journal, startOf('a'));
    expect(journal.ledger.isHealthy).toBe(false);
    await close(journal);
  });
});
