/** Two real engines in two network namespaces on one cable; datagrams of the hosts go through UDP sockets there. */

import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import { formatIpv4, parseIpv4 } from '../../src/base/ip.ts';
import { type Engine, startEngine } from '../../src/datapath/engine.io.ts';
import { type Namespace, Network } from '../netns/namespaces.io.ts';
import { bridgeName, Control, inner, lan, type More, type Pair, type Side, type World } from './world.ts';

export const enginePath = fileURLToPath(new URL('../../build/native/pptp-engine', import.meta.url));

/** Nothing between two engines on one machine takes as long: who waits so long waits in vain. */
const patienceMs = 5_000;

/** The namespaces are there for tests that send traffic of their own. */
export interface RealWorld extends World {
  readonly namespaces: { readonly left: Namespace; readonly right: Namespace };
}

export function realWorld(): RealWorld {
  if (!existsSync(enginePath)) throw new Error(`${enginePath} is missing: build it with npm run engine`);
  const network = new Network('contract');
  const [left, right] = [network.namespace('left'), network.namespace('right')];
  network.join(left, '10.0.0.1/24', right, '10.0.0.2/24');
  for (const [namespace, address] of [
    [left, lan.left],
    [right, lan.right],
  ] as const) {
    namespace.run('ip', 'link', 'add', bridgeName, 'type', 'bridge', 'mcast_snooping', '0');
    namespace.run('ip', 'address', 'add', `${formatIpv4(address)}/24`, 'dev', bridgeName);
    namespace.run('ip', 'link', 'set', bridgeName, 'up');
  }
  const datagrams = [new Datagrams(left), new Datagrams(right)] as const;
  return {
    name: 'the real engine',
    namespaces: { left, right },
    open: async () => {
      const sides = [
        await openSide(left, '10.0.0.1', { inner: inner.right, lan: lan.right }, datagrams[0]),
        await openSide(right, '10.0.0.2', { inner: inner.left, lan: lan.left }, datagrams[1]),
      ] as const;
      return {
        left: sides[0],
        right: sides[1],
        pass: () => setTimeout(1),
        close: async () => void (await Promise.all(sides.map((side) => side.close()))),
      } satisfies Pair;
    },
    remove: () => network.remove(),
  };
}

async function openSide(
  namespace: Namespace,
  address: string,
  other: { readonly inner: number; readonly lan: number },
  datagrams: Datagrams,
) {
  const directory = mkdtempSync(join(tmpdir(), 'contract-'));
  const news = newsOf();
  await datagrams.begin(news);
  let hasEnded = false;
  let hasLeft = false;
  const start = () =>
    startEngine({
      socketPath: join(directory, 'engine.sock'),
      logPath: join(directory, 'engine.log'),
      command: namespace.inside([enginePath]),
      onLost: (fault) => news.failed(fault),
    });
  let engine: Engine = await start();
  let control = new Control(engine, news.more, news.arrived);

  return {
    address: parseIpv4(address) ?? 0,
    get control() {
      return control;
    },
    leave: async () => {
      hasLeft = true;
      await engine.close();
    },
    join: async () => {
      engine = await start();
      hasLeft = false;
      control = new Control(engine, news.more, news.arrived);
      return control;
    },
    ended: async () => {
      // `stop` has been sent: the engine closes its socket when all is done.
      await engine.stop();
      hasEnded = true;
    },
    sendPacket: async (_: string, payload: Uint8Array) => datagrams.send(other.inner, payload),
    sendBridged: async (payload: Uint8Array) => datagrams.send(other.lan, payload),
    nextPacket: () => datagrams.next(),
    close: async () => {
      if (hasLeft) engine = await start();
      if (!hasEnded) await engine.stop();
      rmSync(directory, { recursive: true });
    },
  } satisfies Side & { close(): Promise<void> };
}

/** Something may have arrived: resolves all who wait for more. */
function newsOf() {
  const waiting: (() => void)[] = [];
  let fault: Error | undefined;
  const arrived = (): void => {
    for (const wake of waiting.splice(0)) wake();
  };
  const more: More = async (wanted) => {
    if (fault !== undefined) throw fault;
    const patience = new AbortController();
    const news = new Promise<true>((resolve) => waiting.push(() => resolve(true)));
    const inVain = setTimeout(patienceMs, false, { signal: patience.signal }).catch(() => false);
    const came = await Promise.race([news, inVain]);
    patience.abort();
    if (fault !== undefined) throw fault;
    if (!came) throw new Error(`waited in vain for ${wanted}`);
  };
  return {
    arrived,
    more,
    failed: (error: Error) => {
      fault = error;
      arrived();
    },
  };
}

type News = ReturnType<typeof newsOf>;

/** A process in the namespace that sends and prints datagrams, for all tests: a socket does not mind interfaces that come and go. */
class Datagrams {
  readonly #process: ChildProcess;
  readonly #ready: Promise<void>;
  #received: Uint8Array[] = [];
  #news: News | undefined;

  constructor(namespace: Namespace) {
    this.#process = namespace.start([process.execPath, '-e', relay], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout as NonNullable<ChildProcess['stdout']> });
    this.#ready = once(lines, 'line').then(() => {
      lines.on('line', (line) => {
        this.#received.push(fromHex(line));
        this.#news?.arrived();
      });
    });
  }

  /** For the next test: what the one before left behind is forgotten. */
  async begin(news: News): Promise<void> {
    await this.#ready;
    this.#received = [];
    this.#news = news;
  }

  send(to: number, payload: Uint8Array): void {
    this.#process.stdin?.write(`${formatIpv4(to)} ${toHex(payload)}\n`);
  }

  async next(): Promise<Uint8Array> {
    while (this.#received.length === 0) await this.#news?.more('a datagram');
    return this.#received.shift() as Uint8Array;
  }
}

/** Prints "ready", then each datagram in hexadecimal; sends what lines `ADDRESS HEX` ask for. */
const relay = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (message) => console.log(message.toString('hex')));
  socket.on('error', () => {});
  socket.bind(7000, () => console.log('ready'));
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const [address, hex] = line.split(' ');
    socket.send(Buffer.from(hex, 'hex'), 7000, address, () => {});
  });
`;

/** What the engine says of the contract. */
export function engineContract(): unknown {
  const { stdout, status, stderr } = spawnSync(enginePath, ['--contract'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${enginePath} --contract: ${status} ${stderr}`);
  return JSON.parse(stdout);
}
