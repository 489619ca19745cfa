/** A node of a service as the registry's own tests need it: RedisRegistry with all its parts, and no sessions of its own making. */

import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { connectRedis, type RedisAddress, RedisClient } from '../../src/base/redis.io.ts';
import { RedisNodes } from '../../src/session/registry/nodes.io.ts';
import { customaryPace, type Pace } from '../../src/session/registry/nodes.ts';
import { inboxReaderOver } from '../../src/session/registry/nodes-reader.io.ts';
import { RedisRegistry } from '../../src/session/registry/redis.io.ts';
import { beginSite, type RegistryWorld, type Site } from '../conformance/registry.ts';

export interface RedisSite extends Site {
  readonly registry: RedisRegistry;
  readonly redis: RedisClient;
  /** Ends it without a word. */
  kill(): void;
  leave(): Promise<void>;
}

export interface SiteOptions {
  readonly address: RedisAddress;
  readonly service: string;
  readonly node: string;
  readonly pace?: Partial<Pace>;
  /** Commands of others that get lost on their way, the first ones. */
  readonly deafTo?: number;
}

export async function openSite({
  address,
  service,
  node,
  pace,
  deafTo = 0,
}: SiteOptions): Promise<RedisSite> {
  const owner = { node, bootId: randomBytes(8).toString('hex') };
  const log = process.env.REGISTRY_LOG === undefined ? silent : console.log;
  const clock = systemClock;
  const redis = new RedisClient(address, log);
  const openReader = inboxReaderOver(() => connectRedis(address, 'patient', log), clock);
  let unheard = deafTo;
  const openInbox: typeof openReader = (inbox, take) =>
    openReader(inbox, (message) => {
      unheard -= 1;
      if (unheard < 0) take(message);
    });
  const life = { pace: { ...customaryPace, ...pace }, clock, random: systemRandom, log };
  const nodes = new RedisNodes({ redis, openInbox, service, owner, ...life });
  const registry = new RedisRegistry({ redis, service, owner, nodes, clock, log });
  const site = await beginSite(owner, registry);
  return {
    ...site,
    registry,
    redis,
    kill: () => redis.close(),
    leave: async () => {
      await new Promise<void>((left) => registry.close(left));
      redis.close();
    },
  };
}

/** Names that are no plain words, as operators give them. */
const nodes = ['anna', 'bert & co', 'cleo@isp:1'] as const;

/** Three nodes of `service`. */
export function openSites(
  address: RedisAddress,
  service: string,
  pace: Partial<Pace> = {},
): Promise<RedisSite[]> {
  return Promise.all(nodes.map((node) => openSite({ address, service, node, pace })));
}

/** The nodes as the suite of all registries takes them. */
export function worldOf(
  sites: readonly RedisSite[],
  { isEmpty, until }: Pick<RegistryWorld, 'isEmpty' | 'until'>,
): RegistryWorld {
  return {
    sites: sites as readonly [RedisSite, ...RedisSite[]],
    isEmpty,
    until,
    close: async () => void (await Promise.all(sites.map((site) => site.leave()))),
  };
}
