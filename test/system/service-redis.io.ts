/**
 * The Redis of a service, in its namespace: one server that keeps its data on disk; or two, of which three Sentinels keep one the
 * master. With all the ways that it can fail, and what it knows.
 *
 *     const redis = await ServiceRedis.start(core, '10.210.100.254');            // or … 'watched'
 *     redis.settings;                                        // for `/system cluster set`
 *     await redis.kill(); … await redis.startAgain();        // with its data; or startEmpty()
 *     await redis.failOver('killed');                        // another is the master, and the former one its replica
 *     await redis.ask('HGETALL', key);                       // what the master says, as JSON
 *
 * Its processes are the namespace's, and end with it.
 */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Namespace } from '../netns/namespaces.io.ts';
import { run } from './traffic.io.ts';

const sentinelPorts = [26_379, 26_380, 26_381];
const masterName = 'shared';
/** A master that is silent for so long is succeeded, in ms. */
const downAfterMs = 1_000;
/** Between two looks at what the Sentinels have done, in ms. */
const lookMs = 200;
/** Sentinels look at a server every ten seconds, and act on the second look. */
const patienceMs = 60_000;

export type Failing = 'killed' | 'frozen' | 'asked';

export class ServiceRedis {
  readonly #namespace: Namespace;
  readonly #address: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'service-redis-'));
  readonly #servers = new Map<number, ChildProcess>();
  readonly #isWatched: boolean;
  #master = 6379;

  private constructor(namespace: Namespace, address: string, isWatched: boolean) {
    this.#namespace = namespace;
    this.#address = address;
    this.#isWatched = isWatched;
  }

  /** Ready when it resolves. */
  static async start(namespace: Namespace, address: string, watched?: 'watched'): Promise<ServiceRedis> {
    const redis = new ServiceRedis(namespace, address, watched === 'watched');
    await redis.startAgain();
    if (watched === 'watched') await redis.#watch();
    return redis;
  }

  /** Where nodes find it, as words of `/system cluster set`. */
  get settings(): string {
    const url = `redis=redis://${this.#address}`;
    if (!this.#isWatched) return url;
    const sentinels = sentinelPorts.map((port) => `${this.#address}:${port}`).join(',');
    return `${url} redis-sentinels=${sentinels} redis-master-name=${masterName}`;
  }

  get pid(): number {
    return this.#servers.get(this.#master)?.pid ?? 0;
  }

  /** With what it has on its disk: at most the last second is missing. */
  async startAgain(): Promise<void> {
    await this.#start(this.#master);
  }

  async startEmpty(): Promise<void> {
    rmSync(this.#directoryOf(this.#master), { recursive: true, force: true });
    await this.startAgain();
  }

  /** It says goodbye to nobody. */
  async kill(): Promise<void> {
    await this.#kill(this.#master);
  }

  freeze(): void {
    this.#servers.get(this.#master)?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#servers.get(this.#master)?.kill('SIGCONT');
  }

  /** What the master says to a command. */
  async ask(...words: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.#say(this.#master, '--json', ...words));
  }

  /** The master fails, or the Sentinels are asked for another; resolves when there is one, and the former is its replica. */
  async failOver(failing: Failing): Promise<void> {
    const former = this.#master;
    if (failing === 'killed') await this.#kill(former);
    else if (failing === 'frozen') this.freeze();
    await this.#until(async () => {
      this.#master = await this.#masterNow();
      if (this.#master !== former) return (await this.#role(this.#master))[0] === 'master';
      // Again and again: it is refused, or given up, if no replica has been heard of lately.
      if (failing === 'asked') await this.#say(sentinelPorts[0], 'sentinel', 'failover', masterName);
      return false;
    });
    if (failing === 'killed') await this.#start(former, this.#master);
    this.#servers.get(former)?.kill('SIGCONT');
    await this.#until(() => this.#follows(former));
  }

  remove(): void {
    for (const child of this.#servers.values()) child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #watch(): Promise<void> {
    await this.#start(6380, this.#master);
    await this.#until(() => this.#follows(6380));
    await Promise.all(sentinelPorts.map((port) => this.#startSentinel(port)));
    // Before they have found the replica and each other there is nobody to succeed, and no majority.
    await this.#until(async () => {
      const known = await Promise.all(sentinelPorts.map((port) => this.#known(port)));
      return known.every(({ replicas, others }) => replicas === 1 && others === sentinelPorts.length - 1);
    });
  }

  async #known(port: number): Promise<{ readonly replicas: number; readonly others: number }> {
    const text = await this.#say(port, 'info', 'sentinel');
    const [, replicas, sentinels] = /slaves=(\d+),sentinels=(\d+)/.exec(text) ?? [];
    return { replicas: Number(replicas), others: Number(sentinels) - 1 };
  }

  async #masterNow(): Promise<number> {
    const said = await this.#say(sentinelPorts[0], 'sentinel', 'get-master-addr-by-name', masterName);
    return Number(said.split('\n')[1]);
  }

  async #follows(port: number): Promise<boolean> {
    const [is, , master, link] = await this.#role(port);
    return is === 'slave' && Number(master) === this.#master && link === 'connected';
  }

  async #role(port: number): Promise<readonly string[]> {
    return (await this.#say(port, 'role')).split('\n');
  }

  async #start(port: number, masterPort?: number): Promise<void> {
    const directory = this.#directoryOf(port);
    const place = ['--bind', this.#address, '--port', String(port), '--protected-mode', 'no'];
    const keeping = ['--dir', directory, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];
    const memory = ['--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0'];
    const following = masterPort === undefined ? [] : ['--replicaof', `${this.#address} ${masterPort}`];
    const words = [...place, ...keeping, ...memory, ...following];
    const made = ['sh', '-c', 'mkdir -p "$0" && exec "$@"', directory, 'redis-server', ...words];
    this.#servers.set(port, await this.#begin(made, /Ready to accept/));
  }

  async #startSentinel(port: number): Promise<void> {
    const file = join(this.#directory, `${port}.conf`);
    const lines = [
      `port ${port}`,
      `bind ${this.#address}`,
      'protected-mode no',
      `dir ${this.#directory}`,
      `sentinel monitor ${masterName} ${this.#address} ${this.#master} 2`,
      `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
      `sentinel failover-timeout ${masterName} 5000`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    this.#servers.set(port, await this.#begin(['redis-server', file, '--sentinel'], /\+monitor master/));
  }

  async #begin(command: readonly string[], ready: RegExp): Promise<ChildProcess> {
    const child = this.#namespace.start(command, { stdio: ['ignore', 'pipe', 'ignore'] });
    if (child.stdout === null) throw new Error('redis needs a pipe');
    for await (const line of createInterface({ input: child.stdout })) if (ready.test(line)) break;
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended with ${child.exitCode}`);
    child.stdout.resume();
    return child;
  }

  async #kill(port: number): Promise<void> {
    const child = this.#servers.get(port);
    this.#servers.delete(port);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  #say(port: number | undefined, ...words: readonly string[]): Promise<string> {
    // A frozen server would have redis-cli wait for ever.
    return run(
      this.#namespace,
      ...['timeout', '5', 'redis-cli', '-h', this.#address, '-p', String(port), ...words],
    );
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const until = performance.now() + patienceMs;
    while (!(await isSo())) {
      if (performance.now() > until) throw new Error(`redis: ${patienceMs / 1000} s have passed`);
      await pause(lookMs);
    }
  }

  #directoryOf(port: number): string {
    return join(this.#directory, String(port));
  }
}
