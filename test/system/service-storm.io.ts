/**
 * A storm over a service of whole nodes: callers come and go, nodes and what they need fail, all of it as a seed has it
 * (service-storm-plan.ts). Then it is calm, and what all know must be the same; then everybody leaves, and nothing may be left.
 *
 *     const storm = await Storm.start('storm', 'nodes killed');
 *     const { troubles } = await storm.ride(7);
 *     await storm.remove();
 *
 * Moments are the storm's own; in the calm after it nothing waits for a time, but for what is to come, and not for ever.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ClientHost } from './client-host.io.ts';
import type { Concentrator } from './concentrator.io.ts';
import { Caller } from './service-callers.io.ts';
import {
  addressTroubles,
  type Boot,
  type CutOff,
  staysOf,
  userTroubles,
  windowsOf,
} from './service-chronicle.ts';
import { ServiceSite } from './service-site.io.ts';
import {
  type CutFrom,
  type Deed,
  type FaultName,
  lines,
  nodeCount,
  planOf,
  type RedisFault,
  type Step,
  users,
} from './service-storm-plan.ts';
import { type Connected, troublesOf } from './service-views.io.ts';
import { run } from './traffic.io.ts';

/** Until everything must be settled: a node that is paused is given up and comes back, RADIUS is asked again, all of it on a busy machine. */
const patienceMs = 60_000;
/** Between two looks, in ms. */
const lookMs = 250;

const script = `
/system cluster set dead-after=4s
/ip pool add name=subscribers ranges=10.77.0.0/22
/ppp profile set default-encryption local-address=10.78.0.1 remote-address=subscribers only-one=yes
/ppp aaa set use-radius=yes interim-update=1m
/interface pptp-server server set enabled=yes keepalive-timeout=2`;

/** Everybody is known; those with an address of their own have one of the pool. */
const known = [
  ...users
    .filter(isNamed)
    .map((name, at) => ({ name, password: 'x', reply: [`Framed-IP-Address = 10.77.1.${at + 1}`] })),
  { name: 'DEFAULT', password: 'x' },
];

function isNamed(user: string): boolean {
  return user.startsWith('fixed');
}

/** What became of one ride. */
export interface Ride {
  readonly plan: readonly Step[];
  readonly sessions: number;
  /** Callers who were up when all was calm. */
  readonly stayed: number;
  readonly settledMs: number;
  readonly leftMs: number;
  readonly troubles: readonly string[];
}

interface Running {
  readonly node: Concentrator;
  readonly boot: { -readonly [K in keyof Boot]: Boot[K] };
}

export class Storm {
  readonly site: ServiceSite;
  readonly #fault: FaultName;
  readonly #host: ClientHost;
  readonly #callers: readonly Caller[];
  readonly #running: (Running | undefined)[] = [];
  readonly #boots: Boot[] = [];
  readonly #cuts: CutOff[] = [];
  /** Who is done something to, in turn: what is done to one node or to Redis never overlaps. */
  readonly #turns = new Map<string, Promise<void>>();

  private constructor(site: ServiceSite, host: ClientHost, fault: FaultName) {
    this.site = site;
    this.#host = host;
    this.#fault = fault;
    this.#callers = lines.map((user, at) => new Caller(host, user, `line${at}`));
  }

  static async start(label: string, fault: FaultName): Promise<Storm> {
    const watched = fault === 'redis fails over' ? 'watched' : undefined;
    const site = await ServiceSite.start(label, nodeCount, known, watched);
    const host = await ClientHost.start(site.client, { interfaces: 'none' });
    const storm = new Storm(site, host, fault);
    await Promise.all(site.nodes.map((_, at) => storm.#startNode(at)));
    return storm;
  }

  async ride(seed: number): Promise<Ride> {
    const plan = planOf(this.#fault, seed);
    const fromMs = Date.now();
    await this.#rage(plan);
    await Promise.all(
      this.#callers.flatMap((caller) => (caller.address === undefined ? caller.hangUp() : [])),
    );
    const settled = await this.#settled();
    const stayed = this.#connected.length;
    await Promise.all(this.#callers.map((caller) => caller.hangUp()));
    const left = settled.troubles.length > 0 ? { troubles: [], afterMs: 0 } : await this.#settled();
    const stays = staysOf(this.#boots);
    const troubles = [
      ...settled.troubles.map((trouble) => `in the calm: ${trouble}`),
      ...left.troubles.map((trouble) => `when all had left: ${trouble}`),
      ...addressTroubles(stays, isNamed, this.#cuts),
      ...userTroubles(stays, this.#cuts),
    ];
    this.#writeLogs(seed);
    const sessions = stays.filter((stay) => stay.fromMs >= fromMs).length;
    return { plan, sessions, stayed, settledMs: settled.afterMs, leftMs: left.afterMs, troubles };
  }

  async remove(): Promise<void> {
    await this.#host.stop();
    await this.site.remove();
  }

  async #rage(plan: readonly Step[]): Promise<void> {
    const beganMs = performance.now();
    const doing: Promise<void>[] = [];
    for (const { atMs, deed } of plan) {
      await pause(Math.max(0, atMs - (performance.now() - beganMs)));
      doing.push(this.#perform(deed));
    }
    await Promise.all(doing);
  }

  #perform(deed: Deed): Promise<void> {
    switch (deed.do) {
      case 'turn':
        return this.#turn(deed.line, deed.node);
      case 'dynamic':
        return this.#ask(deed.request, users[deed.user] ?? '', deed.node);
      case 'reboot':
        return this.#inTurn(`node${deed.node}`, () => this.#reboot(deed.node, deed.how, deed.forMs));
      case 'pause':
        return this.#inTurn(`node${deed.node}`, () => this.#pauseNode(deed.node, deed.forMs));
      case 'cut':
        return this.#inTurn(`node${deed.node}`, () => this.#cut(deed.node, deed.from, deed.forMs));
      case 'redis':
        return this.#inTurn('redis', () => this.#failRedis(deed.how, deed.forMs));
      case 'fail over':
        return this.#inTurn('redis', () =>
          this.#whileCut(allNodes, () => this.site.redis.failOver(deed.how)),
        );
    }
  }

  /** Nobody waits for who hangs up: a paused node takes its time. */
  async #turn(line: number, node: number): Promise<void> {
    const caller = this.#callers[line];
    if (caller?.isIdle) caller.dial(this.site.addressOf(node));
    else void caller?.hangUp();
  }

  /** From the address that the nodes know the server by. What becomes of it is not looked at: the user may be gone. */
  async #ask(request: 'coa' | 'disconnect', user: string, at: number): Promise<void> {
    const { radius, core } = this.site;
    const wish = request === 'coa' ? ', Mikrotik-Rate-Limit = "1M/2M"' : '';
    const packet = `Packet-Src-IP-Address = ${radius.address}, User-Name = "${user}"${wish}`;
    const node = `${this.site.addressOf(at)}:3799`;
    const command = `printf '%s\\n' '${packet}' | radclient -r 1 -t 3 ${node} ${request} ${radius.secret}`;
    await run(core, 'sh', '-c', command);
  }

  async #reboot(at: number, how: 'killed' | 'control killed' | 'ended', forMs: number): Promise<void> {
    const running = this.#running[at];
    if (running === undefined) throw new Error(`node${at + 1} does not run`);
    const { node, boot } = running;
    if (how === 'ended') await node.end();
    else if (how === 'killed') this.site.killNode(at);
    else await node.kill();
    await node.exit;
    if (how !== 'control killed') boot.killedMs = Date.now();
    await pause(forMs);
    // Of a control process that was killed alone the engine goes on with the sessions, until the next one has come.
    if (how === 'control killed') await this.#whileCut([at], () => this.#startNode(at));
    else await this.#startNode(at);
    boot.killedMs ??= Date.now();
  }

  async #pauseNode(at: number, forMs: number): Promise<void> {
    await this.#whileCut([at], async () => {
      this.site.signalNode(at, 'SIGSTOP');
      await pause(forMs);
      this.site.signalNode(at, 'SIGCONT');
    });
  }

  async #cut(at: number, from: CutFrom, forMs: number): Promise<void> {
    const cut = async () => {
      this.site.cut(at, from);
      await pause(forMs);
      this.site.mend(at);
    };
    await (from === 'radius' ? cut() : this.#whileCut([at], cut));
  }

  async #failRedis(how: RedisFault, forMs: number): Promise<void> {
    const { redis } = this.site;
    await this.#whileCut(allNodes, async () => {
      if (how === 'flushed') await redis.ask('FLUSHALL');
      else if (how === 'frozen') redis.freeze();
      else await redis.kill();
      await pause(how === 'flushed' ? 0 : forMs);
      if (how === 'frozen') redis.thaw();
      else if (how === 'killed') await redis.startAgain();
      else if (how === 'emptied') await redis.startEmpty();
    });
  }

  #inTurn(whose: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(whose) ?? Promise.resolve()).then(act);
    this.#turns.set(whose, turn);
    return turn;
  }

  async #whileCut(nodes: readonly number[], act: () => Promise<void>): Promise<void> {
    const cuts = nodes.map((at) => ({
      node: `node${at + 1}`,
      fromMs: Date.now(),
      toMs: Number.POSITIVE_INFINITY,
    }));
    this.#cuts.push(...cuts);
    await act();
    for (const cut of cuts) cut.toMs = Date.now();
  }

  async #startNode(at: number): Promise<void> {
    const node = await this.site.startNode(at, script);
    const boot = { node: `node${at + 1}`, lines: node.lines, killedMs: undefined };
    this.#boots.push(boot);
    this.#running[at] = { node, boot };
  }

  /** What is still wrong when everything must be right at last, and how long it took. */
  async #settled(): Promise<{ readonly troubles: readonly string[]; readonly afterMs: number }> {
    const fromMs = performance.now();
    for (;;) {
      const troubles = await this.#troubles();
      const afterMs = performance.now() - fromMs;
      if (troubles.length === 0 || afterMs > patienceMs) return { troubles, afterMs };
      await pause(lookMs);
    }
  }

  async #troubles(): Promise<readonly string[]> {
    try {
      return await troublesOf(this.site, this.#connected, windowsOf(this.#boots, this.#cuts));
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  get #connected(): readonly Connected[] {
    return this.#callers.flatMap(({ user, address }) => (address === undefined ? [] : [{ user, address }]));
  }

  /** All that the nodes have said, for who looks for the cause. */
  #writeLogs(seed: number): void {
    const directory = process.env.STORM_LOG;
    if (directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    const said = this.#boots.flatMap(({ node, lines: all }) =>
      all.map(({ time, msg, ...rest }) => `${time} ${node} ${msg} ${JSON.stringify(rest)}`),
    );
    const name = `${this.#fault.replaceAll(' ', '-')}-${seed}.log`;
    writeFileSync(join(directory, name), `${said.toSorted().join('\n')}\n`);
  }
}

const allNodes = Array.from({ length: nodeCount }, (_, at) => at);
