/**
 * A service of three nodes with a thousand sessions each: what Redis has to do for it while they come, and while they stay, with
 * interims of a minute. Everything is on this machine. Prints figures; claims nothing but that all are up and known to all.
 */

import { cpus } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { ClientHost } from '../system/client-host.io.ts';
import { ServiceSite } from '../system/service-site.io.ts';
import { cpuSecondsOf } from './process-cost.io.ts';

const sessionsPerNode = Number(process.env.BENCH_SESSIONS ?? 1000);
const staySeconds = Number(process.env.BENCH_SECONDS ?? 60);
/** Calls that are being set up at a time, on each node. */
const atOnce = 24;
const sources = Array.from({ length: 8 }, (_, at) => `10.210.100.${10 + at}`);

let site: ServiceSite;
let host: ClientHost;

beforeAll(async () => {
  site = await ServiceSite.start('thousands', 3, [{ name: 'DEFAULT', password: 'x' }]);
  for (const source of sources) site.client.run('ip', 'address', 'add', `${source}/24`, 'dev', 'cable0');
  const script = `
/ip pool add name=subscribers ranges=10.80.0.0/16
/ppp profile set default-encryption local-address=10.78.0.1 remote-address=subscribers only-one=yes
/ppp aaa set use-radius=yes interim-update=1m
/interface pptp-server server set enabled=yes`;
  await Promise.all([0, 1, 2].map((at) => site.startNode(at, script)));
  host = await ClientHost.start(site.client, { interfaces: 'none', sources });
}, 120_000);

afterAll(async () => {
  await host?.stop();
  await site?.remove();
});

it(`three nodes hold ${3 * sessionsPerNode} sessions`, async () => {
  const redis = () => cpuSecondsOf(site.redis.pid);
  const [coming, beganMs] = [redis(), performance.now()];
  await Promise.all([0, 1, 2].map((at) => bringUp(at)));
  const upSeconds = (performance.now() - beganMs) / 1000;
  const came = redis() - coming;
  const total = String(3 * sessionsPerNode);
  for (let tries = 100; tries > 0; tries -= 1) {
    if ((await site.console(2, '/ppp active print count-only')).text.trim() === total) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const staying = redis();
  await new Promise((resolve) => setTimeout(resolve, 1_000 * staySeconds));
  const stayed = redis() - staying;
  const share = (seconds: number, of: number) => `${((100 * seconds) / of).toFixed(1)} %`;
  console.log(
    `${total} sessions on three nodes up in ${upSeconds.toFixed(1)} s, ${cpus().length} cores for everything; Redis took ` +
      `${share(came, upSeconds)} of a core meanwhile, and ${share(stayed, staySeconds)} while they stayed`,
  );
  expect((await site.console(0, '/ppp active print count-only')).text.trim()).toBe(total);
});

function bringUp(at: number): Promise<void> {
  const connectTo = { address: parseIpv4(site.addressOf(at)) ?? 0 };
  let [dialled, up] = [0, 0];
  return new Promise((allUp) => {
    const dialNext = () => {
      const user = `user${at}-${dialled}`;
      dialled += 1;
      host.dial({ user, password: new Password('x'), connectTo }, (_severity, _topics, text) => {
        if (!/: connected, /.test(text)) return;
        up += 1;
        if (up === sessionsPerNode) allUp();
        else if (dialled < sessionsPerNode) dialNext();
      });
    };
    while (dialled < atOnce) dialNext();
  });
}
