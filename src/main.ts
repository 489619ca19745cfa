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
import { systemRandom } from './base/random.io.ts';
import { Concentrator } from './composition/concentrator.ts';
import { cordonWatchOf } from './composition/cordon.ts';
import { Keeper } from './composition/keeper.ts';
import { type Options, readOptions, usage } from './composition/options.ts';
import { Outside } from './composition/outside.ts';
import { configurationOf, menus } from './config/configuration.ts';
import { openConfiguration } from './config/file.io.ts';
import type { FirstStart } from './config/first-start.ts';
import { type Source, Store } from './config/store.ts';
import { LogRing } from './console/log.ts';
import { contractVersion } from './datapath/contract.ts';
import { connectEngine, type Engine, startEngine } from './datapath/engine.io.ts';
import { Inheritance } from './session/inheritance.ts';
import { type EngineEvent, Switchboard } from './session/switchboard.ts';

/** The configuration in force, and what it was read from. */
async function loadConfiguration(
  options: Options,
): Promise<{ store: Store; sources: readonly Source[]; first: FirstStart | undefined }> {
  const { sources, first } = await openConfiguration(options.config, options.state, systemRandom);
  const store = new Store(menus);
  store.commit(store.proposeWhole(sources));
  return { store, sources, first };
}

/** How long an engine that others start at the same time as us may take, in ms: containers and units come in any order. */
const joinMs = 10_000;

/** The engine of the run directory: started, if that is for us to do. Its loss ends this process. */
function engineOf({ run, joinEngine }: Options): Promise<Engine> {
  const terms = {
    socketPath: join(run, 'engine.sock'),
    onLost(fault: Fault) {
      report(fault);
      process.exit(1);
    },
  };
  if (joinEngine) return connectEngine({ ...terms, patienceMs: joinMs });
  const command = [fileURLToPath(new URL('native/pptp-engine', import.meta.url))] as const;
  return startEngine({ ...terms, logPath: join(run, 'engine.log'), command });
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
  const logRing = new LogRing(systemClock.wallMs);
  const log = logRing.before(jsonLog(options.log));
  const { store, sources, first } = await loadConfiguration(options);
  // At once: should the rest of the start fail, the next one would not tell the password any more.
  if (first !== undefined) announce(first, sources);
  // The engine's socket is a way to all that the engine may do: it is for its owner alone.
  inRunDirectory('make', options.run, () => mkdirSync(options.run, { recursive: true, mode: 0o700 }));
  const directory = join(options.state, 'accounting');
  const journal = await openJournal({ directory, clock: systemClock, log });
  const named = { journal, journalName: await journalName(directory) };
  const engine = await engineOf(options);
  let ours = engine.started;
  const inheritance = new Inheritance(log, {
    resume: (inherited) => concentrator.resume(inherited),
    found: (sessionIds, close) => concentrator.recover(sessionIds, close),
    ended: (sessionId, counters) => concentrator.inheritedEnded(sessionId, counters),
    done: () => void begin().catch(fail),
  });
  const switchboard = new Switchboard(engine, (event: EngineEvent) => {
    if (event.kind === 'hello') ours = !options.joinEngine && isOurEngine(engine, event.pid, options.run);
    else if (event.kind === 'trouble')
      log('warning', 'system', new TextDecoder().decode(event.text), { errno: event.errno });
    else inheritance.found(event, switchboard);
  });
  const configuration = configurationOf(store.current.tree);
  const concentrator = new Concentrator({
    log,
    identity: configuration.identity.name || options.identity,
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
  const keeper = new Keeper({
    log,
    store,
    sources,
    apply(next) {
      concentrator.configure(next);
      outside.configure(next);
    },
  });
  const { run, state } = options;
  const outside = new Outside({ log, logRing, run, state, store, keeper, concentrator });
  const cordons = cordonWatchOf(options, log, concentrator);
  const begin = async () => {
    await concentrator.begin();
    await outside.open(configurationOf(store.current.tree));
    keeper.open();
    cordons?.begin();
  };
  switchboard.send({ kind: 'hello', version: contractVersion });

  process.on('SIGHUP', () => keeper.reload('told'));
  let isEnding = false;
  const onSignal = (signal: NodeJS.Signals, what: string, end: () => Promise<void>) =>
    process.on(signal, async () => {
      // A second one, which npm sends as well, would end us before the engine is told.
      if (isEnding) return;
      isEnding = true;
      log('info', 'system', `${signal}: ${what}`);
      keeper.close();
      cordons?.close();
      await outside.close();
      await end();
      process.exit(0);
    });
  const endAll = async () => {
    await concentrator.end();
    await (ours ? engine.stop() : engine.close());
  };
  onSignal('SIGTERM', 'ending all sessions', endAll);
  onSignal('SIGINT', 'ending all sessions', endAll);
  onSignal('SIGUSR2', 'leaving all sessions to the next process', async () => {
    await engine.close();
    await concentrator.handOver();
  });
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

/** Shown once, on the terminal and not in the log: it is the only place but the file where the password stands. */
function announce({ user, password }: FirstStart, [source]: readonly Source[]): void {
  process.stdout.write(
    `\nThere was no configuration; this one was written: ${source?.file ?? ''}\n  user      ${user}\n  password  ${password}\n\n`,
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
