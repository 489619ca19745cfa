/** What the kernel of a namespace knows of tunnels: interfaces, their addresses, routes through them, octets that came out. */

import type { Namespace } from '../netns/namespaces.io.ts';

/** An interface as the kernel has it. */
export interface Interface {
  readonly mtu: number;
  readonly local: string | undefined;
  readonly remote: string | undefined;
}

/** The interfaces of `namespace` that lead into tunnels, by name. */
export function tunnelsOf(namespace: Namespace): ReadonlyMap<string, Interface> {
  interface Row {
    readonly ifname: string;
    readonly mtu: number;
    readonly link_type: string;
    readonly addr_info: readonly {
      readonly family: string;
      readonly local: string;
      readonly address?: string;
    }[];
  }
  const rows: readonly Row[] = JSON.parse(namespace.run('ip', '-json', 'address', 'show'));
  return new Map(
    rows
      .filter(({ link_type }) => link_type === 'none')
      .map(({ ifname, mtu, addr_info }) => {
        const inet = addr_info.find(({ family }) => family === 'inet');
        return [ifname, { mtu, local: inet?.local, remote: inet?.address }];
      }),
  );
}

/** Octets that have come out of the tunnel behind `link`, as the kernel counts them. */
export function octetsOutOf(namespace: Namespace, link: string): number {
  const [row] = JSON.parse(namespace.run('ip', '-json', '-statistics', 'link', 'show', link));
  return row.stats64.rx.bytes;
}

/** The routes of `namespace` through `link`, without those that the kernel makes of addresses. */
export function routesThrough(namespace: Namespace, link: string): string[] {
  interface Row {
    readonly dst: string;
    readonly dev: string;
    readonly protocol: string;
    readonly gateway?: string;
    readonly metric?: number;
  }
  const rows: readonly Row[] = JSON.parse(namespace.run('ip', '-json', 'route', 'show'));
  return rows
    .filter(({ dev, protocol }) => dev === link && protocol !== 'kernel')
    .map(({ dst, gateway, metric }) => [dst, gateway ?? 'link', metric ?? 0].join(' '));
}
