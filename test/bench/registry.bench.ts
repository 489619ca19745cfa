/**
 * The registry in a real Redis: how long a claim takes, how many there can be in a second, and how much of Redis's CPU a service costs:
 * three nodes, their beats, and the Interim-Updates of 20,000 sessions a minute. Prints figures; claims nothing but that all arrives.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { promised, rowOf } from '../conformance/registry.ts';
import { RedisServer } from '../system/redis.io.ts';
import { openSite, type RedisSite } from '../system/registry-site.io.ts';

const sessions = Number(process.env.BENCH_SESSIONS ?? 20_000);
const seconds = Number(process.env.BENCH_SECONDS ?? 20);

let redis: RedisServer;
let sites: RedisSite[];
beforeAll(async () => {
  redis = await RedisServer.start();
  const { address } = redis;
  sites = await Promise.all(['a', 'b', 'c'].map((node) => openSite({ address, service: 'bench', node })));
});
afterAll(async () => {
  await Promise.all(sites.map((site) => site.leave()));
  await redis.remove();
});

const siteOf = (at: number): RedisSite => sites[at % sites.length] as RedisSite;
const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;

/** Seconds of CPU that Redis has used so far, and ours. */
async function used(): Promise<{ redis: number; nodes: number; atMs: number }> {
  const info = await siteOf(0).redis.raw.info('cpu');
  const of = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]);
  const { user, system } = process.cpuUsage();
  return {
    redis: of('used_cpu_sys') + of('used_cpu_user'),
    nodes: (user + system) / 1e6,
    atMs: performance.now(),
  };
}

/** Runs `work` and prints what it cost. */
async function measured(name: string, work: () => Promise<number>): Promise<void> {
  const before = await used();
  const count = await work();
  const after = await used();
  const took = (after.atMs - before.atMs) / 1000;
  const [ofRedis, ofNodes] = [after.redis - before.redis, after.nodes - before.nodes];
  const rate = `${count} in ${took.toFixed(1)} s, ${Math.round(count / took)}/s`;
  console.log(`${name}: ${rate}; CPU: Redis ${share(ofRedis, took)}, all nodes ${share(ofNodes, took)}`);
}

/** As long as they are. */
const sessionOf = (at: number) => `5f0e2c6742ffd1${at.toString(16).padStart(8, '0')}`;
const claimOf = (at: number) =>
  ({ user: `user${at}`, sessionId: sessionOf(at), limit: 1, policy: 'replace' }) as const;

it('one claim after the other', async () => {
  const tookMs: number[] = [];
  for (let at = 0; at < 5_000; at++) {
    const startMs = performance.now();
    await promised.claimUser(siteOf(at).registry, claimOf(at));
    tookMs.push(performance.now() - startMs);
  }
  tookMs.sort((one, other) => one - other);
  const at = (part: number) => `${(tookMs[Math.floor(tookMs.length * part)] ?? 0).toFixed(2)} ms`;

  console.log(`claim of a user: p50 ${at(0.5)}, p99 ${at(0.99)}, worst ${at(0.9999)}`);
  expect(tookMs.length).toBe(5_000);
});

it('claims of all users, a hundred at once', async () => {
  await measured('claims of users', async () => {
    let at = 0;
    const claims = Array.from({ length: 100 }, async () => {
      while (at < sessions) {
        const mine = at++;
        const { granted } = await promised.claimUser(siteOf(mine).registry, claimOf(mine));
        expect(granted).toBe(true);
      }
    });
    await Promise.all(claims);
    return sessions;
  });
});

it('all sessions come up', async () => {
  await measured('sessions written', async () => {
    for (let at = 0; at < sessions; at++) {
      siteOf(at).registry.up(rowOf(siteOf(at), sessionOf(at), `user${at}`, at + 1));
    }
    await allWritten();
    return sessions;
  });
});

it('their Interim-Updates, 20,000 sessions a minute', async () => {
  const perSecond = sessions / 60;
  await measured(`Interim-Updates of ${sessions} sessions a minute, and beats`, async () => {
    const startMs = performance.now();
    let sent = 0;
    while (performance.now() - startMs < seconds * 1000) {
      const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond);
      for (; sent < due; sent++) {
        const site = siteOf(sent % sessions);
        const sessionId = sessionOf(sent % sessions);
        site.registry.usage([{ sessionId, known: rowOf(site, sessionId, '', 1).known }]);
      }
      await pause(5);
    }
    await allWritten();
    return sent;
  });
});

it('a look at one session, and at all', async () => {
  const tookMs: number[] = [];
  for (let at = 0; at < 2_000; at++) {
    const startMs = performance.now();
    const [found] = await promised.find(siteOf(at).registry, { address: at + 2 });
    tookMs.push(performance.now() - startMs);
    expect(found?.sessionId).toBe(sessionOf(at + 1));
  }
  tookMs.sort((one, other) => one - other);
  console.log(
    `a session found by its address: p50 ${tookMs[1_000]?.toFixed(2)} ms, p99 ${tookMs[1_980]?.toFixed(2)} ms`,
  );
  await measured('sessions listed', async () => (await promised.list(siteOf(0).registry)).length);
});

it('all sessions end', async () => {
  await measured('sessions ended', async () => {
    for (let at = 0; at < sessions; at++) siteOf(at).registry.ended(sessionOf(at));
    await allWritten();
    return sessions;
  });
  expect(await promised.list(siteOf(0).registry)).toEqual([]);
});

async function allWritten(): Promise<void> {
  while (sites.some(({ registry }) => registry.unwritten > 0)) await pause(1);
}
