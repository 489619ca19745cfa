/**
 * RADIUS packets on a stream (RFC 6613 section 2.6.4): each says its Length, and the next begins behind it. Octets enter in
 * whatever pieces TLS gives, whole packets leave in order. Pure. What is in a packet is not looked at.
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { headerBytes, packetBytes } from './packet.ts';

/** Octets up to and including Length. */
const lengthEnds = 4;

export class PacketStream {
  /** Less than one packet. */
  #pending: Uint8Array = new Uint8Array();

  /** The packets that `octets` complete. `Malformed` if a Length is impossible: the stream has lost its place for good. */
  push(octets: Uint8Array): readonly Uint8Array[] | Malformed {
    const stream = concat(this.#pending, octets);
    const packets: Uint8Array[] = [];
    let at = 0;
    while (stream.length - at >= lengthEnds) {
      const length = ((stream[at + 2] ?? 0) << 8) | (stream[at + 3] ?? 0);
      if (length < headerBytes || length > packetBytes)
        return new Malformed('RADIUS_BAD_LENGTH', 'Length', 2);
      if (stream.length - at < length) break;
      packets.push(stream.slice(at, at + length));
      at += length;
    }
    this.#pending = stream.slice(at);
    return packets;
  }
}
