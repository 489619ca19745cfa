/**
 * Connections of RouterOS's API, over TCP or TLS: reads sentences, drives commands in slices, writes replies as fast as they are
 * read. What sentences mean is api-session.ts's; who may connect, services.io.ts's.
 */

import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions } from 'node:tls';
import type { Clock, Timer } from '../../base/clock.ts';
import { formatIpv4, parseIpv4 } from '../../base/ip.ts';
import type { Log } from '../../base/observe.ts';
import type { Random } from '../../base/random.ts';
import { ApiSession, type Effect } from './api-session.ts';
import { encodeSentence, type Sentence, SentenceStream } from './api-words.ts';
import type { ServiceDesk, Told } from './desk.ts';
import { Drive, type EventLoop } from './drive.ts';
import { type Gate, servicesTally } from './users.ts';

/** From connecting to having logged in. */
const loginMs = 10_000;
/** From the first octet of a sentence to its last. */
const sentenceMs = 30_000;
/** How long a reader may leave what was written lying: it holds a list in memory. */
const readMs = 60_000;
/** How long one that was told `!fatal` may take to read it. */
const farewellMs = 5_000;
/** A peer that is gone without a word is noticed by the system's probes, which begin after this. */
const keepAliveMs = 60_000;
/** Handshakes that take longer hold a connection for nothing. */
const handshakeMs = 10_000;

export interface ApiServerPorts {
  readonly log: Log;
  readonly gate: Gate;
  readonly desk: ServiceDesk;
  readonly random: Random;
  readonly loop: EventLoop;
}

/** A server that speaks the API, over TLS if there are credentials. It does not listen yet. */
export function apiServer(ports: ApiServerPorts, credentials: SecureContextOptions | undefined): Server {
  const via = credentials === undefined ? 'api' : 'api-ssl';
  const serve = (socket: Socket) => void new Connection(socket, via, ports);
  if (credentials === undefined) return createTcpServer(serve);
  const server = createTlsServer(
    { ...credentials, handshakeTimeout: handshakeMs, minVersion: 'TLSv1.2' },
    serve,
  );
  // Scanners and programs that speak in clear: there is nobody to be told.
  server.on('tlsClientError', (_, socket) => {
    servicesTally.add('malformed');
    socket.destroy();
  });
  return server;
}

class Connection {
  readonly #socket: Socket;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #loop: EventLoop;
  readonly #session: ApiSession;
  readonly #stream = new SentenceStream();
  readonly #drives = new Map<number, Drive<Told>>();
  readonly #place: string;
  /** Commands that wait for the reader. */
  #held: (() => void)[] = [];
  #deadline: Timer | undefined;
  #readDeadline: Timer | undefined;
  #isLeaving = false;

  constructor(socket: Socket, via: 'api' | 'api-ssl', { log, loop, ...ports }: ApiServerPorts) {
    const from = parseIpv4(socket.remoteAddress ?? '') ?? 0;
    this.#socket = socket;
    this.#log = log;
    this.#clock = ports.desk.clock;
    this.#loop = loop;
    this.#place = `from ${formatIpv4(from)} via ${via}`;
    this.#session = new ApiSession({ ...ports, from, via });
    this.#within(loginMs, 'nobody has logged in');
    socket
      .setNoDelay(true)
      .setKeepAlive(true, keepAliveMs)
      .on('data', (octets) => this.#received(octets))
      .on('drain', () => this.#drained())
      // A program that is gone has nothing to be told.
      .on('error', () => socket.destroy())
      .on('close', () => this.#closed());
  }

  #received(octets: Uint8Array): void {
    if (this.#isLeaving) return;
    const { sentences, malformed } = this.#stream.push(octets);
    const before = this.#session.user;
    for (const sentence of sentences) this.#do(this.#session.received(sentence));
    const { user } = this.#session;
    if (user !== before) this.#log('info', 'system', `user ${user} logged in ${this.#place}`, { user });
    if (malformed !== undefined) {
      servicesTally.add(malformed.code === 'API_SENTENCE_TOO_LONG' ? 'overlong' : 'malformed');
      this.#log('warning', 'system', `api: connection ${this.#place} ended: ${malformed}`);
      this.#do(this.#session.malformed(malformed.code));
    } else if (user !== undefined && !this.#isLeaving) {
      // Each sentence has its time, however often a piece of it comes.
      if (sentences.length > 0 || !this.#stream.isInside) this.#inTime();
      if (this.#stream.isInside) this.#within(sentenceMs, 'a sentence was begun and not ended');
    }
  }

  #inTime(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
  }

  /** Hangs up in `delayMs`, unless what is waited for has come. */
  #within(delayMs: number, why: string): void {
    this.#deadline ??= this.#clock.arm(delayMs, () => {
      servicesTally.add('silent');
      this.#giveUp(`${why} within ${delayMs / 1000} s`);
    });
  }

  #giveUp(why: string): void {
    this.#log('info', 'system', `api: connection ${this.#place} ended: ${why}`);
    this.#socket.destroy();
  }

  #do(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'send') this.#send(effect.sentence);
      else if (effect.do === 'hang-up') this.#hangUp();
      else if (effect.do === 'start') this.#start(effect);
      else {
        this.#drives.get(effect.command)?.stop();
        this.#drives.delete(effect.command);
      }
    }
  }

  #hangUp(): void {
    this.#isLeaving = true;
    this.#inTime();
    this.#deadline = this.#clock.arm(farewellMs, () => this.#socket.destroy());
    this.#socket.end();
  }

  #start({ command, flow }: Extract<Effect, { do: 'start' }>): void {
    const drive = new Drive(flow, this.#loop, {
      take: ({ row }) => this.#send(this.#session.toldBy(command, row)),
      isBehind: () => this.#socket.writableNeedDrain,
      whenTaken: (goOn) => this.#held.push(goOn),
      ended: (result, fault) => {
        this.#drives.delete(command);
        this.#do(this.#session.ended(command, result, fault));
      },
    });
    this.#drives.set(command, drive);
  }

  #send(sentence: Sentence): void {
    if (!this.#socket.writable) return;
    // What is said in one turn of the event loop leaves together.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    if (!this.#socket.write(encodeSentence(sentence))) this.#readerIsBehind();
  }

  /** Nothing more is done for a program until it has read what it asked for; not even its commands are. */
  #readerIsBehind(): void {
    this.#socket.pause();
    this.#readDeadline ??= this.#clock.arm(readMs, () => {
      servicesTally.add('slowReaders');
      this.#giveUp(`what it asked for was not read within ${readMs / 1000} s`);
    });
  }

  #drained(): void {
    this.#readDeadline?.cancel();
    this.#readDeadline = undefined;
    this.#socket.resume();
    const held = this.#held;
    this.#held = [];
    for (const goOn of held) goOn();
  }

  #closed(): void {
    this.#deadline?.cancel();
    this.#readDeadline?.cancel();
    for (const drive of this.#drives.values()) drive.stop();
    this.#drives.clear();
    const { user } = this.#session;
    if (user !== undefined) this.#log('info', 'system', `user ${user} logged out ${this.#place}`, { user });
  }
}
