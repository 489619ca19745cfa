/**
 * The path of systemd in deploy/README.md, walked literally on a Debian machine of its own: this one's files with a layer on top that is
 * thrown away, started by the real systemd. A client is served, and what is said there of stopping and dying holds.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addresses, Site } from './concentrator.io.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A machine starts in seconds; who waits longer waits in vain. */
const patienceMs = 60_000;

/** In a mount namespace of its own, so that nothing is left: $1 is a directory for it, $2 this checkout. */
const boot = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mknod -m 0666 "$1/tun" c 10 200
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
rm -rf "$1"/root/etc/systemd/system/*.wants "$1/root/var/lib/pptp-concentrator" "$1/root/run/pptp-concentrator"
exec systemd-nspawn --quiet --directory="$1/root" --machine="pptp-$$" --private-network --register=no --keep-unit \\
  --bind-ro="$2:/opt/pptp-concentrator" --bind="$1/tun:/dev/net/tun" --boot systemd.unit=basic.target`;

let site: Site;
let directory: string;
let machine: ChildProcess;
/** Its first process, as this machine numbers it. */
let first = 0;

beforeAll(async () => {
  site = new Site('debian');
  directory = mkdtempSync(join(tmpdir(), 'debian-'));
  machine = spawn('unshare', ['--mount', 'sh', '-c', boot, 'boot', directory, root], { stdio: 'ignore' });
  await until(() => {
    const path = `/proc/${machine.pid}/task/${machine.pid}/children`;
    first = Number(existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ').at(-1) : 0);
    return first > 0 && /running|degraded/.test(inside('systemctl is-system-running || :'));
  });
  const ends = ['netns', site.client.name, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', String(first)];
  execFileSync('ip', ['link', 'add', 'uplink', ...ends]);
  site.client.run('ip', 'address', 'flush', 'dev', site.cable);
  site.client.run('ip', 'address', 'add', `${addresses.client}/24`, 'dev', 'uplink');
  site.client.run('ip', 'link', 'set', 'uplink', 'up');
  inside(`ip address add ${addresses.server}/24 dev uplink && ip link set uplink up && ip link set lo up`);
});

afterAll(async () => {
  await site.remove();
  if (machine.exitCode === null) {
    if (first > 0) process.kill(first, 'SIGKILL');
    else machine.kill('SIGKILL');
    await once(machine, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
});

test('the commands of the README serve a client', async () => {
  for (const command of commandsOfReadme()) inside(`cd /opt/pptp-concentrator && ${command}`);
  await until(() => /listening on TCP 1723/.test(log()));
  const [, password = ''] = /password {2}(\S+)/.exec(log()) ?? [];
  const client = site.start(
    site.client,
    `/interface pptp-client add name=out connect-to=${addresses.server} user=subscriber password=${password} disabled=no`,
  );
  await client.line(/^out: connected,/);

  expect(site.client.run('ping', '-c', '3', '-i', '0.2', '10.77.0.1')).toContain(' 0% packet loss');
  expect(inside("pptpctl '/ppp active print count-only'").trim()).toBe('1');
  expect(inside(`pptpctl '/ping ${addresses.client} count=1'`)).toContain('received=1');
  expect(inside('nft list table ip pptp_host')).toContain('notrack');

  // An upgrade of control: nobody notices.
  const before = heard();
  inside('systemctl restart pptp-concentrator');
  await until(() => heard() > before);
  expect(log()).toContain('sessions of the control process before this one go on');
  expect(site.client.run('ping', '-c', '3', '-i', '0.2', '10.77.0.1')).toContain(' 0% packet loss');
  expect(inside("pptpctl '/ppp active print count-only'").trim()).toBe('1');
  expect(client.lines.filter(({ msg }) => /terminating/.test(msg))).toEqual([]);
  await client.end();
});

test('whichever of the two dies, both are there again', async () => {
  for (const unit of ['pptp-concentrator', 'pptp-engine']) {
    const before = heard();
    inside(`systemctl kill --signal=KILL ${unit}`);
    await until(() => heard() > before);
  }

  expect(active()).toEqual(['active', 'active']);
});

test('control may be stopped alone, the engine not', () => {
  inside('systemctl stop pptp-concentrator');
  expect(active()).toEqual(['active', 'inactive']);

  inside('systemctl start pptp-concentrator && systemctl stop pptp-engine');
  expect(active()).toEqual(['inactive', 'inactive']);
});

/** Runs a command in the machine to its end; throws with what it said. */
function inside(command: string): string {
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const words = ['--target', String(first), '--all', '/usr/bin/env', path, 'sh', '-c', command];
  return execFileSync('nsenter', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const log = (): string => inside('journalctl --no-pager --output=cat --unit=pptp-concentrator');
/** How often control has begun to serve. */
const heard = (): number => log().match(/listening on TCP 1723/g)?.length ?? 0;
const active = (): string[] =>
  inside('systemctl is-active pptp-engine pptp-concentrator || :').trim().split('\n');

/** The first block of the chapter, but what this checkout has behind it: the preparation. */
function commandsOfReadme(): string[] {
  const text = readFileSync(join(root, 'deploy/README.md'), 'utf8');
  const [, chapter = ''] = text.split('## systemd');
  const [block = ''] = /(?:^ {4}.*\n)+/m.exec(chapter) ?? [];
  const commands = block.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return commands.filter((command) => command !== '' && !/prepare\.sh|^pptpctl/.test(command));
}

/** Asks until it is so: the machine does not tell us by itself. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      if (isSo()) return;
    } catch {
      // The machine is not so far that it could be asked.
    }
    if (performance.now() > deadline) throw new Error('the machine does not get there');
    await pause(200);
  }
}
