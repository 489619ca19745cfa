/**
 * The HTTP port at which a node tells how it is, to a load balancer, a supervisor or a person. Enter: requests without a body.
 * Leave: `/livez`, 200 as long as the event loop turns; `/readyz`, 200 while the node wants new calls, else 503 with the
 * reasons, one a line. What else is told is given as pages.
 *
 * A port that cannot be had is told to the log once and tried again: the process before this one may still hold it.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { PortTrouble } from '../base/port-trouble.ts';
import type { Asked, Page, PageAt } from './page.ts';
import type { MetricsSettings } from './settings.ts';

/** Answers with a page, or writes to the response itself. */
export type StreamAt = (asked: Asked, answer: (page: Page) => void, response: ServerResponse) => void;

export interface HttpPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Why the node wants no new calls: none if it does. */
  readiness(): readonly string[];
  /** Further pages by their paths, such as `/metrics`. */
  readonly pages: ReadonlyMap<string, PageAt>;
  /** Likewise, those too long to be made at once. */
  readonly streams: ReadonlyMap<string, StreamAt>;
}

/** Those who watch are few; more are a mistake or a scan. */
const connectionsMax = 64;
/** A request is some lines of headers: slower ones hold a connection for nothing, in ms. */
const requestMs = 5_000;
const plain = 'text/plain; charset=utf-8';

/** What an operator can do about an error of the socket. */
const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program has the port: end it, or set another port in /system metrics.',
  EADDRNOTAVAIL: 'This node does not have the address: set another one in /system metrics.',
  EACCES: 'Ports below 1024 are for root: set another port in /system metrics.',
};

export class HttpFace {
  readonly #ports: HttpPorts;
  #settings: MetricsSettings | undefined;
  #server: Server | undefined;
  readonly #trouble: PortTrouble;

  constructor(ports: HttpPorts) {
    this.#ports = ports;
    this.#trouble = new PortTrouble(ports, 'system', hints);
  }

  /** Listens as `settings` say, from now on. */
  configure(settings: MetricsSettings): void {
    if (isSame(this.#settings, settings)) return;
    this.close();
    this.#settings = settings;
    if (settings.enabled) this.#open(settings);
  }

  close(): void {
    this.#settings = undefined;
    this.#trouble.over();
    this.#drop();
  }

  #drop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }

  #open(settings: MetricsSettings): void {
    const server = createServer(
      { requestTimeout: requestMs, headersTimeout: requestMs },
      (request, response) => this.#answer(request, response),
    );
    this.#server = server;
    server.maxConnections = connectionsMax;
    server.on('listening', () => {
      this.#trouble.over();
      const { port } = settings;
      const address = formatIpv4(settings.address);
      this.#ports.log('info', 'system', `health is told on http://${address}:${port}`, { address, port });
    });
    server.on('error', (error) => {
      if (this.#server === server) this.#failed(error, settings);
    });
    server.listen(settings.port, formatIpv4(settings.address));
  }

  #failed(error: Error, settings: MetricsSettings): void {
    this.#drop();
    const { port } = settings;
    this.#trouble.failed(`TCP port ${port} for health and metrics`, port, error, () => this.#open(settings));
  }

  #answer({ method = '', url = '' }: IncomingMessage, response: ServerResponse): void {
    const send = ({ status, type = plain, headers, body }: Page): void => {
      const length = Buffer.byteLength(body);
      response.writeHead(status, { 'content-type': type, 'content-length': length, ...headers });
      response.end(method === 'HEAD' ? '' : body);
    };
    const [path = '', words = ''] = url.split('?');
    const asked = { query: new URLSearchParams(words) };
    const page = this.#ports.pages.get(path);
    const stream = this.#ports.streams.get(path);
    if (method !== 'GET' && method !== 'HEAD') send({ status: 405, body: 'only GET and HEAD\n' });
    else if (path === '/livez') send({ status: 200, body: 'ok\n' });
    else if (path === '/readyz') send(this.#readiness());
    else if (page !== undefined) page(asked, send);
    else if (stream !== undefined) stream(asked, send, response);
    else send({ status: 404, body: `${this.#paths().join('\n')}\n` });
  }

  #readiness(): Page {
    const reasons = this.#ports.readiness();
    return reasons.length === 0
      ? { status: 200, body: 'ok\n' }
      : { status: 503, body: `${reasons.join('\n')}\n` };
  }

  #paths(): readonly string[] {
    return ['/livez', '/readyz', ...this.#ports.pages.keys(), ...this.#ports.streams.keys()];
  }
}

function isSame(one: MetricsSettings | undefined, other: MetricsSettings): boolean {
  return one?.enabled === other.enabled && one.address === other.address && one.port === other.port;
}
