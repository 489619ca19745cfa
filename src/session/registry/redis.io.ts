/**
 * The registry of a service of many nodes, in Redis. Claims are asked for there; sessions, counters and ends are written there, many
 * at a time. Who the other nodes are, and commands to them, are nodes.io.ts's.
 *
 * Memory is the truth about own sessions, Redis may say anything: it is made equal again after every meeting (`joined`) and every
 * command that failed. Until then this node answers from what it knows itself, at once; nothing waits for Redis longer than one
 * command's time. A conflict that comes to light when all is written again (an address held twice, a user over his limit) is decided
 * by scripts/assert.lua: the higher epoch, then the earlier start. What a node granted without Redis has epoch 0.
 */

import { readFileSync } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/observe.ts';
import { replyMs, type ScriptRunner } from '../../base/redis.io.ts';
import { script } from '../../base/redis-scripts.ts';
import { keysOf, ownerName } from './keys.ts';
import { nodeKeysOf } from './nodes.ts';
import { Outbox } from './outbox.ts';
import { applies, type Grant, OwnSessions } from './own-sessions.ts';
import type { Nodes } from './parts.ts';
import {
  type AddressClaim,
  type ClaimOutcome,
  commandMs,
  type Known,
  type NodeCommand,
  type NodeReply,
  type NodeRow,
  type Owner,
  type Registry,
  type RegistryPorts,
  type Search,
  type SessionRef,
  type SessionRow,
  type UserClaim,
} from './registry.ts';
import {
  type Loser,
  type Scripts,
  type SharedGrant,
  SharedSessions,
  scriptFiles,
} from './shared-sessions.ts';
import { registryTally } from './tally.ts';

export interface RedisRegistryOptions {
  readonly redis: ScriptRunner;
  readonly service: string;
  readonly owner: Owner;
  readonly nodes: Nodes;
  readonly clock: Clock;
  readonly log: Log;
}

/** What this node grants without Redis. */
const alone: SharedGrant = { epoch: 0, victims: [] };

/** Until Redis is asked again when it was away, or when what there is to write is not urgent, in ms. */
const laterMs = 500;
/** Between two comparisons of Redis with memory, in ms, if nothing else calls for one. */
const compareMs = 60_000;
/** How often a node is told that a session of its own has to end, before it is left to its own next comparison. */
const kicksMax = compareMs / (commandMs + laterMs);
/** How long a list may take, in ms: 20,000 rows take a tenth of it. What has not come by then is not in it. */
const listMs = 5 * replyMs;

const scripts = Object.fromEntries(
  Object.entries(scriptFiles).map(([name, file]) => [
    name,
    script(
      `registry${file.replace(/(?:^|-)\w/g, (start) => start.slice(-1).toUpperCase())}`,
      luaOf('claims') + luaOf(file),
    ),
  ]),
) as unknown as Scripts;

function luaOf(file: string): string {
  return readFileSync(new URL(`scripts/${file}.lua`, import.meta.url), 'utf8');
}

export class RedisRegistry implements Registry {
  readonly #owner: Owner;
  readonly #nodes: Nodes;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #own = new OwnSessions();
  readonly #shared: SharedSessions;
  /** Claims under way, by session. */
  readonly #asking = new Map<string, Set<{ isOver: boolean }>>();
  readonly #outbox: Outbox;
  /** False before Redis has all, and after a command that failed. */
  #isEqual = false;
  /** How often Redis has come under doubt: a comparison is of no worth if it has meanwhile. */
  #doubts = 0;
  #isCompared = false;
  #isClosed = false;
  #writing: Promise<void> | undefined;
  #later: Timer | undefined;
  #comparison: Timer | undefined;
  #ports: RegistryPorts | undefined;

  constructor({ redis, service, owner, nodes, clock, log }: RedisRegistryOptions) {
    this.#owner = owner;
    this.#nodes = nodes;
    this.#clock = clock;
    this.#log = log;
    const keys = { ...keysOf(service), ...nodeKeysOf(service) };
    this.#shared = new SharedSessions(redis, scripts, keys, ownerName(owner), clock);
    this.#outbox = new Outbox(this.#shared, this.#own, clock, (losers) => this.#lost(losers));
  }

  begin(ports: RegistryPorts, done: () => void): void {
    this.#ports = ports;
    this.#nodes.begin(
      {
        status: () => ports.status(),
        sessionIds: () => this.#own.list().map(({ sessionId }) => sessionId),
        conflict: (sessionId, why) => ports.conflict(sessionId, why),
        perform: (command, reply) => ports.perform(command, reply),
        reaped: (rows, kept) => ports.reaped(rows, kept),
        fenced: () => ports.fenced(),
        joined: () => this.#joined(),
      },
      () => void Promise.resolve(this.#writing).then(done),
    );
  }

  get isOnline(): boolean {
    return this.#nodes.isOnline && this.#isEqual;
  }

  /** Sessions and ends that wait to be written. */
  get unwritten(): number {
    return this.#outbox.size;
  }

  close(done: () => void): void {
    this.#isClosed = true;
    this.#later?.cancel();
    this.#comparison?.cancel();
    // Not while a command is under way: what it wrote after this owner has left would be nobody's.
    void Promise.resolve(this.#writing).then(() => this.#nodes.close(done));
  }

  // --- Claims ------------------------------------------------------------------------------------------------------------

  claimUser(claim: UserClaim, answer: (outcome: ClaimOutcome) => void): void {
    const ask = () => this.#shared.claimUser(claim);
    void this.#claim(claim.sessionId, ask, (epoch) => this.#own.claimUser(claim, epoch)).then(answer);
  }

  claimAddress(claim: AddressClaim, answer: (outcome: ClaimOutcome) => void): void {
    const ask = () => this.#shared.claimAddress(claim);
    void this.#claim(claim.sessionId, ask, (epoch) => this.#own.claimAddress(claim, epoch)).then(answer);
  }

  /** Asks Redis, then memory, which knows what Redis may not yet know; memory alone while Redis is away. */
  async #claim(
    sessionId: string,
    ask: () => Promise<SharedGrant | undefined>,
    decide: (epoch: number) => Grant,
  ): Promise<ClaimOutcome> {
    const claim = { isOver: false };
    this.#asking.set(sessionId, (this.#asking.get(sessionId) ?? new Set()).add(claim));
    const shared = this.isOnline ? await this.#attempt(ask) : ('away' as const);
    this.#answered(sessionId, claim);
    if (shared === undefined) return { granted: false };
    const { epoch, victims } = shared === 'away' ? alone : shared;
    for (const victim of victims) this.#own.leaves(victim.sessionId);
    const grant = claim.isOver ? undefined : decide(epoch);
    if (grant === undefined) {
      this.#release(sessionId);
      // They gave way to a session that did not come to be, and count no more.
      this.#lost(victims.map((victim) => ({ ...victim, why: 'user-limit' })));
      return { granted: false };
    }
    if (shared === 'away') {
      registryTally.add('decidedAlone');
      this.#write(sessionId);
    }
    return { granted: true, victims: this.#victims(grant, victims) };
  }

  #answered(sessionId: string, claim: { isOver: boolean }): void {
    const claims = this.#asking.get(sessionId);
    claims?.delete(claim);
    if (claims?.size === 0) this.#asking.delete(sessionId);
  }

  /** What Redis may have granted, and nobody has. */
  #release(sessionId: string): void {
    if (this.#own.get(sessionId) === undefined) this.#forget(sessionId);
    else this.#write(sessionId);
  }

  #victims(own: NonNullable<Grant>, shared: readonly SessionRef[]): readonly SessionRef[] {
    const { node } = this.#owner;
    const refs = [...shared, ...own.map(({ sessionId }) => ({ node, sessionId }))];
    return [...new Map(refs.map((ref) => [ref.sessionId, ref])).values()];
  }

  // --- Own sessions ------------------------------------------------------------------------------------------------------

  up(row: SessionRow): void {
    this.#own.up(row);
    this.#write(row.sessionId);
  }

  resume(row: SessionRow, limit: number | undefined): void {
    this.#own.resume(row, limit);
    this.#write(row.sessionId);
  }

  usage(rows: readonly { readonly sessionId: string; readonly known: Known }[]): void {
    for (const { sessionId, known } of rows) {
      if (this.#own.usage(sessionId, known)) this.#outbox.count(sessionId);
    }
    // Nobody waits for them: they go together, with those of the next half second.
    this.#wakeLater();
  }

  ended(sessionId: string): void {
    for (const claim of this.#asking.get(sessionId) ?? []) claim.isOver = true;
    if (!this.#own.ended(sessionId) && !this.#asking.has(sessionId)) return;
    this.#forget(sessionId);
  }

  /** What ends while Redis is away need not be remembered: it is found when Redis is compared with memory. */
  #forget(sessionId: string): void {
    if (!this.#isEqual) return this.#outbox.drop(sessionId);
    this.#outbox.end(sessionId);
    this.#wake();
  }

  #write(sessionId: string): void {
    this.#outbox.write(sessionId);
    this.#wake();
  }

  /** Redis counts this owner, and may know nothing of its sessions. */
  #joined(): void {
    this.#doubt();
    for (const { sessionId } of this.#own) this.#write(sessionId);
    this.#wake();
  }

  /** Writes what waits, one command at a time: what comes meanwhile is written together by the next. */
  #wake(): void {
    if (this.#writing !== undefined || this.#isClosed) return;
    if (!this.#nodes.isOnline) return this.#wakeLater();
    this.#writing = this.#attempt(() => this.#writeAll()).then((outcome) => {
      this.#writing = undefined;
      // Whoever came between the last answer and now has found this command under way. One that failed is tried again later.
      if (outcome !== 'away' && (!this.#isEqual || this.unwritten > 0)) this.#wake();
    });
  }

  #wakeLater(): void {
    if (this.#isClosed) return;
    this.#later ??= this.#clock.arm(laterMs, () => {
      this.#later = undefined;
      this.#wake();
    });
  }

  async #writeAll(): Promise<void> {
    // Tells the time as well: a deadline by a wrong clock would come too early, or never.
    if (!this.#isEqual) await this.#shared.held();
    while (this.unwritten > 0 && !this.#isClosed) await this.#outbox.sendSome();
    if (!this.#isEqual || !this.#isCompared) await this.#compare();
  }

  /** What Redis has of this node, against memory: commands that ended without a word may have been done, or undone. */
  async #compare(): Promise<void> {
    const doubts = this.#doubts;
    const { sessionIds, leaving } = await this.#shared.held();
    const held = new Set(sessionIds);
    for (const sessionId of held) {
      const isStray = this.#own.get(sessionId) === undefined && !this.#asking.has(sessionId);
      if (isStray) this.#outbox.end(sessionId);
    }
    for (const { sessionId } of this.#own) if (!held.has(sessionId)) this.#outbox.write(sessionId);
    // Who made them give way may not have lived to say so.
    this.#lost(leaving.map((sessionId) => ({ node: this.#owner.node, sessionId, why: 'user-limit' })));
    this.#isEqual = this.#doubts === doubts;
    this.#isCompared = true;
    this.#comparison?.cancel();
    this.#comparison = this.#clock.arm(compareMs, () => {
      this.#isCompared = false;
      this.#wake();
    });
  }

  /** Sessions that were found to have the worse claim, here or elsewhere. */
  #lost(losers: readonly Loser[]): void {
    const elsewhere = new Map<string, string[]>();
    for (const { node, sessionId, why } of losers) {
      registryTally.add(why === 'address' ? 'addressConflicts' : 'userConflicts');
      if (node === this.#owner.node) {
        if (this.#own.leaves(sessionId)) this.#ports?.conflict(sessionId, why);
      } else elsewhere.set(node, [...(elsewhere.get(node) ?? []), sessionId]);
    }
    for (const [node, sessionIds] of elsewhere) this.#kick(node, sessionIds, kicksMax);
  }

  /** Said again while the node does not hear: after a failover one node may be there long before the other. */
  #kick(node: string, sessionIds: readonly string[], kicks: number): void {
    this.#nodes.command(node, { kind: 'kick', sessionIds, cause: 'replaced' }, (reply) => {
      const isHeard = reply.ok || reply.why !== 'unreachable';
      if (isHeard || kicks === 1 || this.#isClosed) return;
      this.#clock.arm(laterMs, () => this.#kick(node, sessionIds, kicks - 1));
    });
  }

  // --- Questions ---------------------------------------------------------------------------------------------------------

  find(by: Search, answer: (rows: readonly SessionRow[]) => void): void {
    const own = this.#own.find(by);
    const isAnswered = by.sessionId !== undefined && this.#own.get(by.sessionId) !== undefined;
    if (isAnswered || !this.isOnline || isEmpty(by)) return answer(own);
    void this.#attempt(() => this.#shared.find(by)).then((found) => {
      answer(this.#merged(found === 'away' ? [] : found.filter(applies(by)), this.#own.find(by)));
    });
  }

  list(answer: (rows: readonly SessionRow[]) => void): void {
    if (!this.isOnline) return answer(this.#own.list());
    void this.#others().then((others) => answer(this.#merged(others, this.#own.list())));
  }

  async #others(): Promise<readonly SessionRow[]> {
    const untilMs = this.#clock.nowMs() + listMs - replyMs;
    const owners = await this.#attempt(() => this.#shared.others());
    if (owners === 'away') return [];
    const rows: SessionRow[] = [];
    const read = async (owner: string): Promise<void> => {
      let cursor = '0';
      do {
        const page = await this.#attempt(() => this.#shared.page(owner, cursor));
        if (page === 'away') return;
        rows.push(...page.rows);
        cursor = page.next;
      } while (cursor !== '0' && this.#clock.nowMs() < untilMs);
    };
    await Promise.all(owners.map(read));
    return rows;
  }

  /** Each session once; of own ones what memory says, not Redis. */
  #merged(others: readonly SessionRow[], own: readonly SessionRow[]): readonly SessionRow[] {
    const foreign = others.filter(({ node }) => node !== this.#owner.node);
    return [...new Map([...foreign, ...own].map((row) => [row.sessionId, row])).values()];
  }

  nodes(answer: (rows: readonly NodeRow[]) => void): void {
    this.#nodes.nodes(answer);
  }

  command(node: string, command: NodeCommand, answer: (reply: NodeReply) => void): void {
    if (node === this.#owner.node && this.#ports !== undefined) this.#ports.perform(command, answer);
    else this.#nodes.command(node, command, answer);
  }

  wasReaped(sessionIds: readonly string[], answer: (ids: ReadonlySet<string>) => void): void {
    this.#nodes.wasReaped(sessionIds, answer);
  }

  // --- Redis, which may be away ------------------------------------------------------------------------------------------

  /** A command, or `away` if it failed: from then on Redis is asked nothing more until all has been written again. */
  async #attempt<T>(command: () => Promise<T>): Promise<T | 'away'> {
    try {
      return await command();
    } catch (error) {
      this.#failed(error);
      return 'away';
    }
  }

  #failed(error: unknown): void {
    registryTally.add('failures');
    if (this.#isEqual && !this.#isClosed) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log('warning', 'system', `redis: sessions are decided by this node alone: ${why}`);
    }
    this.#doubt();
    this.#wakeLater();
  }

  #doubt(): void {
    this.#isEqual = false;
    this.#doubts += 1;
  }
}

function isEmpty({ sessionId, user, address }: Search): boolean {
  return sessionId === undefined && user === undefined && address === undefined;
}
