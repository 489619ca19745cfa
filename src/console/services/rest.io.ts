/**
 * REST over HTTP or HTTPS: reads requests with their bodies, lets users in by Basic authentication (RFC 7617), writes answers as
 * fast as they are read. What requests mean is rest-request.ts's; who may connect, services.io.ts's.
 */

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { parseIpv4 } from '../../base/ip.ts';
import { faceAt } from './commands.ts';
import type { ServiceDesk } from './desk.ts';
import { Drive, type EventLoop } from './drive.ts';
import { answer, errorPiece, faultPiece, type Piece } from './rest-answer.ts';
import { type RestError, type RestRequest, readRequest } from './rest-request.ts';
import { type Gate, type Rights, servicesTally } from './users.ts';

/** From the first octet of a request to its last. */
const requestMs = 10_000;
/** From the first octet of a request to the last of its answer, as RouterOS has it. */
const answerMs = 60_000;
/** How long a connection may wait for its next request. */
const idleMs = 30_000;
const handshakeMs = 10_000;
/** Octets of a body: as much as a sentence of the API. */
const bodyBytesMax = 64 * 1024;

export interface RestServerPorts {
  readonly gate: Gate;
  readonly desk: ServiceDesk;
  readonly loop: EventLoop;
}

/** A server of REST, over TLS if there are credentials. It does not listen yet. */
export function restServer(ports: RestServerPorts, credentials: SecureContextOptions | undefined): Server {
  const times = { requestTimeout: requestMs, headersTimeout: requestMs, keepAliveTimeout: idleMs };
  const serve = (request: IncomingMessage, response: ServerResponse) =>
    void new Conversation(request, response, ports).begin();
  if (credentials === undefined) return createHttpServer(times, serve);
  const secure = { ...credentials, handshakeTimeout: handshakeMs, minVersion: 'TLSv1.2' } as const;
  const server = createHttpsServer({ ...times, ...secure }, serve);
  server.on('tlsClientError', (_, socket) => {
    servicesTally.add('malformed');
    socket.destroy();
  });
  return server;
}

/** One request and its answer. */
class Conversation {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #ports: RestServerPorts;
  #drive: Drive<Piece> | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, ports: RestServerPorts) {
    this.#request = request;
    this.#response = response;
    this.#ports = ports;
  }

  begin(): void {
    const deadline = this.#ports.desk.clock.arm(answerMs, () => this.#tooLate());
    this.#response.on('close', () => {
      deadline.cancel();
      this.#drive?.stop();
    });
    const rights = this.#rights();
    if (rights === undefined) return this.#refuse({ status: 401, detail: '' });
    this.#readBody((body) => {
      const request = this.#understand(body);
      if ('status' in request) this.#refuse(request);
      else this.#start(request, rights);
    });
  }

  #rights(): Rights | undefined {
    const from = parseIpv4(this.#request.socket.remoteAddress ?? '');
    const [, encoded] = /^Basic +([A-Za-z\d+/]+=*)$/i.exec(this.#request.headers.authorization ?? '') ?? [];
    if (encoded === undefined || from === undefined) return undefined;
    const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
    if (name === undefined || password === undefined) return undefined;
    const { gate } = this.#ports;
    return gate.admits(name, { password }, from, 'rest-api') ? gate.rights(name, from) : undefined;
  }

  #readBody(read: (body: string) => void): void {
    const octets: Buffer[] = [];
    let size = 0;
    this.#request
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= bodyBytesMax) octets.push(chunk);
        else this.#tooLong();
      })
      .on('end', () => {
        if (size <= bodyBytesMax) read(Buffer.concat(octets).toString('utf8'));
      });
  }

  #tooLong(): void {
    if (this.#response.headersSent) return;
    servicesTally.add('overlong');
    this.#response.setHeader('connection', 'close');
    this.#refuse({ status: 413, detail: `a body has at most ${bodyBytesMax} octets` });
  }

  #understand(body: string): RestRequest | RestError {
    const { method = '', url: target = '', headers } = this.#request;
    // A form of a foreign page, sent by the browser of one who has logged in here, cannot have this type.
    const isJson = /^application\/json\b/i.test(headers['content-type'] ?? '');
    if (body !== '' && !isJson) return { status: 415, detail: 'the body must be application/json' };
    const { desk } = this.#ports;
    const map = { kindAt: (path: readonly string[]) => faceAt(path, desk)?.menu.kind };
    try {
      const value: unknown = body === '' ? undefined : JSON.parse(body);
      return readRequest({ method, target }, value, map);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { status: 400, detail: 'the body is no JSON' };
    }
  }

  #start(request: RestRequest, rights: Rights): void {
    const response = this.#response;
    const { desk, loop } = this.#ports;
    this.#drive = new Drive<Piece>(answer(request, rights, desk), loop, {
      take: (piece) => this.#write(piece),
      isBehind: () => response.writableNeedDrain,
      whenTaken: (goOn) => response.once('drain', goOn),
      ended: (_, fault) => {
        if (fault === undefined) response.end();
        else if (response.headersSent) response.destroy();
        else this.#finish(faultPiece(fault));
      },
    });
  }

  #refuse(error: RestError): void {
    this.#finish(errorPiece(error));
  }

  #finish(piece: Piece): void {
    this.#write(piece);
    this.#response.end();
  }

  #write({ status, json }: Piece): void {
    const response = this.#response;
    if (!response.headersSent) {
      if (status === 401) response.setHeader('www-authenticate', 'Basic realm="REST API", charset="UTF-8"');
      response.setHeader('cache-control', 'no-store');
      response.writeHead(status, status === 204 ? {} : { 'content-type': 'application/json' });
    }
    if (json !== '') response.write(json);
  }

  /** RouterOS's words for a command that takes too long; an answer that has begun breaks off, so that it is not taken for whole. */
  #tooLate(): void {
    servicesTally.add('slowReaders');
    this.#drive?.stop();
    if (this.#response.headersSent) this.#response.destroy();
    else this.#refuse({ status: 400, detail: 'Session closed' });
  }
}
