/**
 * `bridge` of a profile (RFC 3518): two LANs, each behind a bridge of its own router, are one through the tunnel between our client and
 * our server, with the real engine at both ends.
 */

import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { type Namespace, Network } from '../netns/namespaces.io.ts';
import { capture, dissect } from './capture.io.ts';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { tunnelsOf } from './links.io.ts';
import { iperf, ping, run } from './traffic.io.ts';

const timeout = 60_000;

/** Octets of IPv4 and ICMP headers, which ping does not count. */
const headers = 28;
const whole = { options: ['-M', 'do', '-W', '1'] };
const everyPing = { sent: 5, received: 5 };

/** Hosts in the two LANs, in one network. */
const hosts = { left: '192.168.50.1', right: '192.168.50.2', all: '192.168.50.255' } as const;

interface Bridged {
  readonly site: Site;
  readonly serverScript: string;
  readonly server: Concentrator;
  readonly client: Concentrator;
  /** The LAN of the client's router, and of the server's. */
  readonly left: Namespace;
  readonly right: Namespace;
}

/** A host behind a bridge of `router`. */
function lan(lans: Network, role: string, router: Namespace, address: string): Namespace {
  const host = lans.namespace(role);
  router.run('ip', 'link', 'add', 'lan0', 'type', 'bridge', 'mcast_snooping', '0');
  router.run('ip', 'link', 'add', 'wire0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.name);
  router.run('ip', 'link', 'set', 'wire0', 'master', 'lan0', 'up');
  router.run('ip', 'link', 'set', 'lan0', 'up');
  host.run('ip', 'address', 'add', `${address}/24`, 'broadcast', hosts.all, 'dev', 'eth0');
  host.run('ip', 'link', 'set', 'eth0', 'up');
  return host;
}

async function open(encryption: string, { serverBridge = 'bridge=lan0' } = {}): Promise<Bridged> {
  const site = new Site('bridging');
  onTestFinished(() => site.remove());
  const lans = new Network('lans');
  onTestFinished(() => lans.remove());
  const left = lan(lans, 'left', site.client, hosts.left);
  const right = lan(lans, 'right', site.server, hosts.right);
  const profile = `/ppp profile add name=one use-encryption=${encryption}`;
  const serverScript = `${profile} ${serverBridge}
     /ppp secret add name=alice password=secret profile=one local-address=10.77.0.1 remote-address=10.77.0.2
     /interface pptp-server server set enabled=yes mrru=1600`;
  const server = await site.startServer(serverScript);
  const client = site.start(
    site.client,
    `${profile} bridge=lan0
     /interface pptp-client add name=out user=alice password=secret profile=one connect-to=${addresses.server} disabled=no mrru=1600`,
  );
  await client.line(/^out: connected,/);
  await server.line(/^<pptp-alice>: connected/);
  return { site, serverScript, server, client, left, right };
}

async function areBridged({ server, client }: Bridged): Promise<void> {
  await server.line(/^<pptp-alice>: bridged - <bcp-alice> is a port of lan0$/);
  await client.line(/^out: bridged - <bcp-out> is a port of lan0$/);
}

function linkOf(router: Namespace, name: string): { readonly address: string; readonly mtu: number } {
  return JSON.parse(router.run('ip', '-json', 'link', 'show', name))[0];
}

const portsOf = (router: Namespace): string => router.run('ip', '-brief', 'link', 'show', 'master', 'lan0');

test.for([['required'], ['no']] as const)(
  'use-encryption=%s: two LANs are one, with ARP, broadcasts and frames of 1500 octets, and IPv4 goes beside',
  { timeout },
  async ([encryption]) => {
    const bridged = await open(encryption);
    const { site, left, right } = bridged;
    await areBridged(bridged);
    const tunnel = await capture(site.server, site.cable, 'ip proto 47', site.client, addresses.server);
    const heard = await capture(right, 'eth0', 'arp or icmp', left, hosts.right);

    expect(await ping(left, hosts.right, { ...whole, size: 1500 - headers })).toEqual(everyPing);
    expect(await ping(right, hosts.left, { ...whole, size: 1500 - headers })).toEqual(everyPing);
    await run(left, 'ping', '-b', '-c', '1', '-W', '0.1', hosts.all);
    expect(await ping(site.client, '10.77.0.1')).toEqual(everyPing);
    expect(await iperf(left, right, hosts.right, '-n', '4M')).toBeGreaterThan(2 * 2 ** 20);

    const inLan = await heard.end();
    const whoHas = `arp.opcode == 1 && arp.dst.proto_ipv4 == ${hosts.right} && eth.dst == ff:ff:ff:ff:ff:ff`;
    expect(await dissect(inLan, whoHas)).not.toEqual([]);
    expect(await dissect(inLan, `icmp.type == 8 && ip.dst == ${hosts.all}`)).not.toEqual([]);
    expect(await dissect(inLan, 'icmp.type == 8 && ip.len == 1500 && frame.len == 1514')).toHaveLength(10);

    // What a stranger sees on the way: frames as the RFC has them, or none of it.
    const onTheWay = await tunnel.end();
    const inClear = await dissect(onTheWay, 'bcp_bpdu.mac_type == 1 && bcp_bpdu.flags == 0 && eth');
    expect(inClear.length > 0).toBe(encryption === 'no');
    expect(await dissect(onTheWay, 'frame.len > 1514 || _ws.malformed')).toEqual([]);
  },
);

test('a bridge keeps its address and MTU, hears the other one, and stands while control is killed', {
  timeout,
}, async () => {
  const bridged = await open('required');
  const { site, serverScript, server, left } = bridged;
  await areBridged(bridged);

  const [bridge, wire] = ['lan0', 'wire0'].map((name) => linkOf(site.server, name));
  expect(bridge).toMatchObject({ address: wire?.address, mtu: 1500 });
  const bpdu = site.server.start(['tcpdump', '-i', '<bcp-alice>', '-c', '1', '-Q', 'in', 'stp'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const seen = once(bpdu, 'exit');
  site.client.run('ip', 'link', 'set', 'lan0', 'type', 'bridge', 'stp_state', '1');
  expect(await seen).toEqual([0, null]);

  // Control may be killed: the LANs stay one, and the next control ends it in order.
  await server.kill();
  expect(await ping(left, hosts.right)).toEqual(everyPing);
  const next = site.start(site.server, serverScript, { directory: server.directory });
  await next.line(/^sessions of the control process before this one go on/);
  await next.line(/^listening on TCP 1723/);
  expect(await ping(left, hosts.right)).toEqual(everyPing);
  expect(portsOf(site.server)).toContain('<bcp-alice>');
  await next.end();
  expect(portsOf(site.server)).not.toContain('<bcp-alice>');
});

test('if there is no such bridge, both ends say so, and IPv4 goes on', { timeout }, async () => {
  const { site, server, client } = await open('required', { serverBridge: 'bridge=lan9' });

  const { level, hint } = await server.line(/^<pptp-alice>: not bridged - there is no bridge lan9$/);
  expect({ level, hint }).toEqual({
    level: 'error',
    hint: 'Make it on the host, or clear bridge of the profile.',
  });
  await client.line(/^out: not bridged - ended by the peer$/);
  expect(await ping(site.client, '10.77.0.1')).toEqual(everyPing);
  expect([...tunnelsOf(site.server).keys()]).toEqual(['<pptp-alice>']);
});
