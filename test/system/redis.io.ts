/**
 * A real redis-server on loopback in a folder of its own, with all the ways that one can fail. It ends with the test, at the
 * latest with the process.
 *
 *     const redis = await RedisServer.start();
 *     redis.freeze(); … redis.thaw();
 *     await redis.kill(); … await redis.startAgain();          // with its data; or startEmpty()
 *     await redis.remove();
 *
 * A `Cable` is a way to it that can be cut: a node behind it is alone, or as dead as after kill -9.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RedisAddress } from '../../src/base/redis.io.ts';
import { freePort } from './free-port.io.ts';

export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  readonly #atExit = (): void => {
    this.#process?.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  };

  private constructor(port: number, settings: readonly string[]) {
    this.port = port;
    this.#settings = settings;
    this.#directory = mkdtempSync(join(tmpdir(), 'redis-'));
    process.once('exit', this.#atExit);
  }

  /** Ready when it resolves. `settings` are further words of redis.conf, each with two hyphens. */
  static async start(...settings: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings);
    await server.startAgain();
    return server;
  }

  get address(): RedisAddress {
    return addressOf(this.port);
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** With the data that it has on its disk: at most the last second is missing. */
  async startAgain(): Promise<void> {
    const place = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.#directory];
    const keeping = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];
    const memory = ['--maxmemory-policy', 'noeviction'];
    const child = spawn('redis-server', [...place, ...keeping, ...memory, ...this.#settings]);
    this.#process = child;
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => /Ready to accept connections/.test(line) && resolve());
      child.once('exit', (status) => reject(new Error(`redis-server ended with ${status}`)));
      child.once('error', reject);
    });
    await ready;
  }

  async startEmpty(): Promise<void> {
    rmSync(join(this.#directory, 'appendonlydir'), { recursive: true, force: true });
    await this.startAgain();
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** SIGKILL: it says goodbye to nobody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM: it writes everything first. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async remove(): Promise<void> {
    await this.#end('SIGKILL');
    process.off('exit', this.#atExit);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

/** A way to a port of loopback that can be cut and mended. */
export class Cable {
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Cable> {
    const server = createServer();
    const cable = new Cable(server);
    server.on('connection', (near) => cable.#join(near, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return cable;
  }

  get address(): RedisAddress {
    return addressOf((this.#server.address() as AddressInfo).port);
  }

  cut(): void {
    this.#isCut = true;
    for (const end of this.#ends) end.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  remove(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, port: number): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(one);
      one.on('error', () => {});
      one.once('close', () => {
        this.#ends.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}

export function addressOf(port: number): RedisAddress {
  return {
    url: `redis://127.0.0.1:${port}`,
    user: '',
    password: '',
    sentinels: [],
    masterName: '',
    tls: { ca: '', certificate: '', key: '' },
  };
}
