/**
 * Which static routes of `/ip route` go through which tunnel. Enter: the configuration. Leave: routes for the plan of a tunnel
 * (net/plan.ts), by the name of its interface or the address of its other end. Pure.
 */

import type { Ipv4 } from '../base/ip.ts';
import type { PlannedRoute } from '../net/plan.ts';
import type { StaticRoute } from './route-settings.ts';

/** A tunnel, as a gateway names it. */
export interface TunnelEnd {
  readonly name: string;
  /** Address of the other end. */
  readonly remote: Ipv4;
}

export class StaticRoutes {
  #described = '[]';
  readonly #byAddress = new Map<Ipv4, PlannedRoute[]>();
  readonly #byName = new Map<string, PlannedRoute[]>();

  /** What the operator wants now. True if it is something else than before: then whoever has a tunnel is to ask again. */
  configure(routes: readonly StaticRoute[]): boolean {
    const described = JSON.stringify(routes);
    if (described === this.#described) return false;
    this.#described = described;
    this.#byAddress.clear();
    this.#byName.clear();
    for (const { dstAddress: destination, gateway, distance: metric, disabled } of routes) {
      if (disabled || gateway === undefined) continue;
      const route = { destination, metric };
      if ('address' in gateway) append(this.#byAddress, gateway.address, route);
      else append(this.#byName, gateway.interfaceName, route);
    }
    return true;
  }

  /** The routes that lead through this tunnel. */
  through({ name, remote }: TunnelEnd): readonly PlannedRoute[] {
    return [...(this.#byAddress.get(remote) ?? []), ...(this.#byName.get(name) ?? [])];
  }
}

/** Whether `route` leads through this tunnel. */
export function leadsThrough({ gateway, disabled }: StaticRoute, { name, remote }: TunnelEnd): boolean {
  if (disabled || gateway === undefined) return false;
  return 'address' in gateway ? gateway.address === remote : gateway.interfaceName === name;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
