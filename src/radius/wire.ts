/** The port to the network: how the exchange opens a socket and what it hears from it. udp.io.ts and radsec.io.ts do it. */

import type { Address } from './address.ts';
import type { Protocol } from './settings.ts';

/** Both ends of a socket. */
export interface WireEnds {
  readonly protocol: Protocol;
  readonly address: Address;
  readonly port: number;
  /** Undefined: the route's choice. */
  readonly sourceAddress: Address | undefined;
  /** Undefined: any that is free. Given for UDP only. */
  readonly sourcePort: number | undefined;
  /** Files in PEM form, for RadSec: our key and certificate, and the authority of the server's; empty: the system's. */
  readonly certificate: string;
  readonly caCertificate: string;
  /** What the server's certificate must be for; empty: its address. */
  readonly serverName: string;
}

/** What a socket tells. Nothing is told from within `openWire` or `send`, and nothing after `lost` or `close`. */
export interface WireEvents {
  /** It can be sent on, from here. Once. */
  opened(address: Address, port: number): void;
  /** One packet, whole for a stream, as it came for a datagram. */
  received(octets: Uint8Array): void;
  /** The network says that a packet did not arrive, as a port that is closed does. A hint: anybody can forge it. */
  undelivered(why: string): void;
  /** It could not be opened, or is open no more. Once, and the last. */
  lost(why: string): void;
}

export interface Wire {
  /** Sends one packet. What cannot be sent now is dropped: it will be sent again. */
  send(octets: Uint8Array): void;
  close(): void;
}

export type OpenWire = (ends: WireEnds, events: WireEvents) => Wire;
