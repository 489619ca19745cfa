/**
 * Network namespaces for tests: small networks of their own, joined by virtual cables, which vanish with the test.
 *
 *     const network = new Network('server');                 // names are unique to this process and label
 *     const client = network.namespace('client');
 *     const server = network.namespace('server');
 *     network.join(client, '10.1.0.2/24', server, '10.1.0.1/24');
 *     server.run('ip', 'route');                              // waits, returns what it printed
 *     const child = client.start(['pppd', …]);                // goes on; ends with the network at the latest
 *     await network.remove();                                 // in afterAll; the end of the process does it as well
 *
 * Needs root, and says so.
 */

import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Namespace {
  /** As `ip netns` knows it. */
  readonly name: string;
  /** Runs a command to its end. Returns its output; throws with what it said if it fails. */
  run(file: string, ...args: readonly string[]): string;
  /** The command line that runs `command` in here: for those who start processes themselves. */
  inside(command: readonly string[]): [file: string, ...args: string[]];
  /** Starts a command that goes on; its pid is the command's own. */
  start(command: readonly string[], options?: SpawnOptions): ChildProcess;
}

export class Network {
  readonly #label: string;
  readonly #names: string[] = [];
  readonly #children = new Set<ChildProcess>();
  #cables = 0;
  readonly #atExit = (): void => this.#removeNow();

  constructor(label: string) {
    if (process.getuid?.() !== 0) throw new Error('network namespaces need root: run the tests as root');
    this.#label = `${label}-${process.pid}`;
    process.once('exit', this.#atExit);
  }

  /** A new namespace with its loopback up. */
  namespace(role: string): Namespace {
    const name = `${this.#label}-${role}`;
    execute('ip', 'netns', 'add', name);
    this.#names.push(name);
    const inside = (command: readonly string[]): [string, ...string[]] => [
      'ip',
      'netns',
      'exec',
      name,
      ...command,
    ];
    const namespace: Namespace = {
      name,
      inside,
      run: (...command) => execute(...inside(command)),
      start: (command, options = {}) => {
        const [file, ...args] = inside(command);
        const child = spawn(file, args, options);
        this.#children.add(child);
        child.once('exit', () => this.#children.delete(child));
        return child;
      },
    };
    namespace.run('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  /** Lays a cable between two namespaces; each end gets its address with prefix length. Returns the name of both interfaces. */
  join(one: Namespace, oneAddress: string, other: Namespace, otherAddress: string): string {
    const cable = `cable${this.#cables++}`;
    const ends = ['netns', one.name, 'type', 'veth', 'peer', 'name', cable, 'netns', other.name];
    execute('ip', 'link', 'add', cable, ...ends);
    for (const [end, address] of [
      [one, oneAddress],
      [other, otherAddress],
    ] as const) {
      end.run('ip', 'address', 'add', address, 'dev', cable);
      end.run('ip', 'link', 'set', cable, 'up');
    }
    return cable;
  }

  /** Ends what was started here and takes the namespaces away. */
  async remove(): Promise<void> {
    process.off('exit', this.#atExit);
    const ends = [...this.#children].map((child) => once(child, 'exit'));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ends);
    this.#removeNow();
  }

  #removeNow(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const name of this.#names.splice(0)) execute('ip', 'netns', 'delete', name);
  }
}

function execute(file: string, ...args: readonly string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
