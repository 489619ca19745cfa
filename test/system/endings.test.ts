/**
 * How sessions end, and what is said of it: every end has one cause, told once at each side, and one line that sums the session up.
 */

import { expect, onTestFinished, test } from 'vitest';
import { addresses, type Concentrator, type Line, Site } from './concentrator.io.ts';
import { tunnelsOf } from './links.io.ts';
import { ping } from './traffic.io.ts';

const timeout = 60_000;

/** A session of alice that is up. `server` and `secret` are more of the server's settings, `client` of the client's. */
async function connect(more: { server?: string; profile?: string; client?: string } = {}) {
  const site = new Site('endings');
  onTestFinished(() => site.remove());
  const server = await site.startServer(
    `/ppp profile add name=one ${more.profile ?? ''}
     /ppp secret
     add name=alice password=secret profile=one local-address=10.77.0.1 remote-address=10.77.0.2
     /interface pptp-server server set enabled=yes ${more.server ?? ''}`,
  );
  const client = site.start(
    site.client,
    `/interface pptp-client
     add name=out user=alice password=secret connect-to=${addresses.server} disabled=no ${more.client ?? ''}`,
  );
  await client.line(/^out: connected,/);
  await server.line(/^alice logged in/);
  return { site, server, client };
}

const summaries = ({ lines }: Concentrator): Line[] =>
  lines.filter(({ msg }) => /^(alice|out) logged out/.test(msg));

/** Octets and packets of a summary. */
function figuresOf({ msg }: Line) {
  const figures = /^(?:alice|out) logged out, (\d+) (\d+) (\d+) (\d+) (\d+) (?:from|to) /
    .exec(msg)
    ?.slice(1)
    .map(Number);
  if (figures === undefined) throw new Error(`no figures: ${msg}`);
  const [, receivedOctets, sentOctets, receivedPackets, sentPackets] = figures;
  return { receivedOctets, sentOctets, receivedPackets, sentPackets };
}

test('a client that goes: one summary at each side, with what went through', { timeout }, async () => {
  const { site, server, client } = await connect();
  expect(await ping(site.client, '10.77.0.1', { count: 7, size: 100 })).toEqual({ sent: 7, received: 7 });
  expect(await client.end()).toEqual({ status: 0, signal: null });
  const end = await server.line(/^alice logged out/);
  expect(end).toMatchObject({ cause: 'peer-terminated', reason: 'peer-request', level: 'info' });
  expect(end.msg).toMatch(/ from 10\.200\.0\.2 after \w+ - terminated by the peer$/);
  // IP and ICMP headers, and PPP's protocol field.
  const octets = 7 * (100 + 28 + 2);
  const figures = { receivedOctets: octets, sentOctets: octets, receivedPackets: 7, sentPackets: 7 };
  expect(figuresOf(end)).toEqual(figures);
  expect(summaries(client).map(figuresOf)).toEqual([figures]);
  expect(summaries(client)[0]?.cause).toBe('shut-down');
  await server.end();
  expect(summaries(server)).toHaveLength(1);
});

test('session-timeout', { timeout }, async () => {
  const { server, client } = await connect({ profile: 'session-timeout=1s' });
  const end = await server.line(/^alice logged out/);
  expect(end).toMatchObject({ cause: 'session-timeout', reason: 'session-timeout' });
  expect(end.msg).toMatch(/ after \ds - session-timeout$/);
  expect((await client.line(/^out logged out/)).cause).toBe('peer-terminated');
  // Who is thrown out by time may come again.
  await client.line(/^out: connected,/, await client.line(/^out logged out/));
});

test('idle-timeout: traffic keeps a session, its end ends it', { timeout }, async () => {
  const { site, server } = await connect({ profile: 'idle-timeout=3s' });
  const echoes = await ping(site.client, '10.77.0.1', { count: 200 });
  expect(echoes).toEqual({ sent: 200, received: 200 });
  expect(summaries(server)).toEqual([]);
  const end = await server.line(/^alice logged out/);
  expect(end).toMatchObject({ cause: 'idle-timeout', reason: 'idle-timeout' });
});

test('keepalive: five probes without an answer, then the end', { timeout }, async () => {
  const { site, server } = await connect({
    server: 'keepalive-timeout=1',
    client: 'keepalive-timeout=disabled',
  });
  site.client.run('ip', 'link', 'set', site.cable, 'down');
  const end = await server.line(/^<pptp-alice>: terminating/);
  expect(end.cause).toBe('echo-lost');
  const before = server.lines.slice(0, end.index);
  expect(before.filter(({ msg }) => msg === '<pptp-alice>: LCP missed echo reply')).toHaveLength(5);
  const summary = await server.line(/^alice logged out/);
  expect(summary.msg).toMatch(/ - LCP missed echo reply$/);
  expect(summary.hint).toMatch(/path to the peer is broken/);
  expect(tunnelsOf(site.server).size).toBe(0);
});

test('keepalive: a peer that is quiet but there stays', { timeout }, async () => {
  const { site, server, client } = await connect({
    server: 'keepalive-timeout=1',
    profile: 'session-timeout=5s',
  });
  const end = await server.line(/^alice logged out/);
  expect(end.cause).toBe('session-timeout');
  expect(server.lines.filter(({ msg }) => msg.includes('missed'))).toEqual([]);
  await client.end();
  expect(tunnelsOf(site.client).size).toBe(0);
});

test('a server that is disabled ends its sessions and takes no more', { timeout }, async () => {
  const { site, server, client } = await connect();
  server.rewrite('/interface pptp-server server set enabled=no');
  expect((await server.reload()).msg).toMatch(/^configuration read again, revision 2/);
  const end = await server.line(/^alice logged out/);
  expect(end).toMatchObject({ cause: 'server-disabled', reason: 'reset' });
  expect(end.msg).toMatch(/ - the server was disabled$/);
  await client.line(/^out: no connection to the server: ECONNREFUSED/);
  expect(tunnelsOf(site.server).size).toBe(0);
});

test('a server that ends tells its clients', { timeout }, async () => {
  const { site, server, client } = await connect();
  expect(await server.end()).toEqual({ status: 0, signal: null });
  expect(summaries(server)).toMatchObject([{ cause: 'shut-down', reason: 'reboot' }]);
  expect(await client.line(/^out logged out/)).toMatchObject({ cause: 'peer-terminated' });
  expect(tunnelsOf(site.client).size).toBe(0);
});
