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
  return (inbox, take) => new StreamReader(connect(), clock, inbox, take);
}

class StreamReader implements InboxReader {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #inbox: string;
  readonly #take: (message: Message) => void;
  /** The last entry that was told. */
  #last = '0-0';
  #isClosed = false;

  constructor(redis: RedisConnection, clock: Clock, inbox: string, take: (message: Message) => void) {
    this.#redis = redis;
    this.#clock = clock;
    this.#inbox = inbox;
    this.#take = take;
    void this.#read();
  }

  /** A reply may be awaited from the Redis before, which is frozen, or nobody's master any more: by another connection. */
  rewind(): void {
    this.#last = '0-0';
    this.#redis.disconnect(true);
  }

  close(): void {
    this.#isClosed = true;
    this.#redis.disconnect();
  }

  async #read(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#readOnce();
      } catch {
        // The connection has said why, and is made again by itself.
        if (!this.#isClosed) await new Promise<void>((resolve) => this.#clock.arm(pauseMs, resolve));
      }
    }
  }

  async #readOnce(): Promise<void> {
    const after = this.#last;
    const words = ['COUNT', entriesMax, 'BLOCK', blockMs, 'STREAMS', this.#inbox, after] as const;
    const reply = await this.#redis.xread(...words);
    // Numbers of the Redis before say nothing about this one.
    if (this.#last !== after) return;
    for (const [number, fields] of reply?.[0]?.[1] ?? []) {
      this.#last = number;
      const message = messageOf(fields);
      if (message !== undefined && !this.#isClosed) this.#take(message);
    }
  }
}

function messageOf(fields: readonly string[]): Message | undefined {
  const named = new Map(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : [])));
  const [id, from, deadline, body] = ['id', 'from', 'deadline', 'body'].map((name) => named.get(name));
  if (id === undefined || body === undefined) return undefined;
  return from === undefined ? { id, body } : { id, from, deadlineMs: Number(deadline), body };
}
