/**
 * A Prometheus of Debian's beside a node: scrapes it twice a second, has the rules of grafana/rules, and is asked as Grafana asks.
 *
 *     const prometheus = await Prometheus.start(site.server);
 *     await prometheus.has('count_over_time(pptp_ready[1m]) > 10');
 *     const samples = await prometheus.ask('sum(pptp_sessions)');
 *     await prometheus.remove();
 */

import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Namespace } from '../netns/namespaces.io.ts';

const rules = fileURLToPath(new URL('../../grafana/rules/*.yml', import.meta.url));
const address = '127.0.0.1:9090';

const configuration = `
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}
rule_files: ['${rules}']
scrape_configs:
- job_name: pptp
  static_configs: [{targets: ['127.0.0.1:9723']}]
- job_name: pptp-sessions
  metrics_path: /metrics/sessions
  static_configs: [{targets: ['127.0.0.1:9723']}]
`;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

export interface Rule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: string;
  readonly state?: 'inactive' | 'pending' | 'firing';
  readonly lastError?: string;
}

export class Prometheus {
  readonly #namespace: Namespace;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(namespace: Namespace, process: ChildProcess, directory: string) {
    this.#namespace = namespace;
    this.#process = process;
    this.#directory = directory;
  }

  static async start(namespace: Namespace): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), 'pptp-prometheus-'));
    const file = join(directory, 'prometheus.yml');
    writeFileSync(file, configuration);
    const places = [`--config.file=${file}`, `--storage.tsdb.path=${join(directory, 'data')}`];
    const child = namespace.start(['prometheus', ...places, `--web.listen-address=${address}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (child.stderr === null) throw new Error('the log needs a pipe');
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      if (line.includes('Server is ready')) break;
    }
    child.stderr.resume();
    if (child.exitCode !== null) throw new Error(`prometheus ended: ${said.join('\n')}`);
    return new Prometheus(namespace, child, directory);
  }

  /** What an expression comes to now. Throws what Prometheus says of one that it cannot evaluate. */
  async ask(expr: string): Promise<readonly Sample[]> {
    return ((await this.#get(`query?query=${encodeURIComponent(expr)}`)) as { result: Sample[] }).result;
  }

  /** Resolves when an expression comes to something. */
  async has(expr: string): Promise<void> {
    while ((await this.ask(expr)).length === 0);
  }

  /** The rules as Prometheus has evaluated them. */
  async rules(): Promise<readonly Rule[]> {
    const { groups } = (await this.#get('rules')) as { groups: { rules: Rule[] }[] };
    return groups.flatMap((group) => group.rules);
  }

  async remove(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill();
    await gone;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #get(path: string): Promise<unknown> {
    const [file = '', ...words] = this.#namespace.inside(['curl', '-s', `http://${address}/api/v1/${path}`]);
    const { stdout } = await promisify(execFile)(file, words, { maxBuffer: 1 << 26 });
    const { status, data, error } = JSON.parse(stdout) as { status: string; data: unknown; error?: string };
    if (status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${error}`);
    return data;
  }
}
