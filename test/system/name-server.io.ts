/**
 * A real BIND on loopback in a folder of its own: a zone that takes updates, and a resolver if it is told what to forward. It
 * ends with the test, at the latest with the process.
 *
 *     const server = await Bind.start({ keys: [{ name: 'pptp.key', secret }], records: ['vpn A 192.0.2.1'] });
 *     await server.dig('vpn.example.net', 'A', '+short');
 *     await server.remove();
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from './free-port.io.ts';

const program = '/usr/sbin/named';

/** True if tests that need it can run here. */
export const hasBind: boolean = existsSync(program) && existsSync('/usr/bin/dig');

export interface BindOptions {
  /** Each may update the A records of vpn.example.net, in base64. */
  readonly keys?: readonly { readonly name: string; readonly secret: string }[];
  /** Lines of the zone example.net. */
  readonly records?: readonly string[];
  /** It resolves vpn.example.net by asking this port of loopback, and answers for no zone. */
  readonly forwardTo?: number;
}

export class Bind {
  readonly port: number;
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #atExit = (): void => this.#sweep();

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
    // A test that is killed has no chance to end it.
    const command = ['--pdeathsig', 'KILL', program, '-g', '-n', '1', '-c', join(directory, 'named.conf')];
    this.#process = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    process.once('exit', this.#atExit);
  }

  /** Ready when it resolves. */
  static async start(options: BindOptions): Promise<Bind> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'bind-'));
    writeFileSync(join(directory, 'named.conf'), configurationText(options, directory, port));
    writeFileSync(join(directory, 'zone'), zoneText(options.records ?? []));
    const server = new Bind(port, directory);
    const said: string[] = [];
    const { stderr } = server.#process;
    if (stderr === null) throw new Error('it has a pipe');
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: stderr }).on('line', (line) => {
        said.push(line);
        if (/ running$/.test(line)) resolve();
      });
      server.#process.once('exit', () => reject(new Error(`BIND does not start:\n${said.join('\n')}`)));
    });
    await ready.catch(async (error: Error) => {
      await server.remove();
      throw error;
    });
    return server;
  }

  async dig(...words: readonly string[]): Promise<string> {
    return dig(this.port, ...words);
  }

  async remove(): Promise<void> {
    process.off('exit', this.#atExit);
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await gone;
    }
    this.#sweep();
  }

  #sweep(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What dig prints about one question to a server on loopback. */
export async function dig(port: number, ...words: readonly string[]): Promise<string> {
  const patience = ['+tries=3', '+time=5'];
  const { stdout } = await promisify(execFile)('dig', [
    '@127.0.0.1',
    '-p',
    String(port),
    ...patience,
    ...words,
  ]);
  return stdout.trim();
}

function configurationText({ keys = [], forwardTo }: BindOptions, directory: string, port: number): string {
  const policy = keys.map(({ name }) => `grant ${name} name vpn.example.net. A;`).join(' ');
  const own = `zone "example.net" { type primary; file "zone"; update-policy { ${policy} }; };`;
  const forward = `zone "vpn.example.net" { type forward; forward only; forwarders { 127.0.0.1 port ${forwardTo}; }; };`;
  return [
    ...keys.map(({ name, secret }) => `key "${name}" { algorithm hmac-sha256; secret "${secret}"; };`),
    `options { directory "${directory}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };`,
    '  pid-file none; session-keyfile none; notify no; dnssec-validation no; empty-zones-enable no;',
    `  recursion ${forwardTo === undefined ? 'no' : 'yes'}; };`,
    'controls { };',
    forwardTo === undefined ? own : forward,
    '',
  ].join('\n');
}

function zoneText(records: readonly string[]): string {
  const own = ['$TTL 30', '@ SOA ns hostmaster 1 3600 600 86400 30', '@ NS ns', 'ns A 127.0.0.1'];
  return [...own, ...records, ''].join('\n');
}
