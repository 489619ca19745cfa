/**
 * The real engine: commands and events of the contract through its unix socket. `connectEngine` joins an engine that runs;
 * `startEngine` starts one if none answers, in a session of its own, so that it outlives us.
 *
 * A socket that breaks, an engine of another version, or one that no longer reads ends the connection, once, with a `Fault`
 * to `onLost`; what to do then is the owner's decision. Nothing is read before the owner listens, so no event is lost.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, watch } from 'node:fs';
import { createConnection, Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { Fault, Malformed } from '../base/fault.ts';
import { type Command, contractVersion, decodeEvent, type Event, encodeCommand } from './contract.ts';
import type { Datapath } from './datapath.ts';
import { MessageStream } from './stream.ts';

/** Octets that may wait for the engine: ten thousand calls of commands at once are about one. More means that it hangs. */
const backlogBytesMax = 64 << 20;

/** From its start to its socket, in ms: the engine opens sockets and threads only, so this is generous. */
const startMs = 10_000;

/** Between attempts to connect while the socket has a name but nobody listens yet, in ms: two system calls apart in the engine. */
const bindToListenMs = 5;

/** Exit status of an engine that lacks a right (EX_NOPERM of sysexits). */
const noPermission = 77;

export interface Engine extends Datapath {
  /** True if this process started it, and so should end it. */
  readonly started: boolean;
  /** Leaves the engine alone: it goes on forwarding. Resolves when the socket is closed. */
  close(): Promise<void>;
  /** Sends `stop` and resolves when the engine has gone. How long that may take is the caller's decision. */
  stop(): Promise<void>;
}

export interface EngineOptions {
  readonly socketPath: string;
  /** Called at most once, never after `close` or `stop`. */
  readonly onLost: (fault: Fault) => void;
}

export interface EngineJoin extends EngineOptions {
  /** How long the engine may take to listen, in ms: whoever starts both may start them at once. At once if absent. */
  readonly patienceMs?: number;
}

export interface EngineStart extends EngineOptions {
  /** The engine and its arguments; `--socket PATH` is added. */
  readonly command: readonly [file: string, ...args: string[]];
  /** Where the engine's own words go; it outlives our terminal. */
  readonly logPath: string;
}

/** Joins the engine that listens on `socketPath`. Rejects with a `Fault` if none does. */
export async function connectEngine(options: EngineJoin): Promise<Engine> {
  const { socketPath, patienceMs = 0 } = options;
  const reached = await reach(socketPath);
  if (!(reached instanceof Error)) return new EngineSocket(reached, options, false);
  if (!nobodyThere(reached) || patienceMs === 0) throw unreachable(socketPath, reached);
  const done = new AbortController();
  try {
    const outcome = await Promise.race([answer(socketPath, done.signal), tooLate(patienceMs, done.signal)]);
    if (outcome === 'silent') throw unreachable(socketPath, reached);
    return new EngineSocket(outcome, options, false);
  } finally {
    done.abort();
  }
}

/** Joins the engine that listens on `socketPath`, or starts one and joins that. Rejects with a `Fault` that says what to do. */
export async function startEngine(options: EngineStart): Promise<Engine> {
  const reached = await reach(options.socketPath);
  if (!(reached instanceof Error)) return new EngineSocket(reached, options, false);
  if (!nobodyThere(reached)) throw unreachable(options.socketPath, reached);
  return new EngineSocket(await launch(options), options, true);
}

class EngineSocket implements Engine {
  readonly started: boolean;
  readonly #socket: Socket;
  readonly #stream = new MessageStream();
  readonly #onLost: (fault: Fault) => void;
  readonly #closed: Promise<void>;
  #onEvent: ((event: Event) => void) | undefined;
  #outgoing: Uint8Array[] = [];
  #ending = false;

  constructor(socket: Socket, options: EngineOptions, started: boolean) {
    this.started = started;
    this.#socket = socket;
    this.#onLost = options.onLost;
    let breakage = 'it closed its socket';
    socket.on('error', (error) => {
      breakage = error.message;
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#lost(gone(breakage));
        resolve();
      });
    });
  }

  send(command: Command): void {
    if (this.#ending) return;
    // All commands of one turn of the event loop leave in one write of one piece.
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
    this.#outgoing.push(encodeCommand(command));
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#socket.destroyed) return;
    this.#socket.write(Buffer.concat(this.#outgoing));
    this.#outgoing = [];
    if (this.#socket.writableLength > backlogBytesMax) this.#lost(hangs(this.#socket.writableLength));
  }

  listen(onEvent: (event: Event) => void): void {
    if (this.#onEvent === undefined) this.#socket.on('data', (chunk) => this.#received(chunk));
    this.#onEvent = onEvent;
  }

  async close(): Promise<void> {
    this.#flush();
    this.#ending = true;
    this.#onEvent = undefined;
    this.#socket.end();
    this.#socket.resume();
    await this.#closed;
  }

  async stop(): Promise<void> {
    this.send({ kind: 'stop' });
    this.#flush();
    this.#ending = true;
    this.#socket.resume();
    await this.#closed;
  }

  #received(chunk: Uint8Array): void {
    const fault = this.#deliver(chunk);
    if (fault !== undefined) this.#lost(fault);
  }

  #deliver(chunk: Uint8Array): Fault | undefined {
    const messages = this.#stream.received(chunk);
    if (messages instanceof Malformed) return nonsense(messages);
    let heard = 0;
    for (const message of messages) {
      const event = decodeEvent(message);
      if (event instanceof Malformed) return nonsense(event);
      if (event.kind === 'hello' && event.version !== contractVersion) return otherVersion(event.version);
      this.#onEvent?.(event);
      heard += message.length;
    }
    if (heard > 0) this.send({ kind: 'heard', length: heard });
    return undefined;
  }

  #lost(fault: Fault): void {
    this.#socket.destroy();
    if (this.#ending) return;
    this.#ending = true;
    this.#onEvent = undefined;
    this.#onLost(fault);
  }
}

/** A connected socket, nothing of it read, or why there is none. */
function reach(socketPath: string): Promise<Socket | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const socket = createConnection({ path: socketPath });
    socket.once('error', resolve);
    socket.once('connect', () => {
      socket.off('error', resolve);
      resolve(socket);
    });
  });
}

function nobodyThere(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
}

const sameRelease = 'Install engine and control of the same release.';

function gone(why: string): Fault {
  return new Fault(
    'ENGINE_LOST',
    'system',
    `the engine is gone: ${why}`,
    'Its tunnels went with it; see its log.',
  );
}

function hangs(waiting: number): Fault {
  const text = `the engine does not read: ${waiting} octets wait for it`;
  return new Fault('ENGINE_HANGS', 'system', text, 'End it; its log may say what it was doing.');
}

function nonsense(malformed: Malformed): Fault {
  return new Fault('ENGINE_NONSENSE', 'system', `the engine sent nonsense: ${malformed}`, sameRelease);
}

function otherVersion(version: number): Fault {
  const text = `the engine speaks version ${version} of the contract, control ${contractVersion}`;
  return new Fault('ENGINE_OTHER_VERSION', 'operator', text, sameRelease);
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): Fault {
  if (nobodyThere(error)) {
    return new Fault('ENGINE_ABSENT', 'operator', `no engine listens on ${socketPath}`, 'Start pptp-engine.');
  }
  const hint = 'The run directory and the socket must belong to the user of control, or to its group.';
  return new Fault(
    'ENGINE_UNREACHABLE',
    'operator',
    `cannot connect to ${socketPath}: ${error.message}`,
    hint,
  );
}

/** Where the engine's own words go. */
function openLog(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, 'a', 0o640);
  } catch (error) {
    const text = `cannot open the engine's log ${path}: ${error instanceof Error ? error.message : error}`;
    throw new Fault('ENGINE_LOG', 'system', text, 'Choose a run directory that the daemon may write to.');
  }
}

/** Starts the engine and waits until it answers, ends, or is too late. */
async function launch({ socketPath, command, logPath }: EngineStart): Promise<Socket> {
  const log = openLog(logPath);
  const logStart = fstatSync(log).size;
  const [file, ...args] = command;
  const engine = spawn(file, [...args, '--socket', socketPath], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  engine.unref();

  const done = new AbortController();
  try {
    const outcome = await Promise.race([
      answer(socketPath, done.signal),
      end(engine),
      tooLate(startMs, done.signal),
    ]);
    if (outcome instanceof Socket) return outcome;
    throw notStarted(file, outcome, readFileSync(logPath).subarray(logStart).toString().trim());
  } finally {
    done.abort();
  }
}

/** The socket, as soon as somebody listens there: tried at once and whenever its name appears. */
function answer(socketPath: string, done: AbortSignal): Promise<Socket> {
  return new Promise((resolve) => {
    let answered = false;
    const attempt = async (): Promise<void> => {
      if (answered || done.aborted) return;
      const reached = await reach(socketPath);
      if (reached instanceof Error) {
        if (reached.code === 'ECONNREFUSED') setTimeout(enqueue, bindToListenMs);
        return;
      }
      answered = true;
      if (done.aborted) reached.destroy();
      else resolve(reached);
    };
    // One after the other: a second connection would take the engine away from the first.
    let last = Promise.resolve();
    const enqueue = (): void => {
      last = last.then(attempt);
    };
    watch(dirname(socketPath), { signal: done }, (_, name) => {
      if (name === basename(socketPath)) enqueue();
    });
    enqueue();
  });
}

/** How a start went wrong: an exit status, a signal's name, an error of the spawn, or nothing heard in time. */
type Failure = number | NodeJS.Signals | NodeJS.ErrnoException | 'silent';

function end(engine: ChildProcess): Promise<Failure> {
  return new Promise((resolve) => {
    engine.once('error', resolve);
    engine.once('exit', (status, signal) => resolve(signal ?? status ?? 0));
  });
}

function tooLate(afterMs: number, done: AbortSignal): Promise<'silent'> {
  return new Promise((resolve) => {
    const timeout = setTimeout(() => resolve('silent'), afterMs);
    done.addEventListener('abort', () => clearTimeout(timeout));
  });
}

function notStarted(file: string, failure: Failure, words: string): Fault {
  const said = words === '' ? '' : `: ${words}`;
  if (failure === noPermission) {
    const hint = `Start it as root, or give it the rights: setcap cap_net_admin,cap_net_raw+ep ${file}`;
    return new Fault('ENGINE_NO_PRIVILEGE', 'operator', `the engine lacks a privilege${said}`, hint);
  }
  if (failure instanceof Error) {
    const hint = failure.code === 'ENOENT' ? 'Build it: npm run engine.' : 'See that it may be executed.';
    return new Fault('ENGINE_NOT_EXECUTABLE', 'operator', `cannot run ${file}: ${failure.message}`, hint);
  }
  if (failure === 'silent') {
    const text = `the engine did not open its socket within ${startMs / 1000} s${said}`;
    return new Fault('ENGINE_SILENT', 'system', text, 'See its log.');
  }
  const how = typeof failure === 'number' ? `with status ${failure}` : `by ${failure}`;
  return new Fault('ENGINE_FAILED', 'system', `the engine ended ${how}${said}`, 'See its log.');
}
