/**
 * What an Access-Accept says as a level of a grant (merge.ts): addresses, routes, name servers, encryption, limits, of a session
 * that has IPv4 only. Attributes in, a `Level` out, or the attribute that cannot be read: an Accept is followed whole or not at all.
 * Keys and proofs are radius-proof.ts's.
 */

import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { MppeBits } from '../ppp/auth/mppe-keys.ts';
import type { AttributeName, Attributes } from '../radius/attribute.ts';
import { networkRoutes, parseFramedRoute } from './framed-route.ts';
import { limitsOf } from './limits-of.ts';
import type { Level } from './merge.ts';
import { together, Unreadable } from './reading.ts';
import type { Route } from './route.ts';

type Part = Level | Unreadable;

/** `wallMs`: now, since 1970, by which a point in time becomes a duration. */
type Reader = (attributes: Attributes, wallMs: number) => Part;

const readers: readonly Reader[] = [
  remoteAddress,
  routes,
  servers,
  encryption,
  packetSize,
  sessions,
  limits,
  terminateTime,
];

export function levelOf(attributes: Attributes, wallMs: number): Part {
  return together(readers.map((read) => read(attributes, wallMs)));
}

/** The services that we give: Service-Type Framed, Framed-Protocol PPP. Silence is agreement. */
export function isFramedPpp(attributes: Attributes): boolean {
  const { 'Service-Type': framed, 'Framed-Protocol': ppp } = ours;
  return (
    (attributes.first('Service-Type') ?? framed) === framed &&
    (attributes.first('Framed-Protocol') ?? ppp) === ppp
  );
}

const ours = { 'Service-Type': 2, 'Framed-Protocol': 1 } as const;

/** An address beats a pool. */
function remoteAddress(attributes: Attributes): Part {
  const address = framedAddressOf(attributes);
  if (address !== undefined) return { remoteAddress: { address } };
  const pool = attributes.first('Framed-Pool') ?? '';
  return pool === '' ? {} : { remoteAddress: { pool } };
}

/**
 * Undefined if this node is to choose: 255.255.255.254 says so (RFC 2865 section 5.8), 255.255.255.255 would leave it to the
 * user, which we do not, 127.0.0.0/8 and all from 224.0.0.0 on RouterOS understands so, 0.0.0.0 is nobody's address.
 */
function framedAddressOf(attributes: Attributes): Ipv4 | undefined {
  const address = attributes.first('Framed-IP-Address') ?? 0;
  const firstOctet = address >>> 24;
  return firstOctet === 0 || firstOctet === 127 || firstOctet >= 224 ? undefined : address;
}

function routes(attributes: Attributes): Part {
  const found: Route[] = [];
  const address = framedAddressOf(attributes);
  const netmask = attributes.first('Framed-IP-Netmask');
  if (address !== undefined && netmask !== undefined) {
    const network = networkRoutes(address, netmask);
    if (network === undefined) return new Unreadable('Framed-IP-Netmask', formatIpv4(netmask));
    found.push(...network);
  }
  for (const text of attributes.all('Framed-Route')) {
    const route = parseFramedRoute(text);
    if (route === undefined) return new Unreadable('Framed-Route', text);
    found.push(route);
  }
  return { routes: found };
}

/** Name servers of either kind, those that are named. */
function servers(attributes: Attributes): Part {
  const named = (...names: readonly ServerAttribute[]): readonly Ipv4[] =>
    names.map((name) => attributes.first(name) ?? 0).filter((address) => address !== 0);
  return {
    dnsServer: named('MS-Primary-DNS-Server', 'MS-Secondary-DNS-Server'),
    winsServer: named('MS-Primary-NBNS-Server', 'MS-Secondary-NBNS-Server'),
  };
}

type ServerAttribute = Extract<AttributeName, `MS-${string}-${'DNS' | 'NBNS'}-Server`>;

/** RFC 2548 section 2.4.4; 0, which it does not have, is sent for "none". */
const policies: ReadonlyMap<number, Level['useEncryption']> = new Map([
  [0, 'no'],
  [1, 'yes'],
  [2, 'required'],
]);

/** RFC 2548 section 2.4.5 as servers send it: the names in dictionaries are of other bits. */
const typeBits: readonly (readonly [bit: number, bits: MppeBits])[] = [
  [2, 40],
  [4, 128],
  [8, 56],
];

/** A policy that allows encryption, with types: encrypt if the peer can. Types alone say the same, and no types at all "none". */
function encryption(attributes: Attributes): Part {
  const policy = attributes.first('MS-MPPE-Encryption-Policy');
  const types = attributes.first('MS-MPPE-Encryption-Types');
  const wish = policies.get(policy ?? 1);
  if (wish === undefined) return new Unreadable('MS-MPPE-Encryption-Policy', policy);
  if (types === undefined) return policy === undefined || wish === 'yes' ? {} : { useEncryption: wish };
  const bits = typeBits.filter(([bit]) => (types & bit) !== 0).map(([, each]) => each);
  // None of the strengths that there are, or none at all of what is required.
  if (bits.length === 0 && (types !== 0 || wish === 'required')) {
    return new Unreadable('MS-MPPE-Encryption-Types', types);
  }
  if (bits.length === 0) return { useEncryption: 'no' };
  return wish === 'no' ? { useEncryption: wish } : { useEncryption: wish, encryptionBits: new Set(bits) };
}

/** [RFC 2865 5.12] */
function packetSize(attributes: Attributes): Part {
  const mtu = attributes.first('Framed-MTU');
  if (mtu === undefined) return {};
  return mtu < 64 || mtu > 65_535 ? new Unreadable('Framed-MTU', mtu) : { mtu };
}

/** Zero ports are no port: it cannot be meant of somebody who is accepted. */
function sessions(attributes: Attributes): Part {
  const portLimit = attributes.first('Port-Limit') ?? 0;
  return portLimit === 0 ? {} : { portLimit };
}

function limits(attributes: Attributes): Part {
  const said = limitsOf(attributes);
  if (said instanceof Unreadable) return said;
  const { rates, filters, quota, addressLists } = said;
  return {
    // Zero is said, and says "none", whatever the profiles say.
    ...('sessionTimeoutMs' in said && { sessionTimeout: said.sessionTimeoutMs ?? 0 }),
    ...('idleTimeoutMs' in said && { idleTimeout: said.idleTimeoutMs ?? 0 }),
    ...(rates && { rateLimit: rates }),
    ...(filters && { incomingFilter: filters.incoming, outgoingFilter: filters.outgoing }),
    ...(addressLists && { addressList: addressLists }),
    ...(quota?.receiveOctets !== undefined && { limitBytesIn: quota.receiveOctets }),
    ...(quota?.transmitOctets !== undefined && { limitBytesOut: quota.transmitOctets }),
    ...(quota?.totalOctets !== undefined && { limitBytesTotal: quota.totalOctets }),
  };
}

/**
 * WISPr-Session-Terminate-Time: `2026-11-21T23:59:59+03:00`. The sooner of it and Session-Timeout counts. A time that is over
 * is less than zero.
 */
function terminateTime(attributes: Attributes, wallMs: number): Part {
  const text = attributes.first('WISPr-Session-Terminate-Time');
  if (text === undefined) return {};
  const leftMs = Date.parse(isoTime(text)) - wallMs;
  if (Number.isNaN(leftMs)) return new Unreadable('WISPr-Session-Terminate-Time', text);
  const timeoutMs = 1000 * (attributes.first('Session-Timeout') || Number.POSITIVE_INFINITY);
  // Zero would be "none".
  return { sessionTimeout: Math.min(leftMs, timeoutMs) || -1 };
}

/** WISPr leaves the colon out of the zone if it likes, ISO 8601's extended form does not. The zone itself has to be there. */
function isoTime(text: string): string {
  const [, time = '', zone = ''] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d)$/.exec(text.trim()) ?? [];
  return time + zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
}
