/** A module of the tests in a process of its own, which knows by its argument `child` what it is. It can be frozen and killed. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export class Forked {
  protected readonly process: ChildProcess;

  /** `url` is the module's `import.meta.url`. */
  constructor(url: string) {
    const loader = fileURLToPath(new URL('typescript.mjs', import.meta.url));
    this.process = fork(fileURLToPath(url), ['child'], { execArgv: ['--import', loader] });
  }

  freeze(): void {
    this.process.kill('SIGSTOP');
  }

  thaw(): void {
    this.process.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }
}
