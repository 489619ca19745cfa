/**
 * A Redis that lets in only whom it knows: TLS with an authority of its own, certificates of clients, and a user with no rights but those
 * of README.md. The suite of all registries runs as that user, records are told through it; then all that an operator can get wrong.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.io.ts';
import { type RedisAddress, RedisClient, replyMs } from '../../src/base/redis.io.ts';
import { script } from '../../src/base/redis-scripts.ts';
import { recordsOf } from '../conformance/delivery.ts';
import { describeRegistry } from '../conformance/registry.ts';
import { startNode } from './accounting-node.io.ts';
import { CertificateAuthority } from './certificates.io.ts';
import { freePort } from './free-port.io.ts';
import { addressOf, RedisServer } from './redis.io.ts';
import { openSites, worldOf } from './registry-site.io.ts';
import { within } from './within.io.ts';

/** What the service needs, as README.md has it. */
const keys = '~{pptp:*';
const commands = [
  '+@read',
  '+@write',
  '-@dangerous',
  '+eval',
  '+evalsha',
  '+multi',
  '+exec',
  '+time',
  '+info',
];
const naming = '+client|setname';

/** What is due at once is due within this, on a busy machine too. */
const until = within(30_000);

const directory = mkdtempSync(join(tmpdir(), 'redis-access-'));
let services = 0;
let redis: RedisServer;
let stranger: CertificateAuthority;
/** With everything right. */
let secure: RedisAddress;

beforeAll(async () => {
  const authority = new CertificateAuthority(directory);
  stranger = new CertificateAuthority(directory, 'stranger');
  const { certificate, key } = authority.vouchFor('localhost', 'server');
  const node = authority.vouchFor('node', 'client');
  const port = await freePort();
  const tls = ['--tls-port', `${port}`, '--tls-cert-file', certificate, '--tls-key-file', key];
  redis = await RedisServer.start(...tls, '--tls-ca-cert-file', authority.files.certificate);
  tell('acl', 'setuser', 'pptp', 'on', '>secret', keys, ...commands, naming);
  tell('acl', 'setuser', 'reader', 'on', '>secret', keys, '+@read', '+info');
  secure = {
    ...addressOf(port),
    url: `rediss://localhost:${port}`,
    user: 'pptp',
    password: 'secret',
    tls: { ca: authority.files.certificate, ...node },
  };
}, 60_000);
afterAll(async () => {
  await redis.remove();
  rmSync(directory, { recursive: true });
});

/** As the administrator. */
function tell(...words: readonly string[]): string {
  return execFileSync('redis-cli', ['-p', String(redis.port), ...words], { encoding: 'utf8' });
}

describeRegistry('redis with TLS and a user', async () => {
  const service = `suite${services++}`;
  const sites = await openSites(secure, service);
  const isEmpty = async () => sites.every(({ registry }) => registry.unwritten === 0);
  return worldOf(sites, { isEmpty, until });
});

test('records of many sessions are told through TLS, and the user was refused nothing', async () => {
  const told: number[] = [];
  const node = startNode(
    { address: secure, node: 'tls', service: 'tls' },
    { send: (_entry, answered) => answered(true), done: (number) => told.push(number) },
  );
  await node.delivery.begin();
  const records = Array.from({ length: 50 }, (_, at) => recordsOf(`s${at}`, 'start', 'stop')).flat();
  for (const [number, record] of records.entries()) node.delivery.deliver({ number, record });

  await until(() => told.length === records.length);
  await new Promise<void>((closed) => node.delivery.close(closed));
  node.redis.close();
  expect(tell('acl', 'log').trim()).toBe('');
});

test.each([
  ['get', 'another'],
  ['set', 'pptp', '1'],
  ['keys', '*'],
  ['flushall'],
  ['config', 'get', 'dir'],
  ['acl', 'list'],
  ['client', 'kill', 'type', 'normal'],
  ['shutdown'],
])('the user may not %s %s', (...words) => {
  expect(tell('acl', 'dryrun', 'pptp', ...words)).toMatch(/no permission|has no permissions/i);
});

interface Wrong {
  readonly code: string;
  readonly hint: RegExp;
  with(right: RedisAddress): RedisAddress;
}

const tlsWith = (tls: Partial<RedisAddress['tls']>) => (right: RedisAddress) => ({
  ...right,
  tls: { ...right.tls, ...tls },
});

const wrongs: Readonly<Record<string, Wrong>> = {
  'a wrong password': {
    code: 'REDIS_PASSWORD',
    hint: /redis-password/,
    with: (right) => ({ ...right, password: 'wrong' }),
  },
  'an unknown user': {
    code: 'REDIS_PASSWORD',
    hint: /redis-user/,
    with: (right) => ({ ...right, user: 'nobody' }),
  },
  'a missing permission': {
    code: 'REDIS_PERMISSION',
    hint: /README/,
    with: (right) => ({ ...right, user: 'reader' }),
  },
  'no authority': { code: 'REDIS_CA', hint: /redis-ca-file/, with: tlsWith({ ca: '' }) },
  'another authority': {
    code: 'REDIS_CA',
    hint: /redis-ca-file/,
    with: (right) => tlsWith({ ca: stranger.files.certificate })(right),
  },
  'no certificate of ours': {
    code: 'REDIS_CLIENT_CERTIFICATE',
    hint: /redis-certificate-file/,
    with: tlsWith({ certificate: '', key: '' }),
  },
  'a certificate of ours by a stranger': {
    code: 'REDIS_CLIENT_CERTIFICATE',
    hint: /tls-ca-cert-file/,
    with: (right) => tlsWith(stranger.vouchFor('impostor', 'client'))(right),
  },
  'a host that is not in the certificate': {
    code: 'REDIS_CERTIFICATE_NAME',
    hint: /subjectAltName/,
    with: (right) => ({ ...right, url: right.url.replace('localhost', '127.0.0.1') }),
  },
};

const touch = script('touch', "return redis.call('SET', KEYS[1], '1')");

test.each(Object.entries(wrongs))('%s is told with what to do, once', async (_, wrong) => {
  const lines: { severity: string; code: unknown; hint: unknown }[] = [];
  const client = new RedisClient(wrong.with(secure), (severity, _topics, _text, { code, hint } = {}) => {
    lines.push({ severity, code, hint });
  });
  let refusals = 0;
  // A server that refuses a certificate may hang up before its word is read: then the next attempt hears it.
  const isToldAndTried = () => refusals > 3 && lines.some(({ severity }) => severity === 'error');
  client.raw.on('reconnecting', () => {
    refusals += 1;
  });
  await until(async () => {
    if (!client.isReady) return isToldAndTried();
    await client.run(touch, ['{pptp:x}'], []).catch(() => {
      refusals += 1;
    });
    return isToldAndTried();
  });
  client.close();

  const errors = lines.filter(({ severity }) => severity === 'error');
  expect(errors).toEqual([{ severity: 'error', code: wrong.code, hint: expect.stringMatching(wrong.hint) }]);
});

test('files that cannot be read are a fault at once', async () => {
  const missing = tlsWith({ ca: join(directory, 'nowhere.pem') })(secure);

  expect(() => new RedisClient(missing, () => {})).toThrow(
    expect.objectContaining({ code: 'REDIS_TLS_FILE' }),
  );
});

test('a Redis with TLS that freezes refuses within its time', async () => {
  const client = new RedisClient(secure, () => {});
  await client.whenReady(10 * replyMs);
  redis.freeze();
  const askedMs = systemClock.nowMs();
  await expect(client.checkEviction()).rejects.toThrow();
  const refusedMs = systemClock.nowMs() - askedMs;
  redis.thaw();
  client.close();

  expect(refusedMs).toBeLessThan(2 * replyMs);
});
