/**
 * The whole program in namespaces of its own: `build/main.js` and its engine, a server's side and a client's, joined by one
 * cable. A configuration script goes in; log lines and exits come out. Everything that runs in the namespaces was started here
 * and ends with the site.
 *
 *     const site = new Site('modes');
 *     const server = site.start(site.server, '/interface pptp-server server set enabled=yes');
 *     await server.line(/listening/);
 *     await server.end();
 *     await site.remove();
 */

import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Namespace, Network } from '../netns/namespaces.io.ts';

const program = fileURLToPath(new URL('../../build/main.js', import.meta.url));
const engine = fileURLToPath(new URL('../../build/native/pptp-engine', import.meta.url));

/** Who waits so long for something that is due at once waits in vain, also on a machine that is busy. */
const patienceMs = 30_000;

/** The cable's ends. */
export const addresses = { server: '10.200.0.1', client: '10.200.0.2' } as const;

/** A line of the log, with its place among the lines. Facts beside the text are named as the program names them. */
export interface Line {
  readonly index: number;
  readonly level: string;
  readonly time: string;
  readonly topics: string;
  readonly msg: string;
  readonly cause?: string;
  readonly hint?: string;
  readonly reason?: string;
  readonly sessions?: number;
}

/** How a process ended; `status` is null if `signal` ended it. */
export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** State and run directories of a process before this one; without it they are new. */
  readonly directory?: string;
  /** A command that runs the program, such as setpriv. */
  readonly through?: readonly string[];
  /** Options of its command line. */
  readonly more?: readonly string[];
  /** Another build of it. */
  readonly program?: string;
}

interface Wait {
  readonly pattern: RegExp;
  readonly after: number;
  readonly found: (line: Line) => void;
  readonly failed: (error: Error) => void;
}

/** One control process. Its engine is a process of its own and may outlive it. */
export class Concentrator {
  readonly directory: string;
  readonly lines: Line[] = [];
  /** Resolves when the process has ended and all that it said has been read. */
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #waits = new Set<Wait>();
  #output = '';
  #isOver = false;

  constructor(process: ChildProcess, directory: string) {
    this.#process = process;
    this.directory = directory;
    if (process.stdout === null || process.stderr === null) throw new Error('the log needs pipes');
    createInterface({ input: process.stdout }).on('line', (text) => this.#said(text));
    process.stderr.on('data', (bytes: Buffer) => {
      this.#output += bytes;
    });
    this.exit = once(process, 'close').then(([status, signal]) => {
      this.#isOver = true;
      for (const wait of this.#waits) this.#fail(wait, 'the process ended');
      return { status, signal };
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Pid of the engine that this process, or the one before it in the same directory, started. */
  get enginePid(): number {
    return Number(readFileSync(join(this.directory, 'run', 'engine.pid'), 'utf8'));
  }

  /** What the process said that is no line of the log: words for the terminal, on either output. */
  get output(): string {
    return this.#output;
  }

  /** The first line whose text fits, of those after `after` if that is given; waits for it if it has not been said yet. */
  line(pattern: RegExp, after?: Line): Promise<Line> {
    const from = (after?.index ?? -1) + 1;
    const said = this.lines.slice(from).find(({ msg }) => pattern.test(msg));
    if (said !== undefined) return Promise.resolve(said);
    return new Promise((found, failed) => {
      const wait = { pattern, after: from, found, failed };
      if (this.#isOver) return this.#fail(wait, 'the process has ended');
      this.#waits.add(wait);
      const timeout = setTimeout(() => this.#fail(wait, `${patienceMs / 1000} s have passed`), patienceMs);
      timeout.unref();
    });
  }

  /** Replaces the configuration; nothing reads it before `reload`. */
  rewrite(script: string): void {
    writeFileSync(scriptOf(this.directory), script, { mode: 0o600 });
  }

  /** Has the configuration read again. Resolves with the line that tells what came of it. */
  reload(): Promise<Line> {
    const last = this.lines.at(-1);
    this.#process.kill('SIGHUP');
    return this.line(/^configuration (read again|not changed)/, last);
  }

  /** Ends it in order: all sessions, the engine, itself. */
  async end(): Promise<Exit> {
    this.#process.kill('SIGTERM');
    return await this.exit;
  }

  /** Ends it, and leaves all sessions to the next one. */
  async handOver(): Promise<Exit> {
    this.#process.kill('SIGUSR2');
    return await this.exit;
  }

  /** Ends it without a chance to say or do anything. */
  async kill(): Promise<Exit> {
    this.#process.kill('SIGKILL');
    return await this.exit;
  }

  #said(text: string): void {
    const said = parsed(text);
    if (said === undefined) {
      this.#output += `${text}\n`;
      return;
    }
    const line: Line = { ...said, index: this.lines.length };
    this.lines.push(line);
    for (const wait of this.#waits) {
      if (!wait.pattern.test(line.msg) || line.index < wait.after) continue;
      this.#waits.delete(wait);
      wait.found(line);
    }
  }

  #fail(wait: Wait, why: string): void {
    this.#waits.delete(wait);
    const said = this.lines.map(({ time, level, msg }) => `  ${time} ${level} ${msg}`).join('\n');
    wait.failed(new Error(`waited for ${wait.pattern} in vain: ${why}. It said:\n${said}\n${this.#output}`));
  }
}

/** A line of the log; undefined for words to the terminal, and for the line in which a process was killed. */
function parsed(text: string): Omit<Line, 'index'> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Two namespaces on one cable. */
export class Site {
  readonly server: Namespace;
  readonly client: Namespace;
  /** Name of the cable's end in both namespaces. */
  readonly cable: string;
  readonly #network: Network;
  readonly #directories: string[] = [];
  readonly #atExit = (): void => this.#sweep();

  constructor(label: string) {
    if (!existsSync(program) || !existsSync(engine)) {
      throw new Error('the program is not built: npm run build, npm run engine');
    }
    this.#network = new Network(label);
    this.server = this.#network.namespace('server');
    this.client = this.#network.namespace('client');
    this.cable = this.#network.join(
      this.server,
      `${addresses.server}/24`,
      this.client,
      `${addresses.client}/24`,
    );
    // Before the network's own: a namespace that is gone does not tell any more who is in it.
    process.prependOnceListener('exit', this.#atExit);
  }

  /** Starts a concentrator; without a script it has to make its first configuration itself. */
  start(namespace: Namespace, script: string | undefined, options: StartOptions = {}): Concentrator {
    const directory = options.directory ?? this.#newDirectory();
    const command = [...(options.through ?? []), process.execPath, options.program ?? program];
    command.push('--state', join(directory, 'state'), '--run', join(directory, 'run'));
    if (script !== undefined) {
      writeFileSync(scriptOf(directory), script, { mode: 0o600 });
      command.push('--config', scriptOf(directory));
    }
    command.push(...(options.more ?? []));
    const child = namespace.start(command, { stdio: ['ignore', 'pipe', 'pipe'] });
    return new Concentrator(child, directory);
  }

  /** Starts a server and waits until it listens. */
  async startServer(script: string): Promise<Concentrator> {
    const server = this.start(this.server, script);
    await server.line(/^listening on TCP 1723/);
    return server;
  }

  /** Ends everything that runs here, and leaves nothing of it. */
  async remove(): Promise<void> {
    process.off('exit', this.#atExit);
    this.#sweep();
    await this.#network.remove();
  }

  #sweep(): void {
    // Who is killed may have started another just before.
    for (const namespace of [this.server, this.client]) {
      for (let pids = processesIn(namespace); pids.length > 0; pids = processesIn(namespace)) kill(pids);
    }
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
  }

  #newDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'pptp-system-'));
    this.#directories.push(directory);
    return directory;
  }
}

function scriptOf(directory: string): string {
  return join(directory, 'configuration.rsc');
}

/** Processes that run in `namespace` now. */
export function processesIn(namespace: Namespace): number[] {
  return execFileSync('ip', ['netns', 'pids', namespace.name], { encoding: 'utf8' })
    .split('\n')
    .filter((pid) => pid !== '')
    .map(Number);
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
