/**
 * The heir: delivers what dead nodes left in Redis. Enter: the names of those who are lost, with each beat of shared.io.ts.
 * Leave: their records to the sender, in order within a stream, and to Redis the numbers that were told, for a node that comes
 * back. All nodes are heirs of all; a lease per stream keeps them apart.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/observe.ts';
import type { Entry, Sender } from './delivery.ts';
import type { Drains, Heir, OpenDrains } from './drains.ts';
import type { Mirror } from './mirror.ts';
import { recordForm } from './record-form.ts';
import { sharedTally } from './shared-tally.ts';
import { recordTallies } from './tally.ts';

export interface HeirOptions {
  readonly mirror: Mirror;
  readonly openDrains: OpenDrains;
  /** Tells a record of another node: its number is of another journal. */
  readonly send: Sender;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long drains that run may take to end when a queue is closed, in ms: their answers are under way. */
const closeMs = 2_000;
/** Between two looks at what is left of an owner, in ms: drains that were lost are added again. */
const lookMs = 15_000;

interface Estate {
  readonly drains: Drains;
  nextLookMs: number;
}

type Told = readonly [owner: string, stream: string, number: number];

export class RedisHeir implements Heir {
  readonly #options: HeirOptions;
  readonly #estates = new Map<string, Estate>();
  /** What is being told just now. */
  readonly #driven = new Map<string, readonly [owner: string, stream: string]>();
  /** What was told and Redis does not know of, because it was away. */
  readonly #unsettled = new Set<Told>();
  #isClosed = false;

  constructor(options: HeirOptions) {
    this.#options = options;
  }

  async lookAfter(lost: readonly string[]): Promise<void> {
    const { mirror, clock } = this.#options;
    await this.#settleLate();
    await mirror.renew([...this.#driven.values()]);
    for (const owner of this.#estates.keys()) if (!lost.includes(owner)) this.#leave(owner);
    for (const owner of lost) {
      const estate = this.#estates.get(owner);
      if (estate !== undefined && clock.nowMs() < estate.nextLookMs) continue;
      const left = await mirror.streams(owner);
      if (this.#isClosed) return;
      if (left.length > 0) await this.#enter(owner, left);
      else {
        await mirror.bury(owner);
        this.#leave(owner);
      }
    }
  }

  hurry(): void {
    // A queue that cannot be hurried is away; its drains are run when it is back.
    for (const { drains } of this.#estates.values()) drains.hurry().catch(() => {});
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const open = [...this.#estates.values()];
    this.#estates.clear();
    await Promise.all(open.map(({ drains }) => drains.close(closeMs)));
  }

  async #enter(owner: string, left: readonly string[]): Promise<void> {
    const { openDrains, clock, log } = this.#options;
    let estate = this.#estates.get(owner);
    if (estate === undefined) {
      const drains = await openDrains(owner, (stream) => this.#drain(owner, stream));
      estate = { drains, nextLookMs: 0 };
      this.#estates.set(owner, estate);
      const text = `${owner} is not heard of any more: its records are delivered by this node`;
      log('warning', 'accounting', text, { streams: left.length });
    }
    await estate.drains.add(left);
    estate.nextLookMs = clock.nowMs() + lookMs;
  }

  #leave(owner: string): void {
    const estate = this.#estates.get(owner);
    this.#estates.delete(owner);
    void estate?.drains.close(closeMs);
  }

  /** A drain of a dead owner's stream: tells what Redis has of it. */
  async #drain(owner: string, stream: string): Promise<void> {
    const key = `${owner} ${stream}`;
    if (this.#isClosed) return;
    // The job of the one that runs may have been given up as stalled: this one must not count as its success.
    if (this.#driven.has(key)) throw new Error('another drain is telling this stream');
    this.#driven.set(key, [owner, stream]);
    try {
      await this.#settleLate();
      const left = await this.#options.mirror.inherit(owner, stream);
      if (left === 'kept') throw new Error('its owner is back, or another node is telling it');
      for (const { number, text } of left) {
        const record = recordForm.read(JSON.parse(text));
        if (record === undefined) throw new Error('a record of another release');
        if (!(await this.#tell({ number, record }))) throw new Error('no server has answered');
        if (!(await this.#settle([owner, stream, number]))) return;
      }
    } finally {
      this.#driven.delete(key);
    }
  }

  #tell(entry: Entry): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#options.send(entry, (delivered) => {
        if (delivered) {
          sharedTally.add('inherited');
          recordTallies.acknowledged.add(entry.record.kind);
        }
        resolve(delivered);
      });
    });
  }

  /** None of what was told is told again before Redis knows of it. */
  async #settleLate(): Promise<void> {
    for (const told of [...this.#unsettled]) await this.#settle(told);
  }

  /** Tells Redis what was told. False if the lease has gone meanwhile. */
  async #settle(told: Told): Promise<boolean> {
    this.#unsettled.add(told);
    const isHeld = await this.#options.mirror.settle(...told);
    this.#unsettled.delete(told);
    return isHeld;
  }
}
