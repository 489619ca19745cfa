/** The requests, and all of the watch, against a real HTTPS server with a certificate of a real authority, which plays the API server. */

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.io.ts';
import type { Log } from '../../../src/base/observe.ts';
import { systemRandom } from '../../../src/base/random.io.ts';
import { apiServerAt } from '../../../src/kubernetes/api-server.io.ts';
import { CordonWatch } from '../../../src/kubernetes/cordon-watch.ts';
import { CertificateAuthority } from '../../system/certificates.io.ts';
import { bookmark, error, modified, nodeList, nodeObject } from './words.ts';

const host = '127.0.0.1';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What comes, in the order in which it comes, for who waits for it. */
class Arrivals<T> {
  readonly #arrived: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  add(value: T): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#arrived.push(value);
    else taker(value);
  }

  next(): Promise<T> {
    const value = this.#arrived.shift();
    return value === undefined ? new Promise((taken) => this.#waiting.push(taken)) : Promise.resolve(value);
  }
}

let directory: string;
let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let server: Server;
let port: number;
let exchanges: Arrivals<Exchange>;
let news: Arrivals<boolean>;
let warnings: Arrivals<Readonly<Record<string, unknown>>>;
let watch: CordonWatch;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cordon-'));
  authority = new CertificateAuthority(directory);
  stranger = new CertificateAuthority(directory, 'stranger');
  const { certificate, key } = authority.vouchFor(host, 'server');
  server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  server.on('request', (request, response) => exchanges.add({ request, response }));
  server.listen(0, host);
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  exchanges = new Arrivals();
  news = new Arrivals();
  warnings = new Arrivals();
  writeFileSync(join(directory, 'token'), 'first\n');
  writeFileSync(join(directory, 'ca.crt'), readFileSync(authority.files.certificate));
  const log: Log = (severity, _topics, text, facts) => {
    if (severity === 'warning') warnings.add({ text, ...facts });
  };
  watch = new CordonWatch('node-1', {
    clock: systemClock,
    random: systemRandom,
    log,
    ask: apiServerAt({ host, port }, directory),
    cordoned: (isCordoned) => news.add(isCordoned),
  });
});

afterEach(() => {
  watch.close();
  server.closeAllConnections();
});

/** The next request is answered with a list; gives the watch that follows. */
async function listed(version: string, cordoned: boolean): Promise<Exchange> {
  const { response } = await exchanges.next();
  response.end(nodeList(version, nodeObject('1', cordoned)));
  return await exchanges.next();
}

test('a cordon and its end arrive, whole lines or not, as the pod whose token it is', async () => {
  watch.begin();
  const { request, response } = await listed('100', false);
  expect(request.headers.authorization).toBe('Bearer first');
  expect(request.method).toBe('GET');
  expect(request.url).toContain('/api/v1/nodes?fieldSelector=metadata.name%3Dnode-1&watch=true');

  const line = modified('101', true);
  response.write(line.slice(0, 50));
  response.write(line.slice(50));
  expect(await news.next()).toBe(true);
  response.write(bookmark('102') + modified('103', false));
  expect(await news.next()).toBe(false);
});

test('a watch that ends goes on where it was, with the token that is there now', async () => {
  watch.begin();
  const { response } = await listed('100', false);
  writeFileSync(join(directory, 'token'), 'second\n');
  response.end(bookmark('150'));

  const { request } = await exchanges.next();
  expect(request.url).toContain('resourceVersion=150');
  expect(request.headers.authorization).toBe('Bearer second');
});

test('a connection that is cut in the middle of a line is told of, and the watch goes on', async () => {
  watch.begin();
  const { response } = await listed('100', false);
  response.write(modified('101', true).slice(0, 50), () => response.destroy());

  expect(await warnings.next()).toMatchObject({ code: 'ECONNRESET' });
  const { request, response: next } = await exchanges.next();
  expect(request.url).toContain('resourceVersion=100');
  next.write(modified('101', true));
  expect(await news.next()).toBe(true);
});

test('410 Gone lists the object again', async () => {
  watch.begin();
  const { response } = await listed('100', false);
  response.end(error(410));

  const { request } = await listed('900', true);
  expect(await news.next()).toBe(true);
  expect(request.url).toContain('resourceVersion=900');
});

test('a 403 is told of with the role that is missing, and asked again until it is there', async () => {
  watch.begin();
  const { response } = await exchanges.next();
  response.writeHead(403).end('{"kind":"Status","code":403}\n');

  expect(await warnings.next()).toMatchObject({
    event: 'cordon-unwatched',
    code: 'HTTP_403',
    hint: expect.stringMatching(/ClusterRole/),
  });
  await listed('100', true);
  expect(await news.next()).toBe(true);
});

test('a token that is not there is told of, and used when it is', async () => {
  rmSync(join(directory, 'token'));
  watch.begin();

  expect(await warnings.next()).toMatchObject({
    code: 'ENOENT',
    hint: expect.stringMatching(/automountServiceAccountToken/),
  });
  writeFileSync(join(directory, 'token'), 'late\n');
  expect((await exchanges.next()).request.headers.authorization).toBe('Bearer late');
});

test.each([
  ['of another authority', () => readFileSync(stranger.files.certificate, 'utf8')],
  ['that nobody can read', () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
])('with a ca.crt %s the server gets no token', async (_, text) => {
  writeFileSync(join(directory, 'ca.crt'), text());
  watch.begin();

  const { code, text: said } = await warnings.next();
  expect([code, said]).toEqual([expect.stringMatching(/^[A-Z_]+$/), expect.stringMatching(/cannot see/)]);
  writeFileSync(join(directory, 'token'), 'after\n');
  writeFileSync(join(directory, 'ca.crt'), readFileSync(authority.files.certificate));
  expect((await exchanges.next()).request.headers.authorization).toBe('Bearer after');
});

test('a token that is none is a failure like others', async () => {
  writeFileSync(join(directory, 'token'), 'two\nlines\n');
  watch.begin();

  expect(await warnings.next()).toMatchObject({ code: 'ERR_INVALID_CHAR' });
});

test('closed before it has asked, it asks nothing', async () => {
  const closed = apiServerAt({ host, port }, directory)('/api/v1/nodes?closed', {
    answered: () => {},
    received: () => {},
    ended: () => {},
    failed: () => {},
  });
  closed.close();
  watch.begin();

  expect((await exchanges.next()).request.url).not.toContain('closed');
});
