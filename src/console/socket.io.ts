/**
 * The console's socket: `console.sock` in the run directory, for its owner alone. Lets operators in, gives each a shell, and
 * drives what the shell does: text is written as fast as the reader takes it, and no answer holds the event loop for longer
 * than a slice. What the commands mean is shell.ts's.
 */

import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { Fault } from '../base/fault.ts';
import type { Log } from '../base/observe.ts';
import type { Run } from './run.ts';
import { Shell, type ShellServices } from './shell.ts';
import { type Answer, encode, questionBytesMax, readQuestion, refusedBy } from './wire.ts';

/** Operators and scripts at a time; each may hold a list of all sessions while it reads it. */
const connectionsMax = 32;
/** How long one answer may hold the event loop at a stretch, in ms: frames of all sessions wait meanwhile. */
const sliceMs = 2;
/** Characters that are gathered before they are written. */
const pieceMax = 16 * 1024;
/** How long a reader may leave what was written lying, in ms: it holds a list in memory. */
const readMs = 60_000;

export interface ConsolePorts extends ShellServices {
  readonly path: string;
  readonly log: Log;
}

export interface Console {
  /** Hangs up on everybody and takes the socket away. */
  close(): void;
}

/** Listens at `path`, where nobody else may. Rejects with a `Fault` if another daemon does, or the place is not ours. */
export async function openConsole(ports: ConsolePorts): Promise<Console> {
  const { path, log } = ports;
  await clear(path);
  const conversations = new Set<Conversation>();
  const server = createServer((socket) => {
    const conversation = new Conversation(socket, new Shell(ports), log);
    conversations.add(conversation);
    socket.on('close', () => conversations.delete(conversation));
  });
  server.maxConnections = connectionsMax;
  await listen(server, path);
  chmodSync(path, 0o600);
  return {
    close() {
      server.close();
      for (const conversation of conversations) conversation.close();
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((listening, refused) => {
    server.once('error', (error) => refused(notOpened(path, error)));
    server.listen(path, listening);
  });
}

function notOpened(path: string, error: Error): Fault {
  const hint =
    'Choose a run directory that the daemon may write to, with --run; its path has at most 90 characters.';
  return new Fault('CONSOLE_SOCKET', 'system', `cannot listen on ${path}: ${error.message}`, hint);
}

/** Takes away the socket of a daemon that died; one that answers is of a daemon that lives. */
function clear(path: string): Promise<void> {
  return new Promise((cleared, refused) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      const hint = 'End it first, or give this one another run directory with --run.';
      refused(new Fault('CONSOLE_SOCKET', 'operator', `another daemon listens on ${path}`, hint));
    });
    probe.once('error', () => {
      rmSync(path, { force: true });
      cleared();
    });
  });
}

/** One operator. While a question is answered no other is read. */
class Conversation {
  readonly #socket: Socket;
  readonly #shell: Shell;
  readonly #log: Log;
  readonly #decoder = new StringDecoder('utf8');
  #heard = '';
  #isBusy = false;

  constructor(socket: Socket, shell: Shell, log: Log) {
    this.#socket = socket;
    this.#shell = shell;
    this.#log = log;
    socket.on('data', (octets) => this.#received(this.#decoder.write(octets)));
    // A client that is gone has nothing to be told.
    socket.on('error', () => socket.destroy());
    socket.on('timeout', () => {
      if (socket.writableNeedDrain) socket.destroy();
    });
    socket.setTimeout(readMs);
  }

  close(): void {
    this.#socket.destroy();
  }

  #received(text: string): void {
    if (this.#socket.writableEnded) return;
    this.#heard += text;
    this.#next();
  }

  #next(): void {
    const end = this.#heard.indexOf('\n');
    if (this.#isBusy) return;
    if ((end < 0 ? this.#heard.length : end) > questionBytesMax) return this.#refuse();
    if (end < 0) return;
    const line = this.#heard.slice(0, end);
    this.#heard = this.#heard.slice(end + 1);
    this.#isBusy = true;
    this.#socket.pause();
    try {
      const { run, ...form } = readQuestion(line);
      this.#drive(this.#shell.run(run, form), undefined);
    } catch (error) {
      this.#end(error);
    }
  }

  /** Where the next question begins is not known: there will be none. */
  #refuse(): void {
    this.#heard = '';
    const hint = 'Put the commands into a script, and give it to the daemon with --config.';
    const words = `a question of more than ${questionBytesMax} octets`;
    this.#end(new Fault('CONSOLE_TOO_LONG', 'operator', words, hint));
    this.#socket.end();
  }

  /** Goes on with `run`, which waited for `answer`. */
  #drive(run: Run, answer: unknown): void {
    const untilMs = performance.now() + sliceMs;
    let piece = '';
    let next = answer;
    try {
      for (;;) {
        const { done, value } = run.next(next);
        next = undefined;
        if (typeof value === 'string') piece += value;
        if (done) {
          this.#write(piece);
          return this.#end(undefined);
        }
        if (typeof value === 'object') {
          this.#write(piece);
          // Not in one breath: many short commands in one question would pile up on the stack.
          return value.begin((given) => setImmediate(() => this.#goOn(run, given)));
        }
        if (piece.length >= pieceMax || performance.now() >= untilMs) break;
      }
    } catch (error) {
      this.#write(piece);
      return this.#end(error);
    }
    const isTaken = this.#write(piece);
    const goOn = () => this.#goOn(run, undefined);
    if (isTaken) setImmediate(goOn);
    else this.#socket.once('drain', goOn);
  }

  /** Unless the client has gone: then what it asked is forgotten. */
  #goOn(run: Run, answer: unknown): void {
    if (!this.#socket.destroyed) this.#drive(run, answer);
  }

  /** False if the reader is behind. */
  #write(text: string): boolean {
    return text === '' || this.#say({ text });
  }

  #end(error: unknown): void {
    if (error !== undefined && !(error instanceof Fault)) throw error;
    const { path } = this.#shell;
    if (error !== undefined) this.#log('debug', 'system', `console: ${error.message}`, { code: error.code });
    this.#say({ end: error === undefined ? { path } : { path, fault: refusedBy(error) } });
    this.#isBusy = false;
    this.#socket.resume();
    this.#next();
  }

  #say(answer: Answer): boolean {
    return this.#socket.destroyed || this.#socket.write(encode(answer));
  }
}
