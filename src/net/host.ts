/** What is known of the host's own network: types, and the reading of what /sys says of an interface. Pure. */

import type { Ipv4 } from '../base/ip.ts';

export type InterfaceType = 'ether' | 'bridge' | 'vlan' | 'wlan' | 'loopback' | 'other';

export interface HostInterface {
  readonly name: string;
  /** The kernel's number. */
  readonly index: number;
  readonly type: InterfaceType;
  readonly mtu: number;
  /** As the kernel writes it, in small letters; empty if it has none. */
  readonly macAddress: string;
  readonly isUp: boolean;
  /** Up, and so is what it is plugged into. */
  readonly isRunning: boolean;
}

export interface HostAddress {
  readonly interfaceName: string;
  readonly address: Ipv4;
  readonly prefixLength: number;
}

/** The files of `/sys/class/net/NAME` that tell of it (sysfs-class-net). */
export const interfaceFiles = ['ifindex', 'type', 'mtu', 'address', 'flags', 'operstate', 'uevent'] as const;
export type InterfaceFiles = Readonly<Record<(typeof interfaceFiles)[number], string>>;

/** ARPHRD_… and IFF_UP */
const [ethernet, loopback, interfaceUp] = [1, 772, 1];

/** What the files of the interface `name` say. */
export function interfaceOf(name: string, files: InterfaceFiles): HostInterface {
  const isUp = (Number(files.flags) & interfaceUp) !== 0;
  const state = files.operstate.trim();
  return {
    name,
    index: Number(files.ifindex),
    type: typeOf(Number(files.type), /^DEVTYPE=(.*)$/m.exec(files.uevent)?.[1]),
    mtu: Number(files.mtu),
    macAddress: files.address.trim(),
    isUp,
    // Drivers that know nothing of a carrier say `unknown`.
    isRunning: isUp && (state === 'up' || state === 'unknown'),
  };
}

function typeOf(hardware: number, deviceType: string | undefined): InterfaceType {
  if (hardware === loopback) return 'loopback';
  if (hardware !== ethernet) return 'other';
  if (deviceType === 'bridge' || deviceType === 'vlan' || deviceType === 'wlan') return deviceType;
  return 'ether';
}
