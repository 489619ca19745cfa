/**
 * A real Redis Cluster on loopback: three masters, each with a replica, made by Debian's redis-server and redis-cli. It ends with the
 * test, at the latest with the process.
 *
 *     const cluster = await RedisCluster.start();
 *     const address = cluster.addressFor('isp');             // of the service's keys
 *     const owner = await cluster.ownerOf('isp');
 *     await owner.kill(); … await owner.startAgain();
 *     await cluster.move('isp', cluster.servers[1]);         // gives its slot to another master
 *     await cluster.remove();
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RedisAddress } from '../../src/base/redis.io.ts';
import { freePort } from './free-port.io.ts';
import { addressOf, RedisServer } from './redis.io.ts';

const run = promisify(execFile);

/** A master that is silent for so long is succeeded by its replica, in ms; usual is 15 s. */
const nodeTimeoutMs = 1_000;

export class RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly #words: readonly string[];

  private constructor(servers: readonly RedisServer[], words: readonly string[]) {
    this.servers = servers;
    this.#words = words;
  }

  /** Well when it resolves. `settings` are further words of redis.conf, `words` of redis-cli, as what `settings` asks for. */
  static async start(settings: readonly string[] = [], words: readonly string[] = []): Promise<RedisCluster> {
    const servers = await Promise.all(
      Array.from({ length: 6 }, async () => RedisServer.start(...(await clusterSettings()), ...settings)),
    );
    const cluster = new RedisCluster(servers, words);
    const places = servers.map(({ port }) => `127.0.0.1:${port}`);
    await cluster.#cli('--cluster', 'create', ...places, '--cluster-replicas', '1', '--cluster-yes');
    await cluster.whenWell();
    return cluster;
  }

  addressFor(service: string): RedisAddress {
    const nodes = this.servers.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port }));
    return { ...addressOf(0), url: 'redis://cluster', cluster: { nodes, key: `{pptp:${service}}` } };
  }

  /** The server that has the keys of a service, as most others say. */
  async ownerOf(service: string): Promise<RedisServer> {
    const slot = Number(await this.#ask('cluster', 'keyslot', `{pptp:${service}}`));
    for (const line of (await this.#ask('cluster', 'nodes')).split('\n')) {
      const [, place = '', flags = '', , , , , ...ranges] = line.split(' ');
      const [, port] = /:(\d+)@/.exec(place) ?? [];
      const owner = this.servers.find((server) => String(server.port) === port);
      const isMaster = flags.includes('master') && !flags.includes('fail');
      if (isMaster && owner !== undefined && ranges.some((range) => isIn(slot, range))) return owner;
    }
    throw new Error(`nobody has the keys of ${service}`);
  }

  /** All slots are somebody's and have a copy, as each server says. */
  async whenWell(): Promise<void> {
    const untilMs = performance.now() + 30_000;
    for (const server of this.servers) {
      while (!(await this.#isWell(server))) {
        if (performance.now() > untilMs) throw new Error('the cluster is not well');
        await pause(20);
      }
    }
  }

  /** Gives the slot of a service, with its keys, to another master. */
  async move(service: string, from: RedisServer, to: RedisServer): Promise<void> {
    const key = `{pptp:${service}}`;
    const slot = (await this.#ask('cluster', 'keyslot', key)).trim();
    const [fromId, toId] = [await this.#idOf(from), await this.#idOf(to)];
    await this.#tell(to, 'cluster', 'setslot', slot, 'importing', fromId);
    await this.#tell(from, 'cluster', 'setslot', slot, 'migrating', toId);
    for (;;) {
      const keys = (await this.#tell(from, 'cluster', 'getkeysinslot', slot, '100'))
        .split('\n')
        .filter(Boolean);
      if (keys.length === 0) break;
      await this.#tell(from, 'migrate', '127.0.0.1', String(to.port), '', '0', '5000', 'keys', ...keys);
    }
    for (const server of [to, from]) await this.#tell(server, 'cluster', 'setslot', slot, 'node', toId);
  }

  async remove(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.remove()));
  }

  async #isWell(server: RedisServer): Promise<boolean> {
    const [info, replication] = await Promise.all([
      this.#tell(server, 'cluster', 'info'),
      this.#tell(server, 'info', 'replication'),
    ]).catch(() => ['', '']);
    const isReplicated = /^(connected_slaves:[1-9]|master_link_status:up)/m.test(replication);
    return /^cluster_state:ok/m.test(info) && isReplicated;
  }

  async #idOf(server: RedisServer): Promise<string> {
    return (await this.#tell(server, 'cluster', 'myid')).trim();
  }

  /** Asks the first that answers. */
  async #ask(...command: readonly string[]): Promise<string> {
    const answers = this.servers
      .filter(({ isRunning }) => isRunning)
      .map((server) => this.#tell(server, ...command));
    return Promise.any(answers);
  }

  #tell(server: RedisServer, ...command: readonly string[]): Promise<string> {
    return this.#cli('-p', String(server.port), ...command);
  }

  async #cli(...words: readonly string[]): Promise<string> {
    return (await run('redis-cli', [...this.#words, ...words], { timeout: 20_000 })).stdout;
  }
}

/**
 * All connections of a part of this process, to be cut at once as kill -9 cuts those of a process: a node finds the servers of a
 * cluster by itself, so that no `Cable` can stand between them.
 */
export class Lifeline {
  static readonly #present = new AsyncLocalStorage<Lifeline>();
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  static {
    subscribe('net.client.socket', (message) => {
      const present = Lifeline.#present.getStore();
      if (present !== undefined) present.#hold((message as { readonly socket: Socket }).socket);
    });
  }

  /** What `begin` connects, now and later, is held by this one. */
  run<T>(begin: () => T): T {
    return Lifeline.#present.run(this, begin);
  }

  cut(): void {
    this.#isCut = true;
    // As one of its own doings: what is connected again because of it is held as well.
    this.run(() => {
      for (const socket of this.#sockets) destroy(socket);
    });
  }

  #hold(socket: Socket): void {
    if (this.#isCut) destroy(socket);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function destroy(socket: Socket): void {
  socket.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET', syscall: 'read' }));
}

async function clusterSettings(): Promise<readonly string[]> {
  return [
    ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
    ...['--cluster-node-timeout', String(nodeTimeoutMs), '--cluster-replica-validity-factor', '0'],
  ];
}

/** `range` is `5461-10922`, `5461`, or a slot on its way. */
function isIn(slot: number, range: string): boolean {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  return first !== undefined && Number(first) <= slot && slot <= Number(last);
}
