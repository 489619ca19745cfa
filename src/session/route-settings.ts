/** `/ip route`: static routes through tunnels, which stand while their tunnel does. Routes through other interfaces are the host's. */

import { formatIpv4, type Ipv4, parseIpv4 } from '../base/ip.ts';
import { integer, ipv4Prefix } from '../base/kind.ts';
import { comment, disabled } from '../base/rows.ts';
import { type Kind, menu, type Refusal, type ValuesOf } from '../base/setting.ts';
import { interfaceName } from '../net/interface-name.ts';

/** Where a route leads: to the other end of a tunnel that has this address, or into the tunnel of this name. */
export type Gateway = { readonly address: Ipv4 } | { readonly interfaceName: string };

const gatewayKind: Kind<Gateway | undefined> = {
  label: 'IP address | interface',
  parse(typed) {
    const address = parseIpv4(typed);
    if (address !== undefined) return { address };
    const name = interfaceName.parse(typed);
    return typeof name === 'string' ? { interfaceName: name } : (name as Refusal);
  },
  format(value) {
    if (value === undefined) return '';
    return 'address' in value ? formatIpv4(value.address) : value.interfaceName;
  },
};

export const routeMenu = menu({
  path: '/ip route',
  kind: 'list',
  help: 'Routes: static ones through tunnels are configured here; the others are shown.',
  flags: [
    { letter: 'X', name: 'disabled' },
    { letter: 'A', name: 'active' },
    { letter: 'D', name: 'dynamic' },
    { letter: 'C', name: 'connect' },
    { letter: 'S', name: 'static' },
  ],
  rows: {
    dstAddress: {
      kind: ipv4Prefix,
      default: { address: 0, length: 0 },
      applies: 'live',
      help: 'Network that the route leads to.',
    },
    gateway: {
      kind: gatewayKind,
      default: undefined,
      required: true,
      applies: 'live',
      help: 'Address of the other end of a tunnel, or the name of its interface.',
    },
    distance: {
      kind: integer(1, 255),
      default: 1,
      applies: 'live',
      help: 'Of two routes to one network the nearer one is used.',
    },
    comment,
    disabled: disabled(false),
  },
});

/** A static route as configured. */
export type StaticRoute = ValuesOf<typeof routeMenu>;
