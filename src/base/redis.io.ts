/**
 * Redis as this program uses it: connections that never make anybody wait for long, and scripts that run whole. An address
 * enters; replies, refusals within a bounded time, and the news that Redis is there or gone leave. Knows no key by name.
 *
 * A server that is dead refuses at once; one that is frozen, or a host that has vanished without a word, within `replyMs`;
 * both are tried again for ever. With the settings that ioredis has by itself a command waits 74 seconds for a dead server
 * and for ever for a frozen one.
 */

import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { Fault } from './fault.ts';
import type { Log } from './observe.ts';
import { ClusterGuide, type ClusterView, nameOf, type RedisPlace, viewOf } from './redis-cluster.io.ts';
import { fared, type Script } from './redis-scripts.ts';
import { Complaints, troubleOf } from './redis-trouble.ts';

/** A server, the Sentinels that know it, or nodes of the cluster that it is in. Empty texts are settings that are not given. */
export interface RedisAddress {
  /** `redis://host:port/db`, or `rediss://` for TLS. With Sentinels only its database and TLS count, with a cluster only TLS. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly sentinels: readonly RedisPlace[];
  /** What the Sentinels call the server. */
  readonly masterName: string;
  /** Nodes to ask for the one that has `key`, and with it all keys that are used over this address. */
  readonly cluster?: { readonly nodes: readonly RedisPlace[]; readonly key: string };
  /** Files in PEM: who may have signed the server's certificate, and ours. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string };
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

/**
 * A connection of ioredis that begins to connect at once. Throws a `Fault` if the address cannot be used. What is wrong with Redis is
 * an operator's business once: the client says it, other connections say it for debugging.
 */
export function connectRedis(address: RedisAddress, temper: Temper, log: Log): RedisConnection {
  return open(address, temper, new Complaints(log, 'debug'));
}

function open(address: RedisAddress, temper: Temper, complaints: Complaints): RedisConnection {
  const redis = new Redis({ ...placeOf(address), ...mannersOf(address, temper) });
  redis.on('ready', () => complaints.allIsWell());
  redis.on('error', (error) => complaints.tell(error));
  return redis;
}

/** A prompt connection that runs scripts, and tells when it is `ready` and when it is `lost`. */
export class RedisClient implements ScriptRunner {
  /** For BullMQ alone, which needs the client itself. */
  readonly raw: RedisConnection;
  readonly #defined = new Set<string>();
  readonly #complaints: Complaints;
  readonly #sentinels: readonly Redis[];
  /** The master that the Sentinels have chosen while there was no connection: the next one may still be to the former. */
  #successor: string | undefined;

  constructor(address: RedisAddress, log: Log) {
    this.#complaints = new Complaints(log);
    this.raw = open(address, 'prompt', this.#complaints);
    this.raw.on('connect', () => this.#leaveFormer());
    this.#sentinels = hearSentinels(address, (successor) => {
      this.#successor = successor;
      // Told to connect again while it looks for a master, ioredis would give up for good.
      if (this.raw.status === 'ready' || this.raw.status === 'connect') this.#leaveFormer();
    });
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
    const sentAtMs = performance.now();
    const fares = (isAnswered: boolean) => fared(script, performance.now() - sentAtMs, isAnswered);
    return command.call(this.raw, keys.length, ...keys, ...args).then(
      (reply) => {
        fares(true);
        return reply;
      },
      (error: unknown) => {
        fares(false);
        if (troubleOf(error) !== undefined) this.#complaints.tell(error);
        throw error;
      },
    );
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
    for (const sentinel of this.#sentinels) sentinel.disconnect();
    this.raw.disconnect();
  }

  /** A master that was frozen learns seconds after its thaw that it has been succeeded, and until then serves whoever asks. */
  #leaveFormer(): void {
    const { remoteAddress, remotePort } = this.raw.stream;
    const isFormer = this.#successor !== undefined && this.#successor !== `${remoteAddress} ${remotePort}`;
    this.#successor = undefined;
    if (isFormer) this.raw.disconnect(true);
  }
}

/** Calls `succeeded` with `ADDRESS PORT` when the Sentinels have made another server the master. */
function hearSentinels(
  { sentinels, masterName }: RedisAddress,
  succeeded: (successor: string) => void,
): readonly Redis[] {
  return sentinels.map((place) => {
    const patience = { connectTimeout: 2 * replyMs, retryStrategy: pauseBefore, maxRetriesPerRequest: null };
    const sentinel = new Redis({ ...place, ...patience, enableReadyCheck: false });
    // Whoever looks for a master says it too.
    sentinel.on('error', () => {});
    sentinel.on('message', (_channel, text: string) => {
      const [name, , , ...successor] = text.split(' ');
      if (name === masterName) succeeded(successor.join(' '));
    });
    sentinel.subscribe('+switch-master').catch(() => {});
    return sentinel;
  });
}

function mannersOf({ cluster }: RedisAddress, temper: Temper): Options {
  const hasMoved = cluster === undefined ? isReplica : isElsewhere;
  return {
    connectTimeout: 2 * replyMs,
    socketTimeout: silentMs[temper],
    sentinelCommandTimeout: replyMs,
    retryStrategy: pauseBefore,
    sentinelRetryStrategy: pauseBefore,
    reconnectOnError: (error) => hasMoved.test(error.message) && (temper === 'patient' ? 2 : 1),
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

/** What a master says that has become a replica. The next connection finds its successor; 2 has the command sent to that. */
const isReplica = /^READONLY /;
/** What a node of a cluster says whose slot is another's, or who is cut off from the others. */
const isElsewhere = /^(MOVED|CLUSTERDOWN) /;

/** Doubles up to the last, a quarter of it random: nodes that lost a server together do not come back together. */
function pauseBefore(attempt: number): number {
  const fullMs = Math.min(reconnectMs.last, reconnectMs.first * 2 ** Math.min(attempt - 1, 10));
  return fullMs * (0.75 + Math.random() / 4);
}

function placeOf({ url, user, password, sentinels, masterName, cluster, tls }: RedisAddress): Options {
  const place = new URL(url);
  const database = Number(place.pathname.slice(1) || 0);
  const isSecure = place.protocol === 'rediss:';
  const access: Options = {
    ...(user === '' ? {} : { username: user }),
    ...(password === '' ? {} : { password }),
    ...(isSecure ? { tls: certificatesOf(tls) } : {}),
  };
  if (cluster !== undefined) return { ...access, Connector: clusterConnector(cluster, access) };
  if (sentinels.length > 0) {
    const secure = isSecure ? { enableTLSForSentinelMode: true } : {};
    return { ...access, ...secure, db: database, sentinels: [...sentinels], name: masterName };
  }
  const host = place.hostname.replace(/^\[|\]$/g, '');
  return { ...access, db: database, host, port: Number(place.port || 6379) };
}

function certificatesOf({ ca, certificate, key }: RedisAddress['tls']) {
  return {
    ...(ca === '' ? {} : { ca: pemOf(ca) }),
    ...(certificate === '' ? {} : { cert: pemOf(certificate) }),
    ...(key === '' ? {} : { key: pemOf(key) }),
  };
}

/**
 * Connects to the node of a cluster that has the key. Tries until it is found, as for Sentinels: a connector that gives up is never
 * asked again. ioredis's own client of clusters would hold connections to all nodes, and try a dead one for seconds.
 */
function clusterConnector({ nodes, key }: NonNullable<RedisAddress['cluster']>, access: Options) {
  return class extends AbstractConnector {
    readonly #guide = new ClusterGuide(nodes, (place) => askNode(place, key, access));

    constructor() {
      super(2 * replyMs);
    }

    override async connect(tell: (event: string, error: Error) => void) {
      this.connecting = true;
      for (let attempt = 1; this.connecting; attempt += 1) {
        try {
          const owner = await this.#guide.findOwner();
          if (this.connecting) return this.#connectTo(owner);
        } catch (error) {
          if (this.connecting) tell('error', error as Error);
        }
        await pause(pauseBefore(attempt));
      }
      // The words by which ioredis knows that nobody wants it any more.
      throw new Error('Connection is closed.');
    }

    #connectTo(owner: RedisPlace) {
      const { tls } = access;
      this.stream = tls === undefined ? createConnection(owner) : connectTls({ ...tls, ...owner });
      this.stream.once('error', (error: Error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  };
}

async function askNode(place: RedisPlace, key: string, access: Options): Promise<ClusterView> {
  const once = { retryStrategy: null, enableReadyCheck: false, disableClientInfo: true } as const;
  const redis = new Redis({ ...access, ...place, ...once, connectTimeout: replyMs, commandTimeout: replyMs });
  let trouble: Error | undefined;
  redis.on('error', (error) => {
    trouble ??= error;
  });
  try {
    const [slot, slots, info] = await Promise.all([
      redis.cluster('KEYSLOT', key),
      redis.cluster('SLOTS'),
      redis.cluster('INFO'),
    ]);
    return viewOf(slot, slots, info, place);
  } catch (error) {
    // What broke the connection says more than that the command went with it.
    throw trouble ?? (isOverdue(error) ? new Error(`${nameOf(place)} does not answer`) : error);
  } finally {
    redis.disconnect();
  }
}

function isOverdue(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
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
