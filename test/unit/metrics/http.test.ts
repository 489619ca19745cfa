import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { HttpFace } from '../../../src/metrics/http.io.ts';
import type { PageAt } from '../../../src/metrics/page.ts';

const loopback = 0x7f000001;

interface Line {
  readonly severity: string;
  readonly text: string;
  readonly hint: unknown;
}

let clock: VirtualClock;
let reasons: string[];
let face: HttpFace;
let port: number;
let lines: Line[];
let told: (() => void) | undefined;

/** The next line of the log. */
function nextLine(): Promise<void> {
  return new Promise((resolve) => {
    told = resolve;
  });
}

async function serverOn(at: number): Promise<Server> {
  const server = createServer();
  server.listen(at, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function freePort(): Promise<number> {
  const server = await serverOn(0);
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

async function ask(path: string, method = 'GET'): Promise<{ status: number | undefined; body: string }> {
  const asking = request({ host: '127.0.0.1', port, path, method, agent: false });
  asking.end();
  const [response] = await once(asking, 'response');
  return { status: response.statusCode, body: await text(response) };
}

beforeEach(async () => {
  clock = new VirtualClock();
  reasons = [];
  lines = [];
  port = await freePort();
  face = new HttpFace({
    clock,
    log: (severity, _, words, facts) => {
      lines.push({ severity, text: words, hint: facts?.hint });
      told?.();
    },
    readiness: () => reasons,
    pages: new Map<string, PageAt>([['/metrics', (_, answer) => answer({ status: 200, body: 'up 1\n' })]]),
    streams: new Map(),
  });
});

afterEach(() => face.close());

async function listen(): Promise<void> {
  const listening = nextLine();
  face.configure({ enabled: true, address: loopback, port, sessions: true });
  await listening;
}

describe('a node', () => {
  it('lives as long as it answers, ready or not', async () => {
    reasons = ['draining'];
    await listen();

    expect(await ask('/livez')).toEqual({ status: 200, body: 'ok\n' });
  });

  it('is ready if nothing speaks against it', async () => {
    await listen();

    expect(await ask('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  });

  it('says why it is not ready, a reason a line, and is asked anew each time', async () => {
    await listen();
    reasons = ['licence used up: 200 of 200 tunnels', 'draining'];

    expect(await ask('/readyz?verbose')).toEqual({
      status: 503,
      body: 'licence used up: 200 of 200 tunnels\ndraining\n',
    });
    reasons = [];
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('has pages of others, and tells what there is where there is nothing', async () => {
    await listen();

    expect(await ask('/metrics')).toEqual({ status: 200, body: 'up 1\n' });
    expect(await ask('/metrics', 'HEAD')).toEqual({ status: 200, body: '' });
    expect(await ask('/nothing')).toEqual({ status: 404, body: '/livez\n/readyz\n/metrics\n' });
    expect((await ask('/metrics', 'POST')).status).toBe(405);
  });
});

describe('the port', () => {
  it('that another has is told once with what to do, and had as soon as it is free', async () => {
    const other = await serverOn(port);
    await listen();
    expect(lines).toEqual([
      {
        severity: 'error',
        text: expect.stringMatching(/^TCP port \d+ for health and metrics cannot be had: .*EADDRINUSE/),
        hint: expect.stringMatching(/system metrics/),
      },
    ]);

    other.close();
    await once(other, 'close');
    const had = nextLine();
    clock.advance(5_000);
    await had;

    expect(lines).toHaveLength(2);
    expect((await ask('/livez')).status).toBe(200);
  });

  it('is given back when it is not wanted any more', async () => {
    await listen();
    face.configure({ enabled: false, address: loopback, port, sessions: true });

    const socket = connect(port, '127.0.0.1');
    const [error] = await once(socket, 'error');

    expect(error.code).toBe('ECONNREFUSED');
  });

  it('moves with the configuration', async () => {
    await listen();
    port = await freePort();
    await listen();

    expect((await ask('/livez')).status).toBe(200);
  });
});
