/** Every menu as the console has it: those of the configuration, with the columns of their tables and what runs beside them. */

import type { AnyMenu, MenuPath } from '../base/setting.ts';
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
import { activeMenu, licenceViewMenu, nodeMenu, serverInterfaceMenu } from './live-menus.ts';

/** Columns of `print`, as RouterOS has them; a list that is not here is printed in blocks. */
const columns: Readonly<Record<MenuPath, readonly string[]>> = {
  '/ip pool': ['name', 'ranges', 'nextPool'],
  '/ppp secret': ['name', 'service', 'callerId', 'password', 'profile', 'remoteAddress'],
  '/ppp active': ['name', 'service', 'callerId', 'address', 'uptime', 'encoding', 'node'],
  '/radius': ['service', 'calledId', 'domain', 'address', 'secret'],
  '/interface pptp-server': ['name', 'user', 'mtu', 'clientAddress', 'uptime', 'encoding'],
  '/system cluster node': ['name', 'addresses', 'level', 'tunnelsUsed', 'tunnelsMax', 'sessions', 'uptime'],
};

/** The faces of the configuration's `menus` and of what runs. */
export function facesOf(menus: readonly AnyMenu[], ports: LivePorts): readonly Face[] {
  /** What is shown, where that is more than is configured, and where it comes from. */
  const running: Readonly<Record<MenuPath, { readonly menu?: AnyMenu; readonly live: Live }>> = {
    '/ppp active': { menu: activeMenu, live: activeSessions(ports) },
    '/interface pptp-server': { menu: serverInterfaceMenu, live: serverInterfaces(ports) },
    '/interface pptp-client': { live: clientInterfaces(ports) },
    '/system license': { menu: licenceViewMenu, live: licenceInUse(ports) },
    '/system cluster node': { menu: nodeMenu, live: nodes(ports) },
    '/radius': { live: radiusServers(ports) },
  };
  const paths = new Set<MenuPath>([...menus.map(({ path }) => path), '/ppp active', '/system cluster node']);
  return Array.from(paths, (path) => {
    const configured = menus.find((menu) => menu.path === path);
    const { menu = configured, live } = running[path] ?? {};
    if (menu === undefined) throw new Error(`${path} shows nothing`);
    return { menu, configured, columns: columns[path], live };
  });
}
