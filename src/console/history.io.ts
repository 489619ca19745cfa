/**
 * Lines that an operator typed before, in a file of his state directory that is for him alone. Lines with passwords are not
 * kept. A file that cannot be had is no history, and no reason not to work.
 */

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Lines that come back; the file has at most twice as many. */
export const historyMax = 500;

const secret = /\b(password|secret|key)\s*=/i;

export interface History {
  /** Newest first, as readline wants them. */
  readonly lines: string[];
  add(line: string): void;
}

/** The history in `directory`: the user's, if none is said. */
export function openHistory(directory = userDirectory()): History {
  const file = join(directory, 'history');
  const known = linesOf(file);
  if (known.length > 2 * historyMax) quietly(() => write(file, known.slice(-historyMax)));
  return {
    lines: known.slice(-historyMax).reverse(),
    add(line) {
      if (line.trim() === '' || secret.test(line)) return;
      quietly(() => {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        appendFileSync(file, `${line}\n`, { mode: 0o600 });
      });
    },
  };
}

function userDirectory(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'pptpctl');
}

function linesOf(file: string): string[] {
  return quietly(() => readFileSync(file, 'utf8').split('\n').filter(Boolean)) ?? [];
}

function write(file: string, lines: readonly string[]): void {
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
}

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
