/** Our client's control comes and goes under a tunnel with traffic: the server notices nothing, and nothing is left of what ends. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { routesThrough, tunnelsOf } from './links.io.ts';
import { pingWhile } from './traffic.io.ts';
import { within } from './within.io.ts';

const timeout = 60_000;
const execute = promisify(execFile);
const pptpctl = fileURLToPath(new URL('../../build/console/pptpctl.io.js', import.meta.url));

/** Behind the gateway of the client, who has no other way to it. */
const far = '192.0.2.1';
const entry = `add name=out user=alice password=secret connect-to=${far} disabled=no`;

/** A client with `more` in its entry, and a server beyond a gateway. */
async function build(more: string) {
  const site = new Site('client-takeover');
  onTestFinished(() => site.remove());
  const server = await site.startServer(`
/ppp secret add name=alice password=secret local-address=10.77.0.1 remote-address=10.77.0.2
/interface pptp-server server set enabled=yes`);
  site.server.run('ip', 'address', 'add', `${far}/32`, 'dev', 'lo');
  site.client.run('ip', 'route', 'add', 'default', 'via', addresses.server, 'metric', '50');
  const script = `/interface pptp-client\n${entry} ${more}`;
  const client = site.start(site.client, script);
  /** The next control process of the client, with the configuration that is then. */
  const next = async (script: string): Promise<Concentrator> => {
    const started = site.start(site.client, script, { directory: client.directory });
    await started.line(/^sessions of the control process before this one go on/);
    return started;
  };
  return { site, server, client, script, next };
}

/** The way to the server that was made for the tunnel. */
const detoursOf = ({ client }: Site) => client.run('ip', 'route', 'show', 'proto', '172').trim();

/** What the operator sees of the tunnel. */
async function monitor({ directory }: Concentrator): Promise<string> {
  const command = '/interface pptp-client monitor out once';
  return (await execute(process.execPath, [pptpctl, '--run', join(directory, 'run'), command])).stdout;
}

function uptimeSeconds(shown: string): number {
  const [, minutes = 0, seconds = 0] = /uptime: (?:(\d+)m)?(?:(\d+)s)?/.exec(shown) ?? [];
  return 60 * Number(minutes) + Number(seconds);
}

test('killed, handed over, and back: no packet is lost, the default route stays, and the uptime goes on', {
  timeout,
}, async () => {
  const { site, server, client, script, next } = await build(
    'add-default-route=yes default-route-distance=7',
  );
  const connected = await client.line(/^out: connected,/);
  const detours = detoursOf(site);
  expect(detours).toMatch(new RegExp(`^${far} via ${addresses.server} `));

  let control = client;
  const echoes = await pingWhile(site.client, '10.77.0.1', async () => {
    await client.kill();
    control = await next(script);
  });
  expect(echoes.received).toBe(echoes.sent);
  const shown = await monitor(control);
  expect(shown).toMatch(/status: Connected/);
  const elapsedSeconds = (Date.now() - Date.parse(connected.time)) / 1000;
  expect(Math.abs(uptimeSeconds(shown) - elapsedSeconds)).toBeLessThan(2);

  const more = await pingWhile(site.client, '10.77.0.1', async () => {
    expect(await control.handOver()).toEqual({ status: 0, signal: null });
    control = await next(script);
  });
  expect(more.received).toBe(more.sent);
  expect(control.lines.filter(({ msg }) => /dialling|: connected|terminating/.test(msg))).toEqual([]);
  expect(server.lines.filter(({ msg }) => /^TCP connection|terminating/.test(msg))).toHaveLength(1);
  expect([detoursOf(site), routesThrough(site.client, 'out')]).toEqual([detours, ['default link 7']]);

  expect(await control.end()).toEqual({ status: 0, signal: null });
  expect((await server.line(/^<pptp-alice>: terminating/)).cause).toBe('peer-terminated');
  expect([detoursOf(site), tunnelsOf(site.client).size]).toEqual(['', 0]);
});

test('an entry that was removed meanwhile: its tunnel ends in order, and nothing of it is left', {
  timeout,
}, async () => {
  const { site, server, client, next } = await build('add-default-route=yes dial-on-demand=yes');
  const soon = within(20_000);
  await soon(() => routesThrough(site.client, 'out').includes('default link 1'), 'its route');
  site.client.run('bash', '-c', 'echo >/dev/udp/10.77.0.1/9');
  await client.line(/^out: connected,/);
  expect(detoursOf(site)).not.toBe('');

  await client.kill();
  const control = await next('/interface pptp-client');
  expect((await control.line(/^out: terminating/)).cause).toBe('client-disabled');
  expect((await server.line(/^<pptp-alice>: terminating/)).cause).toBe('peer-terminated');
  await server.line(/^TCP connection of .* ended: stopped by the peer/);
  await control.line(/^out logged out/);
  expect(await control.end()).toEqual({ status: 0, signal: null });
  expect([detoursOf(site), tunnelsOf(site.client).size]).toEqual(['', 0]);
});
