/**
 * The burials of a node: takes what dead nodes held, and has their sessions ended in accounting. Enter: the dead and the graves that a
 * beat has shown. Leave: sessions to `reaped`, and to Redis who has buried them.
 *
 * A session is told by one node, whoever dies or is cut off meanwhile: its Stop is in the journal of who tells it before it is struck off
 * the grave, and told only then. Who cannot strike it off, because Redis is away, holds it until Redis can say who has: himself, by a
 * command whose answer was lost, or another who has taken the grave over. A node that dies between the two tells what its journal has
 * when it starts again, also if another has told it; so does one whose Redis has forgotten the grave. Pure: Redis is
 * behind a board.
 */

import type { Log } from '../../base/observe.ts';
import { nodeOf } from './keys.ts';
import { buriedMax, nodesTally } from './nodes.ts';
import type { Beat, Board, Coffins } from './nodes-board.ts';
import { remember } from './nodes-inbox.ts';
import type { NodesPorts } from './parts.ts';
import type { Decide, Owner, SessionRow } from './registry.ts';

export interface BurialsOptions {
  readonly board: Board;
  readonly owner: Owner;
  readonly log: Log;
  readonly reaped: NodesPorts['reaped'];
  /** Redis refused a command, or did not answer. */
  readonly lost: (why: unknown) => void;
}

/** Some sessions of a grave whose Stops are in this node's journal. */
interface Burial {
  readonly coffins: Coffins;
  readonly decide: Decide;
}

export class Burials {
  readonly #options: BurialsOptions;
  /** Graves that this node is at. */
  readonly #digging = new Set<string>();
  /** By grave: what is not known to be struck off. */
  readonly #atHand = new Map<string, Burial>();
  /** Sessions that this node has told: once, whatever Redis forgets. */
  readonly #told = new Set<string>();
  /** Own ones that were buried alive: they ended here without a Stop. */
  readonly #left = new Set<string>();
  #isOver = false;

  constructor(options: BurialsOptions) {
    this.#options = options;
  }

  get told(): readonly string[] {
    return [...this.#told];
  }

  /** A session of this node ends here without a Stop, which whoever buries it tells. */
  leave(sessionId: string): void {
    remember(this.#left, sessionId, buriedMax);
  }

  /** Takes what the dead held, and goes on with graves that nobody is at. Breaks its promise if Redis does not answer. */
  look({ dead, graves }: Pick<Beat, 'dead' | 'graves'>): Promise<unknown> {
    for (const { number, digger, isDug } of graves) {
      if (isDug && digger !== this.#options.board.owner) continue;
      if (!isDug && !this.#digging.has(number)) nodesTally.add('adopted');
      this.#dig(number);
    }
    for (const number of this.#atHand.keys()) this.#dig(number);
    return Promise.all(dead.map((owner) => this.#reap(owner)));
  }

  close(): void {
    this.#isOver = true;
  }

  #reap(dead: string): Promise<void> {
    return this.#options.board.reap(dead).then((grave) => {
      if (grave === undefined) return;
      nodesTally.add('reaped');
      const text = `node ${nodeOf(dead)} is dead: this node ends its sessions in accounting`;
      this.#options.log('warning', 'system', text, { sessions: grave.size });
      if (grave.size > 0) this.#dig(grave.grave);
    });
  }

  /** Until nothing is left in the grave, or another is at it. What Redis does not hear of is found there with a later beat. */
  #dig(number: string): void {
    if (this.#digging.has(number)) return;
    this.#digging.add(number);
    this.#buryAll(number)
      .catch(this.#options.lost)
      .finally(() => this.#digging.delete(number));
  }

  #buryAll(number: string): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return this.#burySome(number).then((left) => (left === 0 ? undefined : this.#buryAll(number)));
  }

  /** Gives how many are left for this node. */
  #burySome(number: string): Promise<number> {
    return this.#next(number).then((burial) => {
      if (burial === undefined) return 0;
      return this.#options.board.bury(number, burial.coffins).then(({ isOurs, left }) => {
        this.#atHand.delete(number);
        burial.decide(isOurs);
        return left;
      });
    });
  }

  /** What is at hand, or else the next of the grave. */
  #next(number: string): Promise<Burial | undefined> {
    const atHand = this.#atHand.get(number);
    if (atHand !== undefined) return Promise.resolve(atHand);
    return this.#options.board.exhume(number).then((coffins) => {
      if (coffins === undefined || coffins.size === 0) return undefined;
      nodesTally.add('unreadable', coffins.size - coffins.rows.length);
      const untold = coffins.rows.filter((row) => !this.#isTold(row));
      return this.#keep(untold).then((decide) => {
        const burial = { coffins, decide };
        this.#atHand.set(number, burial);
        return burial;
      });
    });
  }

  /** Of an own one that was not buried alive this node's journal has a Stop, as it ended. */
  #isTold({ sessionId, node, bootId }: SessionRow): boolean {
    const { owner } = this.#options;
    const isOwn = node === owner.node && bootId === owner.bootId;
    return this.#told.has(sessionId) || (isOwn && !this.#left.has(sessionId));
  }

  /** Resolves when the Stops of these are safe. */
  #keep(rows: readonly SessionRow[]): Promise<Decide> {
    if (rows.length === 0) return Promise.resolve(() => {});
    return new Promise((resolve) => {
      this.#options.reaped(rows, (decide) =>
        resolve((isOurs) => {
          decide(isOurs);
          nodesTally.add(isOurs ? 'buried' : 'buriedElsewhere', rows.length);
          if (isOurs) for (const { sessionId } of rows) remember(this.#told, sessionId, buriedMax);
        }),
      );
    });
  }
}
