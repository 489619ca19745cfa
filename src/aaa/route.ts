/** A route that stands while a user is connected, as `/ppp secret` writes it: `10.150.1.0/24 10.0.103.2 1`. Pure. */

import { formatIpv4, formatPrefix, type Ipv4, type Ipv4Prefix, parseIpv4, parsePrefix } from '../base/ip.ts';
import { type Kind, refuse } from '../base/setting.ts';

export interface Route {
  readonly destination: Ipv4Prefix;
  /** 0.0.0.0 is the user's own address. */
  readonly gateway: Ipv4;
  /** 0 … 255. */
  readonly metric: number;
}

/** All three words are needed: RouterOS takes no shorter form, so that none can be misread. */
export const routeKind: Kind<Route> = {
  label: 'dst-address gateway metric',
  quoted: true,
  parse(typed) {
    const [destinationText = '', gatewayText = '', metricText = '', ...more] = typed.trim().split(/ +/);
    const destination = parsePrefix(destinationText);
    const gateway = parseIpv4(gatewayText);
    if (destination === undefined || gateway === undefined || more.length > 0) return refuse.invalid();
    const metric = /^\d{1,3}$/.test(metricText) ? Number(metricText) : Number.NaN;
    return metric <= 255 ? { destination, gateway, metric } : refuse.invalid();
  },
  format: ({ destination, gateway, metric }) =>
    `${formatPrefix(destination)} ${formatIpv4(gateway)} ${metric}`,
};
