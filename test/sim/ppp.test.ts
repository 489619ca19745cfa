/**
 * Our client's Link and Bundle against our server's, over wires that get worse. A run is a seed: settings, wire and times all
 * come from it. A run that breaks a law prints its seed and its frames; `PPP_SEED=n` replays it alone.
 */

import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import { below, type Random, seededRandom } from '../../src/base/random.ts';
import {
  type Method,
  methodsByStrength,
  type PasswordMethod,
  passwordMethodsByStrength,
} from '../../src/ppp/auth/method.ts';
import type { MppeBits } from '../../src/ppp/auth/mppe-keys.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import type { Encryption } from '../../src/ppp/bundle.ts';
import { type MppePolicy, mppeBits } from '../../src/ppp/ccp/options.ts';
import { End, password, type Wire, World } from './ppp-world.ts';

const local = parseIpv4('10.0.0.1') ?? 0;
const remote = parseIpv4('10.0.0.2') ?? 0;
const dns = [parseIpv4('10.0.0.53') ?? 0];

/** No run takes longer: LCP's ten requests, authentication's thirty seconds, CCP's and IPCP's ten. */
const patienceMs = 240_000;

interface Plan {
  readonly wire: Wire;
  readonly demand: ReadonlySet<Method>;
  readonly allow: ReadonlySet<PasswordMethod>;
  readonly rightPassword: boolean;
  readonly server: Policy;
  readonly client: Policy;
  readonly aaaMs: number;
  readonly clientBeginsMs: number;
  readonly serverBeginsMs: number;
}

interface Policy {
  readonly encryption: Encryption;
  readonly strengths: ReadonlySet<MppeBits>;
  readonly stateful: MppePolicy['stateful'];
  readonly bridging: boolean;
}

function some<T>(random: Random, from: readonly T[]): Set<T> {
  const chosen = from.filter(() => below(random, 2) === 0);
  return new Set(chosen.length > 0 ? chosen : from);
}

function one<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

function policy(random: Random): Policy {
  return {
    encryption: one(random, ['no', 'yes', 'required']),
    strengths: some(random, mppeBits),
    stateful: below(random, 2) === 0 ? 'allowed' : 'never',
    bridging: below(random, 3) !== 0,
  };
}

function planOf(seed: number, wireOf: (random: Random) => Wire): Plan {
  const random = seededRandom(seed ^ 0x5eed);
  return {
    wire: wireOf(random),
    demand: some(random, methodsByStrength),
    allow: some(random, passwordMethodsByStrength),
    rightPassword: below(random, 8) !== 0,
    server: policy(random),
    client: policy(random),
    aaaMs: below(random, 60),
    clientBeginsMs: below(random, 200),
    serverBeginsMs: below(random, 200),
  };
}

interface Outcome {
  readonly plan: Plan;
  readonly world: World;
  readonly server: End;
  readonly client: End;
}

function run(seed: number, plan: Plan): Outcome {
  const world = new World(seed, plan.wire, plan.aaaMs);
  const { random } = world;
  const link = { mru: 1450, fieldCompression: below(random, 2) === 0, random };
  const server = new End(
    world,
    'server',
    { ...link, identity: 'MikroTik', demand: plan.demand },
    { ...plan.server, addresses: { local, remote, dns, wins: [], askDns: false } },
  );
  const account = {
    name: 'user',
    password: plan.rightPassword ? password : new Password('wrong'),
    allow: plan.allow,
  };
  const client = new End(
    world,
    'client',
    { ...link, identity: 'client', demand: new Set(), account },
    { ...plan.client, addresses: { local: undefined, remote: undefined, dns: [], wins: [], askDns: true } },
  );
  world.ends = [server, client];
  world.clock.arm(plan.serverBeginsMs, () => server.begin());
  world.clock.arm(plan.clientBeginsMs, () => client.begin());
  while (!(world.inFlight === 0 && server.settled && client.settled)) {
    if (!world.clock.step() || world.clock.nowMs() > patienceMs) break;
  }
  return { plan, world, server, client };
}

/** Can the two agree at all? */
function expectation({
  demand,
  allow,
  rightPassword,
  server,
  client,
}: Plan): 'clear' | 'encrypted' | 'ended' {
  const method = passwordMethodsByStrength.find((each) => demand.has(each) && allow.has(each));
  if (method === undefined || !rightPassword) return 'ended';
  const keys = method === 'mschap1' || method === 'mschap2';
  const common = mppeBits.some((bits) => server.strengths.has(bits) && client.strengths.has(bits));
  const willing = server.encryption !== 'no' && client.encryption !== 'no' && keys && common;
  if (willing) return 'encrypted';
  return server.encryption === 'required' || client.encryption === 'required' ? 'ended' : 'clear';
}

/** What must be true at the end of every run, whatever the wire did: both ended with a cause, or both are up and agree. */
function checkEnd({ plan, server, client }: Outcome): void {
  if (server.cause !== undefined && client.cause !== undefined) return;
  checkBridge(plan, server, client);
  expect({ server: stand(server), client: stand(client) }).toEqual({
    server: { up: { local, remote, dns: [] }, cause: undefined, keys: [client.receive, server.receive] },
    client: {
      up: { local: remote, remote: local, dns },
      cause: undefined,
      keys: [server.receive, client.receive],
    },
  });
  expect(client.receive).toEqual(server.receive);
}

/** LANs are bridged where both ends are asked to, and only there; an end may have lost all of its ten requests. */
function checkBridge(plan: Plan, server: End, client: End): void {
  const isWished = plan.server.bridging && plan.client.bridging;
  if (isWished && [server.unbridged, client.unbridged].includes('timeout')) return;
  const takes = { taggedFrames: true, inlineManagement: true, controlIndicator: false };
  const bridge = isWished ? takes : undefined;
  expect({ server: server.bridge, client: client.bridge }).toEqual({ server: bridge, client: bridge });
}

function stand({ network, cause, transmit, receive }: End) {
  const { local, remote, dns } = network ?? {};
  return { up: network && { local, remote, dns }, cause, keys: [transmit, receive] };
}

function checked(seed: number, plan: Plan, law: (outcome: Outcome) => void): Outcome {
  let outcome: Outcome | undefined;
  try {
    outcome = run(seed, plan);
    law(outcome);
    return outcome;
  } catch (error) {
    const frames = outcome?.world.trace ?? 'the run threw';
    throw new Error(
      `seed ${seed}: ${error instanceof Error ? error.stack : error}\n${show(plan)}\n${frames}`,
    );
  }
}

function show(plan: Plan): string {
  return JSON.stringify(plan, (_key, value) => (value instanceof Set ? [...value] : value));
}

const replay = process.env.PPP_SEED;
function seeds(from: number, count: number): readonly number[] {
  return replay === undefined ? Array.from({ length: count }, (_, at) => from + at) : [Number(replay)];
}

describe('client against server', { timeout: 120_000 }, () => {
  it('comes to what the settings allow when the wire is whole, in 3,000 runs', () => {
    const wire = { loss: 0, duplication: 0, delayMs: 5, jitterMs: 0 };
    for (const seed of seeds(0, 3_000)) {
      const plan = planOf(seed, () => wire);
      checked(seed, plan, (outcome) => {
        checkEnd(outcome);
        const { server, client } = outcome;
        const came = server.network === undefined ? 'ended' : server.network.mppe ? 'encrypted' : 'clear';
        expect(came).toBe(expectation(plan));
        if (came === 'ended') expect([server.cause, client.cause]).not.toContain('lcp-failed');
      });
    }
  });

  it('never waits for a restart timer on a whole wire that both ends listen to, in 2,000 runs', () => {
    const wire = { loss: 0, duplication: 0, delayMs: 5, jitterMs: 0 };
    for (const seed of seeds(10_000, 2_000)) {
      const plan = { ...planOf(seed, () => wire), clientBeginsMs: 0, serverBeginsMs: 0, aaaMs: 5 };
      checked(seed, plan, ({ server, client }) => {
        if (expectation(plan) === 'ended') return;
        expect(Math.max(server.upAtMs ?? Infinity, client.upAtMs ?? Infinity)).toBeLessThan(300);
      });
    }
  });

  it('sends its first request again when a late client is first heard, in 1,000 runs', () => {
    const wire = { loss: 0, duplication: 0, delayMs: 5, jitterMs: 0 };
    for (const seed of seeds(20_000, 1_000)) {
      const plan = { ...planOf(seed, () => wire), serverBeginsMs: 0, clientBeginsMs: 200, aaaMs: 5 };
      checked(seed, plan, ({ server }) => {
        if (expectation(plan) !== 'ended') expect(server.upAtMs).toBeLessThan(500);
      });
    }
  });

  const wires: readonly [string, number, (random: Random) => Wire][] = [
    ['lost', 100_000, (random) => wireOf(random, { loss: 300, duplication: 0, jitterMs: 0 })],
    [
      'reordered and duplicated',
      200_000,
      (random) => wireOf(random, { loss: 0, duplication: 200, jitterMs: 150 }),
    ],
    [
      'lost, reordered and duplicated',
      300_000,
      (random) => wireOf(random, { loss: 250, duplication: 100, jitterMs: 150 }),
    ],
  ];
  it.each(wires)('ends alike on both sides when frames are %s, in 5,000 runs', (_what, first, wire) => {
    let up = 0;
    for (const seed of seeds(first, 5_000)) {
      const { server } = checked(seed, planOf(seed, wire), checkEnd);
      if (server.network !== undefined) up += 1;
    }
    if (replay === undefined) expect(up).toBeGreaterThan(1_000);
  });
});

/** A wire somewhere between whole and the worst. */
function wireOf(random: Random, worst: Omit<Wire, 'delayMs'>): Wire {
  return {
    loss: below(random, worst.loss + 1),
    duplication: below(random, worst.duplication + 1),
    delayMs: 1 + below(random, 100),
    jitterMs: below(random, worst.jitterMs + 1),
  };
}
