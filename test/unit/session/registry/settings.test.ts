/** The menu `/system cluster`: what it takes, and in which words it refuses. */

import { describe, expect, test } from 'vitest';
import { defaultsOf, Refusal } from '../../../../src/base/setting.ts';
import { type ClusterSettings, clusterMenu } from '../../../../src/session/registry/settings.ts';

const { redis, redisSentinels, service } = clusterMenu.rows;

function wording(parsed: unknown): string {
  return parsed instanceof Refusal ? parsed.wording('it') : `taken: ${JSON.stringify(parsed)}`;
}

describe('the address of redis', () => {
  test.each(['redis://10.0.0.1', 'redis://db.example.net:6380/2', 'rediss://[2001:db8::1]:6379'])(
    'takes %s',
    (url) => expect(redis.kind.parse(url)).toBe(url),
  );

  test.each(['10.0.0.1', 'http://10.0.0.1', 'redis://', 'redis://host/name', 'redis://host?db=1'])(
    'refuses %s',
    (url) => expect(wording(redis.kind.parse(url))).toBe('invalid value for argument it'),
  );

  test('holds no password, because it is shown', () => {
    expect(wording(redis.kind.parse('redis://user:secret@host'))).toMatch(/settings of their own/);
  });
});

test.each([
  ['10.0.0.1:26380,s2.example.net', '10.0.0.1:26380,s2.example.net:26379'],
  ['[2001:db8::1]:5000', '[2001:db8::1]:5000'],
  ['', ''],
])('Sentinels %s are printed as %s', (typed, printed) => {
  const sentinels = redisSentinels.kind.parse(typed);

  expect(sentinels instanceof Refusal ? sentinels : redisSentinels.kind.format(sentinels)).toBe(printed);
});

test.each(['host:0', 'host:70000', 'ho st', '2001:db8::1'])('a Sentinel at %s is refused', (typed) => {
  expect(redisSentinels.kind.parse(typed)).toBeInstanceOf(Refusal);
});

test('the name of a service has no braces, which part the keys of a Redis Cluster', () => {
  expect(wording(service.kind.parse('a{b}'))).toMatch(/^failure/);
  expect(service.kind.parse('isp-1')).toBe('isp-1');
});

describe('as a whole', () => {
  const refusalOf = (changes: Partial<ClusterSettings>) =>
    clusterMenu.check?.({ ...defaultsOf(clusterMenu), ...changes })?.argument;

  test('accounting goes to redis only if there is one', () => {
    expect(refusalOf({ accountingStore: 'redis' })).toBe('accountingStore');
    expect(refusalOf({ accountingStore: 'redis', redis: 'redis://host' })).toBeUndefined();
  });

  test('a certificate and its key come together', () => {
    expect(refusalOf({ redisCertificateFile: 'node.pem' })).toBe('redisKeyFile');
    expect(refusalOf({ redisCertificateFile: 'node.pem', redisKeyFile: 'node.key' })).toBeUndefined();
  });

  const nodes = [{ host: '10.0.0.1', port: 6379 }];
  const sentinels = [{ host: '10.0.0.2', port: 26_379 }];

  test.each<[string, Partial<ClusterSettings>, string | undefined]>([
    ['nodes of a cluster', { redis: 'rediss://cluster', redisClusterNodes: nodes }, undefined],
    ['the same with database 0', { redis: 'redis://cluster/0', redisClusterNodes: nodes }, undefined],
    ['another database', { redis: 'redis://cluster/2', redisClusterNodes: nodes }, 'redis'],
    ['nodes without a word on TLS', { redisClusterNodes: nodes }, 'redisClusterNodes'],
    [
      'nodes and Sentinels',
      { redis: 'redis://cluster', redisClusterNodes: nodes, redisSentinels: sentinels },
      'redisClusterNodes',
    ],
    ['Sentinels and a database', { redis: 'redis://master/2', redisSentinels: sentinels }, undefined],
    ['an authority without TLS', { redis: 'redis://host', redisCaFile: 'ca.pem' }, 'redisCaFile'],
    ['a user without a password', { redis: 'redis://host', redisUser: 'pptp' }, 'redisPassword'],
    ['a password of nobody', { redis: 'redis://host', redisPassword: 'x' }, undefined],
  ])('%s', (_, changes, argument) => expect(refusalOf(changes)).toBe(argument));

  test('the defaults are the node that stands alone', () => {
    expect(refusalOf({})).toBeUndefined();
    expect(defaultsOf(clusterMenu)).toMatchObject({ redis: undefined, accountingStore: 'journal' });
  });

  test('only the password is hidden', () => {
    const hidden = clusterMenu.settings.filter(({ sensitive }) => sensitive).map(({ name }) => name);

    expect(hidden).toEqual(['redis-password']);
  });
});
