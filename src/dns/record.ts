/** What stands inside the records that we write and read: A, NS, SOA (RFC 1035 section 3.3) and OPT (RFC 6891 section 6.1). Pure. */

import { concat, Reader, Writer } from '../base/bytes.ts';
import type { Ipv4 } from '../base/ip.ts';
import { classes, type ResourceRecord, types } from './message.ts';
import { type DomainName, encodeName } from './name.ts';

const addressBytes = 4;

export function addressRecord(name: DomainName, ttl: number, address: Ipv4): ResourceRecord {
  const data = new Writer(new Uint8Array(addressBytes)).u32(address).done();
  return { name, type: types.a, class: classes.internet, ttl, data };
}

/** The address in an A record; undefined if it is none. */
export function addressOf({ type, class: ofClass, data }: ResourceRecord): Ipv4 | undefined {
  const isAddress = type === types.a && ofClass === classes.internet && data.length === addressBytes;
  return isAddress ? new Reader(data).u32() : undefined;
}

export function nameServerRecord(name: DomainName, ttl: number, server: DomainName): ResourceRecord {
  return { name, type: types.ns, class: classes.internet, ttl, data: encodeName(server) };
}

/** Times are in seconds. */
export interface Authority {
  readonly primary: DomainName;
  readonly mailbox: DomainName;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** [RFC 2308 §4] How long it may be remembered that there is nothing. */
  readonly minimum: number;
}

export function authorityRecord(name: DomainName, ttl: number, authority: Authority): ResourceRecord {
  const { primary, mailbox, serial, refresh, retry, expire, minimum } = authority;
  const numbers = new Writer(new Uint8Array(20));
  for (const number of [serial, refresh, retry, expire, minimum]) numbers.u32(number);
  const data = concat(encodeName(primary), encodeName(mailbox), numbers.done());
  return { name, type: types.soa, class: classes.internet, ttl, data };
}

/** RFC 6891 section 6.1.2: an OPT record says its numbers where others have class and TTL. */
export interface Extension {
  /** The longest datagram that its sender takes. */
  readonly payloadBytes: number;
  /** All twelve bits; the low four stand in the header. */
  readonly rcode: number;
  readonly version: number;
}

export function extensionRecord({ payloadBytes, rcode, version }: Extension): ResourceRecord {
  const ttl = ((rcode >> 4) << 24) | (version << 16);
  return { name: '', type: types.opt, class: payloadBytes, ttl: ttl >>> 0, data: new Uint8Array() };
}

/** What the OPT record of a request says. */
export function extensionOf({ class: payloadBytes, ttl }: ResourceRecord): Extension {
  return { payloadBytes, rcode: (ttl >>> 24) << 4, version: (ttl >>> 16) & 0xff };
}
