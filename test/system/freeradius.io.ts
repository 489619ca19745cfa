/**
 * A real FreeRADIUS in a temporary folder: users go in, and what it was asked and told comes out as it understood it. It
 * listens on loopback, or on an address inside a namespace, and ends with the test.
 *
 *     const radius = await FreeRadius.start({ users: [{ name: 'ex', password: 'lkjrht', reply: ['Framed-MTU = 1400'] }] });
 *     radius.authenticationPort;                          // free ones of this machine; 1812 and 1813 inside a namespace
 *     radius.requests();                                  // Access-Requests, decoded by the server
 *     await radius.recorded(2);                           // waits for two accounting records
 *     radius.freeze(); radius.thaw();                     // silent, and back
 *     await radius.kill(); await radius.restart();        // the same ports, users and records
 *     await radius.remove();                              // in afterAll; the end of the process does it as well
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Configuration, configurationText, type RadiusUser, usersText } from './freeradius.ts';

export type { RadiusUser } from './freeradius.ts';

const program = '/usr/sbin/freeradius';

/** A test that is killed has no chance to end it. */
const untilWeEnd = ['setpriv', '--pdeathsig', 'KILL'] as const;

/** Who waits so long for something that is due at once waits in vain, also on a machine that is busy. */
const patienceMs = 30_000;

export interface FreeRadiusOptions extends Omit<Configuration, 'directory' | 'address' | 'ports' | 'secret'> {
  readonly users?: readonly RadiusUser[];
  /** Where it listens: 127.0.0.1 unless told. */
  readonly address?: string;
  /** The namespace to run in; its ports are all free. */
  readonly namespace?: { inside(command: readonly string[]): [file: string, ...args: string[]] };
  readonly secret?: string;
  /** It says what it does with each packet, unless it is to be fast. */
  readonly isQuiet?: boolean;
}

/** A packet as the server wrote it down: values in its words, without quotation marks; several of one name in order. */
export interface Recorded {
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** The first value of that name. */
  get(name: string): string | undefined;
  all(name: string): readonly string[];
}

/** True if tests that need it can run here. */
export const hasFreeRadius: boolean = existsSync(program);

export class FreeRadius {
  readonly address: string;
  readonly authenticationPort: number;
  readonly accountingPort: number;
  readonly secret: string;
  readonly directory: string;
  readonly #options: FreeRadiusOptions;
  readonly #atExit = (): void => this.#sweep();
  #users: readonly RadiusUser[];
  #process: ChildProcess | undefined;

  private constructor(options: FreeRadiusOptions, ports: Configuration['ports']) {
    this.#options = options;
    this.#users = options.users ?? [];
    this.address = options.address ?? '127.0.0.1';
    this.secret = options.secret ?? 'testing123';
    this.authenticationPort = ports.authentication;
    this.accountingPort = ports.accounting;
    this.directory = mkdtempSync(join(tmpdir(), 'freeradius-'));
    process.once('exit', this.#atExit);
  }

  /** Resolves when it is ready to answer. */
  static async start(options: FreeRadiusOptions): Promise<FreeRadius> {
    const ports = options.namespace
      ? { authentication: 1812, accounting: 1813 }
      : await freePorts(options.address);
    const server = new FreeRadius(options, ports);
    try {
      await server.restart();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Starts it again where it was, with other users if they are given; ends it first if it still runs. */
  async restart(users: readonly RadiusUser[] = this.#users): Promise<void> {
    await this.stop();
    this.#users = users;
    const { address, secret, directory } = this;
    const ports = { authentication: this.authenticationPort, accounting: this.accountingPort };
    const text = configurationText({ ...this.#options, address, secret, directory, ports });
    // It refuses a configuration that others may write to.
    writeFileSync(join(directory, 'radiusd.conf'), text, { mode: 0o600 });
    writeFileSync(join(directory, 'dictionary'), '');
    writeFileSync(join(directory, 'users'), usersText(users));

    // Into a file, which is never full: on a pipe it would stand still whenever the test does.
    const log = openSync(this.#log, 'w');
    const manner = this.#options.isQuiet ? '-f' : '-fxx';
    const command = [...untilWeEnd, program, manner, '-l', 'stdout', '-d', directory] as const;
    const [file, ...args] = this.#options.namespace?.inside(command) ?? command;
    this.#process = spawn(file, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    const isOver = once(this.#process, 'exit').then(() => Promise.reject(new Error('it ended')));
    const isReady = this.#until(() => this.output.includes('Ready to process requests'));
    await Promise.race([isReady, isOver]).catch((error: Error) => {
      throw new Error(`FreeRADIUS does not start: ${error.message}\n${this.output}`);
    });
  }

  /** What it has said about itself: every packet, decoded, and why it did what it did. */
  get output(): string {
    return readFileSync(this.#log, 'utf8');
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Access-Requests in the order that they came, copies that it knew for such left out. */
  requests(): readonly Recorded[] {
    return readDetail(join(this.directory, 'requests'));
  }

  /** Accounting-Requests likewise. */
  records(): readonly Recorded[] {
    return readDetail(join(this.directory, 'accounting'));
  }

  /** Waits until there are at least `count` accounting records; resolves with all. */
  async recorded(count: number): Promise<readonly Recorded[]> {
    await this.#until(() => this.records().length >= count);
    return this.records();
  }

  /** It keeps its sockets and answers nothing. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  /** It goes on, with all that was sent to it meanwhile. */
  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it in order. Its ports stay its own, and refuse. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends it without a chance to say or do anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it and leaves nothing of it. */
  async remove(): Promise<void> {
    process.off('exit', this.#atExit);
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await over;
  }

  get #log(): string {
    return join(this.directory, 'log');
  }

  /** Waits for what files of the server have come to say. */
  async #until(isSo: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(patienceMs);
    const changes = watch(this.directory, { persistent: false });
    try {
      // The watch stands before the first look, so that nothing falls between.
      while (!isSo()) await once(changes, 'change', { signal });
    } catch {
      throw new Error(`${patienceMs / 1000} s have passed`);
    } finally {
      changes.close();
    }
  }

  #sweep(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Two UDP ports that nobody has. */
async function freePorts(address = '127.0.0.1'): Promise<Configuration['ports']> {
  const [authentication, accounting] = [createSocket('udp4'), createSocket('udp4')];
  for (const socket of [authentication, accounting]) {
    socket.bind(0, address);
    await once(socket, 'listening');
  }
  const ports = { authentication: authentication.address().port, accounting: accounting.address().port };
  authentication.close();
  accounting.close();
  return ports;
}

/** Entries of a detail file: a line with the time, a line per attribute behind a tab, an empty line. */
function readDetail(file: string): readonly Recorded[] {
  if (!existsSync(file)) return [];
  // What stands behind the last empty line is still being written.
  const entries = readFileSync(file, 'utf8').split('\n\n').slice(0, -1);
  return entries.map((entry) => {
    const attributes = [...entry.matchAll(/^\t([^ ]+) = (.*)$/gm)].map(
      ([, name = '', value = '']) => [name, plain(value)] as const,
    );
    const all = (name: string): readonly string[] =>
      attributes.filter(([each]) => each === name).map(([, value]) => value);
    return { attributes, all, get: (name) => all(name)[0] };
  });
}

function plain(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(["\\])/g, '$1') : value;
}
