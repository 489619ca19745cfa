import { describe, expect, it } from 'vitest';
import { networkRoutes, parseFramedRoute } from '../../../src/aaa/framed-route.ts';
import { formatIpv4, formatPrefix, parseIpv4 } from '../../../src/base/ip.ts';

/** `prefix gateway metric`. */
function printed(text: string): string | undefined {
  const route = parseFramedRoute(text);
  return route && `${formatPrefix(route.destination)} ${formatIpv4(route.gateway)} ${route.metric}`;
}

describe('Framed-Route', () => {
  it.each([
    // RFC 2865 section 5.22.
    ['192.168.1.0/24 192.168.1.1 1 2 -1 3 400', '192.168.1.0/24 192.168.1.1 1'],
    ['192.168.1.0 192.168.1.1 1', '192.168.1.0/24 192.168.1.1 1'],
    ['172.16.0.0 0.0.0.0 1', '172.16.0.0/16 0.0.0.0 1'],
    ['10.0.0.0 0.0.0.0 1', '10.0.0.0/8 0.0.0.0 1'],
    // The user is the gateway.
    ['10.5.0.0/16 0.0.0.0 7', '10.5.0.0/16 0.0.0.0 7'],
    ['10.5.0.0/16 0.0.0.0', '10.5.0.0/16 0.0.0.0 1'],
    ['10.5.0.0/16', '10.5.0.0/16 0.0.0.0 1'],
    ['0.0.0.0/0 10.0.0.2', '0.0.0.0/0 10.0.0.2 1'],
    ['0.0.0.0 10.0.0.2', '0.0.0.0/0 10.0.0.2 1'],
    // What is written more loosely than the RFC has it.
    ['10.5.6.7/24 0.0.0.0 1', '10.5.6.0/24 0.0.0.0 1'],
    ['10.5.6.7', '10.5.6.7/32 0.0.0.0 1'],
    ['  10.5.6.0/24   10.0.0.2  0 ', '10.5.6.0/24 10.0.0.2 0'],
  ])('%j is %s', (text, route) => {
    expect(printed(text)).toBe(route);
  });

  it.each([
    ...['', 'default', '10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0/8', '10.0.0.256/32'],
    ...['10.0.0.0/8 gateway', '10.0.0.0/8 10.0.0.1 256', '10.0.0.0/8 10.0.0.1 -1', '10.0.0.0/8 10.0.0.1 x'],
  ])('%j is none', (text) => {
    expect(parseFramedRoute(text)).toBeUndefined();
  });
});

describe('Framed-IP-Netmask', () => {
  it.each([
    ['10.0.0.5', '255.255.255.0', ['10.0.0.0/24']],
    ['10.0.0.5', '255.255.255.248', ['10.0.0.0/29']],
    ['10.0.0.5', '128.0.0.0', ['0.0.0.0/1']],
    ['10.0.0.5', '255.255.255.255', []],
    ['10.0.0.5', '0.0.0.0', []],
    ['10.0.0.5', '255.0.255.0', undefined],
    ['10.0.0.5', '0.0.0.255', undefined],
  ])('of %s %s leads %j to the user', (address, netmask, networks) => {
    const routes = networkRoutes(parseIpv4(address) ?? 0, parseIpv4(netmask) ?? 0);

    expect(routes?.map(({ destination }) => formatPrefix(destination))).toEqual(networks);
    expect(routes?.every(({ gateway }) => gateway === 0) ?? true).toBe(true);
  });
});
