/**
 * Races in a service of three whole nodes: 500 callers at once for the 200 places of one node's licence, again and again, and a CoA that
 * has to find its session by way of the wrong node.
 *
 *     STORM_SEEDS=20     how many races
 *     STORM_SEED=7       one, by its number: it decides who dials when, which node, and who leaves
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { below, seededRandom } from '../../src/base/random.ts';
import { ClientHost } from './client-host.io.ts';
import type { Concentrator } from './concentrator.io.ts';
import { hasFreeRadius } from './freeradius.io.ts';
import { Caller } from './service-callers.io.ts';
import { mostAtATime, staysOf } from './service-chronicle.ts';
import { ServiceSite } from './service-site.io.ts';

const { STORM_SEED, STORM_SEEDS = '20' } = process.env;
const seeds =
  STORM_SEED === undefined
    ? Array.from({ length: Number(STORM_SEEDS) }, (_, at) => at + 1)
    : [Number(STORM_SEED)];

const places = 200;
const callerCount = 500;
/** Within so long all dial, in ms. */
const rushMs = 500;
/** How often one leaves, and somebody else comes. */
const changes = 5;
/** A node takes no more half-open connections of one address than this allows for. */
const sources = Array.from({ length: 10 }, (_, at) => `10.210.100.${10 + at}`);

const script = `
/ip pool add name=subscribers ranges=10.80.0.0/16
/ppp profile set default-encryption local-address=10.78.0.1 remote-address=subscribers only-one=yes
/ppp aaa set use-radius=yes interim-update=1m
/system license set level=level3
/interface pptp-server server set enabled=yes`;

describe.skipIf(!hasFreeRadius)('in a service of three nodes', { timeout: 300_000 }, () => {
  let site: ServiceSite;
  let nodes: Concentrator[];
  let host: ClientHost;
  beforeAll(async () => {
    site = await ServiceSite.start('races', 3, [{ name: 'DEFAULT', password: 'x' }]);
    for (const source of sources) site.client.run('ip', 'address', 'add', `${source}/24`, 'dev', 'cable0');
    nodes = await Promise.all([0, 1, 2].map((at) => site.startNode(at, script)));
    host = await ClientHost.start(site.client, { interfaces: 'none', sources });
  }, 120_000);
  afterAll(async () => {
    await host?.stop();
    await site?.remove();
  });

  const callersOf = (count: number) =>
    Array.from({ length: count }, (_, at) => new Caller(host, `user${at}`, `line${at}`));

  /** Until a node counts so many sessions of the whole service. */
  async function counted(at: number, count: number): Promise<void> {
    for (;;) {
      const { text } = await site.console(at, '/ppp active print count-only');
      if (text.trim() === String(count)) return;
    }
  }

  test.each(seeds)(
    `seed %i lets exactly ${places} of ${callerCount} callers in, and the next as one leaves`,
    async (seed) => {
      const random = seededRandom(seed);
      const at = below(random, nodes.length);
      const callers = callersOf(callerCount);
      const refused = new Set<Caller>();
      const isUp = (caller: Caller) => caller.address !== undefined;
      const up = () => callers.filter(isUp);
      let told: () => void = () => {};
      const until = async (isSo: () => boolean) => {
        while (!isSo()) await new Promise<void>((something) => (told = something));
      };
      const said = (caller: Caller) => (text: string) => {
        if (/refused by the peer/.test(text)) refused.add(caller);
        told();
      };
      const dials = callers.map(async (caller) => {
        await pause(below(random, rushMs));
        caller.dial(site.addressOf(at), said(caller));
      });
      await Promise.all(dials);
      await until(() => up().length >= places && refused.size >= callerCount - places);
      const first = up().length;

      let slowestMs = 0;
      for (let change = 0; change < changes; change += 1) {
        const inside = up();
        const leaving = inside[below(random, inside.length)];
        if (leaving === undefined) throw new Error('nobody is up');
        await leaving.hangUp();
        const beganMs = performance.now();
        // The others dial at their own pace, half a minute apart at last; this one as soon as it is refused, until somebody is in.
        while (up().length < places) {
          let isRefused = false;
          leaving.dial(site.addressOf(at), (text) => {
            isRefused ||= /refused by the peer/.test(text);
            told();
          });
          await until(() => isRefused || up().length >= places);
          if (up().length >= places) break;
          await leaving.hangUp();
        }
        slowestMs = Math.max(slowestMs, performance.now() - beganMs);
      }
      const last = up().length;
      await Promise.all(callers.map((caller) => caller.hangUp()));
      await counted(at, 0);
      const node = nodes[at];
      const most = mostAtATime(staysOf([{ node: '', lines: node?.lines ?? [], killedMs: undefined }]));
      console.log(
        `licence, seed ${seed}: node${at + 1}, ${first} up, never more than ${most}, the next after ${slowestMs.toFixed(0)} ms at most`,
      );

      expect([first, last, most]).toEqual([places, places, places]);
      expect(slowestMs).toBeLessThan(1_000);
    },
  );

  test('a CoA by way of the wrong node is answered within half a second, 99 of 100 times', async () => {
    const callers = callersOf(30);
    callers.forEach((caller, at) => {
      caller.dial(site.addressOf(at % 3));
    });
    await counted(0, callers.length);

    const requests = 300;
    const users = callers.map(({ user }) => user);
    const timesMs = await changeAll(
      site,
      Array.from({ length: requests }, (_, at) => users[at % users.length] ?? ''),
    );

    const sorted = timesMs.toSorted((one, other) => one - other);
    const share = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN;
    console.log(
      `${sorted.length} CoAs by way of the wrong node: p50 ${share(0.5).toFixed(1)} ms, p99 ${share(0.99).toFixed(1)} ms`,
    );
    await Promise.all(callers.map((caller) => caller.hangUp()));
    expect(sorted.length).toBe(requests);
    expect(share(0.99)).toBeLessThan(500);
  });
});

/** Sends a CoA for each of these users to the node after his, one after the other. Gives the times until the acknowledgements. */
async function changeAll(site: ServiceSite, users: readonly string[]): Promise<readonly number[]> {
  const wrong = (user: string) => (Number(user.slice('user'.length)) + 1) % site.nodes.length;
  const timesMs: number[] = [];
  for (const at of [0, 1, 2]) {
    const packets = users
      .filter((user) => wrong(user) === at)
      .map(
        (user) =>
          `Packet-Src-IP-Address = ${site.radius.address}, User-Name = "${user}", Mikrotik-Rate-Limit = "1M/2M"`,
      );
    const words = [
      '-x',
      '-p',
      '1',
      '-r',
      '1',
      '-t',
      '3',
      `${site.addressOf(at)}:3799`,
      'coa',
      site.radius.secret,
    ];
    const [file, ...args] = site.core.inside(['stdbuf', '-oL', 'radclient', ...words]);
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    child.stdin.end(`${packets.join('\n\n')}\n`);
    let sentMs = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('Sent CoA-Request')) sentMs = performance.now();
      if (line.startsWith('Received CoA-ACK')) timesMs.push(performance.now() - sentMs);
    }
    await ended;
  }
  return timesMs;
}
