/**
 * A node that is taken out of service: what callers, a load balancer and RADIUS see of it, by an operator's word, by another's, and by
 * SIGTERM.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { ClientHost } from './client-host.io.ts';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';

const run = promisify(execFile);
const pptpctl = fileURLToPath(new URL('../../build/console/pptpctl.io.js', import.meta.url));

let site: Site;
let server: Concentrator;
let host: ClientHost;

beforeAll(async () => {
  site = new Site('drain');
  server = await site.startServer(`
/ip pool add name=all ranges=10.77.0.0/16
/ppp profile add name=all local-address=10.78.0.1 remote-address=all
/ppp secret add name=anybody password=x profile=all
/system drain set rate=20
/interface pptp-server server set enabled=yes`);
  host = await ClientHost.start(site.client, { interfaces: 'none' });
}, 60_000);

afterAll(async () => {
  await host?.stop();
  await site?.remove();
});

/** What pptpctl prints; rejects if it complains. */
async function say(command: string): Promise<string> {
  const words = [pptpctl, '--run', join(server.directory, 'run'), command];
  return (await run(process.execPath, words)).stdout;
}

async function readiness(): Promise<string> {
  const ask = ['netns', 'exec', site.server.name, 'curl', '-s', 'http://127.0.0.1:9723/readyz'];
  return (await run('ip', ask)).stdout;
}

/** Calls; resolves when the call is up, with false if it is refused. */
function call(at: number): { readonly dialer: Dialer; readonly isUp: Promise<boolean> } {
  let tell: (isUp: boolean) => void = () => {};
  const isUp = new Promise<boolean>((told) => {
    tell = told;
  });
  const connectTo = { address: parseIpv4(addresses.server) ?? 0 };
  const choice = { name: `c${at}`, user: 'anybody', password: new Password('x'), connectTo };
  const dialer = host.dial(choice, (_severity, _topics, text) => {
    if (/: connected, /.test(text)) tell(true);
    if (/refused by the peer/.test(text)) tell(false);
  });
  return { dialer, isUp };
}

async function callers(count: number): Promise<readonly Dialer[]> {
  const calls = Array.from({ length: count }, (_, at) => call(at));
  expect(await Promise.all(calls.map(({ isUp }) => isUp))).toEqual(calls.map(() => true));
  return calls.map(({ dialer }) => dialer);
}

const hangUp = (dialer: Dialer) => new Promise<void>((gone) => dialer.end('admin-reset', gone));

test('soft keeps who is connected and refuses others, until it is cancelled', {
  timeout: 60_000,
}, async () => {
  const [first, second] = (await callers(2)) as [Dialer, Dialer];
  expect(await readiness()).toBe('ok\n');

  await say('/system drain soft');
  const refused = call(9);
  expect(await refused.isUp).toBe(false);
  await hangUp(refused.dialer);
  expect((await server.line(/^call of .* refused/)).msg).toMatch(/the node is being drained$/);
  expect(await readiness()).toBe('the node is being drained\n');
  const before = await say('/system drain print proplist=status,sessions-before,sessions-left');
  expect(before).toMatch(/status: waiting for sessions to end\n +sessions-before: 2\n +sessions-left: 2\n/);
  expect(await say('/system cluster node print')).toMatch(/D - draining/);

  const waiting = say('/system drain soft wait=1m');
  await hangUp(first);
  await hangUp(second);
  await waiting;
  await server.line(/^drained: no session is left/);

  await say('/system drain cancel');
  expect(await readiness()).toBe('ok\n');
  const [again] = (await callers(1)) as [Dialer];
  await hangUp(again);
});

test('hard ends them so many a second, and says how many are left when one waits no longer', {
  timeout: 60_000,
}, async () => {
  const dialers = await callers(40);
  const startMs = performance.now();
  await expect(say('/system drain hard wait=1s')).rejects.toMatchObject({
    stderr: expect.stringMatching(/failure: \d+ sessions are left/),
  });
  await say('/system drain hard wait=30s');
  const tookMs = performance.now() - startMs;

  expect(tookMs).toBeGreaterThan(1_900); // 40 sessions, 20 a second, the first at once.
  expect(server.lines.filter(({ msg }) => /^<pptp-anybody.*>: terminating/.test(msg)).length).toBeGreaterThan(
    0,
  );
  await Promise.all(dialers.map(hangUp));
  await say('/system drain cancel');
});

test('SIGTERM drains hard and goes', { timeout: 60_000 }, async () => {
  const dialers = await callers(10);
  const exit = await server.end();

  expect(exit).toEqual({ status: 0, signal: null });
  expect((await server.line(/^draining: .* 10 sessions are ended, 20 a second/)).level).toBe('info');
  await Promise.all(dialers.map(hangUp));
});
