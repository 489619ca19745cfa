/**
 * Delivery through Redis, so that what a dead node leaves is delivered by another. The way of a record: the journal has it; a
 * copy goes to Redis (mirror.ts), then a drain of its stream to the node's queue (drains.ts); the drain takes the stream's lease
 * and tells a server what this node's memory says is pending; the journal forgets it, then the copy does.
 *
 * A node's own queue is worked off by the node itself, which is the NAS that servers know; heir.io.ts sees to the queues of
 * the dead. Memory and journal are the truth about own records, Redis may say anything: it is made equal at every meeting (the
 * first, one after an absence, one that finds another marker, and each `compareMs`).
 *
 * Redis may die, freeze or come back empty at any time. After `fallbackMs` without it the embedded delivery takes over what is
 * pending, and keeps it until it is told. A stream has one driver at a time, a drain or the embedded delivery, so this node
 * tells no record twice. Two nodes tell the same record in these cases only, and a server knows it by its Acct-Session-Id:
 *  - a node lives, but was cut off from Redis for `ownerMs`: copies that it could not take back are told by its heir too;
 *  - a node dies between a server's answer and the copy's end, and stays dead for `ownerMs`: one record of a stream;
 *  - a node tells records while Redis is away, and is dead when it comes back with its data;
 *  - an heir loses Redis after a server's answer, and dies before it can say so.
 */

import { toHex } from '../base/bytes.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import { type RedisClient, replyMs } from '../base/redis.io.ts';
import { type Delivery, type DeliveryPorts, EmbeddedDelivery, type Entry, type Rest } from './delivery.ts';
import type { Drains, Heir, OpenDrains } from './drains.ts';
import { type Lane, Lanes, superseded } from './lanes.ts';
import type { Copy, Mirror } from './mirror.ts';
import { recordForm } from './record-form.ts';
import { sharedTally } from './shared-tally.ts';
import { accountingTally, recordTallies } from './tally.ts';

export interface SharedOptions {
  readonly redis: RedisClient;
  readonly mirror: Mirror;
  readonly openDrains: OpenDrains;
  readonly heir: Heir;
  readonly pace?: Partial<Pace>;
  /** Of streams that the embedded delivery has taken back. */
  readonly rest?: Rest;
}

/** In ms. */
export interface Pace {
  /** Between two signs of life. */
  readonly beatMs: number;
  /** Without Redis for so long, the node delivers by itself. */
  readonly fallbackMs: number;
  /** Between two comparisons of Redis with what is pending here, if nothing else calls for one. */
  readonly compareMs: number;
}

const customary: Pace = { beatMs: 3_000, fallbackMs: 5_000, compareMs: 60_000 };

/** While Redis is away it is asked so often, in ms. */
const retryMs = 500;
/** Streams copied by one script: a millisecond of Redis's time. */
const copiesMax = 100;
/** How long drains that run may take to end when the delivery closes, in ms: their answers are under way. */
const closeMs = 2_000;

export class SharedDelivery implements Delivery {
  readonly #ports: DeliveryPorts;
  readonly #clock: Clock;
  readonly #redis: RedisClient;
  readonly #openDrains: OpenDrains;
  readonly #pace: Pace;
  readonly #mirror: Mirror;
  readonly #heir: Heir;
  readonly #embedded: EmbeddedDelivery;
  readonly #lanes = new Lanes();
  /** Streams whose copy does not say what is pending. */
  readonly #unequal = new Set<string>();
  #own: Drains | undefined;
  #isOnline = false;
  /** True while Redis has been away for `fallbackMs`, and until it is back. */
  #isAlone = false;
  #isClosed = false;
  #isBeating = false;
  #isCopying = false;
  #marker = '';
  #comparedMs = 0;
  #beatTimer: Timer | undefined;
  #fallbackTimer: Timer | undefined;
  #complaint = '';

  constructor({ redis, mirror, openDrains, heir, pace, rest }: SharedOptions, ports: DeliveryPorts) {
    this.#ports = ports;
    this.#clock = ports.clock;
    this.#redis = redis;
    this.#mirror = mirror;
    this.#openDrains = openDrains;
    this.#heir = heir;
    this.#pace = { ...customary, ...pace };
    this.#embedded = new EmbeddedDelivery({ ...ports, done: (number) => this.#done(number) }, rest);
  }

  /**
   * Begins, when all that the journal had has been given to `deliver`: what Redis has besides is taken for delivered. Rejects
   * with a `Fault` if Redis is there and may not be used; if it is not there, it is waited for meanwhile.
   */
  async begin(): Promise<void> {
    this.#awaitFallback();
    this.#redis.listen(
      () => this.#beatIn(0),
      () => this.#lost(new Error('the connection broke')),
    );
    if (await this.#redis.whenReady(replyMs)) {
      await this.#redis.checkEviction().catch((error: unknown) => {
        if (error instanceof Fault) throw error;
      });
    }
    await this.#beat();
  }

  get pending(): number {
    return this.#lanes.size;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  deliver(entry: Entry): void {
    const lane = this.#lanes.append(entry);
    if (lane.driver === 'embedded') this.#embedded.deliver(entry);
    else this.#supersede(lane);
    if (this.#isAlone) this.#takeBack(lane);
    this.#copyLater(lane.stream);
  }

  hurry(): void {
    this.#embedded.hurry();
    this.#own?.hurry().catch((error: unknown) => this.#lost(error));
    this.#heir.hurry();
  }

  close(closed: () => void): void {
    this.#isClosed = true;
    this.#beatTimer?.cancel();
    this.#fallbackTimer?.cancel();
    this.#embedded.close(() => {});
    void this.#end().then(closed);
  }

  async #end(): Promise<void> {
    await Promise.all([this.#own?.close(closeMs), this.#heir.close()]);
    if (this.#isOnline) await this.#copyAll().catch(() => {});
  }

  // --- Own records -------------------------------------------------------------------------------------------------------

  /** A drain of an own stream: tells what memory says is pending, in order. */
  async #drain(stream: string): Promise<void> {
    const lane = this.#lanes.find(stream);
    if (lane === undefined || lane.driver === 'embedded' || this.#isClosed) return;
    // The job of the one that runs may have been given up as stalled: this one must not count as its success.
    if (lane.driver === 'job') throw new Error('another drain is telling this stream');
    lane.driver = 'job';
    try {
      while (lane.entries.length > 0 && !this.#isClosed && !this.#isAlone) {
        // Long after it was claimed when the process stood still: others may have been at it.
        if (this.#clock.nowMs() >= lane.heldUntilMs) await this.#claim(lane);
        const [entry] = lane.entries;
        if (entry === undefined || this.#isClosed || this.#isAlone) continue;
        if (!(await this.#tell(lane, entry))) throw new Error('no server has answered');
        // An heir must not begin before the record that was told last.
        if (lane.entries.length > 0) await this.#keep([stream]);
      }
    } finally {
      lane.driver = undefined;
      if (this.#isAlone) this.#takeBack(lane);
    }
  }

  async #claim(lane: Lane): Promise<void> {
    const untilMs = this.#clock.nowMs() + this.#mirror.terms.leaseMs;
    const numbers = lane.entries.map(({ number }) => number);
    const settled = await this.#mirror.claim(lane.stream, numbers);
    if (settled === 'taken') throw new Error('another node is telling this stream');
    for (const number of settled) this.#done(number);
    lane.heldUntilMs = untilMs;
  }

  #tell(lane: Lane, entry: Entry): Promise<boolean> {
    lane.isAsked = true;
    return new Promise((resolve) => {
      this.#ports.send(entry, (delivered) => {
        lane.isAsked = false;
        accountingTally.add(delivered ? 'delivered' : 'undelivered');
        if (delivered) recordTallies.acknowledged.add(entry.record.kind);
        if (delivered) this.#done(entry.number);
        else this.#supersede(lane);
        resolve(delivered);
      });
    });
  }

  #supersede(lane: Lane): void {
    for (const { number } of superseded(lane)) {
      accountingTally.add('superseded');
      this.#done(number);
    }
  }

  /** A server has it, or a newer one says all of it. It may be known already. */
  #done(number: number): void {
    const stream = this.#lanes.remove(number);
    if (stream === undefined) return;
    this.#ports.done(number);
    this.#copyLater(stream);
  }

  /** Gives a stream that nobody drives to the embedded delivery. */
  #takeBack(lane: Lane): void {
    if (lane.driver !== undefined || this.#isClosed) return;
    lane.driver = 'embedded';
    sharedTally.add('takenBack', lane.entries.length);
    for (const entry of [...lane.entries]) this.#embedded.deliver(entry);
  }

  // --- The copy ----------------------------------------------------------------------------------------------------------

  #copyLater(stream: string): void {
    this.#unequal.add(stream);
    if (!this.#isOnline || this.#isCopying || this.#isClosed) return;
    this.#isCopying = true;
    // What comes in the same turn goes in the same command.
    setImmediate(() => {
      this.#copyAll()
        .catch((error: unknown) => this.#lost(error))
        .finally(() => {
          this.#isCopying = false;
        });
    });
  }

  /** Until every copy says what is pending. */
  async #copyAll(): Promise<void> {
    while (this.#unequal.size > 0) {
      const streams: string[] = [];
      for (const stream of this.#unequal) {
        this.#unequal.delete(stream);
        if (streams.push(stream) === copiesMax) break;
      }
      try {
        await this.#copy(streams);
      } catch (error) {
        for (const stream of streams) this.#unequal.add(stream);
        throw error;
      }
    }
  }

  /** Copies, and has drained what is pending. */
  async #copy(streams: readonly string[]): Promise<void> {
    await this.#keep(streams);
    if (this.#own === undefined) return;
    const lanes = streams.flatMap((stream) => this.#lanes.find(stream) ?? []);
    const undrained = lanes.filter(
      ({ driver, mustDrain }) => driver === undefined || (driver === 'job' && mustDrain),
    );
    if (undrained.length === 0) return;
    await this.#own.add(undrained.map(({ stream }) => stream));
    for (const lane of undrained) lane.mustDrain = false;
  }

  async #keep(streams: readonly string[]): Promise<void> {
    const settled = await this.#mirror.keep(streams.map((stream) => this.#copyOf(stream)));
    for (const number of settled) this.#done(number);
    sharedTally.add('copied', streams.length);
  }

  #copyOf(stream: string): Copy {
    const entries = this.#lanes.find(stream)?.entries ?? [];
    const records = entries.map(({ number, record }) => ({
      number,
      text: JSON.stringify(recordForm.write(record)),
    }));
    return { stream, records };
  }

  /** Makes Redis and memory agree. Memory is right about what is pending, Redis about what others have delivered. */
  async #compare(): Promise<void> {
    const [settled, copied] = await Promise.all([this.#mirror.settled(), this.#mirror.streams()]);
    // Those that are not pending any more: the journal has forgotten them since the last comparison, or before.
    const forgotten = settled.filter((number) => !this.#lanes.has(number));
    for (const number of settled) this.#done(number);
    await this.#mirror.forget(forgotten);
    for (const stream of copied) this.#unequal.add(stream);
    for (const lane of this.#lanes) {
      lane.heldUntilMs = 0;
      lane.mustDrain = true;
      this.#unequal.add(lane.stream);
    }
    this.#comparedMs = this.#clock.nowMs();
  }

  // --- Redis, there and away ---------------------------------------------------------------------------------------------

  #beatIn(delayMs: number): void {
    this.#beatTimer?.cancel();
    if (!this.#isClosed) this.#beatTimer = this.#clock.arm(delayMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    if (this.#isBeating || this.#isClosed) return;
    this.#isBeating = true;
    try {
      if (this.#redis.isReady) await this.#meet();
    } catch (error) {
      this.#lost(error);
    } finally {
      this.#isBeating = false;
      this.#beatIn(this.#isOnline ? this.#pace.beatMs : retryMs);
    }
  }

  async #meet(): Promise<void> {
    if (!this.#isOnline) await this.#redis.checkEviction();
    const { marker, wasLost, lost } = await this.#mirror.beat(toHex(this.#ports.random(8)));
    if (marker !== this.#marker && this.#marker !== '') sharedTally.add('emptied');
    const isDue = this.#clock.nowMs() - this.#comparedMs >= this.#pace.compareMs;
    this.#own ??= await this.#openDrains(this.#mirror.owner, (stream) => this.#drain(stream));
    if (!this.#isOnline || wasLost || marker !== this.#marker || isDue) await this.#compare();
    this.#marker = marker;
    this.#found();
    await this.#heir.lookAfter(lost);
  }

  #found(): void {
    if (!this.#isOnline) this.#ports.log('info', 'accounting', 'redis is there: records go through it');
    this.#complaint = '';
    this.#isOnline = true;
    this.#isAlone = false;
    this.#fallbackTimer?.cancel();
    this.#fallbackTimer = undefined;
    const [any] = this.#unequal;
    if (any !== undefined) this.#copyLater(any);
  }

  #lost(why: unknown): void {
    if (this.#isClosed) return;
    sharedTally.add('failures');
    const text = why instanceof Error ? why.message : String(why);
    if (text !== this.#complaint) {
      const facts = why instanceof Fault ? { code: why.code, hint: why.hint } : {};
      this.#ports.log(why instanceof Fault ? 'error' : 'warning', 'accounting', `redis: ${text}`, facts);
    }
    this.#complaint = text;
    this.#isOnline = false;
    this.#awaitFallback();
    // Not at the next beat, but soon; unless a beat runs, which sees to it itself.
    if (!this.#isBeating) this.#beatIn(retryMs);
  }

  #awaitFallback(): void {
    if (this.#isAlone) return;
    this.#fallbackTimer ??= this.#clock.arm(this.#pace.fallbackMs, () => {
      this.#isAlone = true;
      sharedTally.add('fallbacks');
      this.#ports.log('warning', 'accounting', 'redis is away: this node delivers its records by itself');
      for (const lane of this.#lanes) this.#takeBack(lane);
    });
  }
}
