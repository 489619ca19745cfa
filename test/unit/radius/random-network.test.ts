/** Many queries over a network that loses, delays, repeats and forges: each ends exactly once, and accounts balance. */

import { describe, expect, it } from 'vitest';
import { below, seededRandom } from '../../../src/base/random.ts';
import { Secret } from '../../../src/base/secret.ts';
import { identifierRestMs } from '../../../src/radius/line.ts';
import { codes } from '../../../src/radius/packet.ts';
import {
  type Answer,
  type Arrival,
  accessRequest,
  accountingRequest,
  replyTo,
  server,
  World,
} from './world.ts';

const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
const otherSecret = new Secret('other').octets;

const authenticatorOf = ({ packet }: Arrival): string => packet.authenticator.join();

/** A network with its own dice; every server answers, sooner or later, often or seldom, and may lie. */
function storm(seed: number) {
  const random = seededRandom(seed);
  const upTo = (limit: number): number => below(random, limit);
  const chance = (percent: number): boolean => upTo(100) < percent;
  const world = new World(
    addresses.map((address, at) => ({ address, requestsMax: 1 + upTo(40), weight: at * upTo(3) })),
    seed,
  );
  /** When a true reply to a request reaches the exchange first, by the request's authenticator. */
  const answeredMs = new Map<string, number>();
  for (const address of addresses) {
    const lossPercent = upTo(90);
    world.behaviours.set(address, (arrival) => {
      const { packet, reply } = arrival;
      if (chance(lossPercent)) return;
      if (chance(10)) reply(replyTo(packet, undefined, otherSecret), upTo(2_000));
      if (chance(10)) reply(replyTo(packet, codes.disconnectAck), upTo(2_000));
      const delaysMs = [upTo(chance(10) ? 20_000 : 3_000), ...(chance(20) ? [upTo(30_000)] : [])];
      for (const delayMs of delaysMs) {
        arrival.accept(delayMs);
        const key = authenticatorOf(arrival);
        const atMs = world.clock.nowMs() + delayMs;
        answeredMs.set(key, Math.min(atMs, answeredMs.get(key) ?? atMs));
      }
    });
  }
  return { world, chance, upTo, answeredMs };
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('a stormy network, seed %i', (seed) => {
  it('ends each query exactly once, cancelled ones not at all, and nothing is left over', () => {
    const { world, chance, upTo } = storm(seed);
    const asked: Answer[] = [];
    const cancelled = new Set<Answer>();

    for (let at = 0; at < 600; at++) {
      const query = chance(50) ? accessRequest : accountingRequest;
      const answer = world.ask({ ...query, urgency: chance(50) ? 'urgent' : 'patient' });
      asked.push(answer);
      if (chance(5)) {
        answer.cancel();
        cancelled.add(answer);
      }
      if (chance(1)) world.breakWires();
      if (chance(1))
        world.exchange.configure(addresses.map((address) => server({ address, comment: `${at}` })));
      if (chance(1)) world.exchange.configure([server({ address: addresses[upTo(3)] ?? '' })]);
      world.clock.advance(upTo(200));
    }
    world.clock.advance(600_000);

    for (const answer of asked) expect(answer.outcomes).toHaveLength(cancelled.has(answer) ? 0 : 1);
    for (const { pending, queued } of world.exchange.monitor()) expect([pending, queued]).toEqual([0, 0]);
    expect(asked.filter((answer) => answer.got() === 'reply').length).toBeGreaterThan(100);
  });

  it('gives an identifier to another request only when the one before was answered or has rested', () => {
    const { world, upTo, answeredMs } = storm(seed);
    for (let at = 0; at < 600; at++) {
      world.ask();
      world.clock.advance(upTo(20));
    }
    world.clock.advance(60_000);

    const holders = new Map<string, Arrival>();
    let changes = 0;
    for (const request of world.requests) {
      const key = `${request.server} ${request.fromPort} ${request.packet.identifier}`;
      const before = holders.get(key);
      holders.set(key, request);
      if (before === undefined || authenticatorOf(before) === authenticatorOf(request)) continue;
      changes += 1;
      const isAnswered =
        (answeredMs.get(authenticatorOf(before)) ?? Number.POSITIVE_INFINITY) <= request.atMs;
      const hasRested = request.atMs - before.atMs >= identifierRestMs;
      expect(isAnswered || hasRested, key).toBe(true);
    }
    expect(changes).toBeGreaterThan(0);
  });
});
