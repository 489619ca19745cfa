/**
 * The UDP port to which RADIUS servers send requests (RFC 5176; 3799 as a rule). Datagrams in, replies out; what they say is
 * dynamic.ts's. IPv4. A port that cannot be had is told to the log once and tried again, because the process before this one
 * may still hold it.
 */

import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../base/clock.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { PortTrouble } from '../base/port-trouble.ts';
import type { Source } from './dynamic.ts';
import type { RadiusIncoming } from './settings.ts';

export interface IncomingPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Ours that servers send to; 0: all of them. */
  readonly address: Ipv4;
  received(octets: Uint8Array, source: Source): void;
}

/** What an operator can do about an error of the socket. */
const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program has the port: end it, or set another port in /radius incoming.',
  EADDRNOTAVAIL: 'This node does not have the address.',
  EACCES: 'Ports below 1024 are for root: set another port in /radius incoming.',
};

export class IncomingSocket {
  readonly #ports: IncomingPorts;
  #settings: RadiusIncoming = { accept: false, port: 0 };
  #socket: Socket | undefined;
  readonly #trouble: PortTrouble;

  constructor(ports: IncomingPorts) {
    this.#ports = ports;
    this.#trouble = new PortTrouble(ports, 'radius', hints);
  }

  /** Listens as `settings` say, from now on. */
  configure(settings: RadiusIncoming): void {
    const { accept, port } = this.#settings;
    if (settings.accept === accept && settings.port === port) return;
    this.close();
    this.#settings = settings;
    if (settings.accept) this.#open();
  }

  /** A reply. One that cannot be sent is as good as lost on the way: the server asks again. */
  send(octets: Uint8Array, to: Source): void {
    this.#socket?.send(octets, to.port, to.address, (error) => {
      if (error) this.#ports.log('warning', 'radius', `no reply to ${to.address}: ${error.message}`);
    });
  }

  close(): void {
    this.#settings = { accept: false, port: 0 };
    this.#trouble.over();
    this.#drop();
  }

  #drop(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): void {
    const socket = createSocket('udp4');
    this.#socket = socket;
    socket.on('message', (octets, { address, port }) => this.#ports.received(octets, { address, port }));
    socket.on('listening', () => this.#listening(socket));
    socket.on('error', (error) => {
      if (this.#socket === socket) this.#failed(error);
    });
    socket.bind(this.#settings.port, formatIpv4(this.#ports.address));
  }

  #listening(socket: Socket): void {
    const { address, port } = socket.address();
    this.#trouble.over();
    this.#ports.log('info', 'radius', `requests of servers are heard on ${address}:${port}`, {
      address,
      port,
    });
  }

  #failed(error: Error): void {
    this.#drop();
    const { port } = this.#settings;
    this.#trouble.failed(`UDP port ${port} for requests of servers`, port, error, () => this.#open());
  }
}
