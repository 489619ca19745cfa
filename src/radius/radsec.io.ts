/**
 * RADIUS over TLS (RFC 6614): one connection per `openRadsec`, authenticated by certificates both ways. A connection that
 * breaks is told once; whether to open another, and when, is line.ts's decision.
 *
 * The files are read for each connection, so that a certificate renewed on disk is used from the next one on. RADIUS/1.1 (RFC
 * 9765) is not offered.
 */

import { readFileSync } from 'node:fs';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { Malformed } from '../base/fault.ts';
import { PacketStream } from './packet-stream.ts';
import type { Wire, WireEnds, WireEvents } from './wire.ts';

/** From the first SYN to the end of the handshake: subscribers wait meanwhile. */
const connectMs = 5_000;

/** Octets that wait for a server that does not read: 256 identifiers, each with the longest packet, twice. */
const unsentMax = 2 * 256 * 4096;

export function openRadsec(ends: WireEnds, events: WireEvents): Wire {
  const connection = new Connection(events);
  // What is wrong with a file is told as everything else is: later, and once.
  setImmediate(() => connection.open(ends));
  return connection;
}

class Connection implements Wire {
  readonly #events: WireEvents;
  readonly #packets = new PacketStream();
  #socket: TLSSocket | undefined;
  #isOver = false;

  constructor(events: WireEvents) {
    this.#events = events;
  }

  open(ends: WireEnds): void {
    if (this.#isOver) return;
    try {
      this.#socket = connect(optionsOf(ends));
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
      return;
    }
    const tooLate = setTimeout(() => this.#lose(`no TLS within ${connectMs / 1000} s`), connectMs);
    this.#socket
      .setNoDelay(true)
      .on('error', ({ message }) => this.#lose(message))
      .on('close', () => {
        clearTimeout(tooLate);
        this.#lose('the server has closed the connection');
      })
      .on('data', (octets: Uint8Array) => this.#received(octets))
      .once('secureConnect', () => {
        clearTimeout(tooLate);
        const { localAddress = '', localPort = 0 } = this.#socket ?? {};
        if (!this.#isOver) this.#events.opened(localAddress, localPort);
      });
  }

  send(octets: Uint8Array): void {
    const socket = this.#socket;
    if (this.#isOver || socket === undefined || socket.writableLength > unsentMax) return;
    socket.write(octets);
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.destroy();
  }

  #received(octets: Uint8Array): void {
    const packets = this.#packets.push(octets);
    if (packets instanceof Malformed) {
      this.#lose(`the stream is no RADIUS: ${packets}`);
      return;
    }
    for (const packet of packets) if (!this.#isOver) this.#events.received(packet);
  }

  #lose(why: string): void {
    if (this.#isOver) return;
    this.close();
    this.#events.lost(why);
  }
}

function optionsOf(ends: WireEnds): ConnectionOptions {
  const { address, port, sourceAddress, certificate, caCertificate, serverName } = ends;
  const ours = readFileSync(certificate);
  return {
    host: address,
    port,
    ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
    key: ours,
    cert: ours,
    ...(caCertificate === '' ? {} : { ca: readFileSync(caCertificate) }),
    // [RFC 6614 §2.3] TLS 1.2 at least today: RFC 8996 has retired what stood there.
    minVersion: 'TLSv1.2',
    ...(serverName === '' ? {} : { servername: serverName }),
    checkServerIdentity: (_, theirs) => checkServerIdentity(serverName === '' ? address : serverName, theirs),
  };
}
