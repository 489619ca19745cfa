/**
 * The menu `/system cluster`: where the nodes of one service meet, and what they keep there. Without a Redis nothing of it
 * applies: the node stands alone.
 */

import { choice, duration, listOf, optional, text } from '../../base/kind.ts';
import { type Kind, menu, refuse, type ValuesOf } from '../../base/setting.ts';

/** `redis://host:port/db` or `rediss://…`; user and password are settings of their own, because a URL is shown and logged. */
const redisUrl: Kind<string> = {
  label: 'redis://host[:port][/database] | rediss://…',
  parse(typed) {
    if (!URL.canParse(typed)) return refuse.invalid();
    const { protocol, username, password, hostname, pathname, search, hash } = new URL(typed);
    if (username !== '' || password !== '') {
      return refuse.failure(
        'user and password of redis are settings of their own: redis-user, redis-password',
      );
    }
    const isRedis = protocol === 'redis:' || protocol === 'rediss:';
    const isWhole = hostname !== '' && /^(\/\d{0,4})?$/.test(pathname) && search === '' && hash === '';
    return isRedis && isWhole ? typed : refuse.invalid();
  },
  format: (value) => value,
};

/** Where a server of Redis or a Sentinel listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The port is `portDefault` unless told. */
function hostAndPort(portDefault: number): Kind<HostAndPort> {
  return {
    label: 'host[:port]',
    parse(typed) {
      const [, host = '', digits] = /^([a-z\d_.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/i.exec(typed) ?? [];
      const port = digits === undefined ? portDefault : Number(digits);
      if (host === '' || port < 1 || port > 65_535) return refuse.invalid();
      return { host: host.replace(/^\[|\]$/g, ''), port };
    },
    format: ({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`,
  };
}

/** It stands in every key, between braces: a Redis Cluster keeps all keys of a service on one server, where scripts find them. */
const serviceName: Kind<string> = {
  label: 'name',
  quoted: true,
  parse(typed) {
    if (/^[A-Za-z\d._-]{1,32}$/.test(typed)) return typed;
    return refuse.failure('the name of a service has 1 to 32 letters, digits, dots, hyphens and underscores');
  },
  format: (value) => value,
};

/** What rows cannot say alone. */
interface Combined {
  readonly redis: string | undefined;
  readonly redisUser: string;
  readonly redisPassword: string;
  readonly redisSentinels: readonly HostAndPort[];
  readonly redisClusterNodes: readonly HostAndPort[];
  readonly redisCaFile: string;
  readonly redisCertificateFile: string;
  readonly redisKeyFile: string;
  readonly accountingStore: 'journal' | 'redis';
}

interface Objection {
  readonly argument: keyof Combined;
  readonly words: string;
  applies(settings: Combined): boolean;
}

const objections: readonly Objection[] = [
  {
    argument: 'accountingStore',
    words: 'accounting-store is redis, and no redis is set',
    applies: ({ redis, accountingStore }) => accountingStore === 'redis' && redis === undefined,
  },
  {
    argument: 'redisKeyFile',
    words: 'a certificate needs its key, and a key its certificate',
    applies: ({ redisCertificateFile, redisKeyFile }) =>
      (redisCertificateFile === '') !== (redisKeyFile === ''),
  },
  {
    argument: 'redisClusterNodes',
    words: 'a Redis Cluster has no Sentinels: redis-sentinels and redis-cluster-nodes exclude each other',
    applies: ({ redisSentinels, redisClusterNodes }) =>
      redisSentinels.length > 0 && redisClusterNodes.length > 0,
  },
  {
    argument: 'redisClusterNodes',
    words: 'redis tells whether the cluster speaks TLS: set it to redis://cluster or rediss://cluster',
    applies: ({ redis, redisClusterNodes }) => redis === undefined && redisClusterNodes.length > 0,
  },
  {
    argument: 'redis',
    words: 'a Redis Cluster has no databases but 0',
    applies: ({ redis = '', redisClusterNodes }) =>
      redisClusterNodes.length > 0 && /[^/]\/0*[1-9]\d*$/.test(redis),
  },
  {
    argument: 'redisCaFile',
    words: 'files of certificates are for TLS: redis must begin with rediss://',
    applies: ({ redis = '', redisCaFile, redisCertificateFile }) =>
      redis.startsWith('redis:') && redisCaFile + redisCertificateFile !== '',
  },
  {
    argument: 'redisPassword',
    words: 'a user of redis needs a password',
    applies: ({ redisUser, redisPassword }) => redisUser !== '' && redisPassword === '',
  },
];

const file = (help: string) => ({ kind: text, default: '', applies: 'restart', help }) as const;

export const clusterMenu = menu({
  path: '/system cluster',
  kind: 'settings',
  help: 'What the nodes of one service share.',
  rows: {
    redis: {
      kind: optional(redisUrl),
      default: undefined,
      applies: 'restart',
      help: 'The Redis that the nodes share; rediss:// is TLS. Without it the node stands alone.',
    },
    redisUser: { kind: text, default: '', applies: 'restart', help: 'User of Redis, if it has users.' },
    redisPassword: {
      kind: text,
      default: '',
      sensitive: true,
      applies: 'restart',
      help: 'Password of Redis, or of its user.',
    },
    redisSentinels: {
      kind: listOf(hostAndPort(26_379)),
      default: [],
      applies: 'restart',
      help: 'Sentinels that know which Redis is the master; then the URL gives database and TLS only.',
    },
    redisMasterName: {
      kind: text,
      default: 'mymaster',
      applies: 'restart',
      help: 'What the Sentinels call the master.',
    },
    redisClusterNodes: {
      kind: listOf(hostAndPort(6379)),
      default: [],
      applies: 'restart',
      help: 'Nodes of a Redis Cluster, some are enough: they know the others; then the URL tells only whether it is TLS.',
    },
    redisCaFile: file('Certificates of those who may sign that of Redis; empty: those the system trusts.'),
    redisCertificateFile: file('Our certificate, if Redis asks for one.'),
    redisKeyFile: file('The key of our certificate.'),
    service: {
      kind: serviceName,
      default: 'default',
      applies: 'restart',
      help: 'Nodes of one service share what they keep; a Redis may serve several services.',
    },
    deadAfter: {
      kind: duration(1_000, 86_400_000),
      default: 120_000,
      applies: 'restart',
      help: 'How long a node may be silent before another buries its sessions: their Stops are told, their users may come again.',
    },
    accountingStore: {
      kind: choice(['journal', 'redis']),
      default: 'journal',
      applies: 'restart',
      help: 'Who delivers the records of a node that has died: itself when it is back, or any other through Redis.',
    },
  },
  check(settings) {
    const wrong = objections.find(({ applies }) => applies(settings));
    return wrong && { argument: wrong.argument, refusal: refuse.failure(wrong.words) };
  },
});

/** The cluster as configured. */
export type ClusterSettings = ValuesOf<typeof clusterMenu>;
