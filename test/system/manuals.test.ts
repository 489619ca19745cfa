/**
 * The examples of both manuals, typed as they are printed there, on real nodes. What is answered is compared in the newer manual's forms,
 * which win where the two differ (src/console/README.md). Left out are the slips of the manuals' typists (`pttp`, `ptp-server`).
 */

import { expect, onTestFinished, test } from 'vitest';
import { type Namespace, Network } from '../netns/namespaces.io.ts';
import { type Concentrator, Site } from './concentrator.io.ts';
import { ping } from './traffic.io.ts';
import { answered, shapeOf, typed, until } from './typed.io.ts';

const timeout = 60_000;
const everyPing = { sent: 5, received: 5 };

/** A server and a client on one cable, each with its own address and the way to the other's network; nothing is configured. */
function routers(server: string, client: string): Site {
  const site = new Site('manuals');
  onTestFinished(() => site.remove());
  for (const [namespace, own, other] of [
    [site.server, server, client],
    [site.client, client, server],
  ] as const) {
    namespace.run('ip', 'address', 'add', `${own}/24`, 'dev', site.cable);
    namespace.run('ip', 'route', 'add', `${other}/32`, 'dev', site.cable, 'src', own);
  }
  return site;
}

/** A network behind a router, with nobody in it: some kernels have no dummy interfaces. */
function lan(namespace: Namespace, name: string, address: string): void {
  namespace.run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'nobody');
  namespace.run('ip', 'link', 'set', 'nobody', 'up');
  namespace.run('ip', 'address', 'add', address, 'dev', name);
  namespace.run('ip', 'link', 'set', name, 'up');
  namespace.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
}

async function ready(node: Concentrator): Promise<Concentrator> {
  await answered(node, /^ +name:/m, '/system identity print');
  return node;
}

async function nodes(site: Site): Promise<{ server: Concentrator; client: Concentrator }> {
  const [server, client] = [site.start(site.server, ''), site.start(site.client, '')];
  return { server: await ready(server), client: await ready(client) };
}

const hasRoute = (namespace: Namespace, to: string): boolean =>
  namespace.run('ip', 'route').includes(`${to} dev pptp-`);

const running = /^ ?0 +R /m;

test('the Quick Setup Guide alone makes a tunnel between two fresh nodes', { timeout }, async () => {
  const site = routers('10.5.8.104', '10.1.0.172');
  const server = await ready(site.start(site.server, undefined));
  const client = await ready(site.start(site.client, undefined));

  const onServer = await typed(
    server,
    'ppp secret',
    'add name=jack password=pass \\',
    'local-address=10.0.0.1 remote-address=10.0.0.2',
    '/interface pptp-server server',
    'set enabled=yes',
  );
  const onClient = await typed(
    client,
    'interface pptp-client',
    'add user=jack password=pass \\',
    'connect-to=10.5.8.104 disabled=no',
  );

  expect(onServer + onClient).toBe('');
  await client.line(/^pptp-out1: connected, 10\.0\.0\.2$/);
  await server.line(/^<pptp-jack>: connected/);
  expect(await ping(site.client, '10.0.0.1')).toEqual(everyPing);
  expect(await ping(site.server, '10.0.0.2')).toEqual(everyPing);
});

test('PPTP Client Setup: added, printed, enabled, monitored; the default route spares the server', {
  timeout,
}, async () => {
  const site = routers('10.1.1.12', '10.1.2.1');
  site.client.run(
    'ip',
    'route',
    'replace',
    'default',
    'via',
    '10.1.1.12',
    'dev',
    site.cable,
    'onlink',
    'metric',
    '9',
  );
  site.client.run('ip', 'route', 'delete', '10.1.1.12/32');
  const { server, client } = await nodes(site);
  await typed(
    server,
    '/ppp secret add name=john password=john local-address=10.0.0.1 remote-address=10.0.0.2',
    '/interface pptp-server server set enabled=yes',
  );

  const printed = await typed(
    client,
    'interface pptp-client',
    'add name=test2 connect-to=10.1.1.12 \\',
    'user=john add-default-route=yes password=john',
    'print',
  );
  await typed(client, 'interface pptp-client', 'enable 0');
  await client.line(/^test2: connected,/);
  const monitored = await typed(client, 'interface pptp-client', 'monitor test2 once');
  const routes = site.client.run('ip', 'route');
  await typed(client, 'interface pptp-client', 'disable test2');
  await client.line(/^test2: disconnected/);

  expect(shapeOf(printed)).toBe(
    [
      'Flags: X - disabled; R - running',
      '0 X name="test2" max-mtu=1450 max-mru=1450 mrru=disabled connect-to=10.1.1.12',
      'user="john" password="john" profile=default-encryption keepalive-timeout=60',
      'add-default-route=yes default-route-distance=1 dial-on-demand=no',
      'allow=pap,chap,mschap1,mschap2',
    ].join('\n'),
  );
  expect(shapeOf(monitored)).toBe('uptime: TIME\nencoding: MPPE128 stateless\nstatus: Connected');
  expect(routes).toMatch(/^default dev test2 /m);
  expect(routes).toMatch(/^10\.1\.1\.12 via 10\.1\.1\.12 dev cable0 /m);
  await answered(client, /status: Terminated/, '/interface pptp-client monitor test2 once');
  expect(site.client.run('ip', 'route')).not.toMatch(/test2|^10\.1\.1\.12 /m);
});

test('PPTP Server Setup and Users: the settings; a dynamic and a static entry', { timeout }, async () => {
  const site = routers('10.0.0.201', '10.0.9.202');
  const { server, client } = await nodes(site);
  await typed(server, '/ppp secret add name=ex password=ex local-address=10.9.0.1 remote-address=10.9.0.2');

  const settings = await typed(server, 'interface pptp-server server', 'set enabled=yes', 'print');
  await typed(client, '/interface pptp-client add connect-to=10.0.0.201 user=ex password=ex disabled=no');
  await client.line(/: connected,/);
  const entries = await typed(server, 'interface pptp-server', 'add user=ex1', 'print');

  expect(settings).toBe(
    [
      '            enabled: yes',
      '            max-mtu: 1450',
      '            max-mru: 1450',
      '               mrru: disabled',
      '     authentication: mschap2',
      '  keepalive-timeout: 30',
      '    default-profile: default-encryption',
      '',
    ].join('\n'),
  );
  expect(shapeOf(entries)).toBe(
    [
      'Flags: D - dynamic; R - running',
      'Columns: NAME, USER, MTU, CLIENT-ADDRESS, UPTIME, ENCODING',
      '# NAME USER MTU CLIENT-ADDRESS UPTIME ENCODING',
      '0 DR <pptp-ex> ex 1446 10.0.9.202 TIME MPPE128 stateless',
      '1 pptp-in1 ex1',
    ].join('\n'),
  );
});

test('Router-to-Router Secure Tunnel: both intranets reach each other, by /ip route and by routes=', {
  timeout,
}, async () => {
  const site = routers('192.168.80.1', '192.168.81.1');
  lan(site.server, 'LocalHomeOffice', '10.150.2.254/24');
  lan(site.client, 'LocalRemote', '10.150.1.254/24');
  const { server: home, client: remote } = await nodes(site);

  const secret = await typed(
    home,
    'ppp secret',
    'add name=ex service=pptp password=lkjrht local-address=10.0.103.1 remote-address=10.0.103.2',
    'print detail',
  );
  const entry = await typed(home, 'interface pptp-server', 'add user=ex', 'print');
  await typed(home, 'interface pptp-server server', 'set enabled=yes');
  await typed(
    remote,
    'interface pptp-client',
    'add connect-to=192.168.80.1 user=ex \\',
    'password=lkjrht disabled=no',
  );
  await remote.line(/^pptp-out1: connected, 10\.0\.103\.2$/);
  const client = await answered(remote, running, 'interface pptp-client', 'print');
  const routed = [
    await typed(home, 'ip route add dst-address 10.150.1.0/24 gateway 10.0.103.2'),
    await typed(remote, 'ip route add dst-address 10.150.2.0/24 gateway 10.0.103.1'),
  ];

  expect(shapeOf(secret)).toMatch(
    /^Flags: X - disabled\n0 name="ex" service=pptp caller-id="" password="lkjrht" profile=default\nlocal-address=10\.0\.103\.1 remote-address=10\.0\.103\.2 routes=""/,
  );
  expect(shapeOf(entry).split('\n').slice(-2)).toEqual([
    '# NAME USER MTU CLIENT-ADDRESS UPTIME ENCODING',
    '0 pptp-in1 ex',
  ]);
  expect(client).toContain('0 R name="pptp-out1"');
  expect(routed).toEqual(['', '']);
  await home.line(/^pptp-in1: connected/);
  await until(() => hasRoute(site.server, '10.150.1.0/24') && hasRoute(site.client, '10.150.2.0/24'));
  const fromLan = { options: ['-I', '10.150.1.254'] };
  expect(await ping(site.client, '10.0.103.1')).toEqual(everyPing);
  expect(await ping(site.client, '10.150.2.254', fromLan)).toEqual(everyPing);
  expect(await typed(home, '/ip route print where active static')).toMatch(
    /10\.150\.1\.0\/24 +10\.0\.103\.2 +1 +pptp-in1/,
  );

  // The alternative: the same route by the user's own entry, for as long as he is connected.
  await typed(home, '/ip route remove [find dst-address=10.150.1.0/24]');
  await until(() => !hasRoute(site.server, '10.150.1.0/24'));
  const changed = await typed(
    home,
    'ppp secret',
    'set 0 routes="10.150.1.0/24 10.0.103.2 1"',
    'print detail',
  );
  expect(shapeOf(changed)).toContain('routes="10.150.1.0/24 10.0.103.2 1"');
  await typed(remote, '/interface pptp-client disable 0');
  await home.line(/^ex logged out/);
  const before = remote.lines.at(-1);
  await typed(remote, '/interface pptp-client enable 0');
  await remote.line(/: connected,/, before);
  await until(() => hasRoute(site.server, '10.150.1.0/24'));
  expect(await ping(site.client, '10.150.2.254', fromLan)).toEqual(everyPing);
  await typed(remote, '/interface pptp-client disable 0');
  await until(() => !hasRoute(site.server, '10.150.1.0/24'));
});

test('Connecting a Remote Client: proxy-ARP makes him a host of the office', { timeout }, async () => {
  const site = routers('192.168.81.1', '192.168.90.9');
  site.server.run('ip', 'link', 'add', 'Office', 'type', 'veth', 'peer', 'name', 'desk');
  const network = new Network('office');
  onTestFinished(() => network.remove());
  const desk = network.namespace('desk');
  site.server.run('ip', 'link', 'set', 'desk', 'netns', desk.name);
  site.server.run('ip', 'address', 'add', '10.150.1.254/24', 'dev', 'Office');
  site.server.run('ip', 'link', 'set', 'Office', 'up');
  desk.run('ip', 'address', 'add', '10.150.1.7/24', 'dev', 'desk');
  desk.run('ip', 'link', 'set', 'desk', 'up');
  site.server.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  const { server: office, client: laptop } = await nodes(site);

  await typed(
    office,
    'ppp secret',
    'add name=ex service=pptp password=lkjrht local-address=10.150.1.254 remote-address=10.150.1.2',
  );
  const entry = await typed(office, 'interface pptp-server', 'add name=FromLaptop user=ex', 'print');
  await typed(office, 'interface pptp-server server', 'set enabled=yes');
  await typed(
    laptop,
    '/interface pptp-client add connect-to=192.168.81.1 user=ex password=lkjrht disabled=no add-default-route=yes',
  );
  await laptop.line(/: connected,/);
  expect(site.server.run('ip', 'neighbour', 'show', 'proxy')).toBe('');
  const ethernet = await typed(office, 'interface ethernet', 'set Office arp=proxy-arp', 'print');

  expect(shapeOf(entry)).toContain('0 FromLaptop ex');
  expect(shapeOf(ethernet)).toBe(
    [
      'Flags: R - running',
      'Columns: NAME, MTU, MAC-ADDRESS, ARP',
      '# NAME MTU MAC-ADDRESS ARP',
      ...(ethernet.indexOf(' Office ') < ethernet.indexOf(' cable0 ')
        ? ['0 R Office 1500 MAC proxy-arp', '1 R cable0 1500 MAC enabled']
        : ['0 R cable0 1500 MAC enabled', '1 R Office 1500 MAC proxy-arp']),
    ].join('\n'),
  );
  expect(await typed(office, '/interface pptp-server print')).toMatch(
    /^0 +R +FromLaptop +ex +1446 +192\.168\.90\.9/m,
  );
  await until(() => site.server.run('ip', 'neighbour', 'show', 'proxy').startsWith('10.150.1.2 dev Office'));
  expect(await ping(desk, '10.150.1.2')).toEqual(everyPing);
  await typed(laptop, '/interface pptp-client disable 0');
  await office.line(/^ex logged out/);
  await until(() => site.server.run('ip', 'neighbour', 'show', 'proxy') === '');
});

test("the newer manual's examples, client and server", { timeout }, async () => {
  const site = routers('192.168.62.2', '192.168.51.3');
  const { server, client } = await nodes(site);

  await typed(server, 'interface pptp-server server set enabled=yes');
  await typed(
    server,
    'ppp secret add local-address=10.0.0.1 name=MT-User password=StrongPass profile=default-encryption remote-address=10.0.0.5 service=pptp',
  );
  await typed(
    client,
    'interface pptp-client add connect-to=192.168.62.2 disabled=no name=pptp-out1 password=StrongPass user=MT-User',
  );
  await client.line(/: connected, 10\.0\.0\.5/);
  const dialled = await answered(client, running, 'interface pptp-client print');

  expect(shapeOf(dialled)).toBe(
    [
      'Flags: X - disabled; R - running',
      '0 R name="pptp-out1" max-mtu=1450 max-mru=1450 mrru=disabled',
      'connect-to=192.168.62.2 user="MT-User" password="StrongPass"',
      'profile=default-encryption keepalive-timeout=60 add-default-route=no',
      'default-route-distance=1 dial-on-demand=no allow=pap,chap,mschap1,mschap2',
    ].join('\n'),
  );
  expect(shapeOf(await typed(server, 'interface pptp-server print'))).toBe(
    [
      'Flags: D - dynamic; R - running',
      'Columns: NAME, USER, MTU, CLIENT-ADDRESS, UPTIME, ENCODING',
      '# NAME USER MTU CLIENT-ADDRESS UPTIME ENCODING',
      // The kernel takes 15 octets for a name.
      '0 DR <pptp-MT-User> MT-User 1446 192.168.51.3 TIME MPPE128 stateless',
    ].join('\n'),
  );

  // "in case the entry is active already": a second login gets an interface of its own.
  await typed(server, '/interface pptp-server add name=mt user=MT-User');
  await typed(
    server,
    '/ip pool add name=two ranges=10.0.0.5-10.0.0.6',
    '/ppp secret set MT-User remote-address=two',
  );
  await typed(client, '/interface pptp-client set 0 max-mru=1400');
  await server.line(/^mt: connected/);
  await typed(
    client,
    '/interface pptp-client add connect-to=192.168.62.2 disabled=no user=MT-User password=StrongPass',
  );
  await server.line(
    /^<pptp-MT-User>: connected/,
    server.lines.find(({ msg }) => msg === 'mt: connected'),
  );
  const both = shapeOf(await typed(server, 'interface pptp-server print')).split('\n');
  expect(both.slice(-2)).toEqual([
    expect.stringMatching(/^0 DR <pptp-MT-User> MT-User /),
    expect.stringMatching(/^1 R mt MT-User /),
  ]);
});

test('dial-on-demand: the first packet brings the tunnel up within a second, and is not needed again', {
  timeout,
}, async () => {
  const site = routers('192.168.62.2', '192.168.51.3');
  const { server, client } = await nodes(site);
  await typed(
    server,
    '/ppp secret add name=ex password=ex local-address=10.0.0.1 remote-address=10.0.0.5',
    '/interface pptp-server server set enabled=yes',
  );
  await typed(
    client,
    '/ip route add dst-address=10.0.0.0/24 gateway=pptp-out1',
    '/interface pptp-client add connect-to=192.168.62.2 user=ex password=ex dial-on-demand=yes disabled=no',
  );
  await answered(client, /status: waiting for packets/, '/interface pptp-client monitor pptp-out1 once');
  const waiting = site.client.run('ip', 'route', 'show', 'dev', 'pptp-out1');
  expect(waiting).toMatch(/^10\.0\.0\.0\/24 /m);
  expect(waiting).toMatch(/^10\.112\.112\.\d+ .*src 10\.112\.112\.\d+/m);
  expect(client.lines.some(({ msg }) => /dialling/.test(msg))).toBe(false);

  const pinged = ping(site.client, '10.0.0.1', { options: ['-i', '0.5'] });
  const dialled = await client.line(/: dialling/);
  const up = await client.line(/: connected,/);
  expect(Date.parse(up.time) - Date.parse(dialled.time)).toBeLessThan(1000);
  expect((await pinged).received).toBeGreaterThanOrEqual(3);

  await typed(server, '/ppp active remove [find]');
  await client.line(/: disconnected/);
  await answered(client, /status: waiting for packets/, '/interface pptp-client monitor pptp-out1 once');
});
