/**
 * A command of `pptpctl` that goes on, in a process of its own, as an engineer has it in his second window.
 *
 *     const trace = new Follower(server, '/ppp trace user=jack');
 *     await trace.line(/^;;; tracing/);
 *     await trace.end();
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Concentrator } from './concentrator.io.ts';

const pptpctl = fileURLToPath(new URL('../../build/console/pptpctl.io.js', import.meta.url));

/** Who waits so long for a line that is due at once waits in vain, also on a machine that is busy. */
const patienceMs = 30_000;

export class Follower {
  /** All that it has said. */
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #said: Interface;

  constructor({ directory }: Concentrator, command: string) {
    const words = [pptpctl, '--run', join(directory, 'run'), command];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    this.#said = createInterface({ input: child.stdout });
    this.#said.on('line', (line) => this.lines.push(line));
  }

  /** The first line that fits; waits for it if it has not been said yet. */
  async line(pattern: RegExp): Promise<string> {
    const signal = AbortSignal.timeout(patienceMs);
    for (;;) {
      const line = this.lines.find((each) => pattern.test(each));
      if (line !== undefined) return line;
      await once(this.#said, 'line', { signal }).catch(() => {
        throw new Error(`waited for ${pattern} in vain. It said:\n${this.lines.join('\n')}`);
      });
    }
  }

  /** As Ctrl-C ends it. */
  async end(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGINT');
    await ended;
  }
}
