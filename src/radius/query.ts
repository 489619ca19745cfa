/**
 * What the exchange with RADIUS servers is asked for, and what it answers. Types only; exchange.ts does it.
 */

import type { Packet } from './packet.ts';
import type { BadReply } from './replies.ts';

/** Servers have a port for each. */
export type Role = 'authentication' | 'accounting';

/** The transmissions of one request to one server, all of them octet by octet the same. */
export interface Round {
  /** The server, for people and metrics: `192.0.2.1:1812`. */
  readonly server: string;
  readonly secret: Uint8Array;
  /** The request's authenticator: what hides User-Password, and later the keys of the reply. Zeros for accounting. */
  readonly authenticator: Uint8Array;
  /** Since the query was made, in ms: Acct-Delay-Time. */
  readonly waitedMs: number;
}

export interface Query {
  readonly role: Role;
  /** Access-Request or Accounting-Request. */
  readonly code: number;
  /** The attributes for one round, encoded, without Message-Authenticator. Asked anew for each round. */
  attributes(round: Round): Uint8Array;
  /** Urgent ones (authentication, Start, Stop) overtake patient ones (Interim-Update) where they wait for a free place. */
  readonly urgency: 'urgent' | 'patient';
  /** When `silence` is the answer at the latest, in ms from now; undefined: after one round with each server that may be asked. */
  readonly deadlineMs?: number;
  /** Servers that name one are asked only for these. */
  readonly calledId?: string;
  readonly domain?: string;
  /** The server to stay with while it lives: that of an Access-Challenge. */
  readonly server?: string;
  /** Told what is about to be sent, before the first transmission of a fresh round; sent when `go` is called, at once or later. */
  beforeSending?(sent: SentRequest, go: () => void): void;
  /** A request of a process before this one whose answer was not seen: the first round is this one again, from the same port. */
  readonly resume?: SentRequest;
  readonly watch?: QueryWatch;
}

/** Looks on at the packets of one query; nothing depends on it. Servers are named as in `Round`. */
export interface QueryWatch {
  /** `isCopy`: octet by octet what was sent before. */
  sent(server: string, octets: Uint8Array, isCopy: boolean): void;
  received(server: string, packet: Packet): void;
  /** It does not answer the request. */
  discarded(server: string, why: BadReply): void;
  /** A transmission has waited in vain. */
  timedOut(server: string, waitedMs: number): void;
}

/** A request on the wire, as much of it as a later process needs to send the very same: servers know it for a copy. */
export interface SentRequest {
  readonly server: string;
  /** Our UDP port. */
  readonly port: number;
  readonly octets: Uint8Array;
}

/** `reply` has been authenticated. `silence`: no server answered, or the exchange was closed. `no-server`: none is configured for it. */
export type Outcome =
  | { readonly got: 'reply'; readonly packet: Packet; readonly round: Round }
  | { readonly got: 'silence' }
  | { readonly got: 'no-server' };
