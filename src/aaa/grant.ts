/**
 * What an accepted user may have, whoever accepted him: no vendor's attribute, no level, no `default` is left in it. Data
 * only; merge.ts makes it, the session layer carries it out.
 */

import type { Ipv4 } from '../base/ip.ts';
import type { AddressOrPool } from '../base/kind.ts';
import type { MppeBits } from '../ppp/auth/mppe-keys.ts';
import type { Route } from './route.ts';

export interface Grant {
  /** The profile that spoke for the user, for people. */
  readonly profile: string;
  /** This node's end of the tunnel; undefined if no level named one, and no session can come up without. */
  readonly localAddress: AddressOrPool | undefined;
  /** The user's end; likewise. */
  readonly remoteAddress: AddressOrPool | undefined;
  readonly dnsServer: readonly Ipv4[];
  readonly winsServer: readonly Ipv4[];
  /** The Linux bridge that the user's LAN is joined to; undefined: none. */
  readonly bridge: string | undefined;
  /** Installed on this node while the user is connected. */
  readonly routes: readonly Route[];
  readonly useEncryption: 'no' | 'yes' | 'required';
  /** Strengths of MPPE that the user may have; undefined: all that the node offers. */
  readonly encryptionBits: ReadonlySet<MppeBits> | undefined;
  readonly useCompression: boolean;
  readonly changeTcpMss: boolean;
  readonly onlyOne: boolean;
  /** Sessions that the user may have at a time; undefined: any number. */
  readonly portLimit: number | undefined;
  /** Largest packet towards the user, in octets; undefined: as negotiated. */
  readonly mtu: number | undefined;
  readonly limits: Limits;
}

/** Sessions that the user may have at a time; undefined: any number. */
export function placesOf({ onlyOne, portLimit }: Grant): number | undefined {
  return onlyOne ? 1 : portLimit;
}

/** What a session is held to. All of it can change while the session lives (change.ts). */
export interface Limits {
  /** From the network's coming up, in ms; undefined: no limit. */
  readonly sessionTimeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  /** Undefined: as fast as it goes. */
  readonly rates: Rates | undefined;
  readonly quota: Quota;
  /** Chains of our nftables table that packets from the user (`incoming`) and to him (`outgoing`) pass; undefined: none. */
  readonly filters: Filters;
  /** Sets of our nftables table that the user's address is in while he is connected. */
  readonly addressLists: readonly string[];
}

/** Directions as RouterOS has them on this node: `receive` is what the user sends. */
export interface Rates {
  readonly receive: Rate;
  readonly transmit: Rate;
  /** 1 (best) to 8, and the rates that are assured: of the grammar, kept to be printed; nothing here competes for them. */
  readonly priority?: number;
  readonly minimum?: { readonly receive: number; readonly transmit: number };
}

/**
 * One direction, in bits per second. Until the average over `burstTimeMs` reaches `threshold`, up to `burst` may pass; then
 * `limit`. No burst: `burst` and `threshold` equal `limit`. A `limit` of 0 is no limit.
 */
export interface Rate {
  readonly limit: number;
  readonly burst: number;
  readonly threshold: number;
  readonly burstTimeMs: number;
}

/** Octets of one session, from the user, to him, and both together; undefined: no limit. */
export interface Quota {
  readonly receiveOctets: number | undefined;
  readonly transmitOctets: number | undefined;
  readonly totalOctets: number | undefined;
}

export interface Filters {
  readonly incoming: string | undefined;
  readonly outgoing: string | undefined;
}
