/**
 * Drains in BullMQ: one queue per owner of records, one job per stream at a time. The only file that knows BullMQ; what a
 * drain does is its opener's.
 *
 * A job names a stream and holds no record, because jobs of one record each lose their order as soon as one is tried again.
 * Jobs never fail for good: attempts are practically endless, and so is the number of times that a worker may die on one,
 * which BullMQ would else call failed after two.
 */

import { Queue, Worker } from 'bullmq';
import type { Log } from '../base/observe.ts';
import { connectRedis, type RedisAddress, type RedisClient, type RedisConnection } from '../base/redis.io.ts';
import { customaryRest, type Rest } from './delivery.ts';
import type { Drains, OpenDrains } from './drains.ts';

export interface BullmqOptions {
  readonly address: RedisAddress;
  /** Adds jobs; workers have connections of their own. */
  readonly redis: RedisClient;
  readonly service: string;
  /** Random, of this process: a drain that a process before it left running holds up none of this one. */
  readonly boot: string;
  readonly log: Log;
  readonly rest?: Rest;
  /** How long a worker that says nothing is believed to be at work, in ms. */
  readonly lockMs?: number;
}

/** Streams told at once: enough to keep servers busy at 100 ms of distance. */
const concurrency = 256;
/** What a signed 32-bit number holds: two years of attempts a twentieth of a second apart. */
const endless = 2 ** 31 - 1;
/** Events that BullMQ keeps for those who watch a queue; nobody here does. */
const eventsMax = 100;
/** Jobs added by one command. */
const bulkMax = 500;

/** Opens queues in the Redis of `options`. */
export function bullmqDrains(options: BullmqOptions): OpenDrains {
  return async (owner, drain) => {
    const name = `accounting-${owner}`;
    const prefix = `{pptp:${options.service}}:bull`;
    const queue = new Queue(name, {
      connection: options.redis.raw,
      prefix,
      streams: { events: { maxLen: eventsMax } },
    });
    queue.on('error', (error) => options.log('debug', 'accounting', `bullmq: ${error.message}`));
    await queue.waitUntilReady();
    return new BullmqDrains(queue, name, prefix, options, drain);
  };
}

class BullmqDrains implements Drains {
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #patient: RedisConnection;
  readonly #boot: string;

  constructor(
    queue: Queue,
    name: string,
    prefix: string,
    { address, boot, log, rest = customaryRest, lockMs = 10_000 }: BullmqOptions,
    drain: (stream: string) => Promise<void>,
  ) {
    this.#queue = queue;
    this.#boot = boot;
    this.#patient = connectRedis(address, 'patient', log);
    this.#worker = new Worker(name, (job) => drain(job.data.stream), {
      connection: this.#patient,
      prefix,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: lockMs,
      maxStalledCount: endless,
      drainDelay: 5,
      settings: { backoffStrategy: (attempts = 1) => pauseAfter(attempts, rest) },
    });
    this.#worker.on('error', (error) => log('debug', 'accounting', `bullmq: ${error.message}`));
  }

  async add(streams: readonly string[]): Promise<void> {
    for (let at = 0; at < streams.length; at += bulkMax) {
      await this.#queue.addBulk(streams.slice(at, at + bulkMax).map((stream) => this.#drainOf(stream)));
    }
  }

  async hurry(): Promise<void> {
    await this.#queue.promoteJobs({ count: bulkMax });
  }

  async close(patienceMs: number): Promise<void> {
    let timeout: NodeJS.Timeout | undefined;
    const ended = this.#worker.close().then(
      () => true,
      () => false,
    );
    const patience = new Promise<boolean>((resolve) => {
      timeout = setTimeout(() => resolve(false), patienceMs);
    });
    const isEnded = await Promise.race([ended, patience]);
    clearTimeout(timeout);
    // A worker without Redis would wait for it: both of its connections are broken.
    if (isEnded) this.#patient.disconnect();
    else this.#worker.disconnect().catch(() => {});
  }

  #drainOf(stream: string) {
    return {
      name: 'drain',
      data: { stream },
      opts: {
        deduplication: { id: `${this.#boot}.${stream}`, keepLastIfActive: true },
        attempts: endless,
        backoff: { type: 'custom' },
        removeOnComplete: true,
        removeOnFail: false,
        stackTraceLimit: 1,
      },
    };
  }
}

/** Doubles up to the last, half of it random: streams that failed together do not come back together. */
function pauseAfter(attempts: number, { first, last }: Rest): number {
  const fullMs = Math.min(last, first * 2 ** Math.min(attempts - 1, 30));
  return Math.round(fullMs * (0.5 + Math.random() / 2));
}
