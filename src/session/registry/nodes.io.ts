/**
 * The part of the registry that knows nodes: tells Redis that this one lives, notices who does not, and has one who is dead buried
 * (nodes-burials.ts). Enter:
 * beats of the clock, Redis there and away. Leave: this owner counts (`joined`), another boot has taken over (`fenced`), sessions that
 * died elsewhere (`reaped`), commands of others (`perform`). What the words mean: nodes.ts.
 *
 * Redis may die, freeze, or come back empty or older at any time. Nothing waits for it longer than one command.
 */

import { readFileSync } from 'node:fs';
import { toHex } from '../../base/bytes.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/observe.ts';
import type { Random } from '../../base/random.ts';
import { type RedisClient, replyMs } from '../../base/redis.io.ts';
import { type Script, script } from '../../base/redis-scripts.ts';
import { keysOf } from './keys.ts';
import { customaryPace, nodeKeysOf, nodesTally, type Pace } from './nodes.ts';
import { type Beat, Board, type NodeScripts, nodeScriptNames } from './nodes-board.ts';
import { Burials } from './nodes-burials.ts';
import { Inbox, type InboxReader, type OpenInbox } from './nodes-inbox.ts';
import type { Nodes, NodesPorts } from './parts.ts';
import type { NodeCommand, NodeReply, NodeRow, Owner } from './registry.ts';

export interface RedisNodesOptions {
  /** Of its own, or shared: it is listened to, not closed. */
  readonly redis: RedisClient;
  readonly openInbox: OpenInbox;
  readonly service: string;
  readonly owner: Owner;
  readonly pace?: Partial<Pace>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** While Redis is away it is asked so often, in ms. */
const retryMs = 500;

function luaOf(name: string): string {
  return readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), 'utf8');
}

function scriptOf(name: string, before = ''): readonly [string, Script] {
  const title = `node${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return [name, script(title, before + luaOf(`node-${name}`))];
}

const scripts = Object.fromEntries([
  ...nodeScriptNames.behindClaims.map((name) => scriptOf(name, luaOf('claims'))),
  ...nodeScriptNames.alone.map((name) => scriptOf(name)),
]) as NodeScripts;

export class RedisNodes implements Nodes {
  readonly #options: RedisNodesOptions;
  readonly #pace: Pace;
  readonly #board: Board;
  readonly #inboxKey: string;
  #ports: NodesPorts | undefined;
  #inbox: Inbox | undefined;
  #reader: InboxReader | undefined;
  #timer: Timer | undefined;
  /** '0' before the first beat. */
  #generation = '0';
  #marker = '';
  /** Since when no beat of ours was late, in Redis's time. */
  #watchingSinceMs = 0;
  /** In our time. */
  #settledAtMs = Number.POSITIVE_INFINITY;
  #isOnline = false;
  #isFenced = false;
  #isClosed = false;
  #isBeating = false;
  #complaint = '';
  #burials: Burials | undefined;

  constructor(options: RedisNodesOptions) {
    const { redis, service, owner, clock, pace } = options;
    const keys = { ...keysOf(service), ...nodeKeysOf(service) };
    this.#options = options;
    this.#pace = { ...customaryPace, ...pace };
    this.#board = new Board(redis, scripts, keys, owner, clock, this.#pace);
    this.#inboxKey = keys.inbox(this.#board.owner);
  }

  begin(ports: NodesPorts, done: () => void): void {
    const { redis, openInbox, owner, clock, random } = this.#options;
    const lost = (why: unknown) => this.#lost(why);
    const perform: NodesPorts['perform'] = (command, reply) => ports.perform(command, reply);
    this.#ports = ports;
    this.#inbox = new Inbox({ board: this.#board, node: owner.node, clock, random, perform, lost });
    const reaped: NodesPorts['reaped'] = (rows, kept) => ports.reaped(rows, kept);
    this.#burials = new Burials({ board: this.#board, owner, log: this.#options.log, reaped, lost });
    this.#reader = openInbox(this.#inboxKey, (message) => this.#inbox?.take(message));
    redis.listen(
      () => this.#beatIn(0),
      () => this.#lost(new Error('the connection broke')),
    );
    void redis
      .whenReady(replyMs)
      .then(() => this.#beat())
      .then(done);
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** False while Redis may not know yet what all nodes that live have: nothing is given out there meanwhile. */
  get isSettled(): boolean {
    return this.#isOnline && this.#options.clock.nowMs() >= this.#settledAtMs;
  }

  nodes(answer: (rows: readonly NodeRow[]) => void): void {
    const alone = () => answer(this.#own());
    if (!this.#isOnline) return alone();
    this.#board.list().then(answer, (error: unknown) => {
      this.#lost(error);
      alone();
    });
  }

  command(node: string, command: NodeCommand, answer: (reply: NodeReply) => void): void {
    if (this.#inbox === undefined) return answer({ ok: false, why: 'unreachable' });
    this.#inbox.command(node, command, this.#isOnline, answer);
  }

  wasReaped(sessionIds: readonly string[], answer: (ids: ReadonlySet<string>) => void): void {
    if (!this.#isOnline) return answer(new Set());
    this.#board.wasReaped(sessionIds).then(answer, (error: unknown) => {
      this.#lost(error);
      answer(new Set());
    });
  }

  close(done: () => void): void {
    if (this.#isClosed) return done();
    const isOwner = this.#isOnline;
    this.#leave();
    this.#isClosed = true;
    if (!isOwner) return done();
    // Otherwise it is missed, and finds no session of ours.
    this.#board.leave().then(done, done);
  }

  // --- Signs of life -----------------------------------------------------------------------------------------------------

  get #isOver(): boolean {
    return this.#isClosed || this.#isFenced;
  }

  #beatIn(delayMs: number): void {
    this.#timer?.cancel();
    if (!this.#isOver) this.#timer = this.#options.clock.arm(delayMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    if (this.#isBeating || this.#isOver || this.#ports === undefined) return;
    this.#isBeating = true;
    try {
      if (this.#options.redis.isReady) await this.#meet(this.#ports);
    } catch (error) {
      this.#lost(error);
    } finally {
      this.#isBeating = false;
      this.#beatIn(this.#isOnline ? this.#pace.beatMs : retryMs);
    }
  }

  async #meet(ports: NodesPorts): Promise<void> {
    const fresh = toHex(this.#options.random(8));
    const beat = await this.#board.beat(this.#generation, ports.status(), fresh, this.#watchingSinceMs);
    if (this.#isOver) return;
    if (beat === 'fenced') return this.#fence(ports);
    nodesTally.add('beats');
    this.#generation = beat.generation;
    if (!beat.onTime) this.#watchingSinceMs = beat.atMs;
    await this.#join(beat, ports);
    await this.#burials?.look(beat);
  }

  /** This owner counts. All is written again if Redis may not have it. */
  async #join({ marker, markerAgeMs, counted }: Beat, ports: NodesPorts): Promise<void> {
    const { clock, log } = this.#options;
    const isFirst = this.#marker === '';
    const isOther = marker !== this.#marker;
    if (isOther) {
      this.#settledAtMs = clock.nowMs() + this.#pace.settleMs - markerAgeMs;
      if (!isFirst) {
        nodesTally.add('emptied');
        log(
          'warning',
          'system',
          'redis is another one, or has lost something: all nodes write their sessions again',
        );
      }
      await this.#board.remember(this.#burials?.told ?? []);
      this.#reader?.rewind();
      this.#marker = marker;
    }
    if (!counted && !isFirst) nodesTally.add('rejoined');
    const must = isOther || !counted || !this.#isOnline;
    if (must) await this.#endReaped(ports);
    if (!this.#isOnline) log('info', 'system', 'redis is there: the nodes of the service know of this one');
    this.#isOnline = true;
    this.#complaint = '';
    if (must) ports.joined();
  }

  /** Those that another has ended in accounting while this node could not be heard. */
  async #endReaped(ports: NodesPorts): Promise<void> {
    for (const sessionId of await this.#board.wasReaped(ports.sessionIds())) {
      nodesTally.add('reapedAlive');
      this.#burials?.leave(sessionId);
      ports.conflict(sessionId, 'reaped');
    }
  }

  #fence(ports: NodesPorts): void {
    nodesTally.add('fenced');
    const { node } = this.#options.owner;
    const hint = 'Two processes run with this identity; each node needs one of its own (/system identity).';
    this.#options.log('error', 'system', `another process is node ${node} now: this one no longer counts`, {
      hint,
    });
    this.#isFenced = true;
    this.#leave();
    ports.fenced();
  }

  #leave(): void {
    this.#isOnline = false;
    this.#timer?.cancel();
    this.#inbox?.close();
    this.#reader?.close();
    this.#burials?.close();
  }

  #lost(why: unknown): void {
    if (this.#isOver) return;
    nodesTally.add('failures');
    const text = why instanceof Error ? why.message : String(why);
    if (text !== this.#complaint) this.#options.log('warning', 'system', `redis: ${text}`);
    this.#complaint = text;
    this.#isOnline = false;
    // Not at the next beat, but soon; unless a beat runs, which sees to it itself.
    if (!this.#isBeating) this.#beatIn(retryMs);
  }

  #own(): readonly NodeRow[] {
    const { owner, clock } = this.#options;
    const status = this.#ports?.status();
    return status === undefined ? [] : [{ ...status, ...owner, atMs: clock.wallMs(), isSuspect: false }];
  }
}
