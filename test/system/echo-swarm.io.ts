/**
 * Datagrams through many tunnels at once, each answered: two processes, one that asks every address in turn, one that answers whoever
 * asks. Which datagram was lost is known by address; what was under way at the end is waited for.
 *
 *     const swarm = new EchoSwarm(site.server, site.client);
 *     await swarm.ask(addresses, 200);
 *     const { sent, lost } = await swarm.end();
 */

import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../netns/namespaces.io.ts';

const port = 4_000;
/** Octets of a datagram: an ordinary packet of a subscriber. */
const size = 500;
/** A process that has no turn for a second loses nothing by that. */
const recvBufferSize = 4 << 20;
/** An answer that has not come by then will not come, in ms. */
const patienceMs = 5_000;

export interface Echoed {
  readonly sent: number;
  /** Datagrams without an answer, by address; those that lost none are left out. */
  readonly lost: Readonly<Record<string, number>>;
}

export class EchoSwarm {
  readonly #asker: ChildProcess;
  readonly #answerer: ChildProcess;
  readonly #asking: AsyncIterator<string>;

  /** Whoever is in `answering` answers those in `asking`. */
  constructor(asking: Namespace, answering: Namespace) {
    this.#answerer = start(answering, 'answer');
    this.#asker = start(asking, 'ask');
    this.#asking = linesOf(this.#asker)[Symbol.asyncIterator]();
  }

  /** Asks each address once in `everyMs`, from now on; resolves when all have answered once. */
  async ask(addresses: readonly string[], everyMs: number): Promise<void> {
    await linesOf(this.#answerer)[Symbol.asyncIterator]().next();
    this.#asker.stdin?.write(`${JSON.stringify({ addresses, everyMs })}\n`);
    await this.#asking.next();
  }

  /** Datagrams of which nobody knows yet what became of them are left out: what was sent and lost since `ask`, or the `tally` before. */
  async tally(): Promise<Echoed> {
    this.#asker.stdin?.write('tally\n');
    return JSON.parse((await this.#asking.next()).value) as Echoed;
  }

  /** Ends both. */
  async end(): Promise<void> {
    for (const child of [this.#asker, this.#answerer]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

function start(namespace: Namespace, what: 'ask' | 'answer'): ChildProcess {
  const loader = fileURLToPath(new URL('typescript.mjs', import.meta.url));
  const command = [process.execPath, '--import', loader, fileURLToPath(import.meta.url), what];
  return namespace.start(command, { stdio: ['pipe', 'pipe', 'inherit'] });
}

function linesOf({ stdout }: ChildProcess): AsyncIterable<string> {
  if (stdout === null) throw new Error('a swarm needs pipes');
  return createInterface({ input: stdout });
}

// ---- in a process of its own

function answer(): void {
  const socket = createSocket({ type: 'udp4', recvBufferSize });
  socket.on('message', (octets, from) => socket.send(octets, from.port, from.address));
  socket.bind(port, () => process.stdout.write('ready\n'));
}

/** What is under way to one address: the datagrams that were not answered yet, by number, and when each was sent. */
interface Asked {
  readonly address: string;
  readonly open: Map<number, number>;
  hasAnswered: boolean;
}

function ask(): void {
  const socket = createSocket({ type: 'udp4', recvBufferSize });
  socket.bind();
  let asked: Asked[] = [];
  let sent = 0;
  let isQuiet = true;
  const bySource = new Map<string, Asked>();
  socket.on('message', (octets, { address }) => {
    const from = bySource.get(address);
    if (from === undefined) return;
    from.open.delete(octets.readUInt32BE());
    from.hasAnswered = true;
    if (!isQuiet || !asked.every(({ hasAnswered }) => hasAnswered)) return;
    isQuiet = false;
    process.stdout.write('all\n');
  });
  const begin = ({ addresses, everyMs }: { addresses: readonly string[]; everyMs: number }) => {
    asked = addresses.map((address) => ({ address, open: new Map(), hasAnswered: false }));
    for (const each of asked) bySource.set(each.address, each);
    let next = 0;
    const octets = Buffer.alloc(size);
    const beganMs = performance.now();
    setInterval(() => {
      const due = ((performance.now() - beganMs) / everyMs) * asked.length;
      for (; next < due; next += 1) {
        const to = asked[next % asked.length];
        if (to === undefined) return;
        octets.writeUInt32BE(next);
        to.open.set(next, performance.now());
        sent += 1;
        socket.send(Buffer.from(octets), port, to.address);
      }
    }, 5);
  };
  /** Told when all that was sent before has been answered, or is lost. */
  const tally = () => {
    const askedAtMs = performance.now();
    const isOpen = (sentAtMs: number) => sentAtMs <= askedAtMs;
    const look = setInterval(() => {
      const open = asked.some((each) => [...each.open.values()].some(isOpen));
      if (open && performance.now() < askedAtMs + patienceMs) return;
      clearInterval(look);
      const lost: Record<string, number> = {};
      for (const each of asked) {
        const gone = [...each.open].filter(([, sentAtMs]) => isOpen(sentAtMs));
        for (const [number] of gone) each.open.delete(number);
        if (gone.length > 0) lost[each.address] = gone.length;
      }
      process.stdout.write(`${JSON.stringify({ sent, lost } satisfies Echoed)}\n`);
      sent = 0;
    }, 50);
  };
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'tally') tally();
    else begin(JSON.parse(line));
  });
}

const [, , what] = process.argv;
if (what === 'answer') answer();
else if (what === 'ask') ask();
