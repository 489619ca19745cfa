/**
 * The host's network as items of menus: interfaces, addresses and routes, the host's beside those of tunnels. Enter: what the host
 * says and which tunnels run. Leave: items for `print`. Pure.
 */

import { formatIpv4, type Ipv4, maskOf } from '../base/ip.ts';
import type { HostAddress, HostInterface } from '../net/host.ts';
import type { HostRoute } from '../net/ways.ts';
import type { StaticRoute } from '../session/route-settings.ts';
import { leadsThrough } from '../session/static-routes.ts';
import type { Live, Shown } from './face.ts';

/** A tunnel that is up. */
export interface Tunnel {
  readonly name: string;
  readonly type: 'pptp-in' | 'pptp-out';
  readonly mtu: number | undefined;
  readonly local: Ipv4;
  readonly remote: Ipv4;
}

export interface HostPorts {
  tunnels(): Iterable<Tunnel>;
  /** Interfaces that are not ours, in the kernel's order. */
  hostInterfaces(answer: (found: readonly HostInterface[]) => void): void;
  /** All addresses of interfaces that are up, ours too. */
  hostAddresses(answer: (found: readonly HostAddress[]) => void): void;
  /** The main table, ours too. */
  hostRoutes(answer: (found: readonly HostRoute[]) => void): void;
}

/** `/system identity`: the name that is in force, whoever gave it. */
export function identityInUse({ node }: { readonly node: string }): Live {
  return {
    items: (configured, answer) =>
      answer({ items: configured.map((item) => ({ ...item, values: { name: item.values.name || node } })) }),
  };
}

/** `/interface`. */
export function allInterfaces(ports: HostPorts): Live {
  return {
    items: (_, answer) =>
      ports.hostInterfaces((found) => {
        const host = found.map(({ name, type, mtu, macAddress, ...state }) => {
          const values = { name, type, mtu, macAddress: shownMac(macAddress) };
          return itemOf(`host-${name}`, flagsOf(state), values);
        });
        const tunnels = Array.from(ports.tunnels(), ({ name, type, mtu }) => {
          return itemOf(`tunnel-${name}`, type === 'pptp-in' ? 'DR' : 'R', { name, type, mtu });
        });
        answer({ items: [...host, ...tunnels] });
      }),
  };
}

/** `/interface ethernet`: those that the host has, with what is configured of them. */
export function ethernetInterfaces(ports: HostPorts): Live {
  return {
    items: (configured, answer) =>
      ports.hostInterfaces((found) => {
        const byName = new Map(configured.map((item) => [item.values.name, item]));
        const present = found.filter(({ type }) => type === 'ether');
        const items = present.map(({ name, mtu, macAddress, ...state }): Shown => {
          const { arp = 'enabled' } = byName.get(name)?.values ?? {};
          const values = { name, mtu, macAddress: shownMac(macAddress), arp };
          return { id: name, flags: flagsOf(state), values, isConfigured: true };
        });
        answer({ items });
      }),
  };
}

/** `/ip address`. */
export function allAddresses(ports: HostPorts): Live {
  return {
    items: (_, answer) =>
      ports.hostAddresses((found) => {
        const tunnels = tunnelsByName(ports);
        const items = found.map(({ interfaceName, address, prefixLength }) => {
          const tunnel = tunnels.get(interfaceName);
          const network = tunnel?.remote ?? (address & maskOf(prefixLength)) >>> 0;
          const text = `${formatIpv4(address)}/${prefixLength}`;
          const values = { address: text, network, interface: interfaceName };
          return itemOf(`${interfaceName}-${text}`, tunnel === undefined ? '' : 'D', values);
        });
        answer({ items });
      }),
  };
}

/** `/ip route`: static routes, active while a tunnel is their gateway, and all others that the host has. */
export function allRoutes(ports: HostPorts): Live {
  return {
    items: (configured, answer) =>
      ports.hostRoutes((found) => {
        const tunnels = tunnelsByName(ports);
        const taken = new Set<HostRoute>();
        const statics = configured.map((item) => {
          const route = item.values as unknown as StaticRoute;
          const active = found.find((each) => isSame(each, route, tunnels.get(each.interfaceName)));
          if (active !== undefined) taken.add(active);
          return staticItem(item, route, active);
        });
        const others = found.filter((route) => !taken.has(route));
        answer({ items: [...statics, ...others.map((route) => hostItem(route, tunnels))] });
      }),
  };
}

function isSame(found: HostRoute, route: StaticRoute, tunnel: Tunnel | undefined): boolean {
  const { address, length } = route.dstAddress;
  return (
    tunnel !== undefined &&
    leadsThrough(route, tunnel) &&
    found.destination.address === address &&
    found.destination.length === length &&
    found.metric === route.distance
  );
}

function staticItem(item: Shown, { gateway }: StaticRoute, active: HostRoute | undefined): Shown {
  const text = gateway && ('address' in gateway ? formatIpv4(gateway.address) : gateway.interfaceName);
  const values = { ...item.values, gateway: text, interface: active?.interfaceName };
  return { ...item, flags: `${item.flags}${active === undefined ? '' : 'A'}S`, values };
}

/** What the kernel made of an address is RouterOS's `connect`; our own routes are dynamic, whoever they are for. */
function hostItem(route: HostRoute, tunnels: ReadonlyMap<string, Tunnel>): Shown {
  const { destination, interfaceName, gateway, metric } = route;
  const tunnel = tunnels.get(interfaceName);
  const isConnect = gateway === undefined && (tunnel === undefined || destination.address === tunnel.remote);
  const values = {
    dstAddress: destination,
    gateway: gateway === undefined ? interfaceName : formatIpv4(gateway),
    distance: metric,
    interface: interfaceName,
  };
  const name = `${interfaceName}-${destination.address}-${destination.length}-${gateway ?? ''}-${metric}`;
  return itemOf(name, isConnect ? 'ADC' : tunnel === undefined ? 'AS' : 'AD', values);
}

function tunnelsByName(ports: HostPorts): ReadonlyMap<string, Tunnel> {
  return new Map(Array.from(ports.tunnels(), (tunnel) => [tunnel.name, tunnel]));
}

/** Items of the host are known by what they are. */
function itemOf(name: string, flags: string, values: Shown['values']): Shown {
  return {
    id: `*${[...name]
      .map((sign) => sign.charCodeAt(0).toString(16))
      .join('')
      .toUpperCase()}`,
    flags,
    values,
    isConfigured: false,
  };
}

function flagsOf({ isUp, isRunning }: { readonly isUp: boolean; readonly isRunning: boolean }): string {
  return isUp ? (isRunning ? 'R' : '') : 'X';
}

/** RouterOS writes them in capitals. */
function shownMac(address: string): string | undefined {
  return address === '' ? undefined : address.toUpperCase();
}
