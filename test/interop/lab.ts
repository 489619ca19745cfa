/**
 * The lab of real clients (pppd and pptp-linux on a kernel with PPP), and our server in its namespace.
 * The lab's place is the environment's LAB, by default ../shared/lab beside this project.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const lab = resolve(process.env.LAB ?? '../shared/lab');

/** What a command printed, and its exit status. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
}

async function labCommand(name: string, ...words: readonly string[]): Promise<Outcome> {
  try {
    const { stdout } = await run(join(lab, name), words, { maxBuffer: 1 << 24 });
    return { status: 0, output: stdout };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { status: typeof code === 'number' ? code : -1, output: stdout + stderr };
  }
}

/** Builds the lab if it is not, and boots guest 1. */
export async function bootGuest(): Promise<void> {
  for (const step of [['setup'], ['guest', 'up']] as const) {
    const [name, ...words] = step;
    const { status, output } = await labCommand(name, ...words);
    if (status !== 0)
      throw new Error(`${join(lab, name)} ${words.join(' ')} failed with ${status}:\n${output}`);
  }
}

/** Runs `command` in guest 1. */
export function inGuest(command: string): Promise<Outcome> {
  return labCommand('guest', 'run', command);
}

/** The command that runs `command` in the lab's namespace, beside our server. */
export function inLab(command: readonly string[]): [file: string, ...args: string[]] {
  return [join(lab, 'guest'), 'host', ...command];
}

export async function haltGuests(): Promise<void> {
  await labCommand('guest', 'down-all');
}

/** Our server in the lab's namespace. */
export interface LabServer {
  /** All log lines so far, parsed. */
  readonly lines: readonly Record<string, unknown>[];
  end(): Promise<void>;
}

/** Starts the concentrator with `script` as its configuration; resolves when it listens. */
export async function startServer(script: string): Promise<LabServer> {
  const place = await mkdtemp(join(tmpdir(), 'pptp-interop-'));
  await writeFile(join(place, 'lab.rsc'), script);
  const words = [
    'host',
    process.execPath,
    'build/main.js',
    '--config',
    join(place, 'lab.rsc'),
    '--state',
    place,
    '--run',
    place,
  ];
  const child = spawn(join(lab, 'guest'), words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Record<string, unknown>[] = [];
  await listening(child, lines);
  return {
    lines,
    async end() {
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await gone;
      await rm(place, { recursive: true });
    },
  };
}

function listening(child: ChildProcess, lines: Record<string, unknown>[]): Promise<void> {
  return new Promise((ready, failed) => {
    if (child.stdout === null) throw new Error('no standard output');
    child.once('exit', (status) =>
      failed(new Error(`the server ended with ${status}: ${JSON.stringify(lines)}`)),
    );
    createInterface({ input: child.stdout }).on('line', (text) => {
      if (!text.startsWith('{')) return;
      const line = JSON.parse(text) as Record<string, unknown>;
      lines.push(line);
      if (String(line.msg).includes('listening')) ready();
    });
  });
}
