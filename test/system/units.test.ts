/**
 * The services of systemd without systemd: what their units start, as the users and with the rights that the units give, and no more.
 * An engine with two capabilities and a control with none serve a client, and control finds its way in by the group of the socket.
 */

import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addresses, Concentrator, Site } from './concentrator.io.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Users and the group of sysusers.conf, with numbers that nobody has. */
const engineUser = 64_311;
const controlUser = 64_312;
const group = 64_313;
/** Bits of CapEff and its kin in proc(5). */
const netAdmin = 1n << 12n;
const netRaw = 1n << 13n;

/** Control waits ten seconds for its engine; with what comes before and after. */
const startMs = 30_000;

let site: Site;
let directory: string;
let engine: ChildProcess;
let control: Concentrator;

beforeAll(async () => {
  site = new Site('units');
  site.server.run('sysctl', '--quiet', `--load=${join(root, 'deploy/host/sysctl.conf')}`);
  directory = mkdtempSync(join(tmpdir(), 'pptp-units-'));
  chmodSync(directory, 0o755);
  execFileSync('mknod', ['-m', '0666', join(directory, 'tun'), 'c', '10', '200']);
  ownDirectory('run', engineUser, modeOfRunDirectory());
  ownDirectory('state', controlUser, 0o700);
  engine = start('pptp-engine', engineUser);
  control = new Concentrator(
    start('pptp-concentrator', controlUser, '--state', join(directory, 'state')),
    directory,
  );
  await control.line(/^listening on TCP 1723/);
}, startMs);

afterAll(async () => {
  await site.remove();
  rmSync(directory, { recursive: true, force: true });
});

test('the engine has two capabilities, control has none, and neither can get more', () => {
  expect(rightsOf(engine.pid)).toEqual({
    effective: netAdmin | netRaw,
    bounding: netAdmin | netRaw,
    user: engineUser,
    newOnes: false,
  });
  expect(rightsOf(control.pid)).toEqual({
    effective: 0n,
    bounding: netRaw,
    user: controlUser,
    newOnes: false,
  });
});

test('the doors are for the group, and for control alone', () => {
  const doors = ['engine.sock', 'console.sock'].map((name) => {
    const { mode, uid, gid } = statSync(join(directory, 'run', name));
    return [mode & 0o777, uid, gid];
  });

  expect(doors).toEqual([
    [0o660, engineUser, group],
    [0o600, controlUser, group],
  ]);
});

test('control pings with a plain socket', () => {
  const console = join(root, 'build/console/pptpctl.io.js');

  const said = site.server.run(
    ...['node', console, '--run', join(directory, 'run'), `/ping ${addresses.client} count=1`],
  );

  expect(said).toContain('received=1');
});

test('a client is served, and the engine outlives control', async () => {
  const password = /password {2}(\S+)/.exec(control.output)?.[1];
  const client = site.start(
    site.client,
    `/interface pptp-client add name=out connect-to=${addresses.server} user=subscriber password=${password} disabled=no`,
  );
  await client.line(/^out: connected, /);

  expect(site.client.run('ping', '-c', '3', '-i', '0.2', '-W', '5', '10.77.0.1')).toContain(
    ' 0% packet loss',
  );

  expect(await control.end()).toEqual({ status: 0, signal: null });
  expect(engine.exitCode).toBeNull();
  await client.end();
  engine.kill('SIGTERM');
  expect(await once(engine, 'exit')).toEqual([0, null]);
});

/** What the unit starts, with what is installed taken from here. */
function start(unit: string, user: number, ...more: readonly string[]): ChildProcess {
  const settings = settingsOf(unit);
  const rights = (setting: string): string => {
    const names =
      settings
        .get(setting)
        ?.toLowerCase()
        .match(/(?<=cap_)\w+/g) ?? [];
    return ['-all', ...names.map((name) => `+${name}`)].join(',');
  };
  const given = rights('AmbientCapabilities');
  const command = (settings.get('ExecStart') ?? '')
    .replaceAll('/opt/pptp-concentrator', root)
    .replaceAll('/run/pptp-concentrator', join(directory, 'run'));
  return site.server.start(
    [
      // The device as udev gives it to everybody, whatever this machine has. A namespace's processes have mounts of their own.
      ...['sh', '-c', 'mount --bind "$0" /dev/net/tun && exec "$@"', join(directory, 'tun')],
      ...['setpriv', `--reuid=${user}`, `--regid=${group}`, '--clear-groups', '--no-new-privs'],
      ...[
        `--bounding-set=${rights('CapabilityBoundingSet')}`,
        `--inh-caps=${given}`,
        `--ambient-caps=${given}`,
      ],
      ...command.split(' '),
      ...(unit === 'pptp-concentrator' ? ['--run', join(directory, 'run')] : []),
      ...more,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

/** The last word of each setting of a unit. */
function settingsOf(unit: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, 'deploy/systemd', `${unit}.service`), 'utf8');
  return new Map([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

/** As tmpfiles.conf makes it. */
function modeOfRunDirectory(): number {
  const text = readFileSync(join(root, 'deploy/systemd/tmpfiles.conf'), 'utf8');
  const [, mode = ''] = /^d \S+ (\d+) pptp-engine pptp-concentrator/m.exec(text) ?? [];
  return Number.parseInt(mode, 8);
}

function ownDirectory(name: string, user: number, mode: number): void {
  const path = join(directory, name);
  mkdirSync(path);
  chownSync(path, user, group);
  chmodSync(path, mode);
}

function rightsOf(pid = 0) {
  const status = execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' });
  const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
  return {
    effective: BigInt(`0x${field('CapEff')}`),
    bounding: BigInt(`0x${field('CapBnd')}`),
    user: Number(field('Uid')),
    newOnes: field('NoNewPrivs') === '0',
  };
}
