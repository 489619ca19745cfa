#!/usr/bin/env node
/**
 * `pptpctl`: one command to a daemon on this machine, from the arguments or from standard input. What the daemon answers goes
 * to standard output; what is wrong goes to standard error, with a hint, and the exit status is 1. Knows no command itself.
 */

import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Fault } from '../base/fault.ts';
import { encode, type Question, type Refused, readAnswer } from './wire.ts';

const usage = `usage: pptpctl [options] COMMAND...
  --run DIR    the run directory of the daemon (default: /run/pptp-concentrator)
  --json       answer in JSON

  pptpctl '/ppp active print'
  pptpctl /ppp active print where node=north and uptime '>' 1h
  pptpctl < commands.rsc
`;

interface Wanted {
  readonly socketPath: string;
  readonly json: boolean;
  /** Undefined: it comes from standard input. */
  readonly command: string | undefined;
}

/** What the command line asks for; undefined is help. Throws a `Fault` that says what is wrong with it. */
function readCommandLine(words: readonly string[]): Wanted | undefined {
  const { values, positionals } = parsed(words);
  const isAlone = positionals.length === 0 && process.stdin.isTTY;
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

/** Asks, and writes what comes. Resolves to why the daemon refused, if it did; rejects with a `Fault` if it is not there. */
async function converse(socketPath: string, question: Question): Promise<Refused | undefined> {
  const socket = createConnection(socketPath);
  socket.setEncoding('utf8');
  socket.write(encode(question));
  let heard = '';
  try {
    for await (const chunk of socket) {
      const lines = (heard + chunk).split('\n');
      heard = lines.pop() ?? '';
      for (const line of lines) {
        const answer = readAnswer(line);
        if ('end' in answer) return answer.end.fault;
        await write(answer.text);
      }
    }
  } catch (error) {
    throw error instanceof Fault ? error : notThere(socketPath, error);
  } finally {
    socket.destroy();
  }
  const hint = 'It may just have ended; see its log.';
  throw new Fault('CONSOLE_LOST', 'system', 'the daemon hung up in the middle of its answer', hint);
}

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'Is it running, and with the same --run?',
  ECONNREFUSED: 'It has died, or is just starting; see its log.',
  EACCES: 'Its console is for the user that it runs as, and for root.',
};

function notThere(socketPath: string, error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const words = `no daemon answers at ${socketPath}: ${code}`;
  return new Fault('CONSOLE_UNREACHABLE', 'system', words, hints[code] ?? 'See the log of the daemon.');
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
  const run = wanted.command ?? (await text(process.stdin));
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  const refused = await converse(wanted.socketPath, { run, width, json: wanted.json });
  if (refused !== undefined) complain(refused);
}

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', () => process.exit(0));

try {
  await main();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  complain({ text: error.message, hint: error.hint });
}
