/** Every menu as the console has it: those of the configuration, with the columns of their tables and what runs beside them. */

import type { AnyMenu, MenuPath } from '../base/setting.ts';
import { drainInProgress, drainViewMenu } from './drain.ts';
import type { Face, Live } from './face.ts';
import {
  activeSessions,
  clientInterfaces,
  type LivePorts,
  licenceInUse,
  nodes,
  radiusServers,
  serverInterfaces,
} from './live.ts';
import { allAddresses, allInterfaces, allRoutes, ethernetInterfaces, identityInUse } from './live-host.ts';
import { addressMenu, ethernetViewMenu, interfaceMenu, routeViewMenu } from './live-host-menus.ts';
import { activeMenu, licenceViewMenu, nodeMenu, serverInterfaceMenu } from './live-menus.ts';
import { groupMenu, userViewMenu } from './services/settings.ts';
import { groups, users } from './services/users.ts';

/** Columns of `print`, as RouterOS has them; a list that is not here is printed in blocks. */
const columns: Readonly<Record<MenuPath, readonly string[]>> = {
  '/interface': ['name', 'type', 'mtu', 'macAddress'],
  '/interface ethernet': ['name', 'mtu', 'macAddress', 'arp'],
  '/ip address': ['address', 'network', 'interface'],
  '/ip route': ['dstAddress', 'gateway', 'distance', 'interface'],
  '/ip pool': ['name', 'ranges', 'nextPool'],
  '/ppp secret': ['name', 'service', 'callerId', 'password', 'profile', 'remoteAddress'],
  '/ppp active': ['name', 'service', 'callerId', 'address', 'uptime', 'encoding', 'node'],
  '/radius': ['service', 'calledId', 'domain', 'address', 'secret'],
  '/ip service': ['name', 'port', 'address', 'certificate', 'maxSessions'],
  '/user': ['name', 'group', 'address'],
  '/user group': ['name', 'policy'],
  '/interface pptp-server': ['name', 'user', 'mtu', 'clientAddress', 'uptime', 'encoding'],
  '/system cluster node': ['name', 'addresses', 'level', 'tunnelsUsed', 'tunnelsMax', 'sessions', 'uptime'],
};

/** Menus of which nothing is ours to change. */
const foreign: Readonly<Record<MenuPath, string>> = {
  '/ip address':
    'Addresses of the host are set on the host: ip address add ADDRESS/LENGTH dev INTERFACE; those of tunnels come and go with them.',
  '/interface':
    'Interfaces of the host are made on the host; tunnels are made in /interface pptp-client and /interface pptp-server.',
};

/** The faces of the configuration's `menus` and of what runs. */
export function facesOf(menus: readonly AnyMenu[], ports: LivePorts): readonly Face[] {
  /** What is shown, where that is more than is configured, and where it comes from. */
  const running: Readonly<Record<MenuPath, { readonly menu?: AnyMenu; readonly live: Live }>> = {
    '/ppp active': { menu: activeMenu, live: activeSessions(ports) },
    '/interface pptp-server': { menu: serverInterfaceMenu, live: serverInterfaces(ports) },
    '/interface pptp-client': { live: clientInterfaces(ports) },
    '/system drain': { menu: drainViewMenu, live: drainInProgress(ports) },
    '/system license': { menu: licenceViewMenu, live: licenceInUse(ports) },
    '/system cluster node': { menu: nodeMenu, live: nodes(ports) },
    '/radius': { live: radiusServers(ports) },
    '/user': { menu: userViewMenu, live: users },
    '/user group': { menu: groupMenu, live: groups },
    '/system identity': { live: identityInUse(ports) },
    '/interface': { menu: interfaceMenu, live: allInterfaces(ports) },
    '/interface ethernet': { menu: ethernetViewMenu, live: ethernetInterfaces(ports) },
    '/ip address': { menu: addressMenu, live: allAddresses(ports) },
    '/ip route': { menu: routeViewMenu, live: allRoutes(ports) },
  };
  const paths = new Set<MenuPath>([...menus.map(({ path }) => path), ...Object.keys(running)] as MenuPath[]);
  return Array.from(paths, (path) => {
    const configured = menus.find((menu) => menu.path === path);
    const { menu = configured, live } = running[path] ?? {};
    if (menu === undefined) throw new Error(`${path} shows nothing`);
    return { menu, configured, columns: columns[path], live, foreign: foreign[path] };
  });
}
