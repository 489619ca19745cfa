/**
 * How many sessions a second come up, with everything that an ISP has them do: PPTP, LCP, MS-CHAPv2 judged by a real FreeRADIUS,
 * MPPE-128, an address, an interface, an Accounting-Start that the server has acknowledged. And what they cost the two processes
 * of the server while they stay: memory, and the time that keepalives and accounting take. Server, FreeRADIUS and the clients share the
 * machine. Prints figures; claims nothing but that all come up and stay.
 */

import { cpus } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { ClientHost } from '../system/client-host.io.ts';
import { addresses, type Concentrator, Site } from '../system/concentrator.io.ts';
import { FreeRadius } from '../system/freeradius.io.ts';
import { cpuSecondsOf, residentMegabytesOf } from './process-cost.io.ts';

const sessions = Number(process.env.BENCH_SESSIONS ?? 3000);
/** Sessions before those that are measured: a process that has just started compiles more than it works. */
const before = Number(process.env.BENCH_BEFORE ?? 2000);
/** How long they are watched while they stay. */
const staySeconds = Number(process.env.BENCH_SECONDS ?? 60);
/** Calls that are being set up at a time. */
const atOnce = 96;
/** Addresses that clients dial from: one address may hold 64 half-open connections. */
const sources = Array.from({ length: 16 }, (_, at) => `10.200.0.${100 + at}`);

let site: Site;
let server: Concentrator;
let radius: FreeRadius;
let host: ClientHost;

beforeAll(async () => {
  site = new Site('setup');
  for (const source of sources) site.client.run('ip', 'address', 'add', `${source}/24`, 'dev', site.cable);
  radius = await FreeRadius.start({
    namespace: site.server,
    isQuiet: true,
    users: [{ name: 'DEFAULT', password: 'lkjrht' }],
  });
  server = await site.startServer(`
/ip pool add name=subscribers ranges=10.77.0.0/16
/ppp profile set default-encryption local-address=10.78.0.1 remote-address=subscribers use-encryption=required
/radius add service=ppp address=127.0.0.1 secret=${radius.secret}
/ppp aaa set use-radius=yes
/interface pptp-server server set enabled=yes authentication=mschap2`);
  host = await ClientHost.start(site.client, { interfaces: 'none', sources });
});

afterAll(async () => {
  await host?.stop();
  await radius?.remove();
  await site?.remove();
});

/** What the server's processes had before the first call, in megabytes. */
const empty = { control: 0, engine: 0 };

it(`brings ${sessions} sessions up, beside ${before} that are`, async () => {
  Object.assign(empty, residents());
  await bringUp(before);
  await radius.recorded(before + 1); // and Accounting-On
  const controlBefore = cpuSecondsOf(server.pid);
  const beganMs = performance.now();
  await bringUp(sessions);
  const upSeconds = (performance.now() - beganMs) / 1000;
  await radius.recorded(before + sessions + 1);
  const seconds = (performance.now() - beganMs) / 1000;
  const control = cpuSecondsOf(server.pid) - controlBefore;
  console.log(
    `${sessions} sessions up in ${upSeconds.toFixed(1)} s, all Starts acknowledged after ${seconds.toFixed(1)} s: ` +
      `${Math.round(sessions / seconds)} a second on ${cpus().length} cores; ` +
      `control took ${((1000 * control) / sessions).toFixed(2)} ms of a core for each`,
  );
  const starts = radius.records().filter((record) => record.get('Acct-Status-Type') === 'Start');
  expect(starts).toHaveLength(before + sessions);
});

it('keeps them', async () => {
  const held = residents();
  const [control, engine] = [cpuSecondsOf(server.pid), cpuSecondsOf(server.enginePid)];
  await new Promise((resolve) => setTimeout(resolve, 1_000 * staySeconds));
  const total = before + sessions;
  const each = (megabytes: number) => `${((1000 * megabytes) / total).toFixed(1)} kB`;
  const percent = (seconds: number) => `${((100 * seconds) / staySeconds).toFixed(1)} %`;
  console.log(
    `${total} sessions: control has ${held.control.toFixed()} MB, ${each(held.control - empty.control)} for each; the engine ` +
      `${held.engine.toFixed()} MB, ${each(held.engine - empty.engine)} for each; while they stay silent, control takes ` +
      `${percent(cpuSecondsOf(server.pid) - control)} of a core and the engine ${percent(cpuSecondsOf(server.enginePid) - engine)}`,
  );
  expect(dialers.filter(({ session }) => session?.state === 'up')).toHaveLength(total);
});

function residents(): typeof empty {
  return { control: residentMegabytesOf(server.pid), engine: residentMegabytesOf(server.enginePid) };
}

const dialers: Dialer[] = [];

/** Dials `count` times, `atOnce` at a time; resolves when all are up. */
function bringUp(count: number): Promise<void> {
  const connectTo = { address: parseIpv4(addresses.server) ?? 0 };
  const until = dialers.length + count;
  let up = 0;
  return new Promise((allUp) => {
    const dialNext = () => {
      const user = `user${dialers.length}`;
      const log = (_severity: string, _topics: string, text: string) => {
        if (!/: connected, /.test(text)) return;
        up += 1;
        if (up === count) allUp();
        else if (dialers.length < until) dialNext();
      };
      dialers.push(host.dial({ user, password: new Password('lkjrht'), connectTo }, log));
    };
    for (let at = 0; at < Math.min(atOnce, count); at += 1) dialNext();
  });
}
