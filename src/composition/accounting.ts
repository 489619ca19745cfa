/**
 * Accounting as the program has it: the journal in the state directory, the accountant, and who delivers, which is this node
 * alone or, through Redis, any of the service. The server's sessions enter, RADIUS is told.
 */

import { randomBytes } from 'node:crypto';
import type { WatchSession } from '../aaa/by-radius.ts';
import type { Change } from '../aaa/change.ts';
import type { AaaSettings } from '../aaa/settings.ts';
import { Accountant, type ReadUsage } from '../accounting/accountant.ts';
import { bullmqDrains } from '../accounting/bullmq.io.ts';
import { type DeliveryPorts, EmbeddedDelivery } from '../accounting/delivery.ts';
import { RedisHeir } from '../accounting/heir.io.ts';
import type { Journal } from '../accounting/journal.io.ts';
import type { Recovered } from '../accounting/ledger.ts';
import { customaryTerms, Mirror, ownerOf } from '../accounting/mirror.ts';
import type { SessionFacts } from '../accounting/record.ts';
import { radiusSender } from '../accounting/sender.ts';
import { nodeSessionId, SessionIds } from '../accounting/session-id.ts';
import { SharedDelivery } from '../accounting/shared.io.ts';
import { systemClock } from '../base/clock.io.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import type { SentRequest } from '../radius/query.ts';
import type { ClusterSettings } from '../session/registry/settings.ts';
import type { Books, SessionEnd } from '../session/served-session.ts';
import type { Radius } from './radius.ts';
import type { SharedRedis } from './service.ts';

export interface AccountingParts {
  readonly log: Log;
  readonly identity: string;
  readonly journal: Journal;
  readonly journalName: string;
  readonly cluster: ClusterSettings;
  /** The service's; without it this node delivers alone. */
  readonly redis: SharedRedis | undefined;
  readonly radius: Radius;
  readonly readUsage: ReadUsage;
  /** Who looks on at what servers are told. */
  readonly watch: WatchSession;
}

export class Accounting implements Books {
  readonly accountant: Accountant;
  readonly #sessionIds: SessionIds;
  readonly #radius: Radius;
  #shared: SharedDelivery | undefined;
  /** Sessions that are accounted for: those that came up while accounting was wanted. */
  readonly #accounted = new Set<string>();
  /** What is said of sessions before the books are taken over; undefined from then on. */
  #said: (() => void)[] | undefined = [];
  #settings: AaaSettings;

  constructor(parts: AccountingParts, settings: AaaSettings) {
    const { log, identity, journal, radius, readUsage, watch } = parts;
    const { ledger, recovered } = journal;
    const { ask, codec, exchange } = radius;
    this.#settings = settings;
    this.#radius = radius;
    this.#sessionIds = new SessionIds(identity, recovered.mark);
    const ports = { clock: systemClock, random: systemRandom, log };
    const send = radiusSender({ ask, codec, ledger, clock: systemClock, watch });
    this.accountant = new Accountant({
      ledger,
      readUsage,
      nodeSessionId: nodeSessionId(identity),
      makeDelivery: (done) => {
        const { redis, cluster } = parts;
        if (redis === undefined || cluster.accountingStore === 'journal')
          return new EmbeddedDelivery({ ...ports, send, done });
        this.#shared = share(redis, parts, { ...ports, send, done });
        return this.#shared;
      },
      ...ports,
    });
    exchange.onRevived((_server, role) => role === 'accounting' && this.accountant.hurry());
  }

  get interimMs(): number {
    return this.#settings.interimUpdate;
  }

  get isFull(): boolean {
    return this.accountant.isFull;
  }

  configure(settings: AaaSettings): void {
    this.#settings = settings;
  }

  newSessionId(): string {
    return this.#sessionIds.next();
  }

  /**
   * Takes the books over from the process before, first of all: `held` are sessions that the engine still has, `buried` those that
   * another node has accounted for. What was said of sessions meanwhile follows.
   */
  recover(recovered: Recovered, held: ReadonlySet<string>, buried: ReadonlySet<string>): void {
    const isHeld = (sessionId: string) => held.has(sessionId);
    const isBuried = (sessionId: string) => buried.has(sessionId);
    this.accountant.recover(recovered, isHeld, isBuried);
    for (const { facts } of recovered.sessions) {
      const { sessionId } = facts.identity;
      if (isHeld(sessionId) && !isBuried(sessionId)) this.#accounted.add(sessionId);
    }
    const said = this.#said ?? [];
    this.#said = undefined;
    for (const say of said) say();
  }

  /** After the accountant has taken what the process before left. Rejects with a `Fault` if the Redis may not be used. */
  async begin(): Promise<void> {
    await this.#shared?.begin();
  }

  up(facts: SessionFacts, interimMs: number): void {
    this.#tell(() => {
      if (!this.#settings.accounting || !this.#radius.hasAccounting) return;
      this.#accounted.add(facts.identity.sessionId);
      this.accountant.up(facts, interimMs);
    });
  }

  changed(sessionId: string, change: Pick<Change, 'classes' | 'interimMs'>): void {
    this.#tell(() => {
      if (this.#accounted.has(sessionId)) this.accountant.changed(sessionId, change);
    });
  }

  /** Another node has told that the session is over. */
  abandon(sessionId: string): void {
    this.#tell(() => {
      if (this.#accounted.delete(sessionId)) this.accountant.abandon(sessionId);
    });
  }

  ended(sessionId: string, end: SessionEnd): void {
    this.#tell(() => {
      if (this.#accounted.delete(sessionId)) this.accountant.ended(sessionId, end);
    });
  }

  /** At once, or when the books are taken over. */
  #tell(say: () => void): void {
    if (this.#said === undefined) say();
    else this.#said.push(say);
  }

  /** Tells that the node takes no more sessions, as far as servers can be told in a few seconds. */
  async end(): Promise<void> {
    if (this.#radius.hasAccounting) {
      await new Promise<void>((told) => this.accountant.nodeDown(this.#radius.nas, told));
    }
    await this.handOver();
  }

  /** Tells nothing more: what is left is the next process's, which finds it in the journal. */
  async handOver(): Promise<void> {
    await new Promise<void>((closed) => this.accountant.close(closed));
  }
}

/** Delivery through Redis: this node's records, and those that a dead node has left there. */
function share(
  { client: redis, address }: SharedRedis,
  { log, identity, journalName, cluster, radius, watch }: AccountingParts,
  ports: DeliveryPorts,
): SharedDelivery {
  const { service } = cluster;
  const { clock } = ports;
  const boot = randomBytes(8).toString('hex');
  const openDrains = bullmqDrains({ address, redis, service, boot, log });
  const mirror = new Mirror(redis, clock, service, ownerOf(identity, journalName), customaryTerms);
  // Of another node's journal nothing is kept here: what it has sent before is its own to know.
  const elsewhere = { sent: (_number: number, _sent: SentRequest, written: () => void) => written() };
  const { ask, codec } = radius;
  const send = radiusSender({ ask, codec, ledger: elsewhere, clock, watch });
  const heir = new RedisHeir({ mirror, openDrains, send, clock, log });
  return new SharedDelivery({ redis, mirror, openDrains, heir }, ports);
}
