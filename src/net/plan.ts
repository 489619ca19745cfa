/**
 * What a session or a dialled connection wants of the kernel, as one value: its interface's MTU, addresses and routes. A plan, or two,
 * goes in; netlink requests come out, in an order in which each can succeed. Pure; it performs nothing and knows no user.
 */

import { formatIpv4, formatPrefix, type Ipv4, type Ipv4Prefix } from '../base/ip.ts';
import type { Request } from './netlink.ts';

/** A network behind the other end, as a secret's `routes` and RADIUS's Framed-Route name it. */
export interface PlannedRoute {
  readonly destination: Ipv4Prefix;
  /** Absent, or the remote address: the other end itself. */
  readonly gateway?: Ipv4;
  /** RouterOS's distance: of two routes to one destination the lower one is used. */
  readonly metric: number;
}

export interface Plan {
  readonly linkName: string;
  readonly mtu: number;
  readonly local: Ipv4;
  readonly remote: Ipv4;
  readonly routes: readonly PlannedRoute[];
  /** A client's `add-default-route`. */
  readonly defaultRoute?: { readonly distance: number };
}

/** All that `plan` wants of the interface that the kernel calls `interfaceIndex`, which is new and down. */
export function apply(plan: Plan, interfaceIndex: number): readonly Request[] {
  return difference(undefined, plan, interfaceIndex);
}

/** Takes back all that `plan` wanted; the interface stays, down. */
export function undo(plan: Plan, interfaceIndex: number): readonly Request[] {
  return difference(plan, undefined, interfaceIndex);
}

/** What leads from one plan of an interface to another; absent means that nothing is wanted of it. */
export function difference(
  from: Plan | undefined,
  to: Plan | undefined,
  interfaceIndex: number,
): readonly Request[] {
  const before = from === undefined ? [] : wishesOf(from, interfaceIndex);
  const after = to === undefined ? [] : wishesOf(to, interfaceIndex);
  const gone = before.filter((wish) => !after.some(({ name }) => name === wish.name));
  const fresh = after.filter((wish) => !before.some(({ name }) => name === wish.name));
  const up = to !== undefined && from?.mtu !== to.mtu;
  const down = from !== undefined && to === undefined;
  return [
    ...gone.reverse().map(({ undo }) => undo),
    ...(up ? [{ request: 'set-link', interfaceIndex, up: true, mtu: to.mtu } as const] : []),
    ...fresh.map(({ make }) => make),
    ...(down ? [{ request: 'set-link', interfaceIndex, up: false } as const] : []),
  ];
}

/** One thing to have, and how to be rid of it. Equal names are the same thing. */
interface Wish {
  readonly name: string;
  readonly make: Request;
  readonly undo: Request;
}

function wishesOf(plan: Plan, interfaceIndex: number): readonly Wish[] {
  const { local, remote, defaultRoute } = plan;
  const ends = `${formatIpv4(local)} to ${formatIpv4(remote)}`;
  const address = { interfaceIndex, local, peer: remote };
  const routes = [
    ...plan.routes,
    ...(defaultRoute ? [{ destination: everywhere, metric: defaultRoute.distance }] : []),
  ];
  return [
    {
      name: ends,
      make: { request: 'add-address', ...address },
      undo: { request: 'delete-address', ...address },
    },
    ...distinct(routes.map((route) => routeWish(route, plan, interfaceIndex, ends))),
  ];
}

/** A secret and `/ip route` may name the same route. */
function distinct(wishes: readonly Wish[]): Iterable<Wish> {
  return new Map(wishes.map((wish) => [wish.name, wish])).values();
}

/** With the last address of an interface the kernel drops all its routes: a route of other ends is another route. */
function routeWish(route: PlannedRoute, plan: Plan, interfaceIndex: number, ends: string): Wish {
  const { destination, metric } = route;
  const gateway = route.gateway === plan.remote ? undefined : route.gateway;
  const wanted = { interfaceIndex, destination, metric, ...(gateway === undefined ? {} : { gateway }) };
  const via = gateway === undefined ? 'the other end' : formatIpv4(gateway);
  return {
    name: `${formatPrefix(destination)} through ${via} at ${metric}, ${ends}`,
    make: { request: 'add-route', ...wanted },
    undo: { request: 'delete-route', ...wanted },
  };
}

const everywhere: Ipv4Prefix = { address: 0, length: 0 };
