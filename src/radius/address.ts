/**
 * The address of a server, IPv4 or IPv6: text in, its one canonical text out (RFC 5952 for IPv6), so that two spellings of an
 * address are the same server. Pure. Names are not resolved: an authentication that waits for DNS is one more thing that fails.
 */

import { formatIpv4, parseIpv4 } from '../base/ip.ts';
import { type Kind, refuse } from '../base/setting.ts';

/** Canonical text: `192.0.2.1`, `2001:db8::1`. */
export type Address = string;

export const isIpv6 = (address: Address): boolean => address.includes(':');

/** The canonical text of `text`, or undefined if it is no address. A zone (`%eth0`) is not taken. */
export function parseAddress(text: string): Address | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return formatIpv4(ipv4);
  const groups = parseGroups(text);
  return groups === undefined ? undefined : formatGroups(groups);
}

/** An address with a port behind it: `192.0.2.1:1812`, `[2001:db8::1]:1812`. */
export function withPort(address: Address, port: number): string {
  return isIpv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

export const addressKind: Kind<Address> = {
  label: 'IP address | IPv6 address',
  parse: (typed) => parseAddress(typed) ?? refuse.invalid(),
  format: (address) => address,
};

const groupCount = 8;

/** The eight 16-bit groups of an IPv6 address, RFC 4291 section 2.2. */
function parseGroups(text: string): readonly number[] | undefined {
  const [before = '', after, ...more] = withoutDots(text).split('::');
  if (more.length > 0) return undefined;
  const [head, tail] = [groupsOf(before), groupsOf(after ?? '')];
  if (head === undefined || tail === undefined) return undefined;
  if (after === undefined) return head.length === groupCount ? head : undefined;
  const missing = groupCount - head.length - tail.length;
  return missing < 1 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  return groups.every((group) => /^[\da-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}

/** `::ffff:192.0.2.1` with its last 32 bits in groups as well. */
function withoutDots(text: string): string {
  const [, head = '', dotted = ''] = /^(.*:)([\d.]+\.[\d.]+)$/.exec(text) ?? [];
  const ipv4 = parseIpv4(dotted);
  return ipv4 === undefined ? text : `${head}${(ipv4 >>> 16).toString(16)}:${(ipv4 & 0xffff).toString(16)}`;
}

/** RFC 5952 section 4: lower case, no leading zeros, `::` for the longest run of at least two zero groups, the first of equals. */
function formatGroups(groups: readonly number[]): Address {
  const printed = groups.map((group) => group.toString(16)).join(':');
  const runs = printed.match(/\b0(:0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return printed;
  const at = printed.search(new RegExp(`(^|:)${longest}(:|$)`));
  const [before, after] = [printed.slice(0, at), printed.slice(at).replace(/^:/, '').slice(longest.length)];
  return `${before}::${after.replace(/^:/, '')}`;
}
