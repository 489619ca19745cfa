/**
 * What every RADIUS request about one session says of it: the same from its Access-Request to its Stop, because servers key
 * on it, and told to CoA so that it finds the session. Types only.
 */

import type { Ipv4 } from '../base/ip.ts';

/** How this node calls itself. One NAS is one node: Accounting-On closes all sessions of a NAS-IP-Address. */
export interface NasIdentity {
  /** NAS-Identifier: the system identity. */
  readonly identifier: string;
  /** NAS-IP-Address; undefined before anything is known of the way to a server. */
  readonly address: Ipv4 | undefined;
}

export interface SessionIdentity {
  readonly nas: NasIdentity;
  /** Acct-Session-Id: unique over restarts and nodes. */
  readonly sessionId: string;
  /** NAS-Port: our Call ID. */
  readonly nasPort: number;
  /** NAS-Port-Id: the same for people, `pptp-1234`. */
  readonly nasPortId: string;
  /** Outer addresses of the tunnel: Calling-Station-Id and Tunnel-Client-Endpoint, Called-Station-Id and Tunnel-Server-Endpoint. */
  readonly peerAddress: Ipv4;
  readonly localAddress: Ipv4;
  /** Connect-Info: what the peer's Outgoing-Call-Request said of its speed, for people. */
  readonly connectInfo: string;
}
