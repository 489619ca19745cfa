/**
 * What every Registry promises: no user has more sessions than he may, no address is claimed twice, what is up is found and what is
 * over is free. A world has one node or several; a suite asks any of them for anything, because which node is asked must not matter.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { below, type Random, seededRandom } from '../../src/base/random.ts';
import type {
  AddressClaim,
  ClaimOutcome,
  NodeCommand,
  NodeReply,
  NodeRow,
  NodeStatus,
  Owner,
  Registry,
  RegistryPorts,
  Search,
  SessionRow,
  UserClaim,
} from '../../src/session/registry/registry.ts';

/** A node of the service: its registry has begun, and tells here what it wants of its node. */
export interface Site extends Owner {
  readonly registry: Registry;
  /** Sessions that the registry has said must end. */
  readonly conflicts: string[];
  readonly performed: NodeCommand[];
}

export interface RegistryWorld {
  readonly sites: readonly [Site, ...Site[]];
  /** Whether nothing is kept of any session. */
  isEmpty(): Promise<boolean>;
  /** Asks again and again until `condition` holds; fails the test if it never does. */
  until(condition: () => Promise<boolean> | boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

export const promised = {
  claimUser: (registry: Registry, claim: UserClaim) =>
    new Promise<ClaimOutcome>((resolve) => registry.claimUser(claim, resolve)),
  claimAddress: (registry: Registry, claim: AddressClaim) =>
    new Promise<ClaimOutcome>((resolve) => registry.claimAddress(claim, resolve)),
  find: (registry: Registry, by: Search) =>
    new Promise<readonly SessionRow[]>((resolve) => registry.find(by, resolve)),
  list: (registry: Registry) => new Promise<readonly SessionRow[]>((resolve) => registry.list(resolve)),
  nodes: (registry: Registry) => new Promise<readonly NodeRow[]>((resolve) => registry.nodes(resolve)),
  command: (registry: Registry, node: string, command: NodeCommand) =>
    new Promise<NodeReply>((resolve) => registry.command(node, command, resolve)),
};

/** The suite, for the registry called `name`. */
export function describeRegistry(name: string, makeWorld: () => Promise<RegistryWorld>): void {
  describe(`${name} as a registry`, () => {
    let world: RegistryWorld;
    const open = async () => {
      world = await makeWorld();
      const sites = world.sites;
      return { here: sites[0], there: sites.at(-1) ?? sites[0] };
    };
    afterEach(() => world.close());

    const granted = { granted: true, victims: [] };
    const refused = { granted: false };
    const one = { user: 'jack', limit: 1, policy: 'reject' } as const;

    test('a user has as many sessions as he may, and no more', async () => {
      const { here, there } = await open();
      const two = { ...one, limit: 2 };

      expect(await promised.claimUser(here.registry, { ...two, sessionId: 'a' })).toEqual(granted);
      expect(await promised.claimUser(there.registry, { ...two, sessionId: 'b' })).toEqual(granted);
      expect(await promised.claimUser(here.registry, { ...two, sessionId: 'c' })).toEqual(refused);
      expect(await promised.claimUser(there.registry, { ...two, sessionId: 'd' })).toEqual(refused);
    });

    test('without a limit any number is granted, with none at all nothing', async () => {
      const { here, there } = await open();

      for (const sessionId of 'abcdef') {
        const claim = { ...one, sessionId, limit: undefined };
        expect(await promised.claimUser(here.registry, claim)).toEqual(granted);
      }
      for (const policy of ['reject', 'replace'] as const) {
        const claim = { user: 'jill', sessionId: 'g', limit: 0, policy };
        expect(await promised.claimUser(there.registry, claim)).toEqual(refused);
      }
    });

    test('a session that claims again takes no second place', async () => {
      const { here } = await open();

      expect(await promised.claimUser(here.registry, { ...one, sessionId: 'a' })).toEqual(granted);
      expect(await promised.claimUser(here.registry, { ...one, sessionId: 'a' })).toEqual(granted);
    });

    test('a session that is another user after all leaves the first one free', async () => {
      const { here, there } = await open();
      await promised.claimUser(here.registry, { ...one, sessionId: 'a' });

      await promised.claimUser(here.registry, { ...one, user: 'jill', sessionId: 'a' });

      expect(await promised.claimUser(there.registry, { ...one, sessionId: 'b' })).toEqual(granted);
      expect(await promised.claimUser(there.registry, { ...one, user: 'jill', sessionId: 'c' })).toEqual(
        refused,
      );
    });

    test('a place is free again when its session is over, also if it never came up', async () => {
      const { here, there } = await open();
      await promised.claimUser(here.registry, { ...one, sessionId: 'a' });
      here.registry.up(rowOf(here, 'a', 'jack', 7));
      await promised.claimUser(here.registry, { ...one, user: 'jill', sessionId: 'b' });

      here.registry.ended('a');
      here.registry.ended('b');
      await world.until(() => world.isEmpty(), 'all freed');

      expect(await promised.claimUser(there.registry, { ...one, sessionId: 'c' })).toEqual(granted);
      expect(await promised.claimUser(there.registry, { ...one, user: 'jill', sessionId: 'd' })).toEqual(
        granted,
      );
    });

    test('a session of a process before keeps its place, its address, and the limit of its user', async () => {
      const { here, there } = await open();

      here.registry.resume(rowOf(here, 'a', 'jack', 7), 1);
      await untilFound(there, { user: 'jack' }, ['a']);

      expect(await promised.claimUser(there.registry, { ...one, sessionId: 'b' })).toEqual(refused);
      const claim = { address: 7, policy: 'reject', sessionId: 'c', user: 'jill' } as const;
      expect(await promised.claimAddress(there.registry, claim)).toEqual(refused);
      here.registry.ended('a');
      await world.until(() => world.isEmpty(), 'all freed');
      expect(await promised.claimUser(there.registry, { ...one, sessionId: 'd' })).toEqual(granted);
    });

    test('the end of a session that is not known does no harm', async () => {
      const { here } = await open();

      here.registry.ended('nobody');

      expect(await promised.claimUser(here.registry, { ...one, sessionId: 'a' })).toEqual(granted);
    });

    test('with replace the oldest gives way, and counts no more while it ends', async () => {
      const { here, there } = await open();
      const two = { ...one, limit: 2, policy: 'replace' as const };
      await promised.claimUser(here.registry, { ...two, sessionId: 'a' });
      await promised.claimUser(there.registry, { ...two, sessionId: 'b' });

      const third = await promised.claimUser(here.registry, { ...two, sessionId: 'c' });
      const fourth = await promised.claimUser(here.registry, { ...two, sessionId: 'd' });

      expect(third).toEqual({ granted: true, victims: [{ node: here.node, sessionId: 'a' }] });
      expect(fourth).toEqual({ granted: true, victims: [{ node: there.node, sessionId: 'b' }] });
    });

    test('a lower limit than before takes all that is over it', async () => {
      const { here } = await open();
      const three = { ...one, limit: 3, policy: 'replace' as const };
      for (const sessionId of 'abc') await promised.claimUser(here.registry, { ...three, sessionId });

      const outcome = await promised.claimUser(here.registry, { ...three, limit: 1, sessionId: 'd' });

      const victims = [...'abc'].map((sessionId) => ({ node: here.node, sessionId }));
      expect(outcome).toEqual({ granted: true, victims });
    });

    test('users are told apart by every character', async () => {
      const { here, there } = await open();
      const users = ['jack', 'Jack', 'jack ', 'jack a', 'jack!', 'jack%20', 'jäck', 'jack@isp', '', '[jack'];

      for (const [at, user] of users.entries()) {
        const claim = { ...one, user, sessionId: `a${at}` };
        expect(await promised.claimUser(here.registry, claim), user).toEqual(granted);
        here.registry.up(rowOf(here, `a${at}`, user, at + 1));
      }
      for (const [at, user] of users.entries()) {
        const claim = { ...one, user, sessionId: `b${at}` };
        expect(await promised.claimUser(there.registry, claim), user).toEqual(refused);
        await untilFound(there, { user }, [`a${at}`]);
      }
    });

    test('an address is claimed once', async () => {
      const { here, there } = await open();
      const claim = { address: 7, policy: 'reject' } as const;

      expect(await promised.claimAddress(here.registry, { ...claim, sessionId: 'a', user: 'x' })).toEqual(
        granted,
      );
      expect(await promised.claimAddress(here.registry, { ...claim, sessionId: 'a', user: 'x' })).toEqual(
        granted,
      );
      for (const user of ['x', 'y']) {
        const other = { ...claim, sessionId: 'b', user };
        expect(await promised.claimAddress(there.registry, other)).toEqual(refused);
      }
      here.registry.ended('a');
      await world.until(() => world.isEmpty(), 'all freed');
      expect(await promised.claimAddress(there.registry, { ...claim, sessionId: 'b', user: 'y' })).toEqual(
        granted,
      );
    });

    test('with replace an address goes to another session of the same user only', async () => {
      const { here, there } = await open();
      const claim = { address: 0xffffffff, policy: 'replace' } as const;
      await promised.claimAddress(here.registry, { ...claim, sessionId: 'a', user: 'x' });

      const ofOther = await promised.claimAddress(there.registry, { ...claim, sessionId: 'b', user: 'y' });
      const ofSame = await promised.claimAddress(there.registry, { ...claim, sessionId: 'c', user: 'x' });

      expect(ofOther).toEqual(refused);
      expect(ofSame).toEqual({ granted: true, victims: [{ node: here.node, sessionId: 'a' }] });
    });

    test('the end of a session that gave its address away does not free it', async () => {
      const { here, there } = await open();
      const claim = { address: 7, policy: 'replace', user: 'x' } as const;
      await promised.claimAddress(here.registry, { ...claim, sessionId: 'a' });
      here.registry.up(rowOf(here, 'a', 'x', 7));
      await promised.claimAddress(there.registry, { ...claim, sessionId: 'b' });
      there.registry.up(rowOf(there, 'b', 'x', 7));

      here.registry.ended('a');
      await untilFound(here, { user: 'x' }, ['b']);

      await untilFound(here, { address: 7 }, ['b']);
      const other = { ...claim, sessionId: 'c', user: 'y' };
      expect(await promised.claimAddress(here.registry, other)).toEqual(refused);
    });

    test('a session that claims another address leaves the first one free', async () => {
      const { here, there } = await open();
      await promised.claimAddress(here.registry, { address: 7, policy: 'reject', sessionId: 'a', user: 'x' });

      await promised.claimAddress(here.registry, { address: 8, policy: 'reject', sessionId: 'a', user: 'x' });

      const claim = { policy: 'reject', sessionId: 'b', user: 'y' } as const;
      expect(await promised.claimAddress(there.registry, { ...claim, address: 8 })).toEqual(refused);
      expect(await promised.claimAddress(there.registry, { ...claim, address: 7 })).toEqual(granted);
    });

    test('what is up is found by name, user and address, with its counters; what only claims is not', async () => {
      const { here, there } = await open();
      const row = rowOf(here, 'a', 'jack', 7);
      await promised.claimUser(here.registry, { ...one, sessionId: 'a' });
      await promised.claimAddress(here.registry, {
        address: 8,
        policy: 'reject',
        sessionId: 'b',
        user: 'jack',
      });

      here.registry.up(row);

      for (const by of [{ sessionId: 'a' }, { user: 'jack' }, { address: 7 }])
        await untilFound(there, by, ['a']);
      expect(await promised.find(there.registry, { user: 'jack' })).toEqual([row]);
      for (const by of [
        { sessionId: 'b' },
        { address: 8 },
        { sessionId: 'c' },
        { user: 'x' },
        { address: 9 },
        {},
      ]) {
        expect(await promised.find(there.registry, by)).toEqual([]);
      }
    });

    test('a search with several words finds what fits them all', async () => {
      const { here, there } = await open();
      here.registry.up(rowOf(here, 'a', 'jack', 7));
      here.registry.up(rowOf(here, 'b', 'jack', 8));
      await untilFound(there, { user: 'jack' }, ['a', 'b']);

      await untilFound(there, { user: 'jack', address: 8 }, ['b']);
      await untilFound(there, { sessionId: 'a', user: 'jack', address: 7 }, ['a']);
      expect(await promised.find(there.registry, { sessionId: 'a', address: 8 })).toEqual([]);
      expect(await promised.find(there.registry, { sessionId: 'a', user: 'jill' })).toEqual([]);
    });

    test('newer counters are seen, of sessions that are up', async () => {
      const { here, there } = await open();
      const row = rowOf(here, 'a', 'jack', 7);
      here.registry.up(row);
      const known = { ...row.known, atMs: row.known.atMs + 60_000, uptimeMs: 61_000 };

      here.registry.usage([
        { sessionId: 'a', known },
        { sessionId: 'nobody', known },
      ]);

      await world.until(async () => {
        const [found] = await promised.find(there.registry, { sessionId: 'a' });
        return found?.known.uptimeMs === 61_000;
      }, 'newer counters');
      expect(await promised.find(there.registry, { sessionId: 'a' })).toEqual([{ ...row, known }]);
      expect(await promised.find(there.registry, { sessionId: 'nobody' })).toEqual([]);
    });

    test('a list has all that is up, wherever it is, and nothing that is over', async () => {
      const { here, there } = await open();
      for (let at = 0; at < 1_200; at++) {
        const site = at % 2 === 0 ? here : there;
        site.registry.up(rowOf(site, `s${at}`, `u${at % 10}`, at + 1));
      }
      const count = async (site: Site) => new Set((await promised.list(site.registry)).map(nameOf)).size;

      await world.until(async () => (await count(here)) === 1_200, 'all listed here');
      await world.until(async () => (await count(there)) === 1_200, 'all listed there');
      for (let at = 2; at < 1_200; at++) (at % 2 === 0 ? here : there).registry.ended(`s${at}`);
      await world.until(async () => (await count(here)) === 2, 'what is over is gone');
      await world.until(async () => (await count(there)) === 2, 'what is over is gone there');
    });

    test('all nodes are known, and a command reaches the one that is named', async () => {
      const { here, there } = await open();
      const kick = { kind: 'kick', sessionIds: ['a', 'b'], cause: 'admin-reset' } as const;

      await world.until(
        async () => (await promised.nodes(here.registry)).length === world.sites.length,
        'all nodes known',
      );
      const names = (await promised.nodes(here.registry)).map(({ node }) => node);

      expect(names.toSorted()).toEqual(world.sites.map(({ node }) => node).toSorted());
      expect(await promised.command(here.registry, there.node, kick)).toEqual({ ok: true });
      expect(await promised.command(here.registry, here.node, kick)).toEqual({ ok: true });
      expect(there.performed.at(-1)).toEqual(kick);
      expect(await promised.command(here.registry, 'elsewhere', kick)).toEqual({
        ok: false,
        why: 'unreachable',
      });
    });

    test.each([1, 2, 3, 4, 5])('random calls keep all promises (seed %i)', async (seed) => {
      await open();
      const walk = new Walk(world.sites, seed);

      for (let round = 0; round < 40; round++) {
        await walk.round(10);
        walk.expectPromises();
        // Who gave way to a session that came to nothing is told to end by a command of another node.
        await world.until(() => {
          walk.obey();
          return walk.broken.length === 0;
        }, `nobody is over his limit, seed ${seed}`);
      }

      expect(walk.conflicts, `seed ${seed}`).toEqual([]);
      expect(walk.grants, `seed ${seed}`).toBeGreaterThan(40);
      walk.endAll();
      await world.until(() => world.isEmpty(), `all freed, seed ${seed}`);
    });

    /** Until a node finds these sessions, and no others. */
    async function untilFound(site: Site, by: Search, sessionIds: readonly string[]): Promise<void> {
      await world.until(
        async () => {
          const names = (await promised.find(site.registry, by)).map(nameOf).toSorted();
          return names.join() === sessionIds.toSorted().join();
        },
        `${JSON.stringify(by)} finds ${sessionIds.join()}`,
      );
    }
  });
}

/** A session of the walk's, as its node has it. */
interface Walker {
  readonly site: Site;
  readonly sessionId: string;
  readonly user: (typeof users)[number];
  address: number | undefined;
  isUp: boolean;
}

const users = [
  { name: 'single', limit: 1, policy: 'reject' },
  { name: 'jumper', limit: 1, policy: 'replace' },
  { name: 'family', limit: 3, policy: 'reject' },
  { name: 'office', limit: 3, policy: 'replace' },
  { name: 'crowd', limit: undefined, policy: 'reject' },
] as const;

/**
 * Random sessions on random nodes, several calls at once. A model knows who holds what: who was granted it and neither ended nor gave
 * way. Victims and conflicts are ended as a node ends them.
 */
export class Walk {
  readonly seed: number;
  grants = 0;
  refusals = 0;
  /** The longest that an answer took, in ms. */
  slowestMs = 0;
  readonly #sites: readonly Site[];
  readonly #random: Random;
  readonly #walkers = new Map<string, Walker>();
  readonly #told = new Map<Site, number>();
  readonly #victims = new Set<string>();
  /** Sessions of users whose later ones are refused. */
  readonly #unmovable = new Set<string>();
  #names = 0;

  constructor(sites: readonly Site[], seed: number) {
    this.#sites = sites;
    this.seed = seed;
    this.#random = seededRandom(seed);
  }

  get alive(): readonly string[] {
    return [...this.#walkers.values()].filter(({ isUp }) => isUp).map(nameOf);
  }

  /** Sessions that were told to end though nobody can have taken their place. */
  get conflicts(): readonly string[] {
    const named = this.#sites.flatMap(({ conflicts }) => conflicts);
    return named.filter((name) => this.#unmovable.has(name) && !this.#victims.has(name));
  }

  /** Some sessions begin and some end, all at once. Resolves when all calls are answered. */
  async round(calls: number): Promise<void> {
    const under: Promise<void>[] = [];
    for (let call = 0; call < calls; call++) {
      if (below(this.#random, 10) < 6) under.push(this.#begin());
      else this.#endAny();
    }
    await Promise.all(under);
    this.obey();
  }

  /** What a registry says must end ends: conflicts, and what other nodes kick. */
  obey(): void {
    for (const site of this.#sites) {
      const told = [
        ...site.conflicts,
        ...site.performed.flatMap((command) => (command.kind === 'kick' ? command.sessionIds : [])),
      ];
      if (told.length === this.#told.get(site)) continue;
      this.#told.set(site, told.length);
      for (const sessionId of told) this.#end(sessionId);
    }
  }

  /** What holds at every moment: who has to give way to nobody is no more than his limit, and no address is held twice. */
  expectPromises(): void {
    const moving = users.filter(({ policy }) => policy === 'replace').map(({ name }) => `user ${name}`);
    const broken = this.broken.filter((what) => !moving.includes(what));
    expect(broken, `seed ${this.seed}`).toEqual([]);
  }

  /** Users over their limits, and addresses that two sessions have. */
  get broken(): readonly string[] {
    const walkers = [...this.#walkers.values()];
    const over = users.filter(({ name, limit }) => {
      return limit !== undefined && walkers.filter(({ user }) => user.name === name).length > limit;
    });
    const taken = walkers.flatMap(({ address }) => address ?? []);
    const twice = taken.filter((address, at) => taken.indexOf(address) !== at);
    return [...over.map(({ name }) => `user ${name}`), ...twice.map((address) => `address ${address}`)];
  }

  endAll(): void {
    for (const sessionId of [...this.#walkers.keys()]) this.#end(sessionId);
  }

  async #begin(): Promise<void> {
    const site = this.#any(this.#sites);
    const user = this.#any(users);
    this.#names += 1;
    const walker: Walker = { site, sessionId: `w${this.#names}`, user, address: undefined, isUp: false };
    const { sessionId } = walker;
    if (user.policy === 'reject') this.#unmovable.add(sessionId);
    // Some sessions are over before they have an answer.
    const isHasty = below(this.#random, 8) === 0;
    const address = below(this.#random, 30) + 1;
    const asked = this.#timed(() =>
      promised.claimUser(site.registry, { ...user, user: user.name, sessionId, limit: user.limit }),
    );
    if (isHasty) site.registry.ended(sessionId);
    const outcome = await asked;
    if (isHasty) {
      this.#kick(outcome);
      return site.registry.ended(sessionId);
    }
    if (!this.#granted(outcome, walker)) return;
    const claim = { address, sessionId, user: user.name, policy: user.policy } as const;
    const second = await this.#timed(() => promised.claimAddress(site.registry, claim));
    // Somebody may have made it a victim meanwhile.
    if (!this.#walkers.has(sessionId)) return this.#kick(second);
    if (!second.granted) return this.#end(sessionId);
    this.#kick(second);
    walker.address = address;
    if (below(this.#random, 5) === 0) return;
    walker.isUp = true;
    const row = rowOf(site, sessionId, user.name, address);
    site.registry.up(row);
    if (below(this.#random, 2) === 0) site.registry.usage([{ sessionId, known: row.known }]);
  }

  #granted(outcome: ClaimOutcome, walker: Walker): boolean {
    if (!outcome.granted) {
      this.refusals += 1;
      // What was refused is told to be over all the same, as a node does on every path out.
      walker.site.registry.ended(walker.sessionId);
      return false;
    }
    this.grants += 1;
    this.#kick(outcome);
    // A victim whose own answer was still on its way.
    if (this.#victims.has(walker.sessionId)) {
      walker.site.registry.ended(walker.sessionId);
      return false;
    }
    this.#walkers.set(walker.sessionId, walker);
    return true;
  }

  #kick(outcome: ClaimOutcome): void {
    for (const { sessionId } of outcome.granted ? outcome.victims : []) {
      this.#victims.add(sessionId);
      this.#end(sessionId);
    }
  }

  #endAny(): void {
    const walkers = [...this.#walkers.keys()];
    if (walkers.length > 0) this.#end(this.#any(walkers));
  }

  #end(sessionId: string): void {
    const walker = this.#walkers.get(sessionId);
    this.#walkers.delete(sessionId);
    walker?.site.registry.ended(sessionId);
  }

  async #timed<T>(ask: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const answer = await ask();
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startMs);
    return answer;
  }

  #any<T>(values: readonly T[]): T {
    return values[below(this.#random, values.length)] as T;
  }
}

function nameOf({ sessionId }: { readonly sessionId: string }): string {
  return sessionId;
}

/** A row with something in every field. */
export function rowOf(
  { node, bootId }: Owner,
  sessionId: string,
  user: string,
  framedAddress: number,
): SessionRow {
  const startedAtMs = Date.UTC(2026, 0, 1);
  const identity = {
    nas: { identifier: node, address: undefined },
    sessionId,
    nasPort: 7,
    nasPortId: 'pptp-7',
    peerAddress: 0x0a000002,
    localAddress: 0x0a000001,
    connectInfo: 'PPTP',
  };
  const usage = {
    receivedOctets: 2n ** 63n,
    transmittedOctets: 2n ** 40n,
    receivedPackets: 3n,
    transmittedPackets: 0n,
  };
  return {
    node,
    bootId,
    sessionId,
    user,
    framedAddress,
    callerId: '10.0.0.2',
    interfaceName: `<pptp-${user}>`,
    encoding: 'MPPE128 stateless',
    startedAtMs,
    facts: { identity, user, authentic: 'radius', framedAddress, classes: [new Uint8Array([1, 2, 255])] },
    known: { atMs: startedAtMs + 1_000, uptimeMs: 1_000, usage },
  };
}

/** What a node of a test tells of itself. */
export const status: NodeStatus = {
  version: '1.0',
  addresses: [0x0a000001],
  licenceLevel: 'level6',
  licenceLimit: undefined,
  licenceUsed: 0,
  sessions: 0,
  isReady: true,
  isDraining: false,
  startedAtMs: 1_000,
};

/** A node whose registry has begun; commands to it are noted and obeyed, sessions of the dead are buried at once. */
export async function beginSite(owner: Owner, registry: Registry): Promise<Site> {
  const site: Site = { ...owner, registry, conflicts: [], performed: [] };
  const ports: RegistryPorts = {
    status: () => status,
    perform: (command, reply) => {
      site.performed.push(command);
      reply({ ok: true });
    },
    reaped: (_rows, kept) => kept(() => {}),
    fenced: () => {
      throw new Error(`${owner.node} was fenced`);
    },
    conflict: (sessionId) => void site.conflicts.push(sessionId),
  };
  await new Promise<void>((begun) => registry.begin(ports, begun));
  return site;
}
