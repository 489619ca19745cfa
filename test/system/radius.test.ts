/**
 * The whole program with a real FreeRADIUS beside it: users that only RADIUS knows, their accounting, and what the server
 * changes while they are connected. The server's program and FreeRADIUS share a namespace, as on one machine.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addresses, type Concentrator, type Line, Site } from './concentrator.io.ts';
import { FreeRadius, type Recorded } from './freeradius.io.ts';
import { octetsOutOf } from './links.io.ts';
import { iperf, ping, run } from './traffic.io.ts';

const inner = '10.77.0.1';
const secret = 'testing123';

const methods = [
  { method: 'pap', encoding: 'none' },
  { method: 'chap', encoding: 'none' },
  { method: 'mschap1', encoding: 'MPPE128 stateless' },
  { method: 'mschap2', encoding: 'MPPE128 stateless' },
] as const;

let site: Site;
let server: Concentrator;
let radius: FreeRadius;

beforeAll(async () => {
  site = new Site('radius');
  radius = await FreeRadius.start({
    namespace: site.server,
    secret,
    users: [
      { name: 'jack', password: 'lkjrht', reply: ['Class = 0x01', 'Class += 0x0203'] },
      { name: 'limited', password: 'lkjrht', reply: ['Mikrotik-Rate-Limit = "5M/20M"'] },
      { name: 'listed', password: 'lkjrht', reply: ['Mikrotik-Address-List = "gold"'] },
      { name: 'filtered', password: 'lkjrht', reply: ['Filter-Id = "closed.in"'] },
      { name: 'metered', password: 'lkjrht', reply: ['Mikrotik-Total-Limit = 200000'] },
    ],
  });
  server = await site.startServer(`
/ip pool add name=subscribers ranges=10.77.0.10-10.77.0.250
/ppp profile set default-encryption local-address=${inner} remote-address=subscribers
/radius add service=ppp address=127.0.0.1 secret=${secret}
/radius incoming set accept=yes
/ppp aaa set use-radius=yes interim-update=1s
/interface pptp-server server set enabled=yes authentication=pap,chap,mschap1,mschap2`);
}, 60_000);

afterAll(async () => {
  await radius?.remove();
  await site?.remove();
});

/** A client that has come up, and the interface of the server's that leads to it. */
async function dial(user: string, method = 'mschap2', encryption = 'yes'): Promise<Concentrator> {
  const client = site.start(
    site.client,
    `/ppp profile set default-encryption use-encryption=${encryption}
/interface pptp-client add name=tunnel connect-to=${addresses.server} user=${user} password=lkjrht allow=${method} disabled=no`,
  );
  await client.line(/^tunnel: connected,/);
  return client;
}

/** What FreeRADIUS was told of a session, by its records' attributes. */
function recordsOf(sessionId: string): readonly Recorded[] {
  return radius.records().filter((record) => record.get('Acct-Session-Id') === sessionId);
}

async function recorded(sessionId: string, status: string): Promise<Recorded> {
  for (let seen = radius.records().length; ; seen += 1) {
    const found = recordsOf(sessionId).find((record) => record.get('Acct-Status-Type') === status);
    if (found !== undefined) return found;
    await radius.recorded(seen + 1);
  }
}

function lastLine(): Line {
  const line = server.lines.at(-1);
  if (line === undefined) throw new Error('the server has said nothing');
  return line;
}

describe.each(methods)('$method by RADIUS', ({ method, encoding }) => {
  test('carries traffic, and its Start, Interims and Stop have the right counters', {
    timeout: 60_000,
  }, async () => {
    const begin = lastLine();
    const client = await dial('jack', method, encoding === 'none' ? 'no' : 'required');
    const { sessionId = '' } = (await server.line(/^jack logged in/, begin)) as Line & { sessionId?: string };
    expect((await server.line(/using encoding/, begin)).msg).toMatch(new RegExp(`- ${encoding}$`));
    expect(await ping(site.client, inner, { count: 10, size: 1000 })).toEqual({ sent: 10, received: 10 });

    const start = await recorded(sessionId, 'Start');
    expect(start.get('User-Name')).toBe('jack');
    expect(start.get('Framed-IP-Address')).toMatch(/^10\.77\.0\.\d+$/);
    expect(start.get('Calling-Station-Id')).toBe(addresses.client);
    expect(start.all('Class')).toEqual(['0x01', '0x0203']);
    const interim = await recorded(sessionId, 'Interim-Update');
    expect(Number(interim.get('Acct-Input-Octets'))).toBeGreaterThan(10_000);

    await client.end();
    const stop = await recorded(sessionId, 'Stop');
    const { msg } = await server.line(/^jack logged out/, begin);
    const [, seconds, ...counted] = /^jack logged out, (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(msg) ?? [];
    expect(
      ['Acct-Input-Octets', 'Acct-Output-Octets', 'Acct-Input-Packets', 'Acct-Output-Packets'].map((name) =>
        stop.get(name),
      ),
    ).toEqual(counted);
    expect(Number(stop.get('Acct-Session-Time'))).toBeCloseTo(Number(seconds), -0.5);
    expect(stop.get('Acct-Terminate-Cause')).toBe('User-Request');
    expect(stop.all('Class')).toEqual(['0x01', '0x0203']);
    expect(recordsOf(sessionId).filter((record) => record.get('Acct-Status-Type') === 'Stop')).toHaveLength(
      1,
    );
  });
});

/** Sends what `attributes` say by FreeRADIUS's own client; what it prints. */
function radclient(kind: 'coa' | 'disconnect', attributes: string, key = secret): Promise<string> {
  const command = `printf '%s\\n' '${attributes}' | radclient -x -r 1 -t 3 127.0.0.1:3799 ${kind} ${key}`;
  return run(site.server, 'sh', '-c', command);
}

test('a rate of RADIUS holds both ways, and radclient changes it within a second', {
  timeout: 90_000,
}, async () => {
  const client = await dial('limited');
  const transfer = async (...options: string[]) =>
    (8 * (await iperf(site.client, site.server, inner, '--time', '4', '--omit', '1', ...options))) / 4;
  const up = await transfer();
  const down = await transfer('--reverse');
  const figures = `up ${up}, down ${down}`;
  expect(up, figures).toBeGreaterThan(4e6);
  expect(up, figures).toBeLessThan(5.3e6);
  expect(down, figures).toBeGreaterThan(17e6);
  expect(down, figures).toBeLessThan(21e6);

  const flow = transfer('--reverse', '--time', '8');
  await until(
    () => rateOut('tunnel', 500),
    (bps) => bps > 10e6,
  );
  expect(await radclient('coa', 'User-Name = "limited", Mikrotik-Rate-Limit = "1M/2M"')).toMatch(/CoA-ACK/);
  await pause(1_000);
  const after = await rateOut('tunnel', 1_500);
  expect(after).toBeGreaterThan(1e6);
  expect(after).toBeLessThan(2.3e6);
  await flow;

  const refused = await radclient('coa', 'User-Name = "limited", Mikrotik-Rate-Limit = "fast"');
  expect(refused).toMatch(/CoA-NAK/);
  expect(refused).toMatch(/Error-Cause = Invalid-Attribute-Value/);
  await client.end();
});

test('radclient disconnects one session; a forged request, or one for nobody, changes nothing', {
  timeout: 60_000,
}, async () => {
  const begin = lastLine();
  const client = await dial('jack');
  const { sessionId = '' } = (await server.line(/^jack logged in/, begin)) as Line & { sessionId?: string };
  expect(await radclient('disconnect', `Acct-Session-Id = "${sessionId}"`, 'forged')).not.toMatch(/ACK|NAK/);
  const nobody = await radclient('disconnect', 'User-Name = "nobody"');
  expect(nobody).toMatch(/Disconnect-NAK/);
  expect(nobody).toMatch(/Error-Cause = Session-Context-Not-Found/);
  expect(await ping(site.client, inner)).toEqual({ sent: 5, received: 5 });

  expect(await radclient('disconnect', `Acct-Session-Id = "${sessionId}"`)).toMatch(/Disconnect-ACK/);
  const end = await server.line(/^<pptp-jack>: terminating/, begin);
  expect(end.cause).toBe('radius-disconnect');
  expect((await recorded(sessionId, 'Stop')).get('Acct-Terminate-Cause')).toBe('Admin-Reset');
  await client.end();
});

test('an address list of RADIUS is a set of nftables while the user is connected', {
  timeout: 60_000,
}, async () => {
  const client = await dial('listed');
  const begin = lastLine();
  expect(site.server.run('nft', 'list', 'set', 'ip', 'pptp', 'list-gold')).toMatch(/10\.77\.0\.\d+/);
  await client.end();
  await server.line(/^listed logged out/, begin);
  expect(site.server.run('nft', 'list', 'set', 'ip', 'pptp', 'list-gold')).not.toMatch(/10\.77\.0\.\d+/);
});

test('a filter of RADIUS stands before the first packet; without its chain nobody gets in', {
  timeout: 60_000,
}, async () => {
  const begin = lastLine();
  const refused = site.start(
    site.client,
    `/interface pptp-client add name=tunnel connect-to=${addresses.server} user=filtered password=lkjrht disabled=no`,
  );
  expect((await server.line(/^<pptp-filtered>: terminating/, begin)).cause).toBe('filter-failed');
  await refused.end();

  site.server.run('nft', 'add', 'chain', 'ip', 'pptp', 'closed');
  site.server.run('nft', 'add', 'rule', 'ip', 'pptp', 'closed', 'counter', 'drop');
  const client = await dial('filtered');
  site.server.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  site.server.run('ip', 'link', 'add', 'inside', 'type', 'veth', 'peer', 'name', 'outside');
  site.server.run('ip', 'link', 'set', 'inside', 'up');
  site.server.run('ip', 'link', 'set', 'outside', 'up');
  site.server.run('ip', 'address', 'add', '10.88.0.1/24', 'dev', 'inside');
  site.client.run('ip', 'route', 'add', '10.88.0.0/24', 'dev', 'tunnel');
  await ping(site.client, '10.88.0.9', { count: 3, options: ['-w', '1'] });
  expect(site.server.run('nft', 'list', 'chain', 'ip', 'pptp', 'closed')).toMatch(/counter packets [1-9]/);
  await client.end();
});

test('a session ends when its octets are used up', { timeout: 60_000 }, async () => {
  const begin = lastLine();
  const client = await dial('metered');
  const { sessionId = '' } = (await server.line(/^metered logged in/, begin)) as Line & {
    sessionId?: string;
  };
  await ping(site.client, inner, { count: 150, size: 1000, options: ['-w', '5'] });
  expect((await server.line(/^<pptp-metered>: terminating/, begin)).cause).toBe('quota-exceeded');
  const stop = await recorded(sessionId, 'Stop');
  expect(stop.get('Acct-Terminate-Cause')).toBe('NAS-Request');
  const used = Number(stop.get('Acct-Input-Octets')) + Number(stop.get('Acct-Output-Octets'));
  expect(used).toBeGreaterThanOrEqual(200_000);
  expect(used).toBeLessThan(230_000);
  await client.end();
});

/** Bits per second that come out of the client's end, over `ms`. */
async function rateOut(link: string, ms: number): Promise<number> {
  const before = octetsOutOf(site.client, link);
  const begunMs = performance.now();
  await pause(ms);
  return (8 * (octetsOutOf(site.client, link) - before)) / ((performance.now() - begunMs) / 1000);
}

/** Rates are octets over time: nothing else tells them. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(measure: () => Promise<number>, isSo: (value: number) => boolean): Promise<void> {
  for (let tries = 20; tries > 0; tries -= 1) if (isSo(await measure())) return;
  throw new Error('the flow does not begin');
}
