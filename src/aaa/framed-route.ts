/**
 * Framed-Route (RFC 2865 section 5.22): `192.168.1.0/24 192.168.1.1 1 2 -1 3 400`, and the network of Framed-IP-Netmask.
 * Text and addresses in, routes of this node out. Pure.
 */

import { contains, type Ipv4, type Ipv4Prefix, maskOf, parseIpv4 } from '../base/ip.ts';
import type { Route } from './route.ts';

/** RouterOS's distance of such a route. */
const usualMetric = 1;

/**
 * A destination, a gateway, metrics, of which the first counts. 0.0.0.0 as gateway is the user, and so is none, which the RFC
 * does not provide for but servers leave out. Undefined if the text cannot be read.
 */
export function parseFramedRoute(text: string): Route | undefined {
  const [destinationText = '', gatewayText = '0.0.0.0', metricText] = text.trim().split(/\s+/);
  const destination = parseDestination(destinationText);
  const gateway = parseIpv4(gatewayText);
  const metric =
    metricText === undefined ? usualMetric : /^\d{1,3}$/.test(metricText) ? Number(metricText) : 256;
  if (destination === undefined || gateway === undefined || metric > 255) return undefined;
  return { destination, gateway, metric };
}

/** Host bits are cut off: the network around an address is what is meant. */
function parseDestination(text: string): Ipv4Prefix | undefined {
  const [addressText = '', lengthText, ...more] = text.split('/');
  const address = parseIpv4(addressText);
  if (address === undefined || more.length > 0) return undefined;
  if (lengthText === undefined) return withoutLength(address);
  const length = /^\d{1,2}$/.test(lengthText) ? Number(lengthText) : 33;
  return length > 32 ? undefined : networkOf(address, length);
}

/** By the RFC the address's class says its length. What has bits behind that is a host: no server means its whole class. */
function withoutLength(address: Ipv4): Ipv4Prefix {
  if (address === 0) return { address, length: 0 };
  const length = classes.find(({ prefix }) => contains(prefix, address))?.length ?? 32;
  const network = networkOf(address, length);
  return network.address === address ? network : { address, length: 32 };
}

/** Classes A, B and C. */
const classes = [
  { prefix: { address: 0, length: 1 }, length: 8 },
  { prefix: { address: 0x80000000, length: 2 }, length: 16 },
  { prefix: { address: 0xc0000000, length: 3 }, length: 24 },
] as const;

function networkOf(address: Ipv4, length: number): Ipv4Prefix {
  return { address: (address & maskOf(length)) >>> 0, length };
}

/** The network around the user's address leads to him: RouterOS's reading of Framed-IP-Netmask. Undefined if it is no netmask. */
export function networkRoutes(address: Ipv4, netmask: Ipv4): readonly Route[] | undefined {
  const length = 32 - Math.log2(2 ** 32 - netmask);
  if (!Number.isInteger(length)) return undefined;
  // A host has no network, and the interface is its route. A mask of zero is not a wish for the default route.
  if (length === 32 || length === 0) return [];
  return [{ destination: networkOf(address, length), gateway: 0, metric: usualMetric }];
}
