/**
 * What an accepted user may have, whoever accepted him: no vendor's attribute, no level, no `default` is left in it. Data
 * only; merge.ts makes it, the session layer carries it out.
 */

import type { Ipv4 } from '../base/ip.ts';
import type { AddressOrPool } from '../base/kind.ts';
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
  /** Installed on this node while the user is connected. */
  readonly routes: readonly Route[];
  readonly useEncryption: 'no' | 'yes' | 'required';
  readonly useCompression: boolean;
  readonly changeTcpMss: boolean;
  readonly onlyOne: boolean;
  /** Undefined: no limit. */
  readonly sessionTimeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  /** `rx[/tx] …` as RouterOS writes it; empty: no limit. */
  readonly rateLimit: string;
  /** Octets from the user, and to him; undefined: no limit. */
  readonly limitBytesIn: number | undefined;
  readonly limitBytesOut: number | undefined;
}
