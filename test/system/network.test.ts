/**
 * What a tunnel does to the network of the server: addresses, names, routes, packets that fit and packets that do not.
 */

import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addresses, Site } from './concentrator.io.ts';
import { routesThrough, tunnelsOf } from './links.io.ts';
import { ping } from './traffic.io.ts';

const timeout = 60_000;

/** A server with `script` besides being enabled, and a client with an entry for each of `dialled`. */
async function open(script: string, ...dialled: readonly string[]) {
  const site = new Site('network');
  onTestFinished(() => site.remove());
  const server = await site.startServer(`${script}\n/interface pptp-server server set enabled=yes`);
  const entries = dialled.map(
    (more) => `add password=secret connect-to=${addresses.server} disabled=no ${more}`,
  );
  const client = site.start(site.client, `${script}\n/interface pptp-client\n${entries.join('\n')}`);
  return { site, server, client };
}

const alice = '/ppp secret add name=alice password=secret local-address=10.77.0.1 remote-address=10.77.0.2';

describe('addresses', () => {
  test('come from the pool, each once; who finds it empty is told so', { timeout }, async () => {
    const { site, server, client } = await open(
      `/ip pool add name=small ranges=10.77.0.10-10.77.0.11
       /ppp profile add name=one local-address=10.77.0.1 remote-address=small
       /ppp secret
       add name=alice password=secret profile=one
       add name=bob password=secret profile=one
       add name=carol password=secret profile=one`,
      'name=to-alice user=alice',
      'name=to-bob user=bob',
    );
    await client.line(/^to-alice: connected,/);
    await client.line(/^to-bob: connected,/);
    const tunnels = [...tunnelsOf(site.server).values()];
    expect(tunnels.map(({ remote }) => remote).sort()).toEqual(['10.77.0.10', '10.77.0.11']);
    expect(tunnels.map(({ local }) => local)).toEqual(['10.77.0.1', '10.77.0.1']);
    for (const link of ['to-alice', 'to-bob']) {
      expect(await ping(site.client, '10.77.0.1', { options: ['-I', link] })).toEqual({
        sent: 5,
        received: 5,
      });
    }
    const late = site.start(
      site.client,
      `/interface pptp-client
       add user=carol password=secret connect-to=${addresses.server} disabled=no`,
    );
    const end = await server.line(/^<pptp-\d+>: terminating/);
    expect(end.cause).toBe('no-address');
    expect(end.hint).toMatch(/enlarge the pool/);
    await late.end();
  });

  test('are free again when their user has gone', { timeout }, async () => {
    const { site, server, client } = await open(
      `/ip pool add name=one ranges=10.77.0.10
       /ppp secret add name=alice password=secret local-address=10.77.0.1 remote-address=one`,
      'user=alice',
    );
    await client.line(/: connected,/);
    await client.end();
    await server.line(/^alice logged out/);
    const next = site.start(
      site.client,
      `/interface pptp-client
       add user=alice password=secret connect-to=${addresses.server} disabled=no`,
    );
    expect((await next.line(/: connected,/)).msg).toMatch(/10\.77\.0\.10$/);
  });
});

test('a static entry names the interface of its user', { timeout }, async () => {
  const { site, server } = await open(
    `${alice}\n/interface pptp-server add name=alice-in user=alice`,
    'user=alice',
  );
  await server.line(/^alice-in: connected/);
  expect([...tunnelsOf(site.server).keys()]).toEqual(['alice-in']);
});

test('routes of a secret stand while its user is connected', { timeout }, async () => {
  const { site, server, client } = await open(
    `${alice} routes="10.50.0.0/24 0.0.0.0 5,10.51.0.0/16 10.77.0.2 1"`,
    'user=alice',
  );
  await server.line(/^<pptp-alice>: connected/);
  expect(routesThrough(site.server, '<pptp-alice>').sort()).toEqual([
    '10.50.0.0/24 link 5',
    '10.51.0.0/16 link 1',
  ]);
  // A host of the user's network behind the tunnel answers.
  site.client.run('ip', 'address', 'add', '10.50.0.7/32', 'dev', 'lo');
  await client.line(/: connected,/);
  expect(await ping(site.server, '10.50.0.7')).toEqual({ sent: 5, received: 5 });
  await client.end();
  await server.line(/^alice logged out/);
  expect(site.server.run('ip', 'route')).not.toMatch(/10\.5[01]\./);
  expect(tunnelsOf(site.server).size).toBe(0);
});

test('a client may lead its default route through the tunnel', { timeout }, async () => {
  const { site, client } = await open(
    alice,
    'name=out user=alice add-default-route=yes default-route-distance=7',
  );
  await client.line(/: connected,/);
  expect(routesThrough(site.client, 'out')).toEqual(['default link 7']);
  site.server.run('ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo');
  expect(await ping(site.client, '192.0.2.1')).toEqual({ sent: 5, received: 5 });
  await client.end();
  expect(site.client.run('ip', 'route')).not.toMatch(/default/);
});

describe('packet sizes', () => {
  test.for([
    ['yes', 1406],
    ['no', 1460],
  ] as const)(
    'change-tcp-mss=%s: a SYN that asks for 1460 arrives with %i',
    { timeout },
    async ([clamp, mss]) => {
      const { site, client } = await open(
        `/ppp profile add name=one use-encryption=required change-tcp-mss=${clamp}\n${alice} profile=one`,
        'name=out user=alice profile=one',
      );
      await client.line(/: connected,/);
      site.client.run('ip', 'link', 'set', 'out', 'mtu', '1500');
      const words = ['-i', '<pptp-alice>', '-n', '-c', '1', '--immediate-mode', 'tcp[tcpflags] == tcp-syn'];
      const tcpdump = site.server.start(['tcpdump', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
      let seen = '';
      tcpdump.stdout?.on('data', (text) => {
        seen += text;
      });
      if (tcpdump.stderr !== null) await once(tcpdump.stderr, 'data');
      const ended = once(tcpdump, 'close');
      // Nobody listens there; the SYN is enough.
      site.client.run('bash', '-c', '! echo >/dev/tcp/10.77.0.1/5000');
      await ended;
      expect(seen).toContain(`mss ${mss},`);
    },
  );

  test('the largest packet passes, a larger one in fragments or not at all', { timeout }, async () => {
    const { site, client } = await open(
      `/ppp profile add name=one use-encryption=required\n${alice} profile=one`,
      'name=out user=alice profile=one',
    );
    await client.line(/: connected,/);
    expect(tunnelsOf(site.client).get('out')?.mtu).toBe(1446);
    const headers = 28;
    const whole = { options: ['-M', 'do'] };
    expect(await ping(site.client, '10.77.0.1', { ...whole, size: 1446 - headers })).toEqual({
      sent: 5,
      received: 5,
    });
    const tooLarge = { size: 1447 - headers, options: ['-M', 'do', '-W', '1'] };
    expect(await ping(site.client, '10.77.0.1', tooLarge)).toMatchObject({ received: 0 });
    expect(await ping(site.client, '10.77.0.1', { size: 20_000 })).toEqual({ sent: 5, received: 5 });
    expect(await ping(site.server, '10.77.0.2', { size: 20_000 })).toEqual({ sent: 5, received: 5 });
  });

  test('a path narrower than the tunnel takes its packets in fragments', { timeout }, async () => {
    const { site, client } = await open(alice, 'user=alice');
    await client.line(/: connected,/);
    for (const namespace of [site.server, site.client]) {
      namespace.run('ip', 'link', 'set', site.cable, 'mtu', '1000');
    }
    expect(await ping(site.client, '10.77.0.1', { size: 1400 })).toEqual({ sent: 5, received: 5 });
  });
});
