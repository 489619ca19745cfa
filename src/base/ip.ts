/** IPv4 addresses as numbers (the first octet is the highest), and prefixes of them. Text in, text out; pure. */

/** 0 … 2^32 - 1. `10.0.0.1` is 0x0a000001. */
export type Ipv4 = number;

export interface Ipv4Prefix {
  readonly address: Ipv4;
  /** 0 … 32. */
  readonly length: number;
}

export const anyAddress: Ipv4 = 0;

/** The address that four decimal octets name, or undefined. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((address, octet) => address * 256 + octet, 0);
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/** `10.0.0.0/8`; an address alone is a /32. Bits behind the prefix length must be zero. */
export function parsePrefix(text: string): Ipv4Prefix | undefined {
  const [, addressText = '', lengthText] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const address = parseIpv4(addressText);
  const length = lengthText === undefined ? 32 : Number(lengthText);
  if (address === undefined || length > 32) return undefined;
  return (address & maskOf(length)) >>> 0 === address ? { address, length } : undefined;
}

export function formatPrefix({ address, length }: Ipv4Prefix): string {
  return `${formatIpv4(address)}/${length}`;
}

/** The netmask of a prefix length, as an address. */
export function maskOf(length: number): Ipv4 {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

export function contains(prefix: Ipv4Prefix, address: Ipv4): boolean {
  return (address & maskOf(prefix.length)) >>> 0 === prefix.address;
}
