/**
 * Three Sentinels of Redis on loopback that watch one master and agree by two. They end with the test, at the latest with the process.
 *
 *     const sentinels = await Sentinels.start(master.port);
 *     … { ...master.address, ...sentinels.words } …
 *     await sentinels.ask('REPLICAS');                     // what the first of them says of the master
 *     sentinels.freeze(); … sentinels.thaw();
 *     sentinels.remove();
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silent } from '../../src/base/observe.ts';
import { type RedisAddress, RedisClient, replyMs } from '../../src/base/redis.io.ts';
import { freePort } from './free-port.io.ts';
import { addressOf } from './redis.io.ts';

const masterName = 'shared';

export class Sentinels {
  /** What of an address finds the master by them. */
  readonly words: Pick<RedisAddress, 'sentinels' | 'masterName'>;
  readonly #directory = mkdtempSync(join(tmpdir(), 'sentinels-'));
  readonly #processes: ChildProcess[] = [];
  readonly #atExit = (): void => this.remove();

  private constructor(ports: readonly number[]) {
    this.words = { sentinels: ports.map((port) => ({ host: '127.0.0.1', port })), masterName };
    process.once('exit', this.#atExit);
  }

  /** Ready when it resolves; a master that is silent for `downAfterMs` is succeeded by a replica. */
  static async start(masterPort: number, downAfterMs = 1_000): Promise<Sentinels> {
    const sentinels = new Sentinels([await freePort(), await freePort(), await freePort()]);
    await Promise.all(
      sentinels.words.sentinels.map(({ port }) => sentinels.#spawn(port, masterPort, downAfterMs)),
    );
    return sentinels;
  }

  async ask(word: 'REPLICAS' | 'SENTINELS' | 'GET-MASTER-ADDR-BY-NAME'): Promise<unknown> {
    const [first] = this.words.sentinels;
    const client = new RedisClient(addressOf(first?.port ?? 0), silent);
    try {
      await client.whenReady(2 * replyMs);
      return await client.raw.call('SENTINEL', word, masterName);
    } finally {
      client.close();
    }
  }

  freeze(): void {
    for (const child of this.#processes) child.kill('SIGSTOP');
  }

  thaw(): void {
    for (const child of this.#processes) child.kill('SIGCONT');
  }

  remove(): void {
    for (const child of this.#processes) child.kill('SIGKILL');
    process.off('exit', this.#atExit);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #spawn(port: number, masterPort: number, downAfterMs: number): Promise<void> {
    const file = join(this.#directory, `${port}.conf`);
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${this.#directory}`,
      `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
      `sentinel failover-timeout ${masterName} 5000`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = spawn('redis-server', [file, '--sentinel']);
    this.#processes.push(child);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on(
        'line',
        (line) => /\+monitor master/.test(line) && resolve(),
      );
      child.once('exit', (status) => reject(new Error(`a Sentinel ended with ${status}`)));
      child.once('error', reject);
    });
  }
}
