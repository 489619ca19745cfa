/**
 * Redis as this program uses it: connections that never make anybody wait for long, and scripts that run whole. An address
 * enters; replies, refusals within a bounded time, and the news that Redis is there or gone leave. Knows no key by name.
 *
 * A server that is dead refuses at once; one that is frozen, or a host that has vanished without a word, within `replyMs`;
 * both are tried again for ever. With the settings that ioredis has by itself a command waits 74 seconds for a dead server
 * and for ever for a frozen one.
 */

import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { Fault } from './fault.ts';
import type { Log } from './observe.ts';

/** A server, or the Sentinels that know it. Empty texts are settings that are not given. */
export interface RedisAddress {
  /** `redis://host:port/db`, or `rediss://` for TLS. With Sentinels only its database and TLS count. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** What the Sentinels call the server. */
  readonly masterName: string;
  /** Files in PEM: who may have signed the server's certificate, and ours. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string };
}

/** What runs in the server, whole and alone: `KEYS` and `ARGV` are its arguments. */
export interface Script {
  /** In camel case, of its own among all scripts of the program. */
  readonly name: string;
  readonly lua: string;
}

/** Runs scripts. The promise is kept or broken within `replyMs`. */
export interface ScriptRunner {
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

/** How long a command may take, in ms: a hundred times what the slowest takes on a server that is well. */
export const replyMs = 1_000;
/** How long a connection may be silent while something is awaited, in ms; workers wait for jobs up to ten seconds at a time. */
const silentMs = { prompt: 3 * replyMs, patient: 15_000 } as const;
/** Between attempts to connect, in ms. */
const reconnectMs = { first: 50, last: 2_000 } as const;

/** Replies in the shapes of RESP 2, whatever is spoken; undefined would ask for something else. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/** Of a connection: `prompt` refuses commands while there is no server; `patient` keeps them, as BullMQ's workers ask. */
export type Temper = keyof typeof silentMs;

/** A connection as ioredis has it: for BullMQ alone. */
export type RedisConnection = Redis;

/** A connection of ioredis that begins to connect at once. Throws a `Fault` if the address cannot be used. */
export function connectRedis(address: RedisAddress, temper: Temper, log: Log): RedisConnection {
  const redis = new Redis({ ...placeOf(address), ...mannersOf(temper) });
  let last = '';
  redis.on('ready', () => {
    last = '';
  });
  // Each attempt fails alike while the server is away: it is said once.
  redis.on('error', (error: Error) => {
    if (error.message === last) return;
    last = error.message;
    log('debug', 'system', `redis: ${error.message}`);
  });
  return redis;
}

/** A prompt connection that runs scripts, and tells when it is `ready` and when it is `lost`. */
export class RedisClient implements ScriptRunner {
  /** For BullMQ alone, which needs the client itself. */
  readonly raw: RedisConnection;
  readonly #defined = new Set<string>();

  constructor(address: RedisAddress, log: Log) {
    this.raw = connectRedis(address, 'prompt', log);
  }

  get isReady(): boolean {
    return this.raw.status === 'ready';
  }

  /** `ready` is called for each connection made, `lost` when it breaks. */
  listen(ready: () => void, lost: () => void): void {
    this.raw.on('ready', ready);
    this.raw.on('close', lost);
  }

  /** True as soon as it is ready; false if it is not within `patienceMs`. */
  whenReady(patienceMs: number): Promise<boolean> {
    if (this.isReady) return Promise.resolve(true);
    return new Promise((resolve) => {
      const ready = () => {
        clearTimeout(timeout);
        resolve(true);
      };
      const timeout = setTimeout(() => {
        this.raw.off('ready', ready);
        resolve(false);
      }, patienceMs);
      this.raw.once('ready', ready);
    });
  }

  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (!this.#defined.has(script.name)) {
      this.raw.defineCommand(script.name, { lua: script.lua });
      this.#defined.add(script.name);
    }
    const commands = this.raw as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const command = commands[script.name];
    if (command === undefined) throw new Error(`script ${script.name} is not defined`);
    return command.call(this.raw, keys.length, ...keys, ...args);
  }

  /**
   * Refuses a server that may throw keys away when its memory is full: what is kept there would be lost in silence. INFO says
   * it, because CONFIG is forbidden by many who rent Redis out. Rejects with a `Fault`.
   */
  async checkEviction(): Promise<void> {
    const memory = await this.raw.info('memory');
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'unknown';
    if (policy === 'noeviction') return;
    throw new Fault(
      'REDIS_EVICTS',
      'operator',
      `redis throws keys away when its memory is full (maxmemory-policy is ${policy})`,
      'Set maxmemory-policy to noeviction in redis.conf, or use a server of its own for accounting.',
    );
  }

  /** Breaks the connection for good; what waits for a reply is refused. */
  close(): void {
    this.raw.disconnect();
  }
}

function mannersOf(temper: Temper): Options {
  return {
    connectTimeout: 2 * replyMs,
    socketTimeout: silentMs[temper],
    sentinelCommandTimeout: replyMs,
    retryStrategy: pauseBefore,
    sentinelRetryStrategy: pauseBefore,
    // A master that has become a replica says so; the next connection finds its successor.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(temper === 'prompt'
      ? {
          commandTimeout: replyMs,
          enableOfflineQueue: false,
          autoResendUnfulfilledCommands: false,
          maxRetriesPerRequest: 0,
        }
      : { maxRetriesPerRequest: null }),
  };
}

/** Doubles up to the last, a quarter of it random: nodes that lost a server together do not come back together. */
function pauseBefore(attempt: number): number {
  const fullMs = Math.min(reconnectMs.last, reconnectMs.first * 2 ** Math.min(attempt - 1, 10));
  return fullMs * (0.75 + Math.random() / 4);
}

function placeOf({ url, user, password, sentinels, masterName, tls }: RedisAddress): Options {
  const place = new URL(url);
  const database = Number(place.pathname.slice(1) || 0);
  const secure =
    place.protocol === 'rediss:'
      ? {
          tls: {
            ...(tls.ca === '' ? {} : { ca: pemOf(tls.ca) }),
            ...(tls.certificate === '' ? {} : { cert: pemOf(tls.certificate) }),
            ...(tls.key === '' ? {} : { key: pemOf(tls.key) }),
          },
          enableTLSForSentinelMode: true,
        }
      : {};
  return {
    db: database,
    ...(sentinels.length === 0
      ? { host: place.hostname.replace(/^\[|\]$/g, ''), port: Number(place.port || 6379) }
      : { sentinels: [...sentinels], name: masterName }),
    ...(user === '' ? {} : { username: user }),
    ...(password === '' ? {} : { password }),
    ...secure,
  };
}

function pemOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = 'The file must exist and be readable by the daemon; see /system cluster.';
    throw new Fault('REDIS_TLS_FILE', 'operator', `cannot read ${file}: ${why}`, hint);
  }
}
