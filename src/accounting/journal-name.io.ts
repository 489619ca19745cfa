/**
 * What a journal is called: a random name, made once with it and kept beside it. A node whose disk was replaced has another
 * journal, which knows nothing of what the old one left in Redis: the name keeps the two apart.
 */

import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../base/fault.ts';

/** The name of the journal in `directory`. Throws a `Fault` if it can be neither read nor written. */
export async function journalName(directory: string): Promise<string> {
  const file = join(directory, 'name');
  try {
    const name = (await readFile(file, 'utf8').catch(() => '')).trim();
    if (/^[\da-f]{16}$/.test(name)) return name;
    const fresh = randomBytes(8).toString('hex');
    await writeFile(file, `${fresh}\n`, { mode: 0o600 });
    return fresh;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = 'Is the disk full, or the state directory for somebody else?';
    throw new Fault('JOURNAL_UNUSABLE', 'system', `cannot name the accounting journal: ${why}`, hint);
  }
}
