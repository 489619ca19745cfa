/**
 * Configuration files: reads those that were named, writes one atomically, and makes the first one. Scripts hold passwords:
 * what is written is for its owner alone. What is in a file is not understood here.
 */

import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, Fault, systemFault } from '../base/fault.ts';
import type { Random } from '../base/random.ts';
import { type FirstStart, firstStart } from './first-start.ts';
import type { Source } from './store.ts';

/** Octets of one script: a hundred thousand secrets take about 15 million, and what is larger is no configuration. */
const scriptBytesMax = 64 * 1024 * 1024;

/** The configuration that a node keeps itself, in its state directory. */
const ownScript = 'configuration.rsc';

export interface Opened {
  readonly sources: readonly Source[];
  /** Set if there was no configuration and one has been written: the only source. */
  readonly first: FirstStart | undefined;
}

/**
 * The scripts in `files`, in their order; if none is named, the node's own in `stateDirectory`, which is written first if it
 * is not there. Throws a `Fault` that names the file.
 */
export async function openConfiguration(
  files: readonly string[],
  stateDirectory: string,
  random: Random,
): Promise<Opened> {
  if (files.length > 0) return { sources: await Promise.all(files.map(readScript)), first: undefined };
  const own = join(stateDirectory, ownScript);
  if (await exists(own)) return { sources: [await readScript(own)], first: undefined };
  const first = firstStart(random);
  await writeScript(own, first.script);
  return { sources: [{ file: own, text: first.script }], first };
}

/** The text of a script. */
export async function readScript(file: string): Promise<Source> {
  try {
    const { size } = await stat(file);
    if (size > scriptBytesMax) {
      const text = `${file} has ${size} octets, more than the ${scriptBytesMax} that a configuration may have`;
      throw new Fault('CONFIG_TOO_LARGE', 'operator', text, 'Is it a RouterOS script?');
    }
    return { file, text: await readFile(file, 'utf8') };
  } catch (error) {
    throw systemFault(error, 'CONFIG_UNREADABLE', `cannot read the configuration ${file}`, hints);
  }
}

/** Replaces `file` by `text`, in one step: whoever reads it sees the old script or the new one, also after a power cut. */
export async function writeScript(file: string, text: string): Promise<void> {
  const directory = dirname(file);
  const draft = `${file}.new`;
  try {
    await mkdir(directory, { recursive: true });
    await rm(draft, { force: true });
    await writeThrough(draft, 'wx', text);
    await rename(draft, file);
    await writeThrough(directory, 'r');
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {}); // What stopped the writing may stop this too; the first cause is told.
    throw systemFault(error, 'CONFIG_UNWRITABLE', `cannot write the configuration ${file}`, hints);
  }
}

/** Writes `text`, if there is any, and waits until the disk has what `path` names. */
async function writeThrough(path: string, flags: 'wx' | 'r', text?: string): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    if (text !== undefined) await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw systemFault(error, 'CONFIG_UNREADABLE', `cannot read the configuration ${file}`, hints);
  }
}

/** A ConfigMap, an image, or one file mounted into a container, which cannot be replaced by another. */
const readOnly =
  'The file is read-only here: change it where it comes from, and it is read again by itself; or choose another state directory with --state.';

/** What to do about the errors that an operator meets. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file; is the name right, and relative to the directory that the daemon runs in?',
  EISDIR: 'This is a directory; name the script in it.',
  ENOSPC: 'The disk is full.',
  EROFS: readOnly,
  EBUSY: readOnly,
};
