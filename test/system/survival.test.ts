/**
 * What outlives what: control may be killed while tunnels forward, the engine takes everything with it, a proper end leaves
 * nothing. Also how the program begins: the first configuration, and a start without the rights it needs.
 */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { addresses, processesIn, Site } from './concentrator.io.ts';
import { tunnelsOf } from './links.io.ts';
import { ping, pingWhile } from './traffic.io.ts';

const timeout = 60_000;

const serverScript = `/ppp secret
add name=alice password=secret local-address=10.77.0.1 remote-address=10.77.0.2 routes="10.50.0.0/24 0.0.0.0 1"
/interface pptp-server server set enabled=yes`;
const clientScript = `/ppp profile add name=short session-timeout=5s
/interface pptp-client
add name=out user=alice password=secret connect-to=${addresses.server} disabled=no`;

function build(): Site {
  const site = new Site('survival');
  onTestFinished(() => site.remove());
  return site;
}

/** A session that is up; `more` is said of the client. */
async function connect(more = '') {
  const site = build();
  const server = await site.startServer(serverScript);
  const client = site.start(site.client, `${clientScript} ${more}`);
  await client.line(/^out: connected,/);
  await server.line(/^alice logged in/);
  return { site, server, client };
}

/** Asks the system until it says so: an engine that was killed goes when the kernel has taken all its interfaces away. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test('killed control: the engine forwards on, and the next control goes on with the session as if nothing had been', {
  timeout,
}, async () => {
  const { site, server, client } = await connect();
  const engine = server.enginePid;
  const echoes = await pingWhile(site.client, '10.77.0.1', async () => {
    expect(await server.kill()).toEqual({ status: null, signal: 'SIGKILL' });
  });
  expect(echoes.received).toBe(echoes.sent);
  expect(processesIn(site.server)).toEqual([engine]);
  expect(tunnelsOf(site.server).get('<pptp-alice>')?.remote).toBe('10.77.0.2');

  const next = site.start(site.server, serverScript, { directory: server.directory });
  await next.line(/^sessions of the control process before this one go on/);
  await next.line(/^listening on TCP 1723/);
  expect(await ping(site.client, '10.77.0.1')).toEqual({ sent: 5, received: 5 });
  expect(site.server.run('ip', 'route')).toMatch(/10\.50\.0\.0\/24 dev <pptp-alice>/);
  // The peer ends it in order, and finds who answers.
  expect(await client.end()).toEqual({ status: 0, signal: null });
  expect((await next.line(/^<pptp-alice>: terminating/)).cause).toBe('peer-terminated');
  await next.line(/^alice logged out/);
  const causes = client.lines.filter(({ msg }) => /terminating/.test(msg)).map(({ cause }) => cause);
  expect(causes).toEqual(['shut-down']);
  expect(await next.end()).toEqual({ status: 0, signal: null });
  await until(() => processesIn(site.server).length === 0);
});

test('killed control: the engine answers who asks whether the line is still there', { timeout }, async () => {
  const { server, client } = await connect('keepalive-timeout=1 profile=short');
  await server.kill();
  const end = await client.line(/^out: terminating/);
  expect(client.lines.filter(({ msg }) => msg.includes('missed'))).toEqual([]);
  expect(end.cause).toBe('session-timeout');
});

test('killed engine: no interface, no route, and control says so', { timeout }, async () => {
  const { site, server } = await connect();
  expect(site.server.run('ip', 'route')).toMatch(/10\.50\.0\.0\/24/);
  process.kill(server.enginePid, 'SIGKILL');
  expect(await server.exit).toEqual({ status: 1, signal: null });
  expect(server.output).toMatch(
    /^pptp-concentrator: the engine is gone: .* \[ENGINE_LOST\]\n {2}what to do: /,
  );
  await until(() => processesIn(site.server).length === 0);
  expect(tunnelsOf(site.server).size).toBe(0);
  expect(site.server.run('ip', 'route')).not.toMatch(/10\.(50|77)\./);

  // What was left does not stand in the way of a new start.
  const next = site.start(site.server, serverScript, { directory: server.directory });
  await next.line(/^alice logged in/);
});

test('SIGTERM leaves no process and no interface at either side', { timeout }, async () => {
  const { site, server, client } = await connect();
  expect(await server.end()).toEqual({ status: 0, signal: null });
  expect(processesIn(site.server)).toEqual([]);
  expect(tunnelsOf(site.server).size).toBe(0);
  await client.line(/^out logged out/);
  expect(await client.end()).toEqual({ status: 0, signal: null });
  expect(processesIn(site.client)).toEqual([]);
  expect(tunnelsOf(site.client).size).toBe(0);
});

test('the first start writes a configuration and prints its password, once', { timeout }, async () => {
  const site = build();
  const first = site.start(site.server, undefined);
  await first.line(/^listening on TCP 1723/);
  await first.end();
  const file = join(first.directory, 'state', 'configuration.rsc');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(first.output).toContain(file);
  const [, user, password] = /user +(\S+)\n +password +(\S+)/.exec(first.output) ?? [];
  expect(readFileSync(file, 'utf8')).toContain(`add name=${user} password=${password} `);
  expect(first.output.split(password ?? '')).toHaveLength(2);

  const again = site.start(site.server, undefined, { directory: first.directory });
  await again.line(/^listening on TCP 1723/);
  expect(again.output).toBe('');

  const client = site.start(
    site.client,
    `/interface pptp-client
     add name=out user=${user} password=${password} connect-to=${addresses.server} disabled=no`,
  );
  expect((await client.line(/^out: using encoding/)).msg).toMatch(/MPPE128 stateless$/);
  await client.line(/^out: connected,/);
  expect(await ping(site.client, '10.77.0.1')).toEqual({ sent: 5, received: 5 });
});

test('without the rights of root: which are missing, and how to give them', { timeout }, async () => {
  const site = build();
  // Root without a single capability: like any user, but sure to be able to read the program.
  const through = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'];
  const server = site.start(site.server, undefined, { through });
  expect(await server.exit).toEqual({ status: 1, signal: null });
  expect(server.output).toMatch(
    /^pptp-concentrator: the engine lacks a privilege: .*\[ENGINE_NO_PRIVILEGE\]$/m,
  );
  expect(server.output).toMatch(/CAP_NET_ADMIN is missing/);
  expect(server.output).toMatch(/what to do: .*setcap cap_net_admin,cap_net_raw\+ep \//);
  // The configuration has been written, and no later start tells its password.
  expect(server.output).toMatch(/^ +password +\S{20}$/m);
  expect(processesIn(site.server)).toEqual([]);
});

test('a run directory that cannot be made is named', { timeout }, async () => {
  const site = build();
  const directory = mkdtempSync(join(tmpdir(), 'pptp-system-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'run'), 'no directory');
  const server = site.start(site.server, serverScript, { directory });
  expect(await server.exit).toEqual({ status: 1, signal: null });
  expect(server.output).toMatch(
    /^pptp-concentrator: cannot make the run directory .*\/run: EEXIST.* \[RUN_DIRECTORY\]$/m,
  );
});
