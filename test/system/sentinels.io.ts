/**
 * Three Sentinels of Redis on loopback that watch one master and agree by two. They end with the test, at the latest with the process.
 *
 *     const sentinels = await Sentinels.start(master.port);
 *     … { ...master.address, sentinels: sentinels.places, masterName: sentinels.masterName } …
 *     sentinels.freeze(); … sentinels.thaw();
 *     sentinels.remove();
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.io.ts';

export class Sentinels {
  readonly masterName = 'shared';
  readonly places: readonly { readonly host: string; readonly port: number }[];
  readonly #directory = mkdtempSync(join(tmpdir(), 'sentinels-'));
  readonly #processes: ChildProcess[] = [];
  readonly #atExit = (): void => this.remove();

  private constructor(ports: readonly number[]) {
    this.places = ports.map((port) => ({ host: '127.0.0.1', port }));
    process.once('exit', this.#atExit);
  }

  /** Ready when it resolves; a master that is silent for `downAfterMs` is succeeded by a replica. */
  static async start(masterPort: number, downAfterMs = 1_000): Promise<Sentinels> {
    const sentinels = new Sentinels([await freePort(), await freePort(), await freePort()]);
    await Promise.all(sentinels.places.map(({ port }) => sentinels.#spawn(port, masterPort, downAfterMs)));
    return sentinels;
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
      `sentinel monitor ${this.masterName} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${this.masterName} ${downAfterMs}`,
      `sentinel failover-timeout ${this.masterName} 5000`,
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
