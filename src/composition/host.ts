/** The host's network, to the console that shows it and to the clients that have to find their way in it. */

import type { Ipv4 } from '../base/ip.ts';
import type { DetourServices } from '../client/detour.ts';
import type { Dialers } from '../client/dialers.ts';
import type { HostPorts, Tunnel } from '../console/live-host.ts';
import { hostAddresses, hostInterfaces, hostRoutes, interfaceIndex } from '../net/host.io.ts';
import { type HostRoute, routeTo, type Way } from '../net/ways.ts';
import type { InterfaceNames } from '../session/interface-names.ts';
import type { Server } from '../session/server.ts';
import type { Session } from '../session/session.ts';

/** Tunnels that are up, with the network beside them. `names` are those of our own interfaces. */
export function hostOf(names: InterfaceNames, tunnels: () => Iterable<Tunnel>): HostPorts {
  return {
    tunnels,
    hostInterfaces: (answer) => void hostInterfaces((name) => names.has(name)).then(answer),
    hostAddresses: (answer) => answer(hostAddresses()),
    hostRoutes: (answer) => void hostRoutes().then(answer),
  };
}

/** The way out of this host, unless it is through a tunnel. */
export function wayOf(names: InterfaceNames): DetourServices['wayTo'] {
  return (address, found) => void hostRoutes().then((routes) => found(wayAmong(routes, address, names)));
}

function wayAmong(routes: readonly HostRoute[], address: Ipv4, names: InterfaceNames): Way | undefined {
  const route = routeTo(address, routes);
  if (route === undefined || names.has(route.interfaceName)) return undefined;
  const index = interfaceIndex(route.interfaceName);
  if (index === undefined) return undefined;
  return { interfaceIndex: index, gateway: route.gateway, prefixLength: route.destination.length };
}

/** All tunnels that are up, subscribers' and our own. */
export function* tunnelsOf(server: Server, { dialers }: Dialers): Iterable<Tunnel> {
  for (const { session } of server.sessions.values()) yield* tunnelOf(session, 'pptp-in');
  for (const { session } of dialers) if (session !== undefined) yield* tunnelOf(session, 'pptp-out');
}

function* tunnelOf({ name, mtu, agreed }: Session, type: Tunnel['type']): Iterable<Tunnel> {
  const { local, remote } = agreed ?? {};
  if (local !== undefined && remote !== undefined) yield { name, type, mtu, local, remote };
}
