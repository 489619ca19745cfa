/**
 * Images and the machine that compose makes of them, as far as they can be held against this checkout without a container engine: what is
 * copied is here, what is run is what the project runs, versions are pinned, and the programs themselves take their configuration.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readOptions } from '../../../src/composition/options.ts';
import { configurationOf, menus } from '../../../src/config/configuration.ts';
import { Store } from '../../../src/config/store.ts';
import { root } from './manifests.io.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
/** A version down to the last number, which a registry does not give to another build of the program without need. */
const pinned = /^[\w./-]+:v?\d+(\.\d+){1,2}(-[\w.]+)*$/;

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'containers-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

describe('Dockerfile', () => {
  interface Instruction {
    readonly name: string;
    readonly words: readonly string[];
  }

  const instructions: readonly Instruction[] = read('deploy/Dockerfile')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...words] = line.trim().split(/\s+/);
      return { name, words };
    });
  const ofName = (wanted: string) =>
    instructions.filter(({ name }) => name === wanted).map(({ words }) => words);

  test('has a target for each process, on bases of one version each', () => {
    const bases = ofName('FROM');

    expect(bases.map(([, , target]) => target)).toEqual([
      'engine-build',
      'engine',
      'control-build',
      'control',
    ]);
    for (const [base = ''] of bases) expect(base).toMatch(pinned);
    expect(new Set(bases.map(([base]) => base)).size).toBe(2);
  });

  test('copies what is here and what the context lets through', () => {
    const passing = read('deploy/Dockerfile.dockerignore').matchAll(/^!(.+)$/gm);
    const context = Array.from(passing, ([, path = '']) => path);
    const own = ofName('COPY').filter(([first = '']) => !first.startsWith('--from'));

    for (const path of own.flatMap((words) => words.slice(0, -1))) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(context.some((open) => path === open || path.startsWith(`${open}/`))).toBe(true);
    }
  });

  test('copies from earlier stages only what they make', () => {
    const later = ofName('COPY').filter(([first = '']) => first.startsWith('--from'));

    expect(later.map((words) => words.slice(0, -1).join(' '))).toEqual([
      '--from=engine-build /source/build/native/pptp-engine',
      '--from=control-build /usr/local/bin/node /usr/local/bin/ping',
      '--from=control-build /source/package.json',
      '--from=control-build /source/node_modules',
      '--from=control-build /source/build',
    ]);
  });

  test('builds as deploy/prepare.sh does', () => {
    const commands = ofName('RUN').map((words) => words.join(' '));
    const { scripts, engines } = JSON.parse(read('package.json'));
    const prepared = read('deploy/prepare.sh');

    for (const step of ['--directory=src/datapath/native', 'npm ci', 'build']) {
      expect(commands.join('\n')).toContain(step);
      expect(prepared).toContain(step);
    }
    expect(scripts).toHaveProperty('build');
    // The stage has node and npm only: the script calls nothing that a slim image lacks.
    expect(scripts.build).toMatch(/^tsc /);
    const [, major, minor] = /node:(\d+)\.(\d+)/.exec(read('deploy/Dockerfile')) ?? [];
    expect(`>=${major}.${minor}`).toBe(engines.node);
  });
});

describe('compose', () => {
  interface Service {
    readonly image: string;
    readonly network_mode: string;
    readonly cap_drop: readonly string[];
    readonly cap_add?: readonly string[];
    readonly command?: string | readonly string[];
    readonly build?: { readonly target: string; readonly dockerfile: string };
    readonly volumes: readonly string[];
  }
  const { services, volumes }: { services: Record<string, Service>; volumes: Record<string, null> } = parse(
    read('deploy/compose/compose.yaml'),
    { merge: true },
  );

  test('every image has one version, and every mount is here', () => {
    for (const [name, { image, volumes: mounts, cap_drop, network_mode }] of Object.entries(services)) {
      expect(image, name).toMatch(pinned);
      expect(cap_drop, name).toEqual(['ALL']);
      expect(network_mode, name).toBe('host');
      for (const mount of mounts) {
        const [source = ''] = mount.split(':');
        const isHere = source.startsWith('.')
          ? existsSync(join(root, 'deploy/compose', source))
          : source in volumes;
        expect(isHere, mount).toBe(true);
      }
    }
    expect(services.engine?.cap_add).toEqual(['NET_ADMIN', 'NET_RAW']);
    expect(services.control?.cap_add).toBeUndefined();
  });

  test('the node understands its options and its script', () => {
    const options = readOptions([...(services.control?.command ?? [])]);
    const store = new Store(menus);
    store.commit(store.proposeWhole([{ file: 'node.rsc', text: read('deploy/compose/node/node.rsc') }]));
    const { cluster, radiusServers } = configurationOf(store.current.tree);

    expect(options).toMatchObject({ joinEngine: true, config: ['/etc/pptp-concentrator/node.rsc'] });
    expect(cluster.redis).toBe('redis://127.0.0.1:6379');
    expect(radiusServers).toHaveLength(1);
  });

  test('Redis throws nothing away and writes down what it is told', () => {
    expect(services.redis?.command).toMatch(/--maxmemory-policy noeviction --appendonly yes/);
  });

  test('FreeRADIUS takes its configuration', () => {
    const directory = scratch();
    cpSync('/etc/freeradius/3.0', directory, { recursive: true, verbatimSymlinks: true });
    for (const mount of services.freeradius?.volumes ?? []) {
      const [source = '', target = ''] = mount.split(':');
      cpSync(join(root, 'deploy/compose', source), join(directory, target.replace('/etc/freeradius/', '')));
    }

    // It checks as the user that it would run as.
    execFileSync('chmod', ['-R', 'a+rX', directory]);
    const { status, stdout } = spawnSync('freeradius', ['-XC', '-d', directory], { encoding: 'utf8' });

    expect(status, stdout.split('\n').slice(-8).join('\n')).toBe(0);
    expect(stdout).toMatch(/require_strong = yes/);
    expect(stdout).toMatch(/mods-config\/files\/authorize/);
  });

  test('Prometheus takes its configuration, with the rules of grafana', () => {
    const directory = scratch();
    const path = join(directory, 'prometheus.yml');
    const text = read('deploy/compose/prometheus.yml').replace(
      '/etc/prometheus/rules',
      join(root, 'grafana/rules'),
    );
    writeFileSync(path, text);

    expect(execFileSync('promtool', ['check', 'config', path], { encoding: 'utf8' })).toMatch(
      /SUCCESS: 2 rule files found/,
    );
  });

  test('Grafana finds its dashboards, and they their data', () => {
    const { providers } = parse(read('deploy/compose/grafana/dashboards.yml'));
    const { datasources } = parse(read('deploy/compose/grafana/datasources.yml'));
    const targets = services.grafana?.volumes.map((mount) => mount.split(':')[1]);

    expect(targets).toContain(providers[0].options.path);
    expect(datasources[0]).toMatchObject({ type: 'prometheus', url: 'http://127.0.0.1:9090' });
    expect(services.prometheus?.command).toContain('--web.listen-address=127.0.0.1:9090');
  });
});
