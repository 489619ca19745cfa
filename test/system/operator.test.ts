/**
 * What the operator says and when it holds: limits of a user, and a configuration that is changed while the server runs.
 */

import { expect, onTestFinished, test } from 'vitest';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { tunnelsOf } from './links.io.ts';

const timeout = 60_000;

const enabled = '/interface pptp-server server set enabled=yes';

function secret(user: string, number: number, more = ''): string {
  return `/ppp secret add name=${user} password=secret local-address=10.77.${number}.1 remote-address=10.77.${number}.2 ${more}`;
}

async function open(
  script: string,
): Promise<{ site: Site; server: Concentrator; dial(user: string): Concentrator }> {
  const site = new Site('operator');
  onTestFinished(() => site.remove());
  const server = await site.startServer(script);
  const dial = (user: string) => {
    const entry = `add name=to-${user} user=${user} password=secret connect-to=${addresses.server} disabled=no`;
    return site.start(site.client, `/interface pptp-client ${entry}`);
  };
  return { site, server, dial };
}

test('only-one: a second session of a user is refused, the first stays', { timeout }, async () => {
  const { site, server, dial } = await open(
    `/ppp profile add name=one only-one=yes\n${secret('alice', 0, 'profile=one')}\n${enabled}`,
  );
  await dial('alice').line(/: connected,/);
  const second = dial('alice');
  const refusal = await server.line(/^login failure/);
  expect(refusal.msg).toBe(
    `login failure for user alice from ${addresses.client} via pptp: the user has a session and only-one=yes`,
  );
  expect((await second.line(/: terminating/)).cause).toBe('authentication-failed');
  expect(tunnelsOf(site.server).size).toBe(1);
});

test('caller-id: only from that address', { timeout }, async () => {
  const { server, dial } = await open(
    [
      secret('alice', 0, `caller-id=${addresses.client}`),
      secret('bob', 1, 'caller-id=10.200.0.99'),
      secret('carol', 2, 'service=l2tp'),
      secret('dave', 3, 'disabled=yes'),
      enabled,
    ].join('\n'),
  );
  const alice = dial('alice');
  await alice.line(/: connected,/);
  await alice.end();
  for (const [user, why] of [
    ['bob', 'the user calls from another address than caller-id= of /ppp secret'],
    ['carol', 'the secret is for another service: see service= of /ppp secret'],
    ['dave', 'the secret is disabled'],
  ] as const) {
    const client = dial(user);
    const { msg } = await server.line(new RegExp(`^login failure for user ${user}`));
    expect(msg).toBe(`login failure for user ${user} from ${addresses.client} via pptp: ${why}`);
    await client.end();
  }
});

test('SIGHUP: a new user may come, whom a broken script does not bring', { timeout }, async () => {
  const { site, server, dial } = await open(`${secret('alice', 0)}\n${enabled}`);
  await dial('alice').line(/: connected,/);

  const withBob = [secret('alice', 0), secret('bob', 1), enabled].join('\n');
  server.rewrite(`${withBob}\n/ip pool add name=broken ranges=10.0.0.300\n`);
  const refusal = await server.reload();
  expect(refusal.level).toBe('error');
  expect(refusal.msg).toMatch(/^configuration not changed: \/.*\/configuration\.rsc:4:\d+: .*ranges/);
  const bob = dial('bob');
  const failure = await server.line(/^login failure/);
  expect(failure.msg).toMatch(/for user bob .*: no such user in \/ppp secret$/);

  server.rewrite(withBob);
  expect((await server.reload()).msg).toBe('configuration read again, revision 2');
  await bob.line(/: connected,/);
  expect([...tunnelsOf(site.server).keys()].sort()).toEqual(['<pptp-alice>', '<pptp-bob>']);
  expect(server.lines.filter(({ msg }) => msg.includes('logged out'))).toEqual([]);
});

test('a script that is wrong from the start: its place, RouterOS words, and a status', {
  timeout,
}, async () => {
  const site = new Site('operator');
  onTestFinished(() => site.remove());
  const server = site.start(site.server, '/ppp secret\nadd name=alice pasword=secret\n');
  expect(await server.exit).toEqual({ status: 1, signal: null });
  expect(server.output).toMatch(/^pptp-concentrator: \/.*\/configuration\.rsc:2:16: /);
  expect(server.output).toMatch(/what to do: /);
});

test('a second server on one address says who has the port', { timeout }, async () => {
  const { site, server, dial } = await open(`${secret('alice', 0)}\n${enabled}`);
  const second = site.start(site.server, enabled);
  const { msg, level, hint } = await second.line(/^cannot listen/);
  expect(msg).toBe('cannot listen on TCP 1723: EADDRINUSE');
  expect(level).toBe('error');
  expect(hint).toMatch(/^another PPTP server on this machine\?/);
  await second.end();
  await dial('alice').line(/: connected,/);
  await server.end();
});
