#!/usr/bin/env node
/**
 * The composition root: builds everything in the order a call needs it, joins it to the engine, and takes it apart again on
 * SIGTERM. The only file that reads the command line and the environment.
 */

import { lookup } from 'node:dns';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judgeLocally, type LocalUsers } from './aaa/local.ts';
import { systemClock } from './base/clock.io.ts';
import { Fault } from './base/fault.ts';
import { parseIpv4 } from './base/ip.ts';
import { limits } from './base/limits.ts';
import { jsonLog } from './base/log.io.ts';
import type { Log } from './base/observe.ts';
import { systemRandom } from './base/random.io.ts';
import type { Resolve } from './client/dialer.ts';
import { Dialers } from './client/dialers.ts';
import { type Configuration, configurationOf, menus } from './config/configuration.ts';
import { openConfiguration, readScript } from './config/file.io.ts';
import type { FirstStart } from './config/first-start.ts';
import { Store } from './config/store.ts';
import { contractVersion } from './datapath/contract.ts';
import { type Engine, startEngine } from './datapath/engine.io.ts';
import { type MppePolicy, mppeBits } from './ppp/ccp/options.ts';
import { Addresses } from './session/addresses.ts';
import { CallIds, LinkHandles } from './session/call-ids.ts';
import { InterfaceNames } from './session/interface-names.ts';
import { Orphans } from './session/orphans.ts';
import { Server } from './session/server.ts';
import { type EngineEvent, Switchboard } from './session/switchboard.ts';

const usage = `usage: pptp-concentrator [options]
  --config FILE     a RouterOS script with the configuration; may be given several times
  --state DIR       where the node keeps its own configuration (default: /var/lib/pptp-concentrator)
  --run DIR         where the engine's socket and log are (default: /run/pptp-concentrator)
  --identity NAME   how this node calls itself (default: NODE_NAME, or the host's name)
  --log LEVEL       debug, info (default), warning or error
`;

interface Options {
  readonly config: readonly string[];
  readonly state: string;
  readonly run: string;
  readonly identity: string;
  readonly log: 'debug' | 'info' | 'warning' | 'error';
}

const levels = ['debug', 'info', 'warning', 'error'] as const;

function readOptions(words: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...words],
    options: {
      config: { type: 'string', multiple: true, default: [] },
      state: { type: 'string', default: '/var/lib/pptp-concentrator' },
      run: { type: 'string', default: '/run/pptp-concentrator' },
      identity: { type: 'string', default: process.env.NODE_NAME ?? hostname() },
      log: { type: 'string', default: 'info' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const log = levels.find((level) => level === values.log);
  if (log === undefined) throw new TypeError(`--log ${values.log}: it is one of ${levels.join(', ')}`);
  return { ...values, log };
}

/** What the peer chooses from; stateless is preferred. */
const everyMppe: MppePolicy = { strengths: new Set(mppeBits), stateful: 'allowed' };

/** Everything that runs, built of the services below it. */
class Concentrator {
  readonly #log: Log;
  readonly #addresses = new Addresses({ random: systemRandom });
  readonly #server: Server;
  readonly #dialers: Dialers;
  #users: LocalUsers = { secrets: new Map(), profiles: new Map() };

  constructor(log: Log, identity: string, switchboard: Switchboard, configuration: Configuration) {
    this.#log = log;
    const services = {
      switchboard,
      log,
      identity,
      clock: systemClock,
      random: systemRandom,
      links: new LinkHandles(),
      mppe: everyMppe,
      callIds: new CallIds(systemClock, systemRandom),
      names: new InterfaceNames(),
    };
    this.#server = new Server(
      {
        ...services,
        addresses: this.#addresses,
        authority: { judge: (question, answer) => answer(judgeLocally(question, this.#users)) },
      },
      configuration,
    );
    this.#dialers = new Dialers({ ...services, resolve });
    this.configure(configuration);
  }

  configure(configuration: Configuration): void {
    const { pools, secrets, profiles, clients } = configuration;
    this.#addresses.configure(pools);
    this.#users = { secrets: byName(secrets), profiles: byName(profiles) };
    this.#server.configure(configuration);
    this.#dialers.configure(clients, profiles);
  }

  /** Says goodbye to every peer; resolves when all have gone, or the time is up. */
  async end(): Promise<void> {
    const server = new Promise<void>((done) => this.#server.end('shut-down', done));
    const dialers = new Promise<void>((done) => this.#dialers.end('shut-down', done));
    const overdue = new Promise<void>((done) => {
      systemClock.arm(limits.shutdownMs, () => {
        this.#log('warning', 'system', 'some sessions did not end in time');
        done();
      });
    });
    await Promise.race([Promise.all([server, dialers]), overdue]);
  }
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

const resolve: Resolve = (hostName, found) => {
  lookup(hostName, { family: 4 }, (error, address) => found(error === null ? parseIpv4(address) : undefined));
};

/** The configuration in force, and how to read it again. */
async function loadConfiguration(
  options: Options,
): Promise<{ store: Store; files: string[]; first: FirstStart | undefined }> {
  const { sources, first } = await openConfiguration(options.config, options.state, systemRandom);
  const store = new Store(menus);
  store.commit(store.proposeWhole(sources));
  return { store, files: sources.map(({ file }) => file), first };
}

/** True if a control process of this node started the engine: it is ours to end. Its pid is kept beside its socket. */
function isOurEngine(engine: Engine, pid: number, run: string): boolean {
  const file = join(run, 'engine.pid');
  if (engine.started) inRunDirectory('write to', run, () => writeFileSync(file, `${pid}\n`));
  try {
    return readFileSync(file, 'utf8').trim() === String(pid);
  } catch {
    return false; // No file: it was started by someone else, who will end it.
  }
}

async function main(options: Options): Promise<void> {
  const log = jsonLog(options.log);
  const { store, files, first } = await loadConfiguration(options);
  // At once: should the rest of the start fail, the next one would not tell the password any more.
  if (first !== undefined) announce(first, files);
  // The engine's socket is a way to all that the engine may do: it is for its owner alone.
  inRunDirectory('make', options.run, () => mkdirSync(options.run, { recursive: true, mode: 0o700 }));
  const engine = await startEngine({
    socketPath: join(options.run, 'engine.sock'),
    logPath: join(options.run, 'engine.log'),
    command: [fileURLToPath(new URL('native/pptp-engine', import.meta.url))],
    onLost(fault) {
      report(fault);
      process.exit(1);
    },
  });
  let ours = engine.started;
  let concentrator: Concentrator | undefined;
  const orphans = new Orphans(log, () => {
    concentrator = new Concentrator(log, options.identity, switchboard, configurationOf(store.current.tree));
  });
  const switchboard = new Switchboard(engine, (event: EngineEvent) => {
    if (event.kind === 'hello') ours = isOurEngine(engine, event.pid, options.run);
    else if (event.kind === 'trouble')
      log('warning', 'system', new TextDecoder().decode(event.text), { errno: event.errno });
    else orphans.found(event, switchboard);
  });
  switchboard.send({ kind: 'hello', version: contractVersion });

  process.on(
    'SIGHUP',
    () => void reload(log, store, files, (configuration) => concentrator?.configure(configuration)),
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => {
      log('info', 'system', `${signal}: ending all sessions`);
      await concentrator?.end();
      await (ours ? engine.stop() : engine.close());
      process.exit(0);
    });
  }
}

/** Does something with the run directory, or says why it cannot be done. */
function inRunDirectory(what: string, run: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const text = `cannot ${what} the run directory ${run}: ${why}`;
    throw new Fault('RUN_DIRECTORY', 'system', text, 'Choose one that the daemon may write to, with --run.');
  }
}

/** Puts the files in force again, or leaves everything as it is. */
async function reload(
  log: Log,
  store: Store,
  files: readonly string[],
  apply: (next: Configuration) => void,
): Promise<void> {
  try {
    const candidate = store.proposeWhole(await Promise.all(files.map(readScript)));
    const { next } = store.commit(candidate);
    apply(configurationOf(next.tree));
    log('info', 'system', `configuration read again, revision ${next.number}`);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    log('error', 'system', `configuration not changed: ${error.message}`, {
      code: error.code,
      hint: error.hint,
    });
  }
}

/** Shown once, on the terminal and not in the log: it is the only place but the file where the password stands. */
function announce({ user, password }: FirstStart, [file = '']: readonly string[]): void {
  process.stdout.write(
    `\nThere was no configuration; this one was written: ${file}\n  user      ${user}\n  password  ${password}\n\n`,
  );
}

function report(error: unknown): void {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`pptp-concentrator: ${error.message} [${error.code}]\n  what to do: ${error.hint}\n`);
}

// A fault in the middle of an event is told like one of the start; a bug of ours keeps its stack.
process.on('uncaughtException', (error) => {
  report(error);
  process.exit(1);
});

/** What the command line asks for; ends the process if that is help, or nothing that we know. */
function optionsOrUsage(): Options {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== 'help') return options;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`pptp-concentrator: ${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

await main(optionsOrUsage()).catch((error: unknown) => {
  report(error);
  process.exit(1);
});
