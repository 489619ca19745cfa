/** Queries over real sockets to a server in the same process: one that lies, one that is slow, one that is not there. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.io.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { silent } from '../../../src/base/observe.ts';
import { systemRandom } from '../../../src/base/random.io.ts';
import { Secret } from '../../../src/base/secret.ts';
import { Exchange } from '../../../src/radius/exchange.ts';
import { codes, decodePacket, type Packet } from '../../../src/radius/packet.ts';
import type { Outcome, Query, SentRequest } from '../../../src/radius/query.ts';
import type { RadiusServer } from '../../../src/radius/settings.ts';
import { openUdp } from '../../../src/radius/udp.io.ts';
import { accessRequest, accountingRequest, replyTo, server } from './world.ts';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Request {
  readonly octets: Uint8Array;
  readonly packet: Packet;
  readonly fromPort: number;
  reply(octets: Uint8Array, from?: Socket): void;
}

/** A server on loopback that does with each request what `serve` says. */
async function serveOn(address: string, serve: (request: Request, count: number) => void): Promise<number> {
  const socket = await bound(address);
  let count = 0;
  socket.on('message', (octets, { address: host, port }) => {
    const packet = decodePacket(octets);
    if (packet instanceof Malformed) throw new Error(`${packet}`);
    const reply = (answer: Uint8Array, from = socket): void => from.send(answer, port, host);
    serve({ octets: new Uint8Array(octets), packet, fromPort: port, reply }, ++count);
  });
  return socket.address().port;
}

async function portOfNobody(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function bound(address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  closing.push(() => socket.close());
  return socket;
}

function exchangeWith(...servers: readonly Partial<RadiusServer>[]): Exchange {
  const exchange = new Exchange({
    clock: systemClock,
    random: systemRandom,
    openWire: openUdp,
    log: silent,
  });
  exchange.configure(servers.map(server));
  closing.push(() => exchange.close());
  return exchange;
}

const ask = (exchange: Exchange, query: Partial<Query> = {}): Promise<Outcome> =>
  new Promise((resolve) => exchange.ask({ ...accessRequest, ...query }, resolve));

it('the true answer wins over all lies, which are counted', async () => {
  const otherPort = await bound('127.0.0.1');
  const forger = new Secret('guess').octets;
  const authenticationPort = await serveOn('127.0.0.1', ({ packet, reply }) => {
    const truth = replyTo(packet);
    reply(replyTo(packet, codes.accessAccept, forger));
    reply(replyTo(packet, codes.accountingResponse));
    reply(truth.subarray(0, 25));
    reply(truth.subarray(0, 1));
    reply(truth.with(1, packet.identifier ^ 0x80));
    reply(truth.with(truth.length - 1, (truth.at(-1) ?? 0) ^ 1));
    // The kernel lets nothing in from there: it is not even counted.
    reply(truth, otherPort);
    setTimeout(() => {
      reply(truth);
      reply(truth);
    }, 100);
  });
  const exchange = exchangeWith({ address: '127.0.0.1', authenticationPort });

  const outcome = await ask(exchange);

  expect(outcome.got === 'reply' && outcome.packet.code).toBe(codes.accessAccept);
  const [monitor] = exchange.monitor();
  expect(monitor).toMatchObject({ requests: 1, accepts: 1, badReplies: 6, resends: 0 });
  expect(monitor?.lastRequestRttMs).toBeGreaterThan(90);
});

it('a slow answer comes after copies of the request, all from one port and alike', async () => {
  const seen: Request[] = [];
  const authenticationPort = await serveOn('127.0.0.1', (request, count) => {
    seen.push(request);
    if (count === 3) for (const { packet, reply } of seen) reply(replyTo(packet));
  });
  const exchange = exchangeWith({ address: '127.0.0.1', authenticationPort, timeout: 50 });

  expect((await ask(exchange)).got).toBe('reply');

  expect(new Set(seen.map(({ fromPort, octets }) => `${fromPort} ${octets.join()}`)).size).toBe(1);
  expect(exchange.monitor()[0]).toMatchObject({ resends: 2, badReplies: 0 });
});

it('a closed port sends the query to the next server, over IPv6', async () => {
  const closedPort = await portOfNobody();
  const authenticationPort = await serveOn('::1', ({ packet, reply }) => reply(replyTo(packet)));
  const exchange = exchangeWith(
    { address: '127.0.0.1', authenticationPort: closedPort, timeout: 20 },
    { address: '::1', authenticationPort },
  );

  const outcome = await ask(exchange);

  expect(outcome.got === 'reply' && outcome.round.server).toBe(`[::1]:${authenticationPort}`);
  expect(exchange.monitor()[0]).toMatchObject({ timeouts: 1, state: 'alive' });
});

it('a source address is kept to, and known as the address of this node', async () => {
  let from = '';
  const socket = await bound('127.0.0.1');
  socket.on('message', (octets, { address, port }) => {
    from = address;
    socket.send(replyTo(decodePacket(octets) as Packet), port, address);
  });
  const exchange = exchangeWith({
    address: '127.0.0.1',
    srcAddress: '127.0.0.9',
    authenticationPort: socket.address().port,
  });

  await ask(exchange);

  expect(from).toBe('127.0.0.9');
  expect(exchange.nasAddress).toBe(0x7f000009);
});

it('a source address that this machine has not is no server, until the next is asked', async () => {
  const authenticationPort = await serveOn('127.0.0.1', ({ packet, reply }) => reply(replyTo(packet)));
  const exchange = exchangeWith(
    { address: '127.0.0.1', srcAddress: '203.0.113.7', authenticationPort },
    { address: '127.0.0.1', authenticationPort },
  );

  expect((await ask(exchange)).got).toBe('reply');
  expect(exchange.monitor()[0]?.state).toBe('dead');
});

it('a request of an earlier process reaches the server from the same port, octet by octet the same', async () => {
  const seen: Request[] = [];
  const accountingPort = await serveOn('127.0.0.1', (request, count) => {
    seen.push(request);
    if (count > 1) request.reply(replyTo(request.packet));
  });
  const settings = { address: '127.0.0.1', accountingPort };
  const earlier = exchangeWith(settings);
  const resume = await new Promise<SentRequest>((resolve) => {
    const beforeSending = (sent: SentRequest, go: () => void): void => {
      go();
      resolve(sent);
    };
    earlier.ask({ ...accountingRequest, beforeSending }, () => {});
  });
  earlier.close();

  const outcome = await ask(exchangeWith(settings), { ...accountingRequest, resume });

  expect(outcome.got).toBe('reply');
  expect(seen).toHaveLength(2);
  expect(seen[1]?.octets).toEqual(seen[0]?.octets);
  expect(seen[1]?.fromPort).toBe(seen[0]?.fromPort);
});

it('a burst of a thousand is answered, with no more in flight than configured', async () => {
  let mostSeen = 0;
  const authenticationPort = await serveOn('127.0.0.1', ({ packet, reply }) => {
    mostSeen = Math.max(mostSeen, exchange.monitor()[0]?.pending ?? 0);
    reply(replyTo(packet));
  });
  const exchange = exchangeWith({ address: '127.0.0.1', authenticationPort, requestsMax: 100 });

  const outcomes = await Promise.all(Array.from({ length: 1_000 }, () => ask(exchange)));

  expect(outcomes.every(({ got }) => got === 'reply')).toBe(true);
  expect(mostSeen).toBe(100);
});

it('closing at once, before the socket is bound, is no error', async () => {
  const exchange = exchangeWith({ address: '127.0.0.1' }, { address: '::1' });
  const asked = ask(exchange);

  exchange.close();

  expect(await asked).toEqual({ got: 'silence' });
});
