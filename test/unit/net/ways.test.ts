/** The host's routing table, as the kernel tells it, and which route leads where. */

import { describe, expect, test } from 'vitest';
import { formatIpv4, formatPrefix, parseIpv4 } from '../../../src/base/ip.ts';
import { parseRoutes, routeTo } from '../../../src/net/ways.ts';

/** As /proc/net/route printed it: a default route and one behind it, a network, a host, and one that is refused. */
const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0151A8C0	0003	0	0	100	00000000	0	0	0
eth1	00000000	0152A8C0	0003	0	0	9	00000000	0	0	0
eth0	0051A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth0	6808050A	0151A8C0	0007	0	0	0	FFFFFFFF	0	0	0
*	0000040A	00000000	0200	0	0	0	0000FFFF	0	0	0
`;

const routes = parseRoutes(table);

function way(address: string): string | undefined {
  const route = routeTo(parseIpv4(address) ?? 0, routes);
  if (route === undefined) return undefined;
  const { destination, gateway, interfaceName } = route;
  return `${formatPrefix(destination)} ${gateway === undefined ? 'link' : formatIpv4(gateway)} ${interfaceName}`;
}

describe('the table of the host', () => {
  test('is read with the octets in their order, without what leads nowhere', () => {
    expect(routes.map(({ destination }) => formatPrefix(destination))).toEqual([
      '0.0.0.0/0',
      '0.0.0.0/0',
      '192.168.81.0/24',
      '10.5.8.104/32',
    ]);
    expect(parseRoutes('')).toEqual([]);
    expect(parseRoutes('Iface\nnonsense\n')).toEqual([]);
  });

  test('leads to an address by the most specific route, and of equal ones by the nearer', () => {
    expect(way('10.5.8.104')).toBe('10.5.8.104/32 192.168.81.1 eth0');
    expect(way('192.168.81.7')).toBe('192.168.81.0/24 link eth0');
    expect(way('10.5.8.105')).toBe('0.0.0.0/0 192.168.82.1 eth1');
    expect(routeTo(1, [])).toBeUndefined();
  });
});
