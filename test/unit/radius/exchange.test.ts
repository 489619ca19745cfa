/** One query and its servers on a virtual clock: when it is sent, to whom, and what counts as its answer. */

import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { codes } from '../../../src/radius/packet.ts';
import type { SentRequest } from '../../../src/radius/query.ts';
import {
  accountingRequest,
  answering,
  replyTo,
  secretText,
  server,
  unsignedReplyTo,
  World,
} from './world.ts';

const [first, second] = ['192.0.2.1', '192.0.2.2'];

/** Differences between the times of transmissions, in ms. */
function gaps(world: World): number[] {
  const times = world.requests.map(({ atMs }) => atMs);
  return times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
}

describe('a round of transmissions', () => {
  it('is the same octets from the same port, each wait twice the one before, within ten per cent', () => {
    const world = new World();

    world.ask({ deadlineMs: 6_000 });
    world.clock.advance(6_000);

    const [original, ...copies] = world.requests;
    expect(copies).toHaveLength(2);
    for (const copy of copies) {
      expect(copy.octets).toEqual(original?.octets);
      expect(copy.fromPort).toBe(original?.fromPort);
    }
    const [firstWait = 0, secondWait = 0] = gaps(world);
    expect(firstWait).toBeGreaterThanOrEqual(990);
    expect(firstWait).toBeLessThanOrEqual(1_210);
    expect(secondWait).toBeGreaterThanOrEqual(1.9 * firstWait);
    expect(secondWait).toBeLessThanOrEqual(2.1 * firstWait);
  });

  it('never waits longer than 16 seconds and their ten per cent', () => {
    const world = new World([{ timeout: 60_000 }]);

    world.ask({ deadlineMs: 100_000 });
    world.clock.advance(100_000);

    expect(world.requests.length).toBeGreaterThan(4);
    for (const gap of gaps(world)) expect(gap).toBeLessThanOrEqual(17_600);
  });

  it('is followed by one with the next server, as a fresh request', () => {
    const world = new World([{ address: first }, { address: second }]);
    world.behaviours.set(second, answering);

    const answer = world.ask();
    world.clock.advance(30_000);

    const names = world.requests.map((request) => request.server);
    expect(names).toEqual([`${first}:1812`, `${first}:1812`, `${first}:1812`, `${second}:1812`]);
    expect(world.requests[3]?.packet.authenticator).not.toEqual(world.requests[0]?.packet.authenticator);
    expect(answer.got()).toBe('reply');
  });

  it('begins again with the first server while the deadline has not passed', () => {
    const world = new World();

    const answer = world.ask();
    world.clock.advance(60_000);

    expect(world.requests.length).toBeGreaterThan(6);
    expect(answer.outcomes).toEqual([{ outcome: { got: 'silence' }, atMs: 30_000 }]);
  });

  it('of accounting is one for each server, then silence', () => {
    const world = new World([{ address: first }, { address: second }]);

    const answer = world.ask(accountingRequest);
    world.clock.advance(60_000);

    expect(world.requests.map((request) => request.server)).toEqual([
      ...Array(3).fill(`${first}:1813`),
      ...Array(3).fill(`${second}:1813`),
    ]);
    expect(answer.got()).toBe('silence');
    expect(answer.outcomes[0]?.atMs).toBeLessThan(20_000);
  });

  it('tells its owner how long the query has waited, for Acct-Delay-Time', () => {
    const world = new World([{ address: first }, { address: second }]);
    const waited: number[] = [];

    world.ask({
      ...accountingRequest,
      attributes: ({ waitedMs }) => {
        waited.push(waitedMs);
        return new Uint8Array();
      },
    });
    world.clock.advance(60_000);

    expect(waited).toEqual([0, world.requests[3]?.atMs]);
    expect(waited[1]).toBeGreaterThan(6_000);
  });
});

describe('an outcome', () => {
  it('never comes from within the question', () => {
    const world = new World([]);

    const answer = world.ask();

    expect(answer.got()).toBe('');
    world.clock.advance(0);
    expect(answer.got()).toBe('no-server');
  });

  it('is no-server where servers are disabled, for other services, for another role, or for another called address', () => {
    const world = new World([
      { disabled: true },
      { service: ['hotspot'] },
      { authenticationPort: 0 },
      { calledId: '198.51.100.1' },
      { domain: 'OTHER' },
    ]);

    const answer = world.ask({ calledId: '198.51.100.2', domain: 'OFFICE' });
    world.clock.advance(0);

    expect(answer.got()).toBe('no-server');
  });

  it('is the reply of the server for that called address and that domain, whatever its case', () => {
    const world = new World([
      { address: first, calledId: '198.51.100.1' },
      { address: second, domain: 'Office' },
    ]);
    world.behaviours.set(second, answering);

    const answer = world.ask({ calledId: '198.51.100.2', domain: 'OFFICE' });
    world.clock.advance(10);

    expect(answer.got()).toBe('reply');
  });

  it('carries the reply and the round with the authenticator that its keys are hidden with', () => {
    const world = new World();
    world.behaviours.set(first, answering);

    const answer = world.ask();
    world.clock.advance(10);

    const [told] = answer.outcomes;
    const outcome = told?.outcome;
    if (outcome?.got !== 'reply') throw new Error('no reply');
    expect(outcome.packet.code).toBe(codes.accessAccept);
    expect(outcome.round.authenticator).toEqual(world.requests[0]?.packet.authenticator);
    expect(outcome.round.server).toBe(`${first}:1812`);
  });

  it('does not come after cancelling, and the request is not sent again', () => {
    const world = new World();
    world.behaviours.set(first, (arrival) => arrival.accept(500));

    const answer = world.ask();
    world.clock.advance(100);
    answer.cancel();
    world.clock.advance(60_000);

    expect(answer.got()).toBe('');
    expect(world.requests).toHaveLength(1);
  });

  it('is silence for all that is asked when the exchange closes', () => {
    const world = new World();
    const [one, other] = [world.ask(), world.ask(accountingRequest)];

    world.exchange.close();
    world.clock.advance(60_000);

    expect([one.got(), other.got()]).toEqual(['silence', 'silence']);
    expect(world.wires.every(({ isOpen }) => !isOpen)).toBe(true);
  });
});

describe('a reply', () => {
  const lies = {
    'with another secret': (packet) => replyTo(packet, undefined, new Secret('other').octets),
    'with a code that answers something else': (packet) => replyTo(packet, codes.accountingResponse),
    'cut short': (packet) => replyTo(packet).subarray(0, 30),
    'of one octet': () => Uint8Array.of(2),
    'with an octet changed': (packet) => {
      const octets = replyTo(packet);
      octets[10] = (octets[10] ?? 0) ^ 1;
      return octets;
    },
    'with an identifier that nobody has': (packet) => {
      const octets = replyTo(packet);
      octets[1] = packet.identifier + 100;
      return octets;
    },
  } satisfies Record<string, (packet: Parameters<typeof replyTo>[0]) => Uint8Array>;

  it.each(Object.entries(lies))('%s is counted and discarded, and the true one still wins', (_, lie) => {
    const world = new World();
    world.behaviours.set(first, (arrival) => {
      arrival.reply(lie(arrival.packet));
      arrival.accept(50);
    });

    const answer = world.ask();
    world.clock.advance(10);
    expect(answer.got()).toBe('');
    world.clock.advance(100);

    expect(answer.got()).toBe('reply');
    expect(world.exchange.monitor()[0]).toMatchObject({ badReplies: 1, accepts: 1, resends: 0, pending: 0 });
  });

  it('with a wrong secret is told to the operator once, with what to look at', () => {
    const world = new World();
    world.behaviours.set(first, ({ packet, reply }) =>
      reply(replyTo(packet, undefined, new Secret('x').octets)),
    );

    world.ask();
    world.clock.advance(30_000);

    const complaints = world.lines.filter((line) => line.includes('bad reply'));
    expect(complaints).toEqual([
      `warning: authentication server ${first}:1812 has sent a bad reply, wrong-authenticator: the secret may differ from the one there`,
    ]);
  });

  it('to a copy comes twice and counts once', () => {
    const world = new World();
    world.behaviours.set(first, (arrival) => {
      arrival.accept(1_500);
    });

    const answer = world.ask();
    world.clock.advance(10_000);

    expect(world.requests).toHaveLength(2);
    expect(answer.got()).toBe('reply');
    expect(world.exchange.monitor()[0]).toMatchObject({ badReplies: 0, accepts: 1, resends: 1 });
  });

  it('that comes after the round was given up is still the answer', () => {
    const world = new World([{ address: first }, { address: second }]);
    let isFirst = true;
    world.behaviours.set(first, (arrival) => {
      if (isFirst) arrival.accept(9_000);
      isFirst = false;
    });

    const answer = world.ask();
    world.clock.advance(60_000);

    expect(world.requests.some((request) => request.server.startsWith(second))).toBe(true);
    expect(answer.got()).toBe('reply');
    expect(answer.outcomes[0]?.atMs).toBe(9_001);
  });

  it('without Message-Authenticator is discarded if the server owes one', () => {
    const world = new World([{ requireMessageAuth: 'yes-for-request-resp' }]);
    world.behaviours.set(first, ({ packet, reply }) => reply(unsignedReplyTo(packet)));

    const answer = world.ask();
    world.clock.advance(60_000);

    expect(answer.got()).toBe('silence');
    expect(world.exchange.monitor()[0]?.badReplies).toBeGreaterThan(2);
  });

  it('without Message-Authenticator is taken of a server that never signed, and no more once it has', () => {
    const world = new World();
    world.behaviours.set(first, ({ packet, reply }) => reply(unsignedReplyTo(packet)));
    const before = world.ask();
    world.clock.advance(10);
    world.behaviours.set(first, answering);
    const signed = world.ask();
    world.clock.advance(10);
    world.behaviours.set(first, ({ packet, reply }) => reply(unsignedReplyTo(packet)));
    const after = world.ask();
    world.clock.advance(60_000);

    expect([before.got(), signed.got(), after.got()]).toEqual(['reply', 'reply', 'silence']);
  });

  it('of accounting needs no Message-Authenticator ever', () => {
    const world = new World([{ requireMessageAuth: 'yes-for-request-resp' }]);
    world.behaviours.set(first, answering);

    const answer = world.ask(accountingRequest);
    world.clock.advance(10);

    expect(answer.got()).toBe('reply');
  });
});

describe('what is about to be sent', () => {
  it('is told with our port, and sent when its owner lets it go', () => {
    const world = new World();
    world.behaviours.set(first, answering);
    const told: SentRequest[] = [];
    let release = (): void => {};

    const answer = world.ask({
      ...accountingRequest,
      beforeSending: (sent, go) => {
        told.push(sent);
        release = go;
      },
    });
    world.clock.advance(5_000);
    expect(world.requests).toHaveLength(0);
    release();
    release();
    world.clock.advance(10);

    expect(world.requests).toHaveLength(1);
    expect(told).toEqual([
      { server: `${first}:1813`, port: world.requests[0]?.fromPort, octets: world.requests[0]?.octets },
    ]);
    expect(answer.got()).toBe('reply');
  });

  it('is not sent if the query was cancelled meanwhile', () => {
    const world = new World();
    let release = (): void => {};
    const answer = world.ask({
      beforeSending: (_, go) => {
        release = go;
      },
    });

    answer.cancel();
    release();
    world.clock.advance(10_000);

    expect(world.requests).toHaveLength(0);
  });
});

describe('a request of an earlier process', () => {
  /** Sends a request that nobody answers, and what was told of it. */
  function interrupted(): SentRequest {
    const world = new World();
    let told: SentRequest | undefined;
    world.ask({
      ...accountingRequest,
      beforeSending: (sent, go) => {
        told = sent;
        go();
      },
    });
    if (told === undefined) throw new Error('nothing was told');
    return { ...told, port: 50_123 };
  }

  it('is sent again octet by octet from the same port', () => {
    const resume = interrupted();
    const world = new World([{}], 2);
    world.behaviours.set(first, answering);

    const answer = world.ask({ ...accountingRequest, resume });
    world.clock.advance(10);

    const [request] = world.requests;
    expect(request?.octets).toEqual(resume.octets);
    expect(request?.fromPort).toBe(50_123);
    expect(answer.got()).toBe('reply');
    expect(world.wires.filter(({ port }) => port === 50_123).every(({ isOpen }) => !isOpen)).toBe(true);
  });

  it('is followed by a fresh one to the same server if it brings no answer', () => {
    const resume = interrupted();
    const world = new World([{}], 2);

    const answer = world.ask({ ...accountingRequest, resume });
    world.clock.advance(60_000);

    expect(world.requests.map(({ fromPort }) => fromPort === 50_123)).toEqual([
      ...[true, true, true],
      ...[false, false, false],
    ]);
    expect(world.requests[3]?.octets).not.toEqual(resume.octets);
    expect(answer.got()).toBe('silence');
  });

  it('goes out fresh if its port is taken', () => {
    const resume = interrupted();
    const world = new World([{}], 2);
    world.behaviours.set(first, answering);
    world.takenPorts.add(50_123);

    const answer = world.ask({ ...accountingRequest, resume });
    world.clock.advance(10);

    expect(world.requests.map(({ fromPort }) => fromPort === 50_123)).toEqual([false]);
    expect(answer.got()).toBe('reply');
  });

  it('goes out fresh if its server is configured no more', () => {
    const resume = interrupted();
    const world = new World([{ address: second }], 2);
    world.behaviours.set(second, answering);

    const answer = world.ask({ ...accountingRequest, resume });
    world.clock.advance(10);

    expect(world.requests[0]?.server).toBe(`${second}:1813`);
    expect(answer.got()).toBe('reply');
  });

  it('shares its port with others of that process, each with its own identifier', () => {
    const resume = interrupted();
    const other = { ...resume, octets: resume.octets.with(1, (resume.octets[1] ?? 0) + 7) };
    const world = new World([{}], 2);

    world.ask({ ...accountingRequest, resume });
    world.ask({ ...accountingRequest, resume: other });
    world.clock.advance(500);

    expect(world.requests.map(({ fromPort }) => fromPort)).toEqual([50_123, 50_123]);
    expect(world.wires.filter(({ port }) => port === 50_123)).toHaveLength(1);
  });
});

describe('a change of the configuration', () => {
  it('lets a request under way to a server that is gone have its reply', () => {
    const world = new World([{ address: first }, { address: second }]);
    world.behaviours.set(first, (arrival) => arrival.accept(500));
    const answer = world.ask();
    world.clock.advance(10);

    world.exchange.configure([server({ address: second })]);
    world.clock.advance(1_000);

    expect(answer.got()).toBe('reply');
    expect(world.wires.filter(({ ends }) => ends.address === first).every(({ isOpen }) => !isOpen)).toBe(
      true,
    );
  });

  it('sends what waits for a server that is gone to another', () => {
    const world = new World([{ address: first, requestsMax: 1 }, { address: second }]);
    world.behaviours.set(second, answering);
    const [sent, waiting] = [world.ask(), world.ask()];
    world.clock.advance(10);
    expect(waiting.got()).toBe('');

    world.exchange.configure([server({ address: second })]);
    world.clock.advance(10);

    expect(waiting.got()).toBe('reply');
    world.clock.advance(10_000);
    expect(sent.got()).toBe('reply');
  });

  it('asks a server with a new secret with that', () => {
    const world = new World();
    const other = new Secret('other');
    world.behaviours.set(first, ({ packet, reply }) => reply(replyTo(packet, undefined, other.octets)));
    const before = world.ask({ deadlineMs: 500 });
    world.clock.advance(600);

    world.exchange.configure([server({ secret: other })]);
    const after = world.ask();
    world.clock.advance(10);

    expect([before.got(), after.got()]).toEqual(['silence', 'reply']);
  });

  it('that leaves a server as it is leaves its sockets and counters', () => {
    const world = new World();
    world.behaviours.set(first, answering);
    world.ask();
    world.clock.advance(10);
    const wires = world.wires.length;

    world.exchange.configure([server({ weight: 3, timeout: 500, comment: 'main' })]);
    world.ask();
    world.clock.advance(10);

    expect(world.wires).toHaveLength(wires);
    expect(world.exchange.monitor()[0]).toMatchObject({ requests: 2, comment: 'main' });
  });
});

it('shows its secret to nobody', () => {
  const world = new World();
  world.behaviours.set(first, ({ packet, reply }) =>
    reply(replyTo(packet, undefined, new Secret('x').octets)),
  );

  world.ask();
  world.clock.advance(60_000);

  const shown = [JSON.stringify(world.exchange.monitor()), ...world.lines, JSON.stringify(server())].join();
  expect(shown).not.toContain(secretText);
});
