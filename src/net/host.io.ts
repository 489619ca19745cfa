/**
 * The host's own interfaces, addresses and routes, read where anybody may read them: /sys, /proc, getifaddrs(3). Nothing is changed
 * here: the host's network is the host's, and the engine's guard would refuse it.
 */

import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { parseIpv4 } from '../base/ip.ts';
import {
  type HostAddress,
  type HostInterface,
  type InterfaceFiles,
  interfaceFiles,
  interfaceOf,
} from './host.ts';
import { type HostRoute, parseRoutes } from './ways.ts';

const interfacesDirectory = '/sys/class/net';

/** The kernel's number of the interface `name`; undefined if there is none. Short enough to be waited for. */
export function interfaceIndex(name: string): number | undefined {
  try {
    return Number(readFileSync(join(interfacesDirectory, name, 'ifindex'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** All interfaces but those that are `ours`, in the kernel's order. */
export async function hostInterfaces(isOurs: (name: string) => boolean): Promise<readonly HostInterface[]> {
  const names = await readdir(interfacesDirectory).catch(() => []);
  const found = await Promise.all(names.filter((name) => !isOurs(name)).map(readInterface));
  return found.filter((each) => each !== undefined).sort((one, other) => one.index - other.index);
}

/** Undefined if it has gone meanwhile. */
async function readInterface(name: string): Promise<HostInterface | undefined> {
  try {
    const texts = interfaceFiles.map(async (file) => {
      return [file, await readFile(join(interfacesDirectory, name, file), 'utf8')] as const;
    });
    return interfaceOf(name, Object.fromEntries(await Promise.all(texts)) as InterfaceFiles);
  } catch {
    return undefined;
  }
}

/** The routes of the main table; none if they cannot be read. */
export async function hostRoutes(): Promise<readonly HostRoute[]> {
  return parseRoutes(await readFile('/proc/net/route', 'utf8').catch(() => ''));
}

/** The IPv4 addresses of interfaces that are up. */
export function hostAddresses(): readonly HostAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses = []]) =>
    addresses.flatMap(({ address: text, cidr }) => {
      const address = parseIpv4(text);
      const prefixLength = Number(cidr?.split('/')[1] ?? Number.NaN);
      return address === undefined || !(prefixLength >= 0) ? [] : [{ interfaceName, address, prefixLength }];
    }),
  );
}
