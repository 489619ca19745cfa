/**
 * A service of several nodes in namespaces: each node on a cable of its own to a router, and there Redis, FreeRADIUS and radclient;
 * the clients behind another cable. Every node is the whole program with its engine; all are one service.
 *
 *     const site = await ServiceSite.start('service', 3);
 *     const node = await site.startNode(0, script);          // identity node1, its Redis and RADIUS set
 *     site.console(0, '/ppp active print');                  // what pptpctl prints
 *     await site.remove();
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Namespace, Network } from '../netns/namespaces.io.ts';
import { Concentrator, processesIn } from './concentrator.io.ts';
import { FreeRadius, type RadiusUser } from './freeradius.io.ts';
import { ServiceRedis } from './service-redis.io.ts';

const program = fileURLToPath(new URL('../../build/main.js', import.meta.url));
const pptpctl = fileURLToPath(new URL('../../build/console/pptpctl.io.js', import.meta.url));

/** Where Redis and FreeRADIUS are, as everybody reaches them. */
const core = '10.210.100.254';

const redisPorts = '6379, 6380, 26379-26381';
const radiusPorts = '1812, 1813';

export interface Printed {
  readonly status: number;
  readonly text: string;
}

export class ServiceSite {
  readonly core: Namespace;
  readonly client: Namespace;
  readonly nodes: readonly Namespace[];
  readonly #network: Network;
  readonly #directory = mkdtempSync(join(tmpdir(), 'pptp-service-'));
  #radius: FreeRadius | undefined;
  #redis: ServiceRedis | undefined;
  readonly #atExit = (): void => this.#sweep();

  private constructor(label: string, count: number) {
    this.#network = new Network(label);
    this.core = this.#network.namespace('core');
    this.core.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    this.client = this.#join('client', 100);
    this.nodes = Array.from({ length: count }, (_, at) => this.#join(`node${at + 1}`, at + 1));
    process.prependOnceListener('exit', this.#atExit);
  }

  /** A watched Redis has a replica, and Sentinels. */
  static async start(
    label: string,
    count: number,
    users: readonly RadiusUser[] = [],
    watched?: 'watched',
  ): Promise<ServiceSite> {
    const site = new ServiceSite(label, count);
    site.#redis = await ServiceRedis.start(site.core, core, watched);
    site.#radius = await FreeRadius.start({ namespace: site.core, address: core, isQuiet: true, users });
    return site;
  }

  get radius(): FreeRadius {
    if (this.#radius === undefined) throw new Error('FreeRADIUS has not been started');
    return this.#radius;
  }

  get redis(): ServiceRedis {
    if (this.#redis === undefined) throw new Error('Redis has not been started');
    return this.#redis;
  }

  /** Address of a node, by its place. */
  addressOf(at: number): string {
    return `10.210.${at + 1}.1`;
  }

  /** Starts the node and waits until it listens; again with what it had left if it was there before. */
  async startNode(at: number, script: string): Promise<Concentrator> {
    const directory = join(this.#directory, `node${at + 1}`);
    mkdirSync(directory, { recursive: true });
    const file = join(directory, 'configuration.rsc');
    const whole = `/system cluster set ${this.redis.settings} dead-after=6s
/radius add service=ppp address=${core} secret=${this.radius.secret} src-address=${this.addressOf(at)}
/radius incoming set accept=yes
${script}`;
    writeFileSync(file, whole, { mode: 0o600 });
    const words = ['--identity', `node${at + 1}`, '--config', file];
    const places = ['--state', join(directory, 'state'), '--run', join(directory, 'run')];
    const child = this.#node(at).start([process.execPath, program, ...words, ...places], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const node = new Concentrator(child, directory);
    await node.line(/^listening on TCP 1723/);
    return node;
  }

  /** As after a power cut: nobody of the node says goodbye. */
  killNode(at: number): void {
    for (const pid of processesIn(this.#node(at))) process.kill(pid, 'SIGKILL');
  }

  /** Stops or continues control and engine of a node. */
  signalNode(at: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of processesIn(this.#node(at))) process.kill(pid, signal);
  }

  /** Lets nothing pass any more between a node and these, without a word to either. */
  cut(at: number, from: 'redis' | 'radius' | 'both' | 'everything'): void {
    const ports = { redis: redisPorts, radius: radiusPorts, both: `${redisPorts}, ${radiusPorts}` };
    const [out, back] = ['dport', 'sport'].map((port) =>
      from === 'everything' ? '' : `th ${port} { ${ports[from]} }`,
    );
    const table = `table inet cut {
      chain out { type filter hook output priority -300; oifname != "lo" ${out} drop; }
      chain back { type filter hook input priority -300; iifname != "lo" ${back} drop; }
    }`;
    this.#node(at).run('nft', table);
  }

  mend(at: number): void {
    this.#node(at).run('nft', 'delete table inet cut');
  }

  /** What pptpctl prints for one command on a node. */
  async console(at: number, ...words: readonly string[]): Promise<Printed> {
    const run = join(this.#directory, `node${at + 1}`, 'run');
    const child = spawn(process.execPath, [pptpctl, '--run', run, ...words]);
    const pieces: Buffer[] = [];
    for (const output of [child.stdout, child.stderr]) output.on('data', (piece) => pieces.push(piece));
    const [status] = await once(child, 'close');
    return { status, text: Buffer.concat(pieces).toString() };
  }

  async remove(): Promise<void> {
    process.off('exit', this.#atExit);
    await this.#radius?.remove();
    this.#redis?.remove();
    this.#sweep();
    await this.#network.remove();
  }

  #join(role: string, subnet: number): Namespace {
    const namespace = this.#network.namespace(role);
    this.#network.join(namespace, `10.210.${subnet}.1/24`, this.core, `10.210.${subnet}.254/24`);
    namespace.run('ip', 'route', 'add', 'default', 'via', `10.210.${subnet}.254`);
    return namespace;
  }

  #node(at: number): Namespace {
    const node = this.nodes[at];
    if (node === undefined) throw new Error(`there is no node ${at}`);
    return node;
  }

  #sweep(): void {
    for (const namespace of [...this.nodes, this.client, this.core]) {
      for (const pid of processesIn(namespace)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended meanwhile.
        }
      }
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
