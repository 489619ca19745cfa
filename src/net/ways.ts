/**
 * The host's routing table as `/proc/net/route` tells it (proc(5), net/ipv4/fib_trie.c): text in, routes out, and which of them leads to an
 * address. Only the main table is told there: a host that routes by rules knows ways that this does not. Pure.
 */

import { contains, type Ipv4, type Ipv4Prefix } from '../base/ip.ts';

/** A route of the main table that is in use. */
export interface HostRoute {
  readonly destination: Ipv4Prefix;
  readonly interfaceName: string;
  /** Undefined: the destination is on the interface itself. */
  readonly gateway: Ipv4 | undefined;
  readonly metric: number;
}

/** How a host is reached. */
export interface Way {
  /** The kernel's number. */
  readonly interfaceIndex: number;
  readonly gateway: Ipv4 | undefined;
  /** Of the route: 32 is a route to this host alone. */
  readonly prefixLength: number;
}

/** RTF_… */
const up = 1;
const reject = 0x200;

/** The routes in the text of `/proc/net/route`; lines that are none are left out. */
export function parseRoutes(text: string): readonly HostRoute[] {
  return text.split('\n').slice(1).flatMap(parseRoute);
}

function parseRoute(line: string): readonly HostRoute[] {
  const [interfaceName, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
  if (interfaceName === undefined || destination === undefined || mask === undefined) return [];
  const flagBits = Number.parseInt(flags ?? '', 16);
  if ((flagBits & up) === 0 || (flagBits & reject) !== 0) return [];
  const via = numberOf(gateway ?? '');
  const length = Math.clz32(~numberOf(mask));
  return [
    {
      destination: { address: numberOf(destination), length },
      interfaceName,
      gateway: via === 0 ? undefined : via,
      metric: Number(metric),
    },
  ];
}

/** The kernel prints the four octets as one number of the machine, which is little-endian on all that we run on. */
function numberOf(hexadecimal: string): Ipv4 {
  const value = Number.parseInt(hexadecimal, 16) >>> 0;
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** The most specific of `routes` that leads to `address`, and of those the nearest. */
export function routeTo(address: Ipv4, routes: Iterable<HostRoute>): HostRoute | undefined {
  let best: HostRoute | undefined;
  for (const route of routes) {
    const { destination, metric } = route;
    if (!contains(destination, address)) continue;
    const isBetter =
      best === undefined ||
      destination.length > best.destination.length ||
      (destination.length === best.destination.length && metric < best.metric);
    if (isBetter) best = route;
  }
  return best;
}
