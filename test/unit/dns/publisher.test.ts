import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import type { Ipv4 } from '../../../src/base/ip.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { Publisher } from '../../../src/dns/publisher.ts';
import type { Key } from '../../../src/dns/tsig.ts';
import { NameServer } from './name-server.ts';

const key: Key = { name: 'pptp.key', algorithm: 'hmac-sha256', secret: new Uint8Array(32).fill(7) };
const ttlMs = 30_000;
const addressAt = (at: number): number => 0xc0000201 + at;

interface TestNode {
  readonly address: Ipv4;
  readonly publisher: Publisher;
  isWanted: boolean;
  isAlive: boolean;
}

/** A service of some nodes, whom a registry tells of the dead. */
function service(count: number, seed = 1) {
  const clock = new VirtualClock();
  const server = new NameServer(key, clock, seededRandom(seed));
  const lines: string[] = [];
  const nodes: TestNode[] = Array.from({ length: count }, (_, at) => node(at));

  function node(at: number): TestNode {
    const address = addressAt(at);
    const state = { address, isWanted: true, isAlive: true };
    const publisher = new Publisher({ zone: 'example.net', name: 'vpn.example.net', ttlMs, address }, key, {
      clock,
      random: seededRandom(seed + 1 + at),
      log: (severity, _, text) => void lines.push(`${severity} ${text}`),
      openLine: (transport, events) =>
        state.isAlive ? server.openLine(transport, events) : { send() {}, close() {} },
      isWanted: () => state.isWanted,
      deadAddresses: () => nodes.filter(({ isAlive }) => !isAlive).map((dead) => dead.address),
    });
    return Object.assign(state, { publisher });
  }

  const begin = (): void => {
    for (const { publisher } of nodes) publisher.begin();
  };
  const present = (): number[] => [...server.records].map((address) => address - addressAt(0)).sort();
  return { clock, server, lines, nodes, begin, present };
}

function single() {
  const world = service(2);
  const [one, other] = world.nodes;
  if (one === undefined || other === undefined) throw new Error('there are two');
  return { ...world, one, other };
}

describe('a node', () => {
  it('is under the name as soon as it wants callers', () => {
    const { clock, begin, present, nodes } = service(3);

    begin();
    clock.advance(1_000);

    expect(present()).toEqual([0, 1, 2]);
    expect(nodes.map(({ publisher }) => publisher.monitor.state)).toEqual(Array(3).fill('published'));
  });

  it('withdraws within seconds when it is full, and comes back after a TTL', () => {
    const { clock, begin, present, one } = single();
    begin();
    clock.advance(5_000);

    one.isWanted = false;
    clock.advance(2_000);
    expect(present()).toEqual([1]);
    one.isWanted = true;
    clock.advance(ttlMs - 3_000);
    expect(present()).toEqual([1]);
    clock.advance(4_000);

    expect(present()).toEqual([0, 1]);
  });

  it('at the brink of full sends two updates per TTL and no more', () => {
    const { clock, server, begin, one } = single();
    begin();
    clock.advance(5_000);
    const before = server.updates;

    for (let second = 0; second < 300; second += 1) {
      one.isWanted = second % 2 === 0;
      clock.advance(1_000);
    }

    expect(server.updates - before).toBeLessThanOrEqual(2 * 10 + 2);
  });

  it('stays although it is full if it would leave the name with nothing', () => {
    const { clock, server, begin, present, nodes } = service(3);
    begin();
    clock.advance(5_000);

    for (const node of nodes) node.isWanted = false;
    clock.advance(300_000);

    expect(present()).toHaveLength(1);
    expect(server.hasBeenEmptied).toBe(false);
  });

  it('adds its address again when somebody has removed it', () => {
    const { clock, server, lines, begin, present, one } = single();
    begin();
    clock.advance(5_000);

    server.records.delete(one.address);
    clock.advance(70_000);

    expect(present()).toEqual([0, 1]);
    expect(one.publisher.tally.read('restored')).toBe(1);
    expect(lines.filter((line) => line.startsWith('warning'))).toHaveLength(1);
  });

  it('removes what its former self has left if it does not want callers now', () => {
    const { clock, server, begin, present, one } = single();
    server.records.add(one.address);
    one.isWanted = false;

    begin();
    clock.advance(70_000);

    expect(present()).toEqual([1]);
  });

  it('asks the name server about once a minute when nothing happens', () => {
    const { clock, server, begin } = service(3);
    begin();
    clock.advance(5_000);
    const [queries, updates] = [server.queries, server.updates];

    clock.advance(600_000);

    expect(server.queries - queries).toBeGreaterThanOrEqual(3 * 8);
    expect(server.queries - queries).toBeLessThanOrEqual(3 * 12);
    expect(server.updates).toBe(updates);
  });
});

describe('a node that died', () => {
  it('is taken away by another within seconds of being given up', () => {
    const { clock, begin, present, one } = single();
    begin();
    clock.advance(5_000);

    one.isAlive = false;
    clock.advance(6_000);

    expect(present()).toEqual([1]);
  });

  it('is taken away by one of many, as a rule once', () => {
    const { clock, server, nodes, begin, present } = service(5);
    begin();
    clock.advance(5_000);
    const before = server.updates;
    const [first] = nodes;
    if (first === undefined) throw new Error('there are five');

    first.isAlive = false;
    clock.advance(10_000);

    expect(present()).toEqual([1, 2, 3, 4]);
    expect(server.updates - before).toBeLessThan(4);
  });

  it('is replaced by one that does not want callers if nobody else is left', () => {
    const { clock, begin, present, one, other } = single();
    begin();
    clock.advance(5_000);
    other.isWanted = false;
    clock.advance(5_000);
    expect(present()).toEqual([0]);

    one.isAlive = false;
    clock.advance(10_000);

    expect(present()).toEqual([1]);
  });
});

describe('a name server that fails', () => {
  it('is asked again later and later, and the log is told once', () => {
    const { clock, server, lines, begin, present, one } = single();
    server.isDown = true;

    begin();
    clock.advance(600_000);
    expect(one.publisher.tally.read('failed')).toBeLessThan(10);
    expect(one.publisher.monitor).toEqual({ state: 'unknown', addresses: [], failure: 'ECONNREFUSED' });
    expect(lines.filter((line) => line.startsWith('warning'))).toHaveLength(2);
    server.isDown = false;
    clock.advance(400_000);

    expect(present()).toEqual([0, 1]);
    expect(one.publisher.monitor.failure).toBeUndefined();
  });

  it('says why, and its word is not taken for an answer', () => {
    const { clock, server, lines, begin, one } = single();
    server.refusal = 5;

    begin();
    clock.advance(1_000);

    expect(one.publisher.monitor.failure).toBe('REFUSED');
    expect(lines[0]).toBe('warning vpn.example.net: the name server is of no use: REFUSED');
  });
});

describe('the end', () => {
  it('takes the address away, also the last one', () => {
    const { clock, begin, present, nodes } = service(2);
    begin();
    clock.advance(5_000);
    let ended = 0;

    for (const { publisher } of nodes) {
      publisher.close(() => {
        ended += 1;
      });
    }
    clock.advance(1_000);

    expect(ended).toBe(2);
    expect(present()).toEqual([]);
  });

  it('does not wait longer than three seconds', () => {
    const { clock, server, begin, one } = single();
    begin();
    clock.advance(5_000);
    server.isDown = true;
    let ended = 0;

    one.publisher.close(() => {
      ended += 1;
    });
    clock.advance(2_999);
    expect(ended).toBe(0);
    clock.advance(60_000);

    expect(ended).toBe(1);
  });
});

describe('over a network that loses datagrams', () => {
  it.each(Array.from({ length: 20 }, (_, at) => 1_000 + at))(
    'the name comes to say who wants callers, and is never without anybody (seed %d)',
    (seed) => {
      const { clock, server, nodes, begin, present } = service(4, seed);
      const random = seededRandom(seed);
      server.lossPercent = 30;
      begin();
      clock.advance(60_000);

      for (let step = 0; step < 40; step += 1) {
        const node = nodes[below(random, nodes.length)];
        const event = below(random, 10);
        if (node !== undefined && event < 7) node.isWanted = !node.isWanted;
        else if (event === 7) server.isDown = !server.isDown;
        else if (node !== undefined && event === 8 && server.records.size > 1)
          server.records.delete(node.address);
        else if (node !== undefined) node.isAlive = !node.isAlive;
        clock.advance(below(random, 60_000));
      }
      server.isDown = false;
      server.lossPercent = 0;
      // The longest wait for a retry, a look, and a rest.
      clock.advance(600_000);

      const wanted = nodes.flatMap(({ isWanted, isAlive }, at) => (isWanted && isAlive ? [at] : []));
      const living = nodes.flatMap(({ isAlive }, at) => (isAlive ? [at] : []));
      if (wanted.length > 0) expect(present()).toEqual(wanted);
      else if (living.length > 0) expect(living).toContain(present()[0]);
      expect(server.hasBeenEmptied).toBe(false);
    },
  );
});
