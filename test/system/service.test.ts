/** Three nodes, one service: what is true of all of them together, and what becomes of it when a node or Redis goes. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { ClientHost } from './client-host.io.ts';
import type { Concentrator } from './concentrator.io.ts';
import { ServiceSite } from './service-site.io.ts';
import { run } from './traffic.io.ts';

const script = `
/ip pool add name=subscribers ranges=10.77.0.0/22
/ppp profile set default-encryption local-address=10.78.0.1 remote-address=subscribers only-one=yes
/ppp aaa set use-radius=yes interim-update=1s
/interface pptp-server server set enabled=yes`;

let site: ServiceSite;
let nodes: Concentrator[];
let clients: ClientHost;

beforeAll(async () => {
  site = await ServiceSite.start('service', 3, [{ name: 'DEFAULT', password: 'x' }]);
  nodes = await Promise.all([0, 1, 2].map((at) => site.startNode(at, script)));
  clients = await ClientHost.start(site.client, { interfaces: 'none' });
}, 120_000);

afterAll(async () => {
  await clients?.stop();
  await site?.remove();
});

/** Who dials, and what it has said. */
interface Caller {
  readonly dialer: Dialer;
  readonly said: string[];
  heard(pattern: RegExp): Promise<string>;
}

/** From an interface of its own: a user's former session may be up when his next one comes. */
function call(user: string, at: number): Caller {
  const said: string[] = [];
  const waits: { pattern: RegExp; found: (text: string) => void }[] = [];
  const connectTo = { address: parseIpv4(site.addressOf(at)) ?? 0 };
  const dialer = clients.dial(
    { name: `${user}-${at}`, user, password: new Password('x'), connectTo },
    (_severity, _topics, text) => {
      said.push(text);
      for (const { pattern, found } of waits) if (pattern.test(text)) found(text);
    },
  );
  const heard = (pattern: RegExp) => {
    const before = said.find((text) => pattern.test(text));
    return before !== undefined
      ? Promise.resolve(before)
      : new Promise<string>((found) => waits.push({ pattern, found }));
  };
  return { dialer, said, heard };
}

async function connect(user: string, at: number): Promise<Caller> {
  const caller = call(user, at);
  await caller.heard(/: connected, /);
  return caller;
}

const hangUp = ({ dialer }: Caller): Promise<void> =>
  new Promise((ended) => dialer.end('client-disabled', ended));

/** Asks a console until it says so. */
async function until(at: number, command: string, isSo: (text: string) => boolean): Promise<string> {
  for (;;) {
    const { text } = await site.console(at, command);
    if (isSo(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** From the address that the nodes know the server by. */
function radclient(at: number, kind: 'coa' | 'disconnect', attributes: string): Promise<string> {
  const command = `printf '%s\\n' 'Packet-Src-IP-Address = ${site.radius.address}, ${attributes}' | radclient -x -r 1 -t 3 ${site.addressOf(at)}:3799 ${kind} ${site.radius.secret}`;
  return run(site.core, 'sh', '-c', command);
}

/** The number of a series that a node tells, named as its text has it. */
async function told(at: number, series: string): Promise<number> {
  const [node] = site.nodes.slice(at);
  if (node === undefined) throw new Error(`there is no node ${at}`);
  const lines = (await run(node, 'curl', '-s', 'http://127.0.0.1:9723/metrics')).split('\n');
  return Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length));
}

describe('three nodes', { timeout: 120_000 }, () => {
  test('every node lists and ends the sessions of all, and no address is given twice', async () => {
    const callers = await Promise.all([0, 1, 2, 0, 1, 2].map((at, who) => connect(`user${who}`, at)));
    const listed = await until(2, '/ppp active print', (text) => (text.match(/user\d/g) ?? []).length >= 6);
    for (const node of ['node1', 'node2', 'node3']) expect(listed).toContain(node);
    const addresses = listed.match(/10\.77\.\d+\.\d+/g) ?? [];
    expect(new Set(addresses).size).toBe(6);

    expect(await site.console(2, '/ppp active remove [find name=user0]')).toEqual({ status: 0, text: '' });
    await callers[0]?.heard(/: terminating/);
    await until(1, '/ppp active print', (text) => (text.match(/user[1-5]/g) ?? []).length >= 5);
    await Promise.all(callers.map(hangUp));
    await until(0, '/ppp active print count-only', (text) => text.trim() === '0');
  });

  test('a CoA and a Disconnect that reach another node act on the session', async () => {
    const caller = await connect('anna', 0);
    await until(1, '/ppp active print', (text) => text.includes('anna'));
    const beganMs = performance.now();
    expect(await radclient(1, 'coa', 'User-Name = "anna", Mikrotik-Rate-Limit = "1M/2M"')).toMatch(/CoA-ACK/);
    expect(performance.now() - beganMs).toBeLessThan(1_000);
    expect(await radclient(2, 'coa', 'User-Name = "anna", Mikrotik-Rate-Limit = "fast"')).toMatch(/CoA-NAK/);
    expect(await radclient(2, 'disconnect', 'User-Name = "anna"')).toMatch(/Disconnect-ACK/);
    await caller.heard(/: terminating/);
    expect((await nodes[0]?.line(/^<pptp-anna>: terminating/))?.cause).toBe('radius-disconnect');
    await hangUp(caller);
    expect(await radclient(1, 'disconnect', 'User-Name = "nobody"')).toMatch(/Session-Context-Not-Found/);

    const answers = (at: number, type: string, route: string, result: string) =>
      told(at, `pptp_radius_incoming_seconds_count{type="${type}",route="${route}",result="${result}"}`);
    expect(await answers(1, 'coa', 'elsewhere', 'ack')).toBe(1);
    expect(await answers(1, 'disconnect', 'here', 'nak')).toBe(1);
    expect(await answers(2, 'coa', 'elsewhere', 'nak')).toBe(1);
    expect(await answers(2, 'disconnect', 'elsewhere', 'ack')).toBe(1);
    expect(await told(1, 'pptp_redis_command_seconds_count{script="registryFind"}')).toBeGreaterThan(0);
    const leased = await told(1, 'pptp_pool_addresses_leased{pool="subscribers"}');
    expect(leased).toBeGreaterThan(0);
    expect(leased).toBeLessThan(await told(1, 'pptp_pool_addresses{pool="subscribers"}'));
  });

  test('a user who may have one session has one on all nodes together', async () => {
    const first = await connect('berta', 0);
    // A node that Redis has not answered in time lets her in alone: then only what the others know of keeps her out there.
    await until(1, '/ppp active print', (text) => text.includes('berta'));
    const second = call('berta', 1);
    expect(await second.heard(/already connected|terminating/)).toBeDefined();
    expect((await nodes[1]?.line(/^login failure for user berta/))?.reason).toBe('already-connected');
    await hangUp(second);

    expect((await site.console(1, '/ppp aaa set session-policy=replace')).status).toBe(0);
    const third = await connect('berta', 1);
    expect((await nodes[0]?.line(/^<pptp-berta>: terminating/))?.cause).toBe('replaced');
    await hangUp(first);
    await hangUp(third);
    expect((await site.console(1, '/ppp aaa set session-policy=reject')).status).toBe(0);
  });

  test('while Redis is away sessions go on and new ones come; when it is back, empty, it knows them all', async () => {
    const before = await connect('carla', 0);
    await site.redis.kill();
    const during = await connect('dora', 1);
    expect(before.dialer.session?.state).toBe('up');
    await site.redis.startEmpty();
    const text = await until(2, '/ppp active print', (all) => all.includes('carla') && all.includes('dora'));
    expect(new Set(text.match(/10\.77\.\d+\.\d+/g)).size).toBe(2);
    await hangUp(before);
    await hangUp(during);
    await until(2, '/ppp active print count-only', (all) => all.trim() === '0');
  });

  test('the sessions of a node that dies are buried once, and their users may come again', async () => {
    const caller = await connect('emil', 2);
    await until(0, '/ppp active print', (text) => text.includes('emil'));
    const { framedAddress } = { framedAddress: caller.dialer.session?.agreed?.local };
    site.killNode(2);
    const stop = async () => {
      for (;;) {
        const found = site.radius
          .records()
          .filter(
            (record) => record.get('User-Name') === 'emil' && record.get('Acct-Status-Type') === 'Stop',
          );
        if (found.length > 0) return found;
        await site.radius.recorded(site.radius.records().length + 1);
      }
    };
    const [buried] = await stop();
    expect(buried?.get('Acct-Terminate-Cause')).toBe('Lost-Service');
    expect(buried?.get('NAS-Identifier')).toBe('node3');
    expect(framedAddress).toBeDefined();
    await hangUp(caller);
    const again = await connect('emil', 0);
    await hangUp(again);

    nodes[2] = await site.startNode(2, script);
    const back = await connect('fritz', 2);
    await until(0, '/ppp active print', (text) => text.includes('fritz'));
    await hangUp(back);
    expect(await stop()).toHaveLength(2); // of the one buried, and of the one that came again
  });
});
