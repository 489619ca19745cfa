/**
 * What happens in one run of the simulation: a scenario drawn from a seed, and the play of it, with the laws that must hold when
 * the storm is over and when all has ended. The laws of every moment are tunnel-world.ts's.
 */

import { expect } from 'vitest';
import { profileMenu, secretMenu } from '../../src/aaa/settings.ts';
import { below, type Random, seededRandom } from '../../src/base/random.ts';
import { defaultsOf } from '../../src/base/setting.ts';
import { clientMenu } from '../../src/client/settings.ts';
import { type Conditions, calm } from '../../src/datapath/fake-wire.ts';
import { passwordMethodsByStrength } from '../../src/ppp/auth/method.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { type MppePolicy, mppeBits } from '../../src/ppp/ccp/options.ts';
import { authenticationMethods, serverMenu, staticServerMenu } from '../../src/session/server-settings.ts';
import { type Host, ip, packets, places } from './tunnel-host.ts';
import { allAddresses, TunnelWorld, type WorldSettings } from './tunnel-world.ts';

/** The calm after the storm brings a tunnel within: keepalive's 35 s, a client's pause of 30 s, LCP's ten requests. */
const patienceMs = 300_000;
/** Up for longer than any restart timer: nothing is in the air any more. */
const quietMs = 4_000;
/** A goodbye of 2 s, a Call-Clear or Stop that is not answered. */
const farewellMs = 90_000;
/** What is on its way when all is over. */
const airMs = 1_000;

/** A process that was killed is back before anybody has given the line up. */
const awayMsMax = 3_000;

type Accident =
  | 'none'
  | 'server hangs up'
  | 'client hangs up'
  | 'TCP dies'
  | 'GRE dies'
  | 'GRE pauses'
  | 'LCP restarts'
  | "the server's control is killed"
  | "the client's control is killed"
  | 'server is disabled for a while';

const accidents: readonly Accident[] = [
  'none',
  'server hangs up',
  'client hangs up',
  'TCP dies',
  'GRE dies',
  'GRE pauses',
  'LCP restarts',
  "the server's control is killed",
  "the client's control is killed",
  'server is disabled for a while',
];

/** The host's, none, and one that is not there. */
const bridges = [undefined, undefined, 'lan0', 'lan0', 'lan9'] as const;
const encryptions = ['no', 'yes', 'required'] as const;

interface Scenario {
  readonly settings: WorldSettings;
  readonly storm: Conditions;
  readonly stormMs: number;
  readonly accident: Accident;
  readonly accidentMs: number;
  readonly lastWord: 'server' | 'client' | 'both';
  /** Whose control is killed when the storm is over and the tunnel is up. */
  readonly killed: 'nobody' | 'server' | 'client' | 'both';
}

function one<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

function some<T>(random: Random, from: readonly T[]): readonly T[] {
  const chosen = from.filter(() => below(random, 2) === 0);
  return chosen.length > 0 ? chosen : from;
}

function often(random: Random, in10: number): boolean {
  return below(random, 10) < in10;
}

function settingsOf(random: Random): WorldSettings {
  const remote = one(random, ['secret', 'pool', 'one', 'profile', 'pool', 'secret', 'nothing'] as const);
  const wishes = {
    secret: { address: ip('10.0.1.9') },
    profile: { address: ip('10.0.1.9') },
    pool: { pool: 'many' },
    one: { pool: 'one' },
    nothing: undefined,
  };
  const user = one(random, ['anna', 'DOMAIN\\anna', 'a user of many words', 'é']);
  const password = new Password('Geheim?1');
  const profile = {
    ...defaultsOf(profileMenu),
    localAddress: { address: ip('10.0.0.1') },
    remoteAddress: remote === 'profile' ? wishes.profile : undefined,
    onlyOne: one(random, ['default', 'no', 'yes'] as const),
    changeTcpMss: one(random, ['default', 'no', 'yes'] as const),
    sessionTimeout: one(random, [undefined, 0, 3_600_000]),
    idleTimeout: one(random, [undefined, 0, 1_800_000]),
    dnsServer: one(random, [[], [ip('9.9.9.9')]]),
  };
  return {
    configuration: {
      server: {
        ...defaultsOf(serverMenu),
        enabled: true,
        authentication: some(random, authenticationMethods),
        keepaliveTimeout: one(random, [5_000, 30_000]),
        maxMtu: one(random, [512, 1450, 1500]),
        maxMru: one(random, [1000, 1450, 1500]),
        mrru: one(random, ['disabled', 1000, 1600]),
      },
      staticServers: often(random, 2) ? [{ ...defaultsOf(staticServerMenu), name: 'pptp-in1', user }] : [],
    },
    secret: {
      ...defaultsOf(secretMenu),
      name: user,
      password,
      profile: 'subscribers',
      remoteAddress: remote === 'profile' ? undefined : wishes[remote],
      routes: often(random, 3)
        ? [{ destination: { address: ip('10.9.0.0'), length: 16 }, gateway: 0, metric: 1 }]
        : [],
    },
    serverProfile: {
      ...profile,
      name: 'subscribers',
      useEncryption: one(random, encryptions),
      bridge: one(random, bridges),
    },
    pools: [pool('many', '10.0.2.0', '10.0.2.255'), pool('one', '10.0.3.1', '10.0.3.1')],
    client: {
      ...defaultsOf(clientMenu),
      name: 'pptp-out1',
      disabled: false,
      connectTo: often(random, 1) ? { hostName: 'server.example' } : { address: places.server },
      user,
      password: often(random, 1) ? new Password('geraten') : password,
      allow: some(random, authenticationMethods),
      keepaliveTimeout: one(random, [10_000, 60_000, 'disabled'] as const),
      mrru: one(random, ['disabled', 1600] as const),
      addDefaultRoute: often(random, 3),
    },
    clientProfile: {
      ...defaultsOf(profileMenu),
      name: 'ours',
      useEncryption: one(random, encryptions),
      bridge: one(random, bridges),
      changeTcpMss: profile.changeTcpMss,
    },
    judgeMs: one(random, [0, 0, 20, 400]),
    serverMppe: mppeOf(random),
    clientMppe: mppeOf(random),
  };
}

function mppeOf(random: Random): MppePolicy {
  const strengths = often(random, 5) ? mppeBits : some(random, mppeBits);
  return {
    strengths: new Set(strengths),
    stateful: one(random, ['allowed', 'allowed', 'never', 'only'] as const),
  };
}

/** Is there a cipher that both take? */
function hasCommonMppe(one: MppePolicy, other: MppePolicy): boolean {
  const modes = [one.stateful, other.stateful];
  if (modes.includes('only') && modes.includes('never')) return false;
  return mppeBits.some((bits) => one.strengths.has(bits) && other.strengths.has(bits));
}

function pool(name: string, first: string, last: string) {
  return { name, ranges: [{ first: ip(first), last: ip(last) }], nextPool: undefined, comment: '' };
}

function scenarioOf(seed: number, stormOf: (random: Random) => Conditions, among = accidents): Scenario {
  const random = seededRandom(seed ^ 0x7a11);
  const stormMs = one(random, [50, 500, 3_000, 15_000]);
  return {
    settings: settingsOf(random),
    storm: stormOf(random),
    stormMs,
    accident: one(random, among),
    accidentMs: below(random, Math.min(stormMs, one(random, [60, stormMs]))),
    lastWord: one(random, ['server', 'client', 'both']),
    killed: often(random, 1) ? one(random, ['server', 'client', 'both']) : 'nobody',
  };
}

type Expected = 'down' | 'clear' | 'encrypted' | 'clear or encrypted';

/** Can the two agree at all, and how? */
function expectation({ settings, storm, accident }: Scenario): Expected {
  const { configuration, secret, serverProfile, client, clientProfile } = settings;
  const method = passwordMethodsByStrength.find(
    (each) => configuration.server.authentication.includes(each) && client.allow.includes(each),
  );
  if (method === undefined || client.password.reveal() !== secret.password.reveal()) return 'down';
  if (secret.remoteAddress === undefined && serverProfile.remoteAddress === undefined) return 'down';
  const policies = [serverProfile.useEncryption, clientProfile.useEncryption];
  const { serverMppe, clientMppe } = settings;
  const common =
    serverMppe === undefined || clientMppe === undefined || hasCommonMppe(serverMppe, clientMppe);
  const willing = common && !policies.includes('no') && (method === 'mschap1' || method === 'mschap2');
  // In a storm CCP may be given up, if nobody insists on it.
  const disturbed = storm.lossRate > 0 || storm.jitterMs > 0 || accident === 'GRE pauses';
  if (willing) return disturbed && !policies.includes('required') ? 'clear or encrypted' : 'encrypted';
  return policies.includes('required') ? 'down' : 'clear';
}

function happen(world: TunnelWorld, { accident, settings, storm }: Scenario): void {
  switch (accident) {
    case 'none':
      return;
    case 'server hangs up':
      for (const session of world.server.sessions.keys()) session.end('admin-reset');
      return;
    case 'client hangs up':
      return world.dialer.session?.end('admin-reset');
    case 'TCP dies':
      return world.resetTcp();
    case 'GRE dies':
    case 'GRE pauses':
      world.wire.conditions = { ...storm, grePasses: false };
      return;
    case 'LCP restarts':
      return world.restartLcp();
    case "the server's control is killed":
      return world.killServerControl(below(world.random, awayMsMax));
    case "the client's control is killed":
      return world.killClientControl(below(world.random, awayMsMax));
    case 'server is disabled for a while': {
      const { configuration } = settings;
      world.server.configure({ ...configuration, server: { ...configuration.server, enabled: false } });
      world.clock.arm(500, () => world.server.configure(configuration));
      return;
    }
  }
}

/** The storm, with an accident and some traffic in it; then calm until the tunnel is what it should be. True if that is up. */
function play(world: TunnelWorld, scenario: Scenario): boolean {
  const { settings, storm, stormMs, accident, accidentMs } = scenario;
  world.serverHost.requiresEncryption = settings.serverProfile.useEncryption === 'required';
  world.clientHost.requiresEncryption = settings.clientProfile.useEncryption === 'required';
  world.wire.conditions = storm;
  world.clock.arm(accidentMs, () => happen(world, scenario));
  for (const part of [0.3, 0.6, 0.9]) world.clock.arm(part * stormMs, () => world.exchangePackets());
  world.until(() => false, Math.max(stormMs, 1));
  world.until(() => world.isReady, awayMsMax);

  const grePasses = accident !== 'GRE dies';
  world.wire.conditions = { ...calm, grePasses };
  const expected = grePasses ? expectation(scenario) : 'down';
  if (expected === 'down') expect(world.until(() => world.isDown, patienceMs)).toBe(true);
  else {
    if (scenario.killed !== 'nobody') checkTakeover(world, scenario.killed);
    checkUp(world, expected);
  }
  return expected !== 'down';
}

/** Up on both ends, and so for a while. */
function untilUp(world: TunnelWorld): void {
  const deadlineMs = world.clock.nowMs() + patienceMs;
  do {
    expect(world.until(() => world.ends !== undefined, deadlineMs - world.clock.nowMs())).toBe(true);
  } while (world.until(() => world.ends === undefined, quietMs));
}

/** Control dies under a tunnel that is up: each end goes on with the call that it had. */
function checkTakeover(world: TunnelWorld, killed: 'server' | 'client' | 'both'): void {
  untilUp(world);
  const calls = callsOf(world);
  if (killed !== 'client') world.killServerControl(below(world.random, awayMsMax));
  if (killed !== 'server') world.killClientControl(below(world.random, awayMsMax));
  expect(world.until(() => world.isReady, awayMsMax)).toBe(true);
  expect(callsOf(world)).toEqual(calls);
}

/** Handles of the calls of the two ends. */
function callsOf({ ends }: TunnelWorld): readonly (number | undefined)[] {
  return [ends?.server.place.call, ends?.client.place.call];
}

/** Up on both ends, and so for a while; then packets arrive as they were sent, and no others do. */
function checkUp(world: TunnelWorld, expected: Expected): void {
  untilUp(world);
  const { server, client } = world.ends ?? {};
  expect(client?.agreed?.local).toBe(server?.agreed?.remote);
  expect(client?.agreed?.remote).toBe(server?.agreed?.local);
  expect(client?.agreed?.mppe).toEqual(server?.agreed?.mppe);
  const encoding = client?.agreed?.mppe === undefined ? 'clear' : 'encrypted';
  expect(expected).toContain(encoding);

  const { serverHost, clientHost } = world;
  serverHost.received.length = 0;
  clientHost.received.length = 0;
  // Stateful MPPE that lost its place in the storm gives a packet each way for a Reset-Request.
  const tries = client?.agreed?.mppe?.stateless === false ? 3 : 1;
  for (let sent = 0; sent < tries; sent += 1) {
    world.exchangePackets();
    world.until(() => false, 20);
  }
  expect([serverHost.received.at(-1), clientHost.received.at(-1)]).toEqual([
    packets.upward,
    packets.downward,
  ]);
  for (const host of [serverHost, clientHost]) {
    world.forge(host);
    expect(host.received.includes(packets.forged)).toBe(encoding === 'clear');
  }
}

/** All is given back, and nothing is left to happen. */
function checkEnd(world: TunnelWorld, { lastWord }: Scenario): void {
  let done = 0;
  const over = () => {
    done += 1;
  };
  if (lastWord !== 'client') world.server.end('shut-down', over);
  if (lastWord !== 'server') world.dialer.end('client-disabled', over);
  const first = lastWord === 'both' ? 2 : 1;
  expect(world.until(() => done === first, farewellMs)).toBe(true);
  if (lastWord === 'client') world.server.end('shut-down', over);
  if (lastWord === 'server') world.dialer.end('shut-down', over);
  expect(world.until(() => done === 2, farewellMs)).toBe(true);
  world.until(() => false, airMs);

  expect(world.clock.step(), 'a timer is left').toBe(false);
  world.count();
  world.until(() => false, 0);
  const addresses = world.addresses.usageOf(allAddresses.name)?.used;
  const hosts = [world.serverHost, world.clientHost].map(leftOn);
  expect({ done, addresses, hosts }).toEqual({ done: 2, addresses: 0, hosts: [nothing, nothing] });
}

const nothing = {
  held: [0, 0, 0],
  interfaces: [],
  engine: [0, 0, 0],
  endedTwice: [],
  accounted: 0,
  licences: 0,
};

function leftOn({ callIds, links, names, engine, totals, endings, books, licence }: Host): typeof nothing {
  return {
    held: [callIds.held, links.held, names.held],
    interfaces: [...engine.linkNames] as never[],
    engine: [totals?.calls ?? -1, totals?.connections ?? -1, totals?.links ?? -1],
    endedTwice: [...endings.values()].filter((causes) => causes.length !== 1) as never[],
    accounted: books.open.size,
    licences: licence.used,
  };
}

/** Plays the scenario of a seed, or throws with all that is known of it. */
function run(seed: number, scenario: Scenario): 'up' | 'down' {
  const world = new TunnelWorld(seed, scenario.settings);
  try {
    world.until(() => world.isReady, airMs);
    const cameUp = play(world, scenario);
    checkEnd(world, scenario);
    return cameUp ? 'up' : 'down';
  } catch (error) {
    const why = error instanceof Error ? error.stack : String(error);
    throw new Error(`seed ${seed}: ${why}\n${show(scenario)}\n${world.describe()}`);
  }
}

/** The scenario without the settings that every run has. */
function show(scenario: Scenario): string {
  return JSON.stringify(scenario, (_key, value) => (value instanceof Set ? [...value] : value), 1).replace(
    /\n\s+/g,
    ' ',
  );
}

const replay = process.env.SEED;

/** The law of the whole: `runs` runs from the seed `first` on, in storms drawn by `stormOf`, all end well, and many come up. */
export function holds(first: number, runs: number, stormOf: (random: Random) => Conditions): void {
  const seeds = replay === undefined ? Array.from({ length: runs }, (_, at) => first + at) : [Number(replay)];
  let up = 0;
  for (const seed of seeds) up += run(seed, scenarioOf(seed, stormOf)) === 'up' ? 1 : 0;
  if (replay === undefined) expect(up).toBeGreaterThan(runs / 4);
}

/** A storm somewhere between calm and the worst. */
export function stormUpTo(worst: Partial<Conditions>): (random: Random) => Conditions {
  const part = (random: Random, value = 0) => (value * below(random, 101)) / 100;
  return (random) => ({
    delayMs: 1 + below(random, 80),
    jitterMs: part(random, worst.jitterMs),
    lossRate: part(random, worst.lossRate),
    duplicateRate: part(random, worst.duplicateRate),
    splitRate: part(random, worst.splitRate),
    grePasses: true,
  });
}
