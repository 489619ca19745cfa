#!/usr/bin/env node
/**
 * The start, the signals and the end: reads the configuration, opens the journal, joins the concentrator
 * (composition/concentrator.ts) to the engine, and takes it apart again on SIGTERM.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openJournal } from './accounting/journal.io.ts';
import { journalName } from './accounting/journal-name.io.ts';
import { systemClock } from './base/clock.io.ts';
import { Fault } from './base/fault.ts';
import { jsonLog } from './base/log.io.ts';
import type { Log } from './base/observe.ts';
import { systemRandom } from './base/random.io.ts';
import { Concentrator } from './composition/concentrator.ts';
import { type Options, readOptions, usage } from './composition/options.ts';
import { Outside } from './composition/outside.ts';
import { type Configuration, configurationOf, menus } from './config/configuration.ts';
import { openConfiguration, readScript } from './config/file.io.ts';
import type { FirstStart } from './config/first-start.ts';
import { Store } from './config/store.ts';
import { contractVersion } from './datapath/contract.ts';
import { type Engine, startEngine } from './datapath/engine.io.ts';
import { Orphans } from './session/orphans.ts';
import { type EngineEvent, Switchboard } from './session/switchboard.ts';

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
  const directory = join(options.state, 'accounting');
  const journal = await openJournal({ directory, clock: systemClock, log });
  const named = { journal, journalName: await journalName(directory) };
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
  const orphans = new Orphans(log, {
    found: (sessionIds, go) => concentrator.recover(sessionIds, go),
    ended: (sessionId, counters) => concentrator.orphanEnded(sessionId, counters),
    done: () => void begin().catch(fail),
  });
  const switchboard = new Switchboard(engine, (event: EngineEvent) => {
    if (event.kind === 'hello') ours = isOurEngine(engine, event.pid, options.run);
    else if (event.kind === 'trouble')
      log('warning', 'system', new TextDecoder().decode(event.text), { errno: event.errno });
    else orphans.found(event, switchboard);
  });
  const configuration = configurationOf(store.current.tree);
  const concentrator = new Concentrator({
    log,
    identity: options.identity,
    switchboard,
    ...named,
    configuration,
    fenced() {
      log('error', 'system', 'another process is this node now: this one ends', {
        hint: 'Two nodes of a service may not have the same identity: see --identity.',
      });
      process.kill(process.pid, 'SIGTERM');
    },
  });
  const outside = new Outside({ log, run: options.run, store, files, concentrator });
  const begin = async () => {
    await concentrator.begin();
    await outside.open(configurationOf(store.current.tree));
  };
  switchboard.send({ kind: 'hello', version: contractVersion });

  process.on(
    'SIGHUP',
    () =>
      void reload(log, store, files, (next) => {
        concentrator.configure(next);
        outside.configure(next);
      }),
  );
  let isEnding = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, async () => {
      // A second one, which npm sends as well, would end us before the engine is told.
      if (isEnding) return;
      isEnding = true;
      log('info', 'system', `${signal}: ending all sessions`);
      await outside.close();
      await concentrator.end();
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

function fail(error: unknown): never {
  report(error);
  process.exit(1);
}

// A fault in the middle of an event is told like one of the start; a bug of ours keeps its stack.
process.on('uncaughtException', fail);

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

await main(optionsOrUsage()).catch(fail);
