/**
 * The services of systemd, as systemd's own tools read them: installed below a directory of the test, with nothing of this machine.
 * That what they start serves a client with these rights, test/system/units.test.ts shows.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const units = ['pptp-engine', 'pptp-concentrator', 'pptp-host'];
/** What the units start; which of them are there, the machine decides. */
const programs = [
  'opt/pptp-concentrator/build/native/pptp-engine',
  'usr/bin/env',
  'usr/sbin/nft',
  'bin/kill',
];

let machine: string;

beforeAll(() => {
  machine = mkdtempSync(join(tmpdir(), 'systemd-'));
  const env = { ...process.env, DESTDIR: machine };
  execFileSync(join(root, 'deploy/systemd/install.sh'), { env });
  for (const program of programs) {
    mkdirSync(join(machine, dirname(program)), { recursive: true });
    writeFileSync(join(machine, program), '');
    chmodSync(join(machine, program), 0o755);
  }
  // What every machine has, and all units refer to.
  for (const target of readdirSync('/lib/systemd/system').filter((name) => name.endsWith('.target'))) {
    cpSync(join('/lib/systemd/system', target), join(machine, 'lib/systemd/system', target));
  }
});

afterAll(() => rmSync(machine, { recursive: true, force: true }));

/** What a tool of systemd has to say, on either output; it is silent if all is well. */
function verdict(tool: string, ...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(tool, args, { encoding: 'utf8' });
  return `${stdout}${stderr}${status === 0 ? '' : `status ${status}`}`;
}

const verify = (...names: readonly string[]): string =>
  verdict('systemd-analyze', 'verify', `--root=${machine}`, ...names);

test('units are understood whole, and what they start is there', () => {
  expect(verify(...units.map((unit) => `${unit}.service`))).toBe('');
});

test('a misspelt setting would be found', () => {
  const path = join(machine, 'etc/systemd/system/misspelt.service');
  const text = readFileSync(join(machine, 'etc/systemd/system/pptp-engine.service'), 'utf8');
  writeFileSync(path, text.replace('NoNewPrivileges', 'NoNewPriviledges'));

  expect(verify('misspelt.service')).toMatch(/NoNewPriviledges/);
});

test.each([
  // Its network and two capabilities are most of it.
  ['pptp-engine', 24],
  ['pptp-concentrator', 18],
  ['pptp-host', 20],
])('%s is exposed to no more than it needs', (unit, tenths) => {
  const path = join(machine, `etc/systemd/system/${unit}.service`);
  const { status, stdout } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--no-pager', `--threshold=${tenths}`, path],
    { encoding: 'utf8' },
  );

  expect(status, stdout).toBe(0);
});

test('users are made, and the directory of the sockets is theirs', () => {
  mkdirSync(join(machine, 'run'), { recursive: true });

  expect(verdict('systemd-sysusers', `--root=${machine}`)).toMatch(/pptp-engine/);
  expect(verdict('systemd-tmpfiles', `--root=${machine}`, '--create', 'pptp-concentrator.conf')).toBe('');

  const numbersIn = (file: string) =>
    new Map(
      readFileSync(join(machine, 'etc', file), 'utf8')
        .split('\n')
        .map((line) => line.split(':'))
        .map(([name, , number]) => [name, Number(number)]),
    );
  const { mode, uid, gid } = statSync(join(machine, 'run/pptp-concentrator'));
  expect(mode & 0o7777).toBe(0o1770);
  expect(uid).toBe(numbersIn('passwd').get('pptp-engine'));
  expect(gid).toBe(numbersIn('group').get('pptp-concentrator'));
});

test('the packet filter’s rules load, and load again', () => {
  const rules = join(root, 'deploy/host/pptp.nft');
  const listed = execFileSync(
    'unshare',
    ['--net', 'sh', '-c', `nft -f ${rules} && nft -f ${rules} && nft list ruleset`],
    { encoding: 'utf8' },
  );

  expect(listed.match(/notrack/g)).toHaveLength(6);
  expect(listed).toContain('iifname "<pptp-*"');
});

test('every sysctl that is set is one', () => {
  const names = [...readFileSync(join(root, 'deploy/host/sysctl.conf'), 'utf8').matchAll(/^([\w.]+) = /gm)];

  expect(names.length).toBeGreaterThan(0);
  for (const [, name = ''] of names) {
    expect(() => statSync(join('/proc/sys', name.replaceAll('.', '/')))).not.toThrow();
  }
});
