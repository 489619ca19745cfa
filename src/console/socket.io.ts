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
import { Interrupted, type Run, type Step, type Wait } from './run.ts';
import { Shell, type ShellServices } from './shell.ts';
import { type Answer, type Commands, encode, questionBytesMax, readQuestion, refusedBy } from './wire.ts';

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
  /** Hangs up on everybody and takes the socket away; resolves when what they left half done is undone. */
  close(): Promise<void>;
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
    async close() {
      server.close();
      const last = [...conversations];
      for (const conversation of last) conversation.close();
      await Promise.all(last.map(({ gone }) => gone));
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

/** One operator. While a question is answered no other is read, but for the one that interrupts it. */
class Conversation {
  /** Resolves when the operator is gone, and what he left half done is undone. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #shell: Shell;
  readonly #log: Log;
  readonly #decoder = new StringDecoder('utf8');
  #heard = '';
  /** What is being done. */
  #run: Run | undefined;
  #isInterrupted = false;
  /** Ends the wait that it stands in, if that can be ended. */
  #stopWaiting: (() => void) | undefined;

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
    this.gone = new Promise((isGone) => socket.on('close', () => this.#lost(isGone)));
  }

  close(): void {
    this.#socket.destroy();
  }

  #lost(isGone: () => void): void {
    this.#stopWaiting?.();
    this.#run?.return();
    this.#run = undefined;
    this.#shell.lose((fault) => {
      if (fault !== undefined) {
        const what = `safe mode: changes of an operator who was lost are not undone: ${fault.message}`;
        this.#log('error', 'system', what, { code: fault.code, hint: fault.hint });
      }
      isGone();
    });
  }

  #received(text: string): void {
    if (this.#socket.writableEnded) return;
    this.#heard += text;
    if (this.#run === undefined) this.#next();
    else this.#hearInterrupt();
    if (this.#run !== undefined && this.#heard.length > questionBytesMax) this.#socket.pause();
  }

  #next(): void {
    const end = this.#heard.indexOf('\n');
    if ((end < 0 ? this.#heard.length : end) > questionBytesMax) return this.#refuse();
    if (end < 0 || this.#socket.destroyed) return;
    const line = this.#heard.slice(0, end);
    this.#heard = this.#heard.slice(end + 1);
    try {
      const question = readQuestion(line);
      // What it would have interrupted has come to its end meanwhile.
      if ('interrupt' in question) return this.#next();
      this.#run = 'complete' in question ? this.#complete(question.complete) : this.#commands(question);
    } catch (error) {
      return this.#end(error);
    }
    this.#isInterrupted = false;
    this.#drive(undefined);
  }

  /** Questions that were asked in advance wait; an interrupt before them does not. */
  #hearInterrupt(): void {
    const end = this.#heard.indexOf('\n');
    if (end < 0 || this.#heard.slice(0, end + 1) !== encode({ interrupt: true })) return;
    this.#heard = this.#heard.slice(end + 1);
    this.#isInterrupted = true;
    // Else it is told when it goes on.
    this.#stopWaiting?.();
  }

  #commands({ run, width, json }: Commands): Run {
    return this.#shell.run(run, { width, json });
  }

  *#complete(text: string): Run {
    this.#say({ completion: yield* this.#shell.complete(text) });
  }

  /** Where the next question begins is not known: there will be none. */
  #refuse(): void {
    this.#heard = '';
    const hint = 'Put the commands into a script, and give it to the daemon with --config.';
    const words = `a question of more than ${questionBytesMax} octets`;
    this.#end(new Fault('CONSOLE_TOO_LONG', 'operator', words, hint));
    this.#socket.end();
  }

  /** Goes on with what waited for `answer`, for a slice of time. */
  #drive(answer: unknown): void {
    const run = this.#run;
    if (run === undefined || this.#socket.destroyed) return;
    const untilMs = performance.now() + sliceMs;
    let piece = '';
    let next = answer;
    try {
      for (;;) {
        const { done, value } = this.#step(run, next);
        next = undefined;
        if (typeof value === 'string') piece += value;
        if (done) {
          this.#write(piece);
          return this.#end(undefined);
        }
        if (typeof value === 'object') {
          this.#write(piece);
          return this.#wait(value);
        }
        if (piece.length >= pieceMax || performance.now() >= untilMs) break;
      }
    } catch (error) {
      this.#write(piece);
      return this.#end(error instanceof Interrupted ? undefined : error);
    }
    const goOn = () => this.#drive(undefined);
    if (this.#write(piece)) setImmediate(goOn);
    else this.#socket.once('drain', goOn);
  }

  #step(run: Run, answer: unknown): IteratorResult<Step, void> {
    if (!this.#isInterrupted) return run.next(answer);
    this.#isInterrupted = false;
    return run.throw(new Interrupted());
  }

  #wait({ begin }: Wait): void {
    let isOver = false;
    const goOn = (given: unknown) => {
      if (isOver) return;
      isOver = true;
      this.#stopWaiting = undefined;
      this.#drive(given);
    };
    // Not in one breath: many short commands in one question would pile up on the stack.
    const stop = begin((given) => setImmediate(goOn, given));
    if (typeof stop !== 'function') return;
    this.#stopWaiting = () => {
      stop();
      goOn(undefined);
    };
  }

  /** False if the reader is behind. */
  #write(text: string): boolean {
    return text === '' || this.#say({ text });
  }

  #end(error: unknown): void {
    if (error !== undefined && !(error instanceof Fault)) throw error;
    const { path, prompt, isSafe, hasLeft } = this.#shell;
    if (error !== undefined) this.#log('debug', 'system', `console: ${error.message}`, { code: error.code });
    const fault = error === undefined ? {} : { fault: refusedBy(error) };
    const state = { ...(isSafe ? { isSafe } : {}), ...(hasLeft ? { hasLeft } : {}) };
    this.#say({ end: { path, prompt, ...state, ...fault } });
    this.#run = undefined;
    this.#socket.resume();
    // Not in one breath: many questions that are none would pile up on the stack.
    setImmediate(() => this.#run === undefined && this.#next());
  }

  #say(answer: Answer): boolean {
    return this.#socket.destroyed || this.#socket.write(encode(answer));
  }
}
