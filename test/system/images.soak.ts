/**
 * The images of deploy/Dockerfile, built and run: what is in them, how they serve under the rights that the DaemonSets give, and
 * compose's whole machine but for Grafana, which Debian has not. Each part has a client that dials in.
 */

import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kustomize, type Manifest, root } from '../unit/deploy/manifests.io.ts';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { Containers } from './containers.io.ts';
import { type Container, type HttpProbe, podOf, wordsOf } from './pods.ts';
import { within } from './within.io.ts';

const run = promisify(execFile);
/** What is due within seconds. */
const soon = within(30_000);
/** The node's inner address, in all configurations of deploy. */
const inner = '10.77.0.1';
const project = 'pptp-concentrator';
const mebi = 2 ** 20;

let site: Site;
let containers: Containers;

beforeAll(async () => {
  site = new Site('images');
  site.server.run('sysctl', '-qp', join(root, 'deploy/host/sysctl.conf'));
  site.server.run('nft', '-f', join(root, 'deploy/host/pptp.nft'));
  containers = new Containers(site.server);
  await containers.makeBases();
}, 600_000);

afterAll(async () => {
  await containers?.remove();
  await site?.remove();
}, 120_000);

describe('images', () => {
  const nameOf = (target: string): string => `${project}/${target}:0.1.0`;
  /** What a shell of root's finds in an image. */
  const inside = async (target: string, command: string): Promise<string> => {
    const shell = ['--network=none', '--user=0', '--entrypoint=sh', nameOf(target), '-c', command];
    return (await containers.podman('run', '--rm', ...shell)).trim();
  };
  const sizeOf = async (name: string): Promise<number> =>
    Number(await containers.podman('image', 'inspect', '--format={{.Size}}', name)) / mebi;

  test('are built, and are small', async () => {
    for (const target of ['engine', 'control']) {
      await containers.build('deploy/Dockerfile', target, nameOf(target));
    }

    const [base, engine, control] = [
      await sizeOf('debian:12.12-slim'),
      await sizeOf(nameOf('engine')),
      await sizeOf(nameOf('control')),
    ];
    console.info({ base, engine, control });
    expect(engine - base).toBeLessThan(1);
    // Node itself is 93.
    expect(control - base).toBeLessThan(120);
  });

  test('have no sources, no compiler, no package manager of Node, and nothing of who built them', async () => {
    for (const target of ['engine', 'control']) {
      expect(await inside(target, 'command -v g++ make npm npx corepack tsc || :')).toBe('');
      expect(await inside(target, 'ls -d /source /root/.npm 2>/dev/null || :')).toBe('');
      // Where a build behind a proxy had files mounted, empty ones are left.
      const names = ['*npmrc', '*.cc', '*.pem', '*.crt'].map((name) => `-name '${name}'`).join(' -o ');
      expect(await inside(target, `find / -xdev \\( ${names} \\) -size +0`)).toBe('');
    }
    expect(await inside('control', 'ls /opt/pptp-concentrator')).toBe('build\nnode_modules\npackage.json');
    expect(await inside('control', 'find build -name "*.ts"')).toBe('');
  });

  test('the engine needs nothing but what libc has', async () => {
    expect(await inside('engine', 'ldd /usr/local/bin/pptp-engine')).not.toMatch(/stdc\+\+|gcc|not found/);
  });

  test('control has what it depends on, and nothing of what its tests do', async () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const installed = JSON.parse(await inside('control', 'cat node_modules/.package-lock.json'));
    const names = Object.keys(installed.packages).map((path) => path.replace('node_modules/', ''));

    expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
    expect(names.filter((name) => name in devDependencies)).toEqual([]);
    // The native half of what BullMQ packs its jobs with.
    const native = 'console.log(typeof require("msgpackr-extract").extractStrings)';
    expect(await inside('control', `node --eval '${native}'`)).toBe('function');
  });

  test('begin as what they are', async () => {
    const configured = async (target: string) =>
      JSON.parse(await containers.podman('image', 'inspect', '--format={{json .Config}}', nameOf(target)));

    expect(await configured('engine')).toMatchObject({ User: '0:9723', Entrypoint: ['pptp-engine'] });
    expect(await configured('control')).toMatchObject({
      User: '9723:9723',
      Entrypoint: ['node', '/opt/pptp-concentrator/build/main.js'],
      Cmd: ['--join-engine'],
    });
    expect(await containers.podman('run', '--rm', nameOf('control'), '--help')).toMatch(/^usage: /);
  });
});

describe('the DaemonSets', () => {
  const objects = kustomize('deploy/kubernetes/overlays/single');
  const [engine, control] = [podOf(objects, 'pptp-engine'), podOf(objects, 'pptp-control')];
  const [main] = control.containers;
  let volumes: Record<string, string>;
  let client: Concentrator;

  /** A container of its own each time, as the kubelet does. */
  const start = async (container: Container): Promise<void> => {
    const words = wordsOf(container, volumes, { NODE_NAME: 'node1' });
    await containers.podman('run', '--detach', '--replace', `--name=${container.name}`, ...words);
  };
  const answers = ({ httpGet: { host, path } }: HttpProbe): boolean => {
    try {
      return site.server.run('curl', '-sf', `http://${host}:9723${path}`) !== '';
    } catch {
      return false;
    }
  };

  beforeAll(() => {
    volumes = layOut(objects, containers.directory);
  });

  test('serve with the rights that they give, whichever pod is first', async () => {
    const [{ readinessProbe }] = engine.containers;
    if (readinessProbe === undefined || !('exec' in readinessProbe)) throw new Error('it asks for no file');
    const isReady = () => holds(containers.podman('exec', 'engine', ...readinessProbe.exec.command));
    await start(engine.containers[0]);
    await soon(isReady, 'the engine is ready');
    for (const first of control.initContainers ?? []) {
      await containers.podman('run', '--rm', ...wordsOf(first, volumes));
    }
    await start(main);
    await soon(() => answers(main.startupProbe as HttpProbe), 'control has started');
    await soon(() => answers(main.readinessProbe as HttpProbe), 'control is ready');

    client = await dialled();
    expect(site.client.run('ping', '-c', '3', '-i', '0.2', inner)).toContain(' 0% packet loss');
    expect(await containers.podman('exec', 'control', 'pptpctl', '/ppp active print')).toMatch(
      /jack .* MPPE128 stateless/,
    );
    const reply = await containers.podman('exec', 'control', 'pptpctl', `/ping ${addresses.client} count=1`);
    expect(reply).toContain('received=1');
  });

  test('give control nothing, and the engine two capabilities', async () => {
    const rights = async (name: string) =>
      await Promise.all(
        ['Uid', 'Gid', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'].map((field) =>
          containers.statusOf(name, field),
        ),
      );
    const none = '0000000000000000';
    // Bits 12 and 13.
    const two = '0000000000003000';
    const all = (id: number) => Array(4).fill(id).join('\t');

    expect(await rights('engine')).toEqual([all(0), all(9723), two, two, none, '1', '2']);
    expect(await rights('control')).toEqual([all(9723), all(9723), none, none, none, '1', '2']);
    for (const name of ['engine', 'control']) {
      await expect(containers.podman('exec', name, 'touch', '/tmp/x')).rejects.toThrow(/Read-only/);
    }
  });

  test('a control that is killed is followed by one that goes on', async () => {
    const pings = run('ip', [
      ...['netns', 'exec', site.client.name],
      ...['ping', '-c', '100', '-i', '0.05', inner],
    ]);
    await containers.podman('kill', '--signal=KILL', 'control');
    await start(main);
    await soon(() => answers(main.readinessProbe as HttpProbe), 'control is ready');
    const { stdout } = await pings;

    console.info(stdout.split('\n').slice(-3).join(' '));
    expect(stdout).toContain(' 0% packet loss');
    expect(await containers.podman('logs', 'control')).toContain('before this one go on');
    const count = await containers.podman('exec', 'control', 'pptpctl', '/ppp active print count-only');
    expect(count.trim()).toBe('1');
    expect(client.lines.filter(({ msg }) => /terminating/.test(msg))).toEqual([]);
  });

  test('end in order: who is there may leave first', async () => {
    const order = main.lifecycle?.preStop.exec.command ?? [];
    const left = containers.podman('exec', 'control', ...order);
    await soon(() => !answers(main.readinessProbe as HttpProbe), 'control is not ready any more');
    expect(answers(main.livenessProbe as HttpProbe)).toBe(true);
    await client.end();
    await left;

    for (const name of ['control', 'engine']) {
      await containers.podman('stop', '--time=120', name);
      const state = await containers.podman('inspect', '--format={{.State.ExitCode}}', name);
      expect(state.trim(), name).toBe('0');
    }
    await containers.podman('rm', '--all');
  });
});

describe('compose', () => {
  interface File {
    readonly services: Readonly<Record<string, { readonly image: string }>>;
    readonly volumes: object;
  }
  const text = readFileSync(join(root, 'deploy/compose/compose.yaml'), 'utf8');
  const { services, volumes }: File = parse(text, { merge: true });
  const { grafana: _, ...served } = services;
  // The older Compose is told the project's name.
  const compose = (...words: readonly string[]) =>
    containers.compose('deploy/compose', project, { version: '3.8', services: served, volumes }, ...words);
  const inside = (service: string, ...command: readonly string[]) =>
    containers.podman('exec', `${project}_${service}_1`, ...command);

  beforeAll(async () => {
    for (const target of ['redis', 'freeradius', 'prometheus']) {
      await containers.makeStandIn(target, services[target]?.image ?? '');
    }
  }, 600_000);

  test('one command serves whom FreeRADIUS knows', async () => {
    await compose('up', '--detach', '--no-build');
    await soon(
      () => holds(containers.podman('healthcheck', 'run', `${project}_control_1`)),
      'control is healthy',
    );
    // A Redis that is new leases addresses after half a minute, in which nodes may say what they hold.
    await within(60_000)(async () => (await redisKeys('blocks:places')) !== '', 'addresses are leased');
    const client = await dialled();

    expect(site.client.run('ping', '-c', '3', '-i', '0.2', inner)).toContain(' 0% packet loss');
    expect(await inside('control', 'pptpctl', '/ppp active print')).toMatch(/jack .* MPPE128 stateless/);
    expect(await inside('control', 'pptpctl', '/radius monitor 0')).toMatch(/state: alive/);
    const sessions = (await redisKeys('sessions:')).trim();
    expect(await inside('redis', 'redis-cli', 'hvals', sessions)).toContain('jack');

    // As for another version of control. Podman starts again what ended so, by itself; for Docker it is stopped.
    await compose('kill', '-s', 'SIGUSR2', 'control');
    await compose('up', '--detach', '--no-build', '--no-deps', 'control');
    await soon(async () => /before this one go on/.test(await said('control')), 'control goes on');
    expect(site.client.run('ping', '-c', '3', '-i', '0.2', inner)).toContain(' 0% packet loss');
    expect(client.lines.filter(({ msg }) => /terminating/.test(msg))).toEqual([]);

    // Sessions are scraped once a minute.
    const asked = 'sum(pptp_sessions) == 1 and on() count(up == 1) == 2';
    await within(90_000)(() => metrics(asked) !== '', 'Prometheus has both');
    await client.end();
  });

  test('ends in order', async () => {
    await compose('stop', '--timeout', '90');
    for (const name of Object.keys(served)) {
      const state = await containers.podman(
        'inspect',
        '--format={{.State.ExitCode}}',
        `${project}_${name}_1`,
      );
      expect(state.trim(), name).toBe('0');
    }
    await compose('down', '--volumes');
  });

  const redisKeys = (word: string) => inside('redis', 'redis-cli', '--scan', '--pattern', `*${word}*`);
  const said = (service: string) => containers.podman('logs', `${project}_${service}_1`);

  function metrics(query: string): string {
    const ask = ['-s', '--get', '--data-urlencode', `query=${query}`, '127.0.0.1:9090/api/v1/query'];
    return JSON.parse(site.server.run('curl', ...ask)).data.result[0]?.value[1] ?? '';
  }
});

/** A client of ours that is up, as the user that all of this knows. */
async function dialled(): Promise<Concentrator> {
  const client = site.start(
    site.client,
    `/interface pptp-client add name=out connect-to=${addresses.server} user=jack password=lkjrht disabled=no`,
  );
  await client.line(/^out: connected,/);
  return client;
}

/** Where the kubelet has the volumes: directories of the host as it makes them, maps and secrets readable for the pod's group. */
function layOut(objects: readonly Manifest[], directory: string): Record<string, string> {
  const made = (name: string): string => {
    const path = join(directory, 'volumes', name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const filled = (name: string, files: Readonly<Record<string, string>>, mode: number): string => {
    const path = made(name);
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(path, file), text);
      chownSync(join(path, file), 0, 9723);
      chmodSync(join(path, file), mode);
    }
    return path;
  };
  const map = objects.find(({ kind }) => kind === 'ConfigMap') as Manifest & { data: Record<string, string> };
  return {
    tun: '/dev/net/tun',
    run: made('run'),
    state: made('state'),
    configuration: filled('configuration', map.data, 0o644),
    // Instead of a RADIUS server's.
    secrets: filled('secrets', { 'secrets.rsc': '/ppp secret add name=jack password=lkjrht' }, 0o440),
  };
}

const holds = (command: Promise<unknown>): Promise<boolean> =>
  command.then(
    () => true,
    () => false,
  );
