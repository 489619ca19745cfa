/**
 * The port on which queries come, UDP and TCP: octets in, replies out; what they say is responder.ts's. IPv4. A port that cannot
 * be had is told to the log once and tried again, because the process before this one may still hold it.
 */

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { Malformed } from '../base/fault.ts';
import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { PortTrouble } from '../base/port-trouble.ts';
import { framed, MessageStream } from './message-stream.ts';
import type { ListeningPlace, Reply } from './presence.ts';

export interface ResponderSocketPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly reply: Reply;
}

/** A query is a question and perhaps an OPT record. */
const queryBytes = 4_096;

/** Resolvers come over TCP seldom, a scanner often: more are closed at once. */
const connectionsMax = 64;

/** [RFC 7766 §6.2.3] Idle connections are closed, in ms: of the order of seconds. */
const idleMs = 5_000;

/** What an operator can do about an error of the sockets. */
const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program has the port, perhaps a resolver: end it, or set respond-address.',
  EADDRNOTAVAIL: 'This node does not have the address: set respond-address.',
  EACCES: 'Ports below 1024 are for root: set respond-port, and let a firewall lead port 53 there.',
};

export class ResponderSocket {
  readonly #place: ListeningPlace;
  readonly #ports: ResponderSocketPorts;
  readonly #connections = new Set<Socket>();
  #datagrams: Datagrams | undefined;
  #server: Server | undefined;
  readonly #trouble: PortTrouble;

  constructor(place: ListeningPlace, ports: ResponderSocketPorts) {
    this.#place = place;
    this.#ports = ports;
    this.#trouble = new PortTrouble(ports, 'dns', hints);
  }

  /** Listens from now on. `ready` is called when both ports are had. */
  open(ready: () => void = () => {}): void {
    const { port } = this.#place;
    const address = formatIpv4(this.#place.address);
    const datagrams = createSocket('udp4');
    const server = createServer((socket) => this.#serve(socket));
    this.#datagrams = datagrams;
    this.#server = server;
    const failed = (error: Error): void => {
      if (this.#server === server) this.#failed(error, ready);
    };
    server.maxConnections = connectionsMax;
    server.on('error', failed);
    datagrams.on('error', failed);
    datagrams.on('message', (octets, from) => {
      const reply = this.#ports.reply(octets, 'udp');
      // One that cannot be sent is as good as lost on the way: the resolver asks again.
      if (reply !== undefined) datagrams.send(reply, from.port, from.address, () => {});
    });
    datagrams.bind(port, address, () => {
      if (this.#server === server) server.listen(port, address, () => this.#listening(address, ready));
    });
  }

  close(): void {
    this.#trouble.pause();
    const [datagrams, server] = [this.#datagrams, this.#server];
    this.#datagrams = undefined;
    this.#server = undefined;
    datagrams?.close();
    server?.close();
    for (const socket of this.#connections) socket.destroy();
  }

  #serve(socket: Socket): void {
    const stream = new MessageStream(queryBytes);
    this.#connections.add(socket);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#connections.delete(socket));
    socket.on('data', (octets) => {
      const messages = stream.push(octets);
      if (messages instanceof Malformed) {
        socket.destroy();
        return;
      }
      const replies = messages.map((message) => this.#ports.reply(message, 'tcp'));
      const written = replies.map((reply) => reply === undefined || socket.write(framed(reply)));
      // Who asks and does not read what he gets is not waited for.
      if (written.includes(false)) socket.destroy();
    });
  }

  #listening(address: string, ready: () => void): void {
    const { port } = this.#place;
    this.#trouble.over();
    this.#ports.log('info', 'dns', `queries are heard on ${address}:${port}`, { address, port });
    ready();
  }

  #failed(error: Error, ready: () => void): void {
    this.close();
    const { port } = this.#place;
    this.#trouble.failed(`port ${port} for queries`, port, error, () => this.open(ready));
  }
}
