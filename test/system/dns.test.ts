/** Nodes under one DNS name: updates against a real BIND, and our own responder against dig, a resolver and noise. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.io.ts';
import type { Clock } from '../../src/base/clock.ts';
import { parseIpv4 } from '../../src/base/ip.ts';
import type { Log } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { below, seededRandom } from '../../src/base/random.ts';
import { framed } from '../../src/dns/message-stream.ts';
import { Publisher } from '../../src/dns/publisher.ts';
import { ResponderSocket } from '../../src/dns/responder.io.ts';
import { Responder } from '../../src/dns/responder.ts';
import type { Member } from '../../src/dns/selection.ts';
import type { Key } from '../../src/dns/tsig.ts';
import { lineTo } from '../../src/dns/wire.io.ts';
import { freePort } from './free-port.io.ts';
import { Bind, dig, hasBind } from './name-server.io.ts';

const name = 'vpn.example.net';
const secret = new Uint8Array(32).fill(9);
const base64 = Buffer.from(secret).toString('base64');
const rightKey: Key = { name: 'pptp.key', algorithm: 'hmac-sha256', secret };

/** What a node has told its log; a test waits for lines, not for time. */
class Lines {
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  readonly log: Log = (_severity, _topics, text) => {
    this.#lines.push(text);
    for (const look of this.#waiting) look();
  };

  async has(part: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!this.#lines.some((line) => line.includes(part))) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

interface NodeOptions {
  readonly key?: Key;
  readonly clock?: Clock;
  readonly name?: string;
}

/** The addresses of digs' short answer, in order. */
const sorted = (text: string): string[] => text.split('\n').filter(Boolean).sort();

describe.skipIf(!hasBind)('an update', () => {
  let server: Bind;
  let publishers: Publisher[] = [];
  const dead = new Set<number>();

  beforeAll(async () => {
    server = await Bind.start({ keys: [{ name: rightKey.name, secret: base64 }] });
  });

  afterEach(async () => {
    dead.clear();
    await Promise.all(publishers.map((one) => new Promise<void>((resolve) => one.close(resolve))));
    publishers = [];
  });

  afterAll(() => server.remove());

  function node(addressText: string, options: NodeOptions = {}, port = server.port) {
    const address = parseIpv4(addressText) ?? 0;
    const lines = new Lines();
    const state = { isWanted: true };
    const place = { zone: 'example.net', name: options.name ?? name, ttlMs: 30_000, address };
    const publisher = new Publisher(place, options.key ?? rightKey, {
      clock: options.clock ?? systemClock,
      random: systemRandom,
      log: lines.log,
      openLine: lineTo('127.0.0.1', port),
      isWanted: () => state.isWanted,
      deadAddresses: () => dead,
    });
    publishers.push(publisher);
    publisher.begin();
    return Object.assign(state, { address, lines, publisher });
  }

  const present = async (): Promise<string[]> => sorted(await server.dig(name, 'A', '+short'));

  it('puts two nodes under one name, and takes one away again', async () => {
    const one = node('192.0.2.1');
    const other = node('192.0.2.2');
    await Promise.all([one.lines.has('192.0.2.1 is published'), other.lines.has('192.0.2.2 is published')]);
    expect(await present()).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await server.dig(name, 'A', '+noall', '+answer')).toMatch(/^vpn\.example\.net\.\s+30\s+IN\s+A\s/);

    one.isWanted = false;
    one.publisher.review();
    await one.lines.has('192.0.2.1 is withdrawn');

    expect(await present()).toEqual(['192.0.2.2']);
  });

  it('leaves nothing of a node that ends in order', async () => {
    const one = node('192.0.2.1');
    await one.lines.has('is published');

    await new Promise<void>((resolve) => one.publisher.close(resolve));

    expect(await present()).toEqual([]);
  });

  it('takes away the address of a node that died', async () => {
    const one = node('192.0.2.1');
    const other = node('192.0.2.2');
    await Promise.all([one.lines.has('is published'), other.lines.has('is published')]);

    dead.add(one.address);
    await other.lines.has('192.0.2.1 of a dead node is taken away');

    expect(await present()).toContain('192.0.2.2');
  });

  it('leaves one of two nodes that withdraw at once', async () => {
    const nodes = [node('192.0.2.1'), node('192.0.2.2')];
    await Promise.all(nodes.map(({ lines }) => lines.has('is published')));

    for (const each of nodes) {
      each.isWanted = false;
      each.publisher.review();
    }
    await Promise.race(nodes.map(({ lines }) => lines.has('is withdrawn')));

    expect(await present()).toHaveLength(1);
  });

  it.each([
    ['with another secret', { key: { ...rightKey, secret: new Uint8Array(32) } }, 'BADSIG'],
    ['with a key that the server does not know', { key: { ...rightKey, name: 'other.key' } }, 'BADKEY'],
    ['with another algorithm', { key: { ...rightKey, algorithm: 'hmac-sha512' } }, 'BADKEY'],
    ['of a name that the key is not for', { name: 'www.example.net' }, 'REFUSED'],
    [
      'by a clock that is wrong',
      { clock: { ...systemClock, wallMs: () => systemClock.wallMs() - 600_000 } },
      'BADTIME',
    ],
  ] as const)('%s is refused, and the log says why', async (_, options, why) => {
    const refused = node('192.0.2.9', options);

    await refused.lines.has(`is of no use: ${why}`);

    expect(refused.publisher.monitor.failure).toBe(why);
    expect(await present()).toEqual([]);
  });

  it('of a name with more addresses than a datagram holds goes over TCP, as does the look before it', async () => {
    // BIND takes no more than 100 of one name and type by itself (max-records-per-type).
    const records = Array.from({ length: 80 }, (_, at) => `vpn A 198.51.100.${at}`);
    const crowded = await Bind.start({ keys: [{ name: rightKey.name, secret: base64 }], records });
    const count = async (): Promise<number> => sorted(await crowded.dig(name, 'A', '+short', '+tcp')).length;

    try {
      const one = node('192.0.2.1', {}, crowded.port);
      await one.lines.has('is published');
      expect(await count()).toBe(81);
      one.isWanted = false;
      one.publisher.review();
      await one.lines.has('is withdrawn');
      expect(await count()).toBe(80);
      await new Promise<void>((resolve) => one.publisher.close(resolve));
    } finally {
      await crowded.remove();
    }
  });
});

describe('a way to a name server that is not there', () => {
  it.each(['udp', 'tcp'] as const)('over %s says so', async (transport) => {
    const openLine = lineTo('127.0.0.1', await freePort());

    const why = await new Promise<string>((resolve) => {
      const line = openLine(transport, { received: () => resolve('a reply'), failed: resolve });
      line.send(Uint8Array.of(1));
    });

    expect(why).toBe('ECONNREFUSED');
  });
});

describe.skipIf(!hasBind)('the responder', () => {
  let port: number;
  let socket: ResponderSocket;
  let members: readonly Member[] = [];
  const lines = new Lines();

  beforeAll(async () => {
    port = await freePort();
    const delegation = {
      name,
      ttlMs: 30_000,
      nameServers: ['ns1.example.net', 'ns2.example.net'],
      addressesPerAnswer: 2,
    };
    const ports = { clock: systemClock, random: systemRandom, members: () => members };
    const responder = new Responder(delegation, ports);
    const place = { address: parseIpv4('127.0.0.1') ?? 0, port };
    socket = new ResponderSocket(place, {
      clock: systemClock,
      log: lines.log,
      reply: (octets, transport) => responder.reply(octets, transport),
    });
    await new Promise<void>((resolve) => socket.open(resolve));
    members = ['192.0.2.1', '192.0.2.2'].map((text) => ({
      address: parseIpv4(text) ?? 0,
      weight: 100,
      isReady: true,
    }));
  });

  afterAll(() => socket.close());

  it.each([['+notcp'], ['+tcp'], ['+noedns'], ['+bufsize=4096'], ['+dnssec'], ['+keepopen', '+tcp']])(
    'is understood by dig %s',
    async (...words) => {
      expect(sorted(await dig(port, name, 'A', '+short', ...words))).toEqual(['192.0.2.1', '192.0.2.2']);
    },
  );

  it('says nothing that dig finds fault with', async () => {
    for (const type of ['A', 'NS', 'SOA', 'AAAA', 'ANY', 'HTTPS']) {
      const said = await dig(port, name, type, '+norecurse', '+qr');

      expect(said, type).toContain('status: NOERROR');
      expect(said, type).toMatch(/flags: qr aa;/);
      expect(said, type).not.toMatch(/warning|malformed|extra/i);
    }
  });

  it('knows its name and no other', async () => {
    expect(await dig(port, name, 'AAAA', '+noall', '+authority')).toMatch(/SOA\s+ns1\.example\.net\./);
    expect(await dig(port, `x.${name}`, 'A')).toContain('status: NXDOMAIN');
    expect(await dig(port, 'example.net', 'A')).toContain('status: REFUSED');
    expect(await dig(port, name, 'AXFR')).toMatch(/Transfer failed/);
    expect(await dig(port, name, 'A', '+edns=1', '+noednsnegotiation')).toContain('status: BADVERS');
  });

  it('is understood by a resolver, which remembers', async () => {
    const resolver = await Bind.start({ forwardTo: port });
    try {
      expect(sorted(await resolver.dig(name, 'A', '+short'))).toEqual(['192.0.2.1', '192.0.2.2']);
      expect(await resolver.dig(name, 'AAAA')).toContain('status: NOERROR');
      expect(await resolver.dig(`x.${name}`, 'A')).toContain('status: NXDOMAIN');
    } finally {
      await resolver.remove();
    }
  });

  const seed = Number(process.env.SEED ?? 5_353);

  it(`answers still after 5,000 datagrams and 200 connections of noise (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const noise = (): Uint8Array => random(below(random, 600));
    const sender = createSocket('udp4');
    for (let sent = 0; sent < 5_000; sent += 1) {
      await new Promise<void>((resolve) => sender.send(noise(), port, '127.0.0.1', () => resolve()));
    }
    sender.close();
    for (let made = 0; made < 200; made += 1) {
      const connection = connect({ host: '127.0.0.1', port });
      connection.on('error', () => {});
      const isOver = once(connection, 'close');
      connection.resume().end(below(random, 2) === 0 ? noise() : framed(noise()));
      await isOver;
    }

    expect(await dig(port, name, 'A', '+short')).not.toBe('');
    expect(await dig(port, name, 'A', '+short', '+tcp')).not.toBe('');
  });

  it('tells the log that its port is taken, and has it when it is free', async () => {
    const second = new Lines();
    const waits: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      arm: (_, fire) => {
        waits.push(fire);
        return { cancel: () => {} };
      },
    };
    const taken = new ResponderSocket(
      { address: parseIpv4('127.0.0.1') ?? 0, port },
      { clock, log: second.log, reply: () => undefined },
    );
    const had = new Promise<void>((resolve) => taken.open(resolve));
    await second.has('cannot be had: bind EADDRINUSE');

    socket.close();
    for (const retry of waits) retry();
    await had;

    taken.close();
  });
});
