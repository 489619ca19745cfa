/**
 * A storm of sessions in a process that is killed again and again. The child is control as far as accounting goes: journal,
 * delivery, exchange, UDP, and sessions that come, are used and go. The parent is the engine, which outlives it: it knows
 * which sessions there are and what they have used, and it keeps the truth that the server's records must agree with.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Accountant } from '../../src/accounting/accountant.ts';
import { EmbeddedDelivery } from '../../src/accounting/delivery.ts';
import { openJournal } from '../../src/accounting/journal.io.ts';
import type { Ledger } from '../../src/accounting/ledger.ts';
import type { AccountingRecord, Usage } from '../../src/accounting/record.ts';
import { radiusSender } from '../../src/accounting/sender.ts';
import { nodeSessionId, SessionIds } from '../../src/accounting/session-id.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import type { Clock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { below, seededRandom } from '../../src/base/random.ts';
import { Secret } from '../../src/base/secret.ts';
import { defaultsOf } from '../../src/base/setting.ts';
import { attributeCodec } from '../../src/radius/codec.io.ts';
import { Exchange } from '../../src/radius/exchange.ts';
import { radiusMenu } from '../../src/radius/settings.ts';
import { openUdp } from '../../src/radius/udp.io.ts';
import { factsOf, usageOf } from '../unit/accounting/facts.ts';

export interface StormOptions {
  readonly directory: string;
  readonly accountingPort: number;
  readonly secret: string;
  /** Sessions that come up in a second; each lives for about one. */
  readonly ratePerSecond: number;
  readonly seed: number;
  readonly timeoutMs?: number;
}

/** What the engine says of a session that it holds: its octets from the user. */
type Held = readonly (readonly [sessionId: string, octets: number])[];

type ToChild =
  | { readonly is: 'begin'; readonly options: StormOptions; readonly held: Held }
  | { readonly is: 'calm' };

type FromChild =
  | { readonly is: 'loaded' }
  | { readonly is: 'ready' }
  | { readonly is: 'up'; readonly sessionId: string }
  | { readonly is: 'ended'; readonly sessionId: string; readonly octets: number }
  /** The journal has it: whatever happens now, the server must get it. */
  | { readonly is: 'kept'; readonly kind: string; readonly sessionId: string; readonly octets: number }
  /** Control has asked the engine. */
  | { readonly is: 'read'; readonly sessionId: string; readonly octets: number }
  | { readonly is: 'told'; readonly pending: number };

/** All that is known of a session. Octets are those from the user. */
export interface Truth {
  isStartKept: boolean;
  /** What the engine has counted, as far as control asked. */
  octets: number;
  hasEnded: boolean;
  keptStop: number | undefined;
  /** Of the last Interim-Update that is kept. */
  keptInterim: number;
}

/** Processes that stand by, loaded: to load one takes seconds, but a crash does not wait, and servers forget what they answered. */
const standbys = 4;

export class Storm {
  readonly truth = new Map<string, Truth>();
  readonly #options: StormOptions;
  readonly #standby = Array.from({ length: standbys }, loaded);
  #child: ChildProcess | undefined;
  #pending = 0;

  constructor(options: StormOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#pending;
  }

  /** Starts control. Of the sessions that it left, the engine holds every other one, and has them go on counting. */
  async begin(): Promise<void> {
    const child = await this.#takeStandby();
    this.#child = child;
    const held: [string, number][] = [];
    for (const [sessionId, truth] of this.truth) {
      const isOver = truth.hasEnded || truth.keptStop !== undefined;
      if (isOver || Number.parseInt(sessionId.slice(-1), 16) % 2 === 0) continue;
      truth.octets += 1000;
      held.push([sessionId, truth.octets]);
    }
    const isReady = new Promise<void>((ready) => {
      child.on('message', (message: FromChild) =>
        message.is === 'ready' ? ready() : message.is !== 'loaded' && this.#heard(message),
      );
    });
    const isOver = once(child, 'exit').then(([code]) => Promise.reject(new Error(`exit ${code}`)));
    child.send({ is: 'begin', options: this.#options, held } satisfies ToChild);
    await Promise.race([isReady, isOver]);
    isOver.catch(() => {}); // It will be killed.
  }

  /** Kills control, as soon as another process could take its place. */
  async kill(): Promise<void> {
    await this.#standby[0];
    await end(this.#child);
  }

  async close(): Promise<void> {
    await Promise.all([end(this.#child), ...this.#standby.map(async (child) => end(await child))]);
  }

  async #takeStandby(): Promise<ChildProcess> {
    const first = this.#standby.shift();
    if (first === undefined) throw new Error('nobody stands by');
    this.#standby.push(loaded());
    return first;
  }

  /** Resolves when so many sessions have been. */
  async sessions(count: number): Promise<void> {
    while (this.truth.size < count) await once(this.#child as ChildProcess, 'message');
  }

  /** No session comes any more, all end; resolves when the server has been told everything. */
  async calm(): Promise<void> {
    const child = this.#child;
    if (child === undefined) throw new Error('the storm has not begun');
    const isTold = new Promise<void>((told) => {
      child.on('message', (message: FromChild) => message.is === 'told' && message.pending === 0 && told());
    });
    child.send({ is: 'calm' } satisfies ToChild);
    await isTold;
  }

  #heard(message: Exclude<FromChild, { is: 'ready' | 'loaded' }>): void {
    if (message.is === 'told') {
      this.#pending = message.pending;
      return;
    }
    const truth = this.truth.get(message.sessionId) ?? {
      isStartKept: false,
      octets: 0,
      hasEnded: false,
      keptStop: undefined,
      keptInterim: 0,
    };
    this.truth.set(message.sessionId, truth);
    if (message.is === 'up') return;
    truth.octets = Math.max(truth.octets, message.octets);
    if (message.is === 'ended') truth.hasEnded = true;
    if (message.is !== 'kept') return;
    if (message.kind === 'start') truth.isStartKept = true;
    if (message.kind === 'interim') truth.keptInterim = message.octets;
    if (message.kind !== 'stop') return;
    if (truth.keptStop !== undefined) throw new Error(`two Stops of ${message.sessionId} were made`);
    truth.keptStop = message.octets;
  }
}

async function loaded(): Promise<ChildProcess> {
  const loader = fileURLToPath(new URL('typescript.mjs', import.meta.url));
  const child = fork(fileURLToPath(import.meta.url), ['child'], { execArgv: ['--import', loader] });
  await once(child, 'message');
  return child;
}

/** What it had said before stands in the channel until it is read. */
async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

// ---- the child

/** Sweeps every 50 ms and Interim-Updates every 100: a life is too short for real ones. */
const haste = 100;
const interimMs = 10_000;
const hurried: Clock = {
  nowMs: () => systemClock.nowMs() * haste,
  wallMs: () => systemClock.wallMs(),
  arm: (delayMs, fire) => systemClock.arm(delayMs / haste, fire),
};

const nas = { identifier: 'storm', address: undefined };

async function beChild({ options, held }: Extract<ToChild, { is: 'begin' }>): Promise<() => void> {
  const say = (message: FromChild): void => void process.send?.(message);
  const log = (severity: string, topics: string, text: string): void => {
    if (severity === 'warning' || severity === 'error')
      process.stderr.write(`${topics},${severity} ${text}\n`);
  };
  const clock = systemClock;
  const { ledger, recovered } = await openJournal({ directory: options.directory, clock, log });
  const exchange = new Exchange({ clock, random: systemRandom, openWire: openUdp, log });
  exchange.configure([
    {
      ...defaultsOf(radiusMenu),
      service: ['ppp'],
      address: '127.0.0.1',
      secret: new Secret(options.secret),
      authenticationPort: 0,
      accountingPort: options.accountingPort,
      timeout: options.timeoutMs ?? 3_000,
    },
  ]);
  const speaking: Ledger = {
    open: (session) => ledger.open(session),
    usage: (sessionId, known) => ledger.usage(sessionId, known),
    sent: (number, sent, written) => ledger.sent(number, sent, written),
    done: (number) => ledger.done(number),
    record: (record, kept) =>
      ledger.record(record, (entry) => {
        tellKept(record, say);
        kept(entry);
      }),
    get pending() {
      return ledger.pending;
    },
    get isHealthy() {
      return ledger.isHealthy;
    },
  };
  const send = radiusSender({
    ask: (query, done) => void exchange.ask(query, done),
    codec: attributeCodec,
    ledger,
    clock,
  });
  const using = new Map<string, number>();
  const accountant = new Accountant({
    ledger: speaking,
    makeDelivery: (done) => new EmbeddedDelivery({ send, done, clock, random: systemRandom, log }),
    clock: hurried,
    random: systemRandom,
    nodeSessionId: nodeSessionId('storm'),
    readUsage: (read) =>
      setImmediate(() =>
        read((sessionId) => {
          const octets = using.get(sessionId);
          if (octets === undefined) return undefined;
          say({ is: 'read', sessionId, octets });
          return usageOf(octets);
        }),
      ),
  });
  exchange.onRevived(() => accountant.hurry());
  const ids = new SessionIds('storm', recovered.mark);
  const heldOctets = new Map(held);
  accountant.recover(recovered, (sessionId) => heldOctets.has(sessionId));
  for (const [sessionId, octets] of held) {
    say({ is: 'ended', sessionId, octets });
    accountant.ended(sessionId, { usage: usageOf(octets), terminateCause: 6 });
  }
  accountant.nodeUp(nas);

  const random = seededRandom(options.seed + recovered.mark);
  const tickMs = 10;
  let isCalm = false;
  const end = (sessionId: string, octets: number): void => {
    using.delete(sessionId);
    say({ is: 'ended', sessionId, octets });
    accountant.ended(sessionId, { usage: usageOf(octets), terminateCause: 1 });
  };
  const tick = (): void => {
    for (const [sessionId, octets] of using) {
      const used = octets + below(random, 100_000);
      using.set(sessionId, used);
      if (isCalm || below(random, 1_000 / tickMs) === 0) end(sessionId, used);
      else if (below(random, 400) === 0) accountant.changed(sessionId, { classes: [Uint8Array.of(1, 2, 3)] });
    }
    for (let at = 0; !isCalm && at < (options.ratePerSecond * tickMs) / 1_000; at++) {
      const sessionId = ids.next();
      say({ is: 'up', sessionId });
      using.set(sessionId, 0);
      accountant.up(factsOf(sessionId), at % 3 === 0 ? interimMs : 0);
    }
    if (isCalm || below(random, 10) === 0) say({ is: 'told', pending: using.size + ledger.pending });
    setTimeout(tick, tickMs);
  };
  tick();
  say({ is: 'ready' });
  return () => {
    isCalm = true;
  };
}

function tellKept(record: AccountingRecord, say: (message: FromChild) => void): void {
  if (!('facts' in record)) return;
  const { sessionId } = record.facts.identity;
  const usage: Usage | undefined = 'usage' in record ? record.usage : undefined;
  say({ is: 'kept', kind: record.kind, sessionId, octets: Number(usage?.receivedOctets ?? 0n) });
}

if (process.argv[2] === 'child' && process.send !== undefined) {
  let calm: Promise<() => void> | undefined;
  process.on('message', (message: ToChild) => {
    if (message.is === 'begin') calm = beChild(message);
    else void calm?.then((go) => go());
  });
  process.once('disconnect', () => process.exit(0));
  process.send({ is: 'loaded' } satisfies FromChild);
}
