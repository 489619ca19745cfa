/**
 * RADIUS is away for ten minutes while subscribers come and go: local users, because nobody else can be let in then. No session
 * is cut for it, and when the server is back it is told everything: each session one Start and one Stop.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { ClientHost } from './client-host.io.ts';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { FreeRadius } from './freeradius.io.ts';

const outageMs = 1000 * Number(process.env.OUTAGE_SECONDS ?? 600);
const users = 200;
/** Sessions that end, and begin anew, every second. */
const changes = 5;

let site: Site;
let server: Concentrator;
let radius: FreeRadius;
let host: ClientHost;

beforeAll(async () => {
  site = new Site('outage');
  radius = await FreeRadius.start({ namespace: site.server, isQuiet: true });
  const secrets = Array.from({ length: users }, (_, at) => `add name=user${at} password=x profile=all`);
  server = await site.startServer(`
/ip pool add name=all ranges=10.77.0.0/16
/ppp profile add name=all local-address=10.78.0.1 remote-address=all use-encryption=required
/ppp secret
${secrets.join('\n')}
/radius add service=ppp address=127.0.0.1 secret=${radius.secret}
/ppp aaa set interim-update=30s
/interface pptp-server server set enabled=yes`);
  host = await ClientHost.start(site.client, { interfaces: 'none' });
}, 120_000);

afterAll(async () => {
  await host?.stop();
  await radius?.remove();
  await site?.remove();
});

test('an outage ends with everything told, and nobody cut', { timeout: outageMs + 600_000 }, async () => {
  const dialers: Dialer[] = [];
  for (let at = 0; at < users; at += 1) dialers[at] = await dial(at);
  await radius.recorded(users + 1); // and Accounting-On
  await radius.kill();
  const backAtMs = performance.now() + outageMs;
  for (let turn = 0; performance.now() < backAtMs; turn += 1) {
    const second = new Promise((resolve) => setTimeout(resolve, 1_000));
    for (let change = 0; change < changes; change += 1) {
      const at = (turn * changes + change) % users;
      await new Promise<void>((ended) => dialers[at]?.end('client-disabled', ended));
      dialers[at] = await dial(at);
    }
    await second;
  }
  const began = said(/ logged in, /);
  const ended = said(/ logged out, /);
  const returnedMs = performance.now();
  await radius.restart();
  await until(() => count('Start') >= began && count('Stop') >= ended);
  const seconds = (performance.now() - returnedMs) / 1000;
  console.log(
    `${outageMs / 1000} s without RADIUS: ${began} sessions began and ${ended} ended; all told ${seconds.toFixed(1)} s after its return, ` +
      `with ${count('Interim-Update')} interims`,
  );
  expect([began, ended]).toEqual([sessionsWith('Start').size, sessionsWith('Stop').size]);
  expect([count('Start'), count('Stop')]).toEqual([began, ended]);
  expect(began - ended).toBe(users);
  const causes = new Set(
    server.lines.filter(({ msg }) => / logged out, /.test(msg)).map(({ cause }) => cause),
  );
  expect([...causes]).toEqual(['peer-terminated']);
});

async function dial(at: number): Promise<Dialer> {
  const connectTo = { address: parseIpv4(addresses.server) ?? 0 };
  return await new Promise<Dialer>((up) => {
    const choice = { user: `user${at}`, password: new Password('x'), connectTo };
    const dialer = host.dial(choice, (_severity, _topics, text) => {
      if (/: connected, /.test(text)) up(dialer);
    });
  });
}

function said(pattern: RegExp): number {
  return server.lines.filter(({ msg }) => pattern.test(msg)).length;
}

function sessionsWith(status: string): ReadonlySet<string | undefined> {
  const records = radius.records().filter((record) => record.get('Acct-Status-Type') === status);
  return new Set(records.map((record) => record.get('Acct-Session-Id')));
}

function count(status: string): number {
  return radius.records().filter((record) => record.get('Acct-Status-Type') === status).length;
}

async function until(isSo: () => boolean): Promise<void> {
  for (let seen = radius.records().length; !isSo(); seen = radius.records().length) {
    await radius.recorded(seen + 1);
  }
}
