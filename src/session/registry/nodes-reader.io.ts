/**
 * Reads a node's inbox in Redis, on a connection of its own that waits for what comes. Enter: entries of the stream. Leave: messages,
 * in order, each once as long as Redis stays the same. While Redis is away it waits; what came too late is nodes-inbox.ts's to see.
 */

import type { Clock } from '../../base/clock.ts';
import type { RedisConnection } from '../../base/redis.io.ts';
import type { InboxReader, Message, OpenInbox } from './nodes-inbox.ts';

/** How long one command waits for entries, in ms: far less than a patient connection may be silent. */
const blockMs = 2_000;
/** Entries in one reply. */
const entriesMax = 100;
/** After a refusal, in ms. */
const pauseMs = 200;

/** `connect` gives a patient connection. */
export function inboxReaderOver(connect: () => RedisConnection, clock: Clock): OpenInbox {
  return (inbox, take) => new StreamReader(connect, clock, inbox, take);
}

class StreamReader implements InboxReader {
  readonly #connect: () => RedisConnection;
  readonly #clock: Clock;
  readonly #inbox: string;
  readonly #take: (message: Message) => void;
  #redis: RedisConnection;
  /** The last entry that was told. */
  #last = '0-0';
  #isClosed = false;

  constructor(connect: () => RedisConnection, clock: Clock, inbox: string, take: (message: Message) => void) {
    this.#connect = connect;
    this.#clock = clock;
    this.#inbox = inbox;
    this.#take = take;
    this.#redis = this.#open();
  }

  /**
   * A reply may be awaited from the Redis before, which is frozen, or nobody's master any more: another connection asks the present
   * one. Told to connect again, ioredis gives up for good if it is just looking for a master among the Sentinels; told to end while it
   * waits to connect, it never answers what was asked: nothing waits for the connection before.
   */
  rewind(): void {
    this.#redis.disconnect();
    this.#last = '0-0';
    this.#redis = this.#open();
  }

  close(): void {
    this.#isClosed = true;
    this.#redis.disconnect();
  }

  #open(): RedisConnection {
    const redis = this.#connect();
    void this.#read(redis);
    return redis;
  }

  async #read(redis: RedisConnection): Promise<void> {
    do {
      try {
        this.#tell(redis, await this.#ask(redis));
      } catch {
        // The connection has said why, and is made again by itself.
        await new Promise<void>((resolve) => this.#clock.arm(pauseMs, resolve));
      }
    } while (this.#isOpen(redis));
  }

  #isOpen(redis: RedisConnection): boolean {
    return !this.#isClosed && this.#redis === redis;
  }

  #ask(redis: RedisConnection): ReturnType<RedisConnection['xread']> {
    return redis.xread('COUNT', entriesMax, 'BLOCK', blockMs, 'STREAMS', this.#inbox, this.#last);
  }

  /** Numbers of the Redis before say nothing about this one. */
  #tell(redis: RedisConnection, reply: Awaited<ReturnType<RedisConnection['xread']>>): void {
    for (const [number, fields] of reply?.[0]?.[1] ?? []) {
      if (!this.#isOpen(redis)) return;
      this.#last = number;
      const message = messageOf(fields);
      if (message !== undefined) this.#take(message);
    }
  }
}

function messageOf(fields: readonly string[]): Message | undefined {
  const named = new Map(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : [])));
  const [id, from, deadline, body] = ['id', 'from', 'deadline', 'body'].map((name) => named.get(name));
  if (id === undefined || body === undefined) return undefined;
  return from === undefined ? { id, body } : { id, from, deadlineMs: Number(deadline), body };
}
