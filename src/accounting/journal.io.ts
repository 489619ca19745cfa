/**
 * The journal on a disk: segments `journal-00000001` and so on in a folder of their own, for their owner alone, and the lock
 * that keeps a second process out. What is in the lines is recovery.ts's and journal-writer.ts's.
 */

import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { errnoOf, Fault, systemFault } from '../base/fault.ts';
import type { Log } from '../base/observe.ts';
import { type Finished, JournalWriter, type SegmentStore } from './journal-writer.ts';
import type { LedgerState, Recovered } from './ledger.ts';
import { type Damage, recover } from './recovery.ts';
import { accountingTally } from './tally.ts';

export interface JournalOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly segmentOctetsMax?: number;
}

export interface Journal {
  readonly ledger: JournalWriter;
  readonly recovered: Recovered;
}

/** Octets of an opening that are made at once: control connections want their turn in between. */
const chunkOctets = 256 * 1024;
/** Segments with damage in them are kept for people: this many, the newest. */
const damagedKept = 4;

/**
 * Opens the journal in `directory`, which is made if it is not there, and reads what a process before has left. Throws a
 * `Fault` if the folder cannot be used, or is used by another process; a disk that is full is no reason not to start.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { directory, clock, log } = options;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const folder = new Folder(directory, await lockOf(directory));
    try {
      const state = await folder.read((damage) => tell(damage, log));
      const machine = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
      const recovered = recoveredOf(state, machine, clock);
      const ledger = new JournalWriter({ ...options, store: folder, machine, mark: recovered.mark }, state);
      await new Promise<void>((begun, failed) =>
        ledger.begin((error) => (error === undefined || isFull(error) ? begun() : failed(error))),
      );
      return { ledger, recovered };
    } catch (error) {
      folder.close(() => {});
      throw error;
    }
  } catch (error) {
    throw systemFault(error, 'JOURNAL_UNUSABLE', `cannot use the accounting journal in ${directory}`, hints);
  }
}

function recoveredOf(state: LedgerState, machine: string, clock: Clock): Recovered {
  return {
    pending: [...state.pending.values()],
    sessions: [...state.sessions.values()],
    hasRebooted: state.machine !== machine,
    // The time, so that it grows even if the folder was lost; counted on where the clock stands still or was set back.
    mark: Math.max(state.mark + 1, Math.floor(clock.wallMs() / 1000)),
  };
}

function tell({ file, line, is }: Damage, log: Log): void {
  accountingTally.add('journalDamage');
  if (is === 'torn') {
    const text = `line ${line} of ${file} is torn: the process before was killed as it wrote it`;
    return log('info', 'radius,account', text, { file, line });
  }
  const text = `line ${line} of ${file} is ${is === 'corrupt' ? 'damaged' : 'of no known kind'}: what it said is lost`;
  const hint =
    is === 'corrupt'
      ? 'Is the disk in order? The file is kept beside the journal, named .damaged.'
      : 'Was the journal written by a newer version? The file is kept beside the journal, named .damaged.';
  log('error', 'radius,account', text, { file, line, hint });
}

const segmentName = /^journal-(\d{8,})$/;
const damagedName = /^journal-\d{8,}\.damaged$/;

/** The folder with its segments. */
class Folder implements SegmentStore {
  readonly #directory: string;
  readonly #lock: Server;
  /** Segments to be removed when a newer one has been begun; those with damage are put aside. */
  #older: { readonly file: string; readonly isDamaged: boolean }[] = [];
  #newest = 0;
  #file: FileHandle | undefined;
  /** What is being done with the newest segment, so that it is not closed under it. */
  #appending: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  constructor(directory: string, lock: Server) {
    this.#directory = directory;
    this.#lock = lock;
  }

  async read(tellDamage: (damage: Damage) => void): Promise<LedgerState> {
    const names = (await readdir(this.#directory)).filter((name) => segmentName.test(name));
    const numberOf = (name: string) => Number(segmentName.exec(name)?.[1]);
    names.sort((one, other) => numberOf(one) - numberOf(other));
    this.#newest = numberOf(names.at(-1) ?? 'journal-00000000');
    const files = names.map((name) => join(this.#directory, name));
    const segments = await Promise.all(files.map(async (file) => ({ file, octets: await readFile(file) })));
    const damaged = new Set<string>();
    const state = recover(segments, (damage) => {
      if (damage.is !== 'torn') damaged.add(damage.file);
      tellDamage(damage);
    });
    this.#older = files.map((file) => ({ file, isDamaged: damaged.has(file) }));
    return state;
  }

  begin(lines: Iterable<string>, finished: (error: Error | undefined, octets: number) => void): void {
    this.#begin(lines).then(
      (octets) => finished(undefined, octets),
      (error: Error) => finished(error, 0),
    );
  }

  append(text: string, finished: Finished): void {
    this.#appending = writeWhole(this.#opened, text);
    this.#appending.then(() => finished(), finished);
  }

  sync(finished: Finished): void {
    this.#syncing = this.#opened.datasync();
    this.#syncing.then(() => finished(), finished);
  }

  close(finished: Finished): void {
    const closing = async () => {
      await this.#file?.close();
      await new Promise((closed) => this.#lock.close(closed));
    };
    closing().then(() => finished(), finished);
  }

  get #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('no segment of the journal has been begun');
    return this.#file;
  }

  async #begin(lines: Iterable<string>): Promise<number> {
    this.#newest += 1;
    const file = join(this.#directory, `journal-${String(this.#newest).padStart(8, '0')}`);
    const handle = await open(file, 'wx', 0o600);
    let octets = 0;
    try {
      for (const chunk of chunksOf(lines)) {
        await writeWhole(handle, chunk);
        octets += chunk.length;
      }
      await handle.datasync();
      await this.#syncDirectory();
    } catch (error) {
      await handle.close().catch(() => {}); // The first error is told.
      await rm(file, { force: true }).catch(() => {});
      throw error;
    }
    const before = this.#file;
    this.#file = handle;
    await Promise.allSettled([this.#appending, this.#syncing]); // Told to who asked.
    await before?.close().catch(() => {}); // Nothing in it is needed any more.
    await this.#removeOlder();
    this.#older = [{ file, isDamaged: false }];
    return octets;
  }

  /** What cannot be removed now is read again by the next process, to no harm: the newest segment speaks for all. */
  async #removeOlder(): Promise<void> {
    try {
      for (const { file, isDamaged } of this.#older) {
        if (isDamaged) await rename(file, `${file}.damaged`);
        else await rm(file, { force: true });
      }
      const damaged = (await readdir(this.#directory)).filter((name) => damagedName.test(name)).sort();
      for (const name of damaged.slice(0, -damagedKept))
        await rm(join(this.#directory, name), { force: true });
    } catch {}
  }

  async #syncDirectory(): Promise<void> {
    const handle = await open(this.#directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** Writes all of `text`: a disk that is nearly full takes a part. */
async function writeWhole(handle: FileHandle, text: string): Promise<void> {
  const octets = Buffer.from(text);
  for (let from = 0; from < octets.length; ) {
    const { bytesWritten } = await handle.write(octets, from, octets.length - from);
    from += bytesWritten;
  }
}

function* chunksOf(lines: Iterable<string>): Generator<string> {
  let chunk = '';
  for (const line of lines) {
    chunk += line;
    if (chunk.length < chunkOctets) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

/**
 * A name in the kernel's table of abstract sockets, which goes with the process however that ends: no file is left to be
 * judged stale. Processes in different network namespaces do not see each other's.
 */
async function lockOf(directory: string): Promise<Server> {
  const { dev, ino } = await stat(directory);
  const lock = createServer();
  await new Promise<void>((locked, failed) => {
    lock.once('error', (error) => {
      if (errnoOf(error) !== 'EADDRINUSE') return failed(error);
      const text = `the accounting journal in ${directory} is in use by another process`;
      failed(
        new Fault('JOURNAL_IN_USE', 'operator', text, 'Give each process a --state directory of its own.'),
      );
    });
    lock.listen(`\0pptp-concentrator-journal-${dev}-${ino}`, locked);
  });
  lock.unref();
  return lock;
}

/** What to do about the errors that an operator meets. */
const hints: Readonly<Record<string, string>> = {
  ENOTDIR: 'A file stands where the folder should be.',
  EROFS: 'The file system is read-only; choose another state directory with --state.',
};

function isFull(error: Error): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errnoOf(error) ?? '');
}
