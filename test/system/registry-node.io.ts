/**
 * Nodes of a service, for tests: `Member` is one in this process, `ChildMember` one in a process of its own, which can be frozen and
 * killed. A member's sessions are rows without a call behind them; what its registry tells it is kept in lists.
 *
 *     const anna = await Member.start({ address: redis.address, node: 'anna' });
 *     await anna.dial('s1', 'user');
 *     await anna.leave();
 */

import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { connectRedis, type RedisAddress, RedisClient } from '../../src/base/redis.io.ts';
import { RedisNodes } from '../../src/session/registry/nodes.io.ts';
import type { Pace } from '../../src/session/registry/nodes.ts';
import { inboxReaderOver } from '../../src/session/registry/nodes-reader.io.ts';
import { RedisRegistry } from '../../src/session/registry/redis.io.ts';
import type {
  Decide,
  NodeCommand,
  NodeReply,
  NodeRow,
  SessionRow,
} from '../../src/session/registry/registry.ts';
import { Forked } from './forked.io.ts';

/** Quick enough for a test, slow enough for a machine that has much else to do. */
export const quickPace: Pace = {
  beatMs: 100,
  suspectAfterMs: 500,
  deadAfterMs: 1_500,
  settleMs: 700,
  quarantineMs: 60_000,
};

export interface MemberOptions {
  readonly address: RedisAddress;
  readonly node: string;
  readonly bootId?: string;
  readonly pace?: Partial<Pace>;
  /** Rows that it takes on from the dead before it stops to confirm them; all, unless told. */
  readonly buriesMax?: number;
  /** When its journal has what it takes on; at once, unless told. */
  readonly mayKeep?: Promise<void>;
}

/** What a member was told. */
export interface Told {
  /** Sessions of the dead, in the order they came: all that came, those whose Stops are its own to tell, and those that are not. */
  readonly reaped: string[];
  readonly buried: string[];
  readonly leftToOthers: string[];
  readonly conflicts: (readonly [sessionId: string, why: string])[];
  readonly commands: NodeCommand[];
  readonly fences: true[];
}

export class Member {
  readonly node: string;
  readonly registry: RedisRegistry;
  readonly nodes: RedisNodes;
  readonly sessions = new Map<string, SessionRow>();
  readonly told: Told = { reaped: [], buried: [], leftToOthers: [], conflicts: [], commands: [], fences: [] };
  readonly #options: MemberOptions;
  readonly #redis: RedisClient;
  readonly #bootId: string;

  constructor(options: MemberOptions) {
    const { address, node, bootId = randomBytes(4).toString('hex'), pace } = options;
    const log = process.env.REGISTRY_LOG === undefined ? silent : console.log;
    const owner = { node, bootId };
    const [service, clock] = ['test', systemClock];
    this.node = node;
    this.#options = options;
    this.#bootId = bootId;
    this.#redis = new RedisClient(address, log);
    const redis = this.#redis;
    const openInbox = inboxReaderOver(() => connectRedis(address, 'patient', log), clock);
    this.nodes = new RedisNodes({
      redis,
      openInbox,
      service,
      owner,
      pace: { ...quickPace, ...pace },
      clock,
      random: systemRandom,
      log,
    });
    this.registry = new RedisRegistry({ redis, service, owner, nodes: this.nodes, clock, log });
  }

  static async start(options: MemberOptions): Promise<Member> {
    const member = new Member(options);
    await member.begin();
    return member;
  }

  begin(tell: (news: Partial<Told>) => void = () => {}): Promise<void> {
    const { told } = this;
    const burySome = (rows: readonly SessionRow[], kept: (decide: Decide) => void) => {
      const ids = rows.map(({ sessionId }) => sessionId);
      told.reaped.push(...ids);
      tell({ reaped: ids });
      const decide = (isOurs: boolean) => void (isOurs ? told.buried : told.leftToOthers).push(...ids);
      const keepsThem = told.reaped.length <= (this.#options.buriesMax ?? Number.POSITIVE_INFINITY);
      if (keepsThem) void (this.#options.mayKeep ?? Promise.resolve()).then(() => kept(decide));
    };
    return new Promise((begun) => {
      this.registry.begin(
        {
          status: () => ({
            version: '1.0',
            addresses: [0x0a000001],
            licenceLevel: 'level6',
            licenceLimit: undefined,
            licenceUsed: this.sessions.size,
            sessions: this.sessions.size,
            isReady: true,
            isDraining: false,
            startedAtMs: 1_000,
          }),
          perform: (command, reply) => {
            told.commands.push(command);
            tell({ commands: [command] });
            reply({ ok: true });
          },
          reaped: burySome,
          fenced: () => {
            told.fences.push(true);
            tell({ fences: [true] });
          },
          conflict: (sessionId, why) => {
            told.conflicts.push([sessionId, why]);
            tell({ conflicts: [[sessionId, why]] });
            this.hangUp(sessionId);
          },
        },
        begun,
      );
    });
  }

  /** Claims what a session needs, and is up if it gets it. */
  async dial(
    sessionId: string,
    user: string,
    {
      address,
      limit = 1,
      isDrawn = false,
    }: { readonly address?: number; readonly limit?: number; readonly isDrawn?: boolean } = {},
  ): Promise<boolean> {
    const place = await new Promise<boolean>((done) =>
      this.registry.claimUser({ user, sessionId, limit, policy: 'reject' }, ({ granted }) => done(granted)),
    );
    const isOurs =
      place &&
      (address === undefined ||
        (await new Promise<boolean>((done) =>
          this.registry.claimAddress({ address, sessionId, user, policy: 'reject', isDrawn }, ({ granted }) =>
            done(granted),
          ),
        )));
    if (isOurs) this.up(sessionId, user, address);
    else this.registry.ended(sessionId);
    return isOurs;
  }

  /** Unless told, its address is one that no other session has. */
  up(sessionId: string, user: string, address = randomBytes(4).readUInt32BE()): void {
    const row = rowOf({ node: this.node, bootId: this.#bootId, sessionId, user, address });
    this.sessions.set(sessionId, row);
    this.registry.up(row);
  }

  hangUp(sessionId: string): void {
    this.sessions.delete(sessionId);
    this.registry.ended(sessionId);
  }

  command(node: string, command: NodeCommand): Promise<NodeReply> {
    return new Promise((resolve) => this.registry.command(node, command, resolve));
  }

  list(): Promise<readonly SessionRow[]> {
    return new Promise((resolve) => this.registry.list(resolve));
  }

  /** Names of the sessions that this member sees, in order. */
  async seen(): Promise<readonly string[]> {
    return (await this.list()).map(({ sessionId }) => sessionId).toSorted();
  }

  rows(): Promise<readonly NodeRow[]> {
    return new Promise((resolve) => this.registry.nodes(resolve));
  }

  wasReaped(sessionIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Promise((resolve) => this.registry.wasReaped(sessionIds, resolve));
  }

  async leave(): Promise<void> {
    await new Promise<void>((done) => this.registry.close(done));
    this.#redis.close();
  }
}

function rowOf({
  node,
  bootId,
  sessionId,
  user,
  address,
}: {
  node: string;
  bootId: string;
  sessionId: string;
  user: string;
  address: number;
}): SessionRow {
  const identity = {
    nas: { identifier: node, address: undefined },
    sessionId,
    nasPort: 1,
    nasPortId: 'pptp-1',
    peerAddress: 0x0a000002,
    localAddress: 0x0a000001,
    connectInfo: 'PPTP',
  };
  const facts = { identity, user, authentic: 'radius', framedAddress: address, classes: [] } as const;
  const usage = { receivedOctets: 1n, transmittedOctets: 2n, receivedPackets: 3n, transmittedPackets: 4n };
  return {
    node,
    bootId,
    sessionId,
    user,
    framedAddress: address,
    callerId: '10.0.0.2',
    interfaceName: '<pptp>',
    encoding: '',
    startedAtMs: 1_000,
    facts,
    known: { atMs: 2_000, uptimeMs: 1_000, usage },
  };
}

/** What a child is told. It says what it is told itself, and answers each with `done`. */
type ToChild =
  | { readonly is: 'begin'; readonly options: MemberOptions }
  | { readonly is: 'up'; readonly sessions: readonly (readonly [sessionId: string, user: string])[] };
type FromChild = { readonly is: 'done' } | { readonly is: 'news'; readonly news: Partial<Told> };

export class ChildMember extends Forked {
  readonly told: Told = { reaped: [], buried: [], leftToOthers: [], conflicts: [], commands: [], fences: [] };
  #onNews: () => void = () => {};

  private constructor() {
    super(import.meta.url);
    this.process.on('message', (message: FromChild) => {
      if (message.is === 'done') return;
      const { reaped = [], conflicts = [], fences = [] } = message.news;
      this.told.reaped.push(...reaped);
      this.told.conflicts.push(...conflicts);
      this.told.fences.push(...fences);
      if (message.news.commands !== undefined) this.told.commands.push(...message.news.commands);
      this.#onNews();
    });
  }

  static async start(options: MemberOptions): Promise<ChildMember> {
    const child = new ChildMember();
    await child.#ask({ is: 'begin', options });
    return child;
  }

  /** Has sessions without claims. */
  up(sessions: readonly (readonly [sessionId: string, user: string])[]): Promise<void> {
    return this.#ask({ is: 'up', sessions });
  }

  /** `act` is called when it says something next. */
  whenTold(act: () => void): void {
    this.#onNews = act;
  }

  async #ask(message: ToChild): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.process.on('message', (answer: FromChild) => answer.is === 'done' && resolve());
      this.process.once('exit', (status) => reject(new Error(`a member ended with ${status}`)));
    });
    this.process.send(message);
    await done;
  }
}

/** The other side of `ChildMember`. */
function beChild(): void {
  const say = (message: FromChild): void => void process.send?.(message);
  let member: Member | undefined;
  process.on('message', (message: ToChild) => {
    if (message.is === 'begin') {
      member = new Member(message.options);
      void member.begin((news) => say({ is: 'news', news })).then(() => say({ is: 'done' }));
    } else {
      for (const [sessionId, user] of message.sessions) member?.up(sessionId, user);
      say({ is: 'done' });
    }
  });
  process.once('disconnect', () => process.exit(0));
}

if (process.argv[2] === 'child' && process.send !== undefined) beChild();
