/**
 * `mrru` (RFC 1990 on one link): packets that are larger than the tunnel's own cross it whole, between our client and our
 * server, with the real engine at both ends.
 */

import { expect, onTestFinished, test } from 'vitest';
import { capture, dissect } from './capture.io.ts';
import { addresses, Site } from './concentrator.io.ts';
import { tunnelsOf } from './links.io.ts';
import { iperf, ping } from './traffic.io.ts';

const timeout = 60_000;

/** Octets of IPv4 and ICMP headers, which ping does not count. */
const headers = 28;

const whole = { options: ['-M', 'do', '-W', '1'] };

async function open(encryption: string, { server: ofServer = 'mrru=1600', client: ofClient = 'mrru=1600' }) {
  const site = new Site('multilink');
  onTestFinished(() => site.remove());
  const profile = `/ppp profile add name=one use-encryption=${encryption}`;
  const server = await site.startServer(
    `${profile}
     /ppp secret add name=alice password=secret profile=one local-address=10.77.0.1 remote-address=10.77.0.2
     /interface pptp-server server set enabled=yes max-mtu=1400 max-mru=1400 ${ofServer}`,
  );
  const client = site.start(
    site.client,
    `${profile}
     /interface pptp-client add name=out user=alice password=secret profile=one connect-to=${addresses.server} disabled=no max-mtu=1400 max-mru=1400 ${ofClient}`,
  );
  await client.line(/^out: connected,/);
  await server.line(/^<pptp-alice>: connected/);
  return { site, server, client };
}

test.for([
  ['required', 1596],
  ['no', 1600],
] as const)(
  'use-encryption=%s: packets of 1500 octets and more cross a tunnel of 1400 whole, both ways',
  { timeout },
  async ([encryption, mtu]) => {
    const { site } = await open(encryption, {});
    expect(tunnelsOf(site.server).get('<pptp-alice>')?.mtu).toBe(mtu);
    expect(tunnelsOf(site.client).get('out')?.mtu).toBe(mtu);
    const cable = await capture(site.server, site.cable, 'ip proto 47', site.client, addresses.server);

    for (const size of [1500 - headers, mtu - headers]) {
      expect(await ping(site.client, '10.77.0.1', { ...whole, size })).toEqual({ sent: 5, received: 5 });
      expect(await ping(site.server, '10.77.0.2', { ...whole, size })).toEqual({ sent: 5, received: 5 });
    }

    // Of two parts each, and neither is longer than 1,400 octets of PPP, its prefix, GRE, IP and Ethernet; nor is any a part of an IP packet.
    const octets = await cable.end();
    const requests = 2 * 2 * 5;
    expect(await dissect(octets, 'mp')).toHaveLength(2 * 2 * requests);
    expect(await dissect(octets, 'ip.flags.mf == 1 || ip.frag_offset > 0 || frame.len > 1454')).toEqual([]);
    if (encryption === 'no') expect(await dissect(octets, 'icmp && _ws.malformed')).toEqual([]);
    if (encryption === 'no') expect(await dissect(octets, 'icmp.type == 8')).toHaveLength(requests);
    for (const direction of [[], ['--reverse']]) {
      const tcp = await iperf(site.client, site.server, '10.77.0.1', '-n', '8M', ...direction);
      expect(tcp).toBeGreaterThan(4 * 2 ** 20);
    }
  },
);

test('where one end has none, packets are as large as without', { timeout }, async () => {
  const { site } = await open('required', { server: '' });

  expect(tunnelsOf(site.server).get('<pptp-alice>')?.mtu).toBe(1396);
  expect(tunnelsOf(site.client).get('out')?.mtu).toBe(1396);
  expect(await ping(site.client, '10.77.0.1', { ...whole, size: 1396 - headers })).toMatchObject({
    received: 5,
  });
});

test('packets of 9000 octets cross, where both ends say so', { timeout }, async () => {
  const { site } = await open('required', { server: 'mrru=9004', client: 'mrru=65535' });

  expect(tunnelsOf(site.client).get('out')?.mtu).toBe(9000);
  for (const [from, to] of [
    [site.client, '10.77.0.1'],
    [site.server, '10.77.0.2'],
  ] as const) {
    expect(await ping(from, to, { ...whole, size: 9000 - headers })).toMatchObject({ received: 5 });
  }
});
