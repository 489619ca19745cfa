/** Several servers and their fate on a virtual clock: who is asked, who is given up, who comes back, and who waits for whom. */

import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/radius/packet.ts';
import { waitingMax } from '../../../src/radius/waiting.ts';
import { type Answer, accountingRequest, answering, ignorant, mute, World } from './world.ts';

const [first, second, third] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];

/** Asks a server into silence: what follows one unanswered round. */
function lose(world: World): void {
  world.ask({ deadlineMs: 25_000 });
  world.clock.advance(25_000);
}

/** Where a query asked now goes first. */
function firstAsked(world: World, query: Parameters<World['ask']>[0] = {}): string | undefined {
  const before = world.requests.length;
  world.ask(query);
  world.clock.advance(0);
  return world.requests[before]?.server.split(':')[0];
}

const stateOf = (world: World, at = 0) => world.exchange.monitor()[at]?.roles[0]?.state;

describe('a server that answers nothing', () => {
  it('is a zombie after three timeouts in a row and three seconds, and dead ten seconds later', () => {
    const world = new World();
    const states: [string | undefined, number][] = [];
    world.ask({ deadlineMs: 30_000 });

    for (let second = 1; second <= 20; second++) {
      world.clock.advance(1_000);
      if (stateOf(world) !== states.at(-1)?.[0]) states.push([stateOf(world), second]);
    }

    expect(states.map(([state]) => state)).toEqual(['alive', 'zombie', 'dead']);
    expect(states[1]?.[1]).toBe(8);
    expect(states[2]?.[1]).toBe(18);
  });

  it('is not given up for one lost packet', () => {
    const world = new World();
    let copies = 0;
    world.behaviours.set(first, (arrival) => {
      copies += 1;
      if (copies % 2 === 0) arrival.accept();
    });

    for (let at = 0; at < 20; at++) {
      world.ask();
      world.clock.advance(5_000);
      expect(stateOf(world)).toBe('alive');
    }
  });

  it('is not asked while another lives, and asked all the same when none does', () => {
    const world = new World([{ address: first }, { address: second }]);
    world.behaviours.set(second, answering);
    lose(world);
    expect(firstAsked(world)).toBe(second);

    world.behaviours.set(second, mute);
    lose(world);
    lose(world);

    expect(world.exchange.monitor().map(({ state }) => state)).toEqual(['dead', 'dead']);
    expect(firstAsked(world)).toBe(first);
  });

  it('is asked for its status with a Message-Authenticator, at least 5.4 seconds apart, each a fresh packet', () => {
    const world = new World();

    lose(world);
    world.clock.advance(60_000);

    const { probes } = world;
    expect(probes.length).toBeGreaterThan(8);
    for (const { packet, server } of probes) {
      expect(server).toBe(`${first}:1812`);
      expect([...packet.attributes.subarray(0, 2)]).toEqual([80, 18]);
    }
    for (const [at, { atMs }] of probes.slice(1).entries()) {
      expect(atMs - (probes[at]?.atMs ?? 0)).toBeGreaterThanOrEqual(5_400);
    }
    expect(new Set(probes.map(({ packet }) => packet.authenticator.join())).size).toBe(probes.length);
  });

  it('in one role still has the other', () => {
    const world = new World();
    world.behaviours.set(first, (arrival) => {
      if (arrival.server.endsWith(':1813')) arrival.accept();
    });

    lose(world);
    const record = world.ask(accountingRequest);
    world.clock.advance(10);

    expect(record.got()).toBe('reply');
    expect(world.exchange.monitor()[0]?.roles.map(({ state }) => state)).toEqual(['dead', 'alive']);
    expect(world.exchange.monitor()[0]?.state).toBe('dead');
  });

  it('hands what waits and what is under way over to the next when it dies', () => {
    const world = new World([{ address: first, requestsMax: 2, timeout: 20_000 }, { address: second }]);
    const before = Array.from({ length: 5 }, () => world.ask({ deadlineMs: 60_000 }));
    world.clock.advance(1_000);
    expect(world.exchange.monitor()[0]).toMatchObject({ pending: 2, queued: 3 });
    world.behaviours.set(second, answering);

    // Closed ports are told at once; that makes it a zombie, which loses what waits.
    for (let at = 0; at < 3; at++) {
      world.clock.advance(1_000);
      for (const { ends, events } of world.wires) if (ends.address === first) events.undelivered('refused');
    }
    world.clock.advance(10);
    expect(before.map((answer) => answer.got())).toEqual(['', '', 'reply', 'reply', 'reply']);

    world.clock.advance(10_000);
    expect(before.map((answer) => answer.got())).toEqual(Array(5).fill('reply'));
  });

  it('is told to the operator as it goes and comes', () => {
    const world = new World();
    lose(world);
    world.behaviours.set(first, answering);
    world.clock.advance(10_000);

    expect(world.lines).toEqual([
      `warning: authentication server ${first}:1812 answers nothing: asked for its status`,
      `error: authentication server ${first}:1812 is dead: it has answered nothing, not even for its status`,
      `info: authentication server ${first}:1812 answers again`,
    ]);
  });
});

describe('a dead server', () => {
  it('is back with its first valid answer to Status-Server, and who listens is told', () => {
    const world = new World();
    const told: string[] = [];
    world.exchange.onRevived((server, role) => told.push(`${role} ${server}`));
    lose(world);

    world.behaviours.set(first, answering);
    world.clock.advance(7_000);

    expect(stateOf(world)).toBe('alive');
    expect(told).toEqual([`authentication ${first}:1812`]);
    const { length } = world.probes;
    world.clock.advance(60_000);
    expect(world.probes).toHaveLength(length);
  });

  it('does not come back with a forged answer', () => {
    const world = new World();
    lose(world);

    world.behaviours.set(first, (arrival) => arrival.reply(arrival.octets.with(0, codes.accessAccept)));
    world.clock.advance(20_000);

    expect(stateOf(world)).toBe('dead');
  });

  it('that may not know Status-Server gets one request every half minute, and is back if it answers', () => {
    const world = new World([{ address: first }, { address: second }]);
    world.behaviours.set(second, answering);
    lose(world);
    expect(stateOf(world)).toBe('dead');
    world.behaviours.set(first, ignorant);
    world.clock.advance(30_000);

    expect(firstAsked(world)).toBe(first);
    expect(firstAsked(world)).toBe(second);
    world.clock.advance(10);
    expect(stateOf(world)).toBe('alive');
  });

  it('that knows Status-Server gets no request before it has answered one', () => {
    const world = new World([{ address: first }, { address: second }]);
    world.behaviours.set(second, answering);
    lose(world);
    world.behaviours.set(first, answering);
    world.clock.advance(10_000);
    world.behaviours.set(first, mute);
    lose(world);
    expect(stateOf(world)).toBe('dead');

    world.clock.advance(120_000);

    expect(firstAsked(world)).toBe(second);
  });
});

describe('the choice', () => {
  it('is the first of the list that lives where there are no weights', () => {
    const world = new World([{ address: first }, { address: second }]);

    expect([firstAsked(world), firstAsked(world), firstAsked(world)]).toEqual([first, first, first]);
  });

  it('shares requests out by weight where there are', () => {
    const world = new World([
      { address: first, weight: 1 },
      { address: second, weight: 3 },
    ]);

    for (let at = 0; at < 40; at++) world.ask();

    expect(world.exchange.monitor().map(({ pending }) => pending)).toEqual([10, 30]);
  });

  it('falls on a backup only when no other lives, and not on a zombie before', () => {
    const world = new World([{ address: third, backup: true }, { address: first }, { address: second }]);
    world.behaviours.set(third, answering);
    expect(firstAsked(world)).toBe(first);

    world.clock.advance(17_000);

    expect(world.exchange.monitor().map(({ state }) => state)).toEqual(['alive', 'zombie', 'zombie']);
    expect(firstAsked(world)).toBe(third);
  });

  it('falls on an accounting backup for accounting only when no other lives, and on it for authentication as ever', () => {
    const world = new World([{ address: first, accountingBackup: true }, { address: second }]);

    expect([firstAsked(world), firstAsked(world, accountingRequest)]).toEqual([first, second]);
  });

  it('stays with the server of a challenge while that lives', () => {
    const world = new World([{ address: first }, { address: second }]);

    expect(firstAsked(world, { server: `${second}:1812` })).toBe(second);
  });
});

describe('what waits', () => {
  it('is sent as places come free, urgent before patient, each in the order of coming', () => {
    const world = new World([{ requestsMax: 1 }]);
    world.behaviours.set(first, answering);
    const order: string[] = [];
    const ask = (name: string, urgency: 'urgent' | 'patient'): void => {
      world.exchange.ask({ ...accountingRequest, urgency }, () => order.push(name));
    };

    ask('first', 'patient');
    ask('interim 1', 'patient');
    ask('interim 2', 'patient');
    ask('start', 'urgent');
    ask('stop', 'urgent');
    world.clock.advance(100);

    expect(order).toEqual(['first', 'start', 'stop', 'interim 1', 'interim 2']);
  });

  it('of accounting does not hold up authentication', () => {
    const world = new World([{ requestsMax: 1 }]);
    world.behaviours.set(first, (arrival) => {
      if (arrival.server.endsWith(':1812')) arrival.accept();
    });
    for (let at = 0; at < 100; at++) world.ask(accountingRequest);

    const answer = world.ask();
    world.clock.advance(10);

    expect(answer.got()).toBe('reply');
  });

  it('ends with its deadline', () => {
    const world = new World([{ requestsMax: 1 }]);
    world.ask({ deadlineMs: 60_000 });
    const answer = world.ask({ deadlineMs: 700 });

    world.clock.advance(2_000);

    expect(answer.outcomes).toEqual([{ outcome: { got: 'silence' }, atMs: 700 }]);
    expect(world.requests.every(({ octets }) => octets.length > 0)).toBe(true);
    expect(world.exchange.monitor()[0]).toMatchObject({ pending: 1, queued: 0, timeouts: 0 });
  });

  it('is bounded: a patient one more goes to the next server, an urgent one takes the place of the oldest patient', () => {
    const world = new World([{ address: first, requestsMax: 1 }]);
    const patient = { ...accountingRequest, urgency: 'patient' } as const;
    world.ask(patient);
    const waiting: Answer[] = [];
    for (let at = 0; at < waitingMax; at++) waiting.push(world.ask(patient));
    expect(world.exchange.monitor()[0]?.queued).toBe(waitingMax);

    const refused = world.ask(patient);
    const urgent = world.ask(accountingRequest);
    world.clock.advance(0);

    expect(refused.got()).toBe('silence');
    expect(waiting[0]?.got()).toBe('silence');
    expect(waiting[1]?.got()).toBe('');
    expect(urgent.got()).toBe('');
    expect(world.exchange.monitor()[0]?.queued).toBe(waitingMax);
  });
});

describe('identifiers', () => {
  it('of one socket are 256, then another socket is opened', () => {
    const world = new World([{ requestsMax: 600 }]);
    for (let at = 0; at < 600; at++) world.ask();
    world.clock.advance(10);

    const keys = world.requests.map(({ fromPort, packet }) => `${fromPort} ${packet.identifier}`);
    expect(keys).toHaveLength(600);
    expect(new Set(keys).size).toBe(600);
    expect(new Set(world.requests.map(({ fromPort }) => fromPort)).size).toBe(3);
  });

  it('rest for ten seconds after their request was given up', () => {
    const world = new World();
    const abandoned = world.ask({ deadlineMs: 50 });
    world.clock.advance(100);
    const [request] = world.requests;
    world.behaviours.set(first, answering);

    for (let at = 0; at < 600; at++) {
      world.ask();
      world.clock.advance(5);
    }
    const reused = (): boolean =>
      world.requests
        .slice(1)
        .some(
          ({ fromPort, packet }) =>
            fromPort === request?.fromPort && packet.identifier === request.packet.identifier,
        );

    expect(abandoned.got()).toBe('silence');
    expect(reused()).toBe(false);
    world.clock.advance(10_000);
    for (let at = 0; at < 300; at++) {
      world.ask();
      world.clock.advance(5);
    }
    expect(reused()).toBe(true);
  });
});

describe('over TLS', () => {
  const radsec = { protocol: 'radsec', certificate: 'node.pem' } as const;
  /** Its secret is `radsec`, so these replies do not verify; enough to see what is sent. */
  const transmissions = (world: World) =>
    world.requests.map(({ server, fromPort }) => `${server} ${fromPort}`);

  it('both roles share one connection to port 2083, and nothing is sent twice on it', () => {
    const world = new World([{ address: first, ...radsec }]);

    world.ask({ deadlineMs: 3_000 });
    world.ask(accountingRequest);
    world.clock.advance(3_000);

    expect(transmissions(world)).toEqual([`${first}:2083 40000`, `${first}:2083 40000`]);
    expect(new Set(world.requests.map(({ packet }) => packet.identifier)).size).toBe(2);
  });

  it('what is under way is sent again, octet by octet, when a broken connection is back', () => {
    const world = new World([{ address: first, ...radsec }]);
    world.ask();
    world.clock.advance(100);

    world.breakWires();
    world.clock.advance(1_000);

    const [sent, again] = world.requests;
    expect(world.requests).toHaveLength(2);
    expect(again?.octets).toEqual(sent?.octets);
    expect(again?.fromPort).not.toBe(sent?.fromPort);
  });

  it('a server that refuses the connection is dead at once, asked again later each time, and what waits goes to the next', () => {
    const world = new World([{ address: first, ...radsec }, { address: second }]);
    world.behaviours.set(second, answering);
    world.unreachable.add(first);
    world.breakWires('refused');

    const answer = world.ask();
    world.clock.advance(1_500);

    expect(answer.got()).toBe('reply');
    expect(world.exchange.monitor()[0]?.state).toBe('dead');
    world.clock.advance(600_000);
    const tries = world.wires.filter(({ ends }) => ends.address === first).length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(30);
  });

  it('a connection that the server closed while nobody used it is no failure, and open again when needed', () => {
    const world = new World([{ address: first, ...radsec }]);

    world.breakWires('idle for 30 s');
    world.clock.advance(60_000);
    expect(world.wires).toHaveLength(1);
    expect(stateOf(world)).toBe('alive');
    world.ask();
    world.clock.advance(1);

    expect(world.requests).toHaveLength(1);
  });
});
