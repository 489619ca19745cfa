/**
 * The service as this node sees it: the registry of nodes and sessions, and the blocks of addresses that are leased to it. In Redis
 * if one is configured; without, the node stands alone and everything is its own.
 */

import { systemClock } from '../base/clock.io.ts';
import type { AddressRange } from '../base/kind.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import { connectRedis, type RedisAddress, RedisClient } from '../base/redis.io.ts';
import { RedisBlockBooks } from '../session/registry/blocks.io.ts';
import { termsOf } from '../session/registry/blocks.ts';
import { BlockLeases } from '../session/registry/blocks-leases.ts';
import { MemoryRegistry } from '../session/registry/memory.ts';
import { RedisNodes } from '../session/registry/nodes.io.ts';
import { paceOf } from '../session/registry/nodes.ts';
import { inboxReaderOver } from '../session/registry/nodes-reader.io.ts';
import { RedisRegistry } from '../session/registry/redis.io.ts';
import type { Owner, Registry } from '../session/registry/registry.ts';
import type { ClusterSettings } from '../session/registry/settings.ts';

/** What leases want to know of the sessions here. */
export interface Drawings {
  /** Addresses of a range that sessions of this node have. */
  usedIn(range: AddressRange): number;
  /** Another node has these addresses. */
  lost(range: AddressRange): void;
}

/** The Redis of the service. */
export interface SharedRedis {
  readonly client: RedisClient;
  readonly address: RedisAddress;
}

export interface Service {
  /** All that speaks with Redis does so over it: what is wrong there is said once. */
  readonly redis: SharedRedis | undefined;
  readonly registry: Registry;
  /** Undefined: all addresses of the pools are this node's own. */
  readonly leases: BlockLeases | undefined;
  close(): void;
}

/** The service of `settings`; nothing is asked of it before `registry.begin`. */
export function serviceOf(settings: ClusterSettings, owner: Owner, drawings: Drawings, log: Log): Service {
  if (settings.redis === undefined) {
    return {
      redis: undefined,
      registry: new MemoryRegistry(owner, systemClock),
      leases: undefined,
      close: () => {},
    };
  }
  const { service } = settings;
  const address = redisAddressOf(settings);
  const redis = new RedisClient(address, log);
  const common = { redis, service, owner, clock: systemClock, log };
  const openInbox = inboxReaderOver(() => connectRedis(address, 'patient', log), systemClock);
  const pace = paceOf(settings.deadAfter);
  const nodes = new RedisNodes({ ...common, openInbox, pace, random: systemRandom });
  const terms = termsOf(pace.settleMs);
  const leases = new BlockLeases({
    clock: systemClock,
    random: systemRandom,
    log,
    books: new RedisBlockBooks(redis, service, owner, terms, log),
    terms,
    ...drawings,
  });
  redis.listen(
    () => leases.online(),
    () => {},
  );
  const registry = new RedisRegistry({ ...common, nodes });
  return { redis: { client: redis, address }, registry, leases, close: () => redis.close() };
}

function redisAddressOf(settings: ClusterSettings): RedisAddress {
  const { redis = '', redisUser, redisPassword, redisSentinels, redisMasterName } = settings;
  const { redisCaFile: ca, redisCertificateFile: certificate, redisKeyFile: key } = settings;
  const { redisClusterNodes: nodes, service } = settings;
  return {
    url: redis,
    user: redisUser,
    password: redisPassword,
    sentinels: redisSentinels,
    masterName: redisMasterName,
    ...(nodes.length > 0 && { cluster: { nodes, key: `{pptp:${service}}` } }),
    tls: { ca, certificate, key },
  };
}
