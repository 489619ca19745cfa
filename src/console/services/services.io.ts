/**
 * The port of a service: listens as its settings say, lets in whom they allow and no more than they allow, and hands connections to
 * the server that speaks the service's protocol. A certificate is read when the port is opened, and again whenever the configuration
 * is, so that one that was renewed on disk serves from then on. A port that cannot be had is told once and tried again.
 */

import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, Server as TlsServer } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { contains, parseIpv4 } from '../../base/ip.ts';
import type { Log } from '../../base/observe.ts';
import { PortTrouble } from '../../base/port-trouble.ts';
import { isOverTls, type ServiceSettings } from './settings.ts';
import { servicesTally } from './users.ts';

/** A server that does not listen yet; over TLS if there are credentials. */
export type MakeServer = (credentials: SecureContextOptions | undefined) => Server;

export interface ServicePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly makeServer: MakeServer;
}

/** What an operator can do about an error of the socket or the file. */
const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program has the port: end it, or set another port in /ip service.',
  EACCES: 'Ports below 1024, and files of others, are not for the user that the daemon runs as.',
  ENOENT: 'There is no such file: see certificate= in /ip service.',
};

export class Service {
  readonly #ports: ServicePorts;
  readonly #connections = new Set<Socket>();
  #settings: ServiceSettings | undefined;
  #server: Server | undefined;
  readonly #trouble: PortTrouble;
  /** What the log was told last, so that a crowd does not tell it again. */
  #told = '';

  constructor(ports: ServicePorts) {
    this.#ports = ports;
    this.#trouble = new PortTrouble(ports, 'system', hints);
  }

  /** Is open as `settings` say, from now on. */
  configure(settings: ServiceSettings): void {
    if (isSame(this.#settings, settings)) return this.#renew();
    this.close();
    this.#settings = settings;
    if (!settings.disabled) this.#open(settings);
  }

  /** Nobody is let in any more, and who is in is put out. */
  close(): void {
    this.#settings = undefined;
    this.#trouble.over();
    this.#told = '';
    this.#drop();
  }

  #drop(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#connections) socket.destroy();
  }

  #open(settings: ServiceSettings): void {
    const { name, port } = settings;
    let server: Server;
    try {
      server = this.#ports.makeServer(credentialsOf(settings));
    } catch (error) {
      return this.#failed(error, settings);
    }
    this.#server = server;
    server.maxConnections = settings.maxSessions;
    // Before the server's own: it does not see whom the service is not for.
    server.prependListener('connection', (socket: Socket) => this.#connected(socket, settings));
    server.on('drop', () => {
      servicesTally.add('refusedFull');
      this.#tell('warning', `service ${name} is full: ${settings.maxSessions} connections`, settings);
    });
    server.on('listening', () => {
      this.#trouble.over();
      this.#tell('info', `service ${name} listens on TCP port ${port}`, settings);
    });
    server.on('error', (error) => {
      if (this.#server === server) this.#failed(error, settings);
    });
    server.listen(port, '0.0.0.0');
  }

  #connected(socket: Socket, { name, address }: ServiceSettings): void {
    const from = parseIpv4(socket.remoteAddress ?? '');
    if (from === undefined || (address.length > 0 && !address.some((prefix) => contains(prefix, from)))) {
      servicesTally.add('refusedAddress');
      this.#ports.log('debug', 'system', `service ${name} is not for ${socket.remoteAddress}`);
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
  }

  /** With the certificate that is on disk now. */
  #renew(): void {
    const settings = this.#settings;
    if (settings === undefined || !(this.#server instanceof TlsServer)) return;
    try {
      this.#server.setSecureContext(credentialsOf(settings) ?? {});
    } catch (error) {
      const text = `service ${settings.name} goes on with its old certificate: ${reasonOf(error)}`;
      this.#tell('error', text, settings, hints[(error as NodeJS.ErrnoException).code ?? '']);
    }
  }

  #failed(error: unknown, settings: ServiceSettings): void {
    this.#drop();
    this.#trouble.failed(`service ${settings.name}`, settings.port, error, () => this.#open(settings));
  }

  #tell(
    severity: 'info' | 'warning' | 'error',
    text: string,
    { port }: ServiceSettings,
    hint?: string,
  ): void {
    if (text === this.#told) return;
    this.#told = text;
    this.#ports.log(severity, 'system', text, { port, hint });
  }
}

/** Key and certificate stand in one file, as for RadSec. Throws what the system or OpenSSL says of it. */
function credentialsOf({ name, certificate }: ServiceSettings): SecureContextOptions | undefined {
  if (!isOverTls(name)) return undefined;
  const pem = readFileSync(certificate);
  createSecureContext({ key: pem, cert: pem });
  return { key: pem, cert: pem };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isSame(one: ServiceSettings | undefined, other: ServiceSettings): boolean {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
