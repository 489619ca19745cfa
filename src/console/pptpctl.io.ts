#!/usr/bin/env node
/**
 * `pptpctl`: an operator at a terminal, or one command to a daemon on this machine, from the arguments or from standard input.
 * What the daemon answers goes to standard output; what is wrong with a single command goes to standard error, with a hint, and
 * the exit status is 1. Knows no command itself.
 */

import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Fault } from '../base/fault.ts';
import { Daemon } from './daemon.io.ts';
import { historyMax, openHistory } from './history.io.ts';
import { Keys } from './keys.io.ts';
import { talk } from './terminal.io.ts';

const usage = `usage: pptpctl [options] [COMMAND...]
  --run DIR    the run directory of the daemon (default: /run/pptp-concentrator)
  --json       answer in JSON

  pptpctl                         at a terminal: a prompt; Tab completes, ? helps, /quit leaves
  pptpctl '/ppp active print'
  pptpctl /ppp active print where node=north and uptime '>' 1h
  pptpctl < commands.rsc
`;

interface Wanted {
  readonly socketPath: string;
  readonly json: boolean;
  /** Undefined: it comes from standard input, or from an operator who sits there. */
  readonly command: string | undefined;
}

/** What the command line asks for; undefined is help. Throws a `Fault` that says what is wrong with it. */
function readCommandLine(words: readonly string[]): Wanted | undefined {
  const { values, positionals } = parsed(words);
  const isAlone = positionals.length === 0 && process.stdin.isTTY && !process.stdout.isTTY;
  if (values.help || isAlone) return undefined;
  const command = positionals.length === 0 ? undefined : positionals.join(' ');
  return { socketPath: join(values.run, 'console.sock'), json: values.json, command };
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        run: { type: 'string', default: '/run/pptp-concentrator' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    const words = `pptpctl: ${error instanceof Error ? error.message : error}`;
    throw new Fault('CONSOLE_USAGE', 'operator', words, 'See pptpctl --help.');
  }
}

/** Resolves when standard output has taken `piece`, so that the daemon is held back with us. */
function write(piece: string): Promise<void> {
  return new Promise((taken) => {
    if (process.stdout.write(piece)) taken();
    else process.stdout.once('drain', taken);
  });
}

function complain({ text, hint }: { readonly text: string; readonly hint: string }): void {
  process.stderr.write(`${text}\n  ${hint}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const wanted = readCommandLine(process.argv.slice(2));
  if (wanted === undefined) {
    process.stdout.write(usage);
    return;
  }
  const daemon = new Daemon(wanted.socketPath);
  try {
    if (wanted.command === undefined && process.stdin.isTTY) await interact(daemon, wanted);
    else await doOnce(daemon, wanted);
  } finally {
    daemon.close();
  }
}

/** The commands of the arguments, or of standard input. */
async function doOnce(daemon: Daemon, { command, json }: Wanted): Promise<void> {
  const run = command ?? (await text(process.stdin));
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  const { fault } = await daemon.run({ run, width, json }, write);
  if (fault !== undefined) complain(fault);
}

/** An operator at his terminal. */
async function interact(daemon: Daemon, { json }: Wanted): Promise<void> {
  const { stdin, stdout } = process;
  stdin.setRawMode(true);
  const keys = new Keys(stdin, () => daemon.interrupt());
  try {
    await talk({ daemon, keys, output: stdout, history: openHistory(), historyMax, json, write });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', () => process.exit(0));

try {
  await main();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  complain({ text: error.message, hint: error.hint });
}
