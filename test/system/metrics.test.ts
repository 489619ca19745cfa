/**
 * A node under load, looked at: a real Prometheus scrapes it, every expression of every dashboard and alert is asked of that
 * Prometheus, and a real browser looks at the node's own page.
 */

import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dashboards } from '../../grafana/dashboards.ts';
import { alerts, recordings } from '../../grafana/rules.ts';
import { parseIpv4 } from '../../src/base/ip.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { ClientHost } from './client-host.io.ts';
import { addresses, Site } from './concentrator.io.ts';
import { FreeRadius } from './freeradius.io.ts';
import { Prometheus } from './prometheus.io.ts';

const swarm = 20;
const inner = '10.77.0.1';
const secret = 'testing123';

let site: Site;
let radius: FreeRadius;
let host: ClientHost;
let prometheus: Prometheus;
let traffic: ChildProcess | undefined;

beforeAll(async () => {
  site = new Site('metrics');
  radius = await FreeRadius.start({
    namespace: site.server,
    secret,
    users: [
      { name: 'jack', password: 'lkjrht', reply: ['Mikrotik-Rate-Limit = "50M/50M"'] },
      { name: 'many', password: 'x' },
    ],
  });
  const server = await site.startServer(`
/ip pool add name=subscribers ranges=10.77.0.10-10.77.0.250
/ppp profile set default-encryption local-address=${inner} remote-address=subscribers
/radius add service=ppp address=127.0.0.1 secret=${secret}
/radius incoming set accept=yes
/system license set level=level4
/ppp aaa set use-radius=yes interim-update=2s
/interface pptp-server server set enabled=yes keepalive-timeout=2`);
  prometheus = await Prometheus.start(site.server);
  // What happens before it has seen the noughts is no event to it.
  await prometheus.has('count_over_time(pptp_ready[1m]) > 1');
  host = await ClientHost.start(site.client, { interfaces: 'none' });
  await load(server);
}, 60_000);

afterAll(async () => {
  traffic?.kill();
  await host?.stop();
  await prometheus?.remove();
  await radius?.remove();
  await site?.remove();
});

/** A subscriber with traffic both ways, a swarm that stays and is silent, one that leaves, one with a wrong password, a RADIUS server's wish. */
async function load(server: Awaited<ReturnType<Site['startServer']>>): Promise<void> {
  const connectTo = { address: parseIpv4(addresses.server) ?? 0 };
  const arrivals = Array.from(
    { length: swarm },
    (_, at) =>
      new Promise<() => void>((up) => {
        const choice = { name: `c${at}`, user: 'many', password: new Password('x'), connectTo };
        const dialer = host.dial(choice, (_severity, _topics, text) => {
          if (/: connected, /.test(text)) up(() => dialer.end('client-disabled', () => {}));
        });
      }),
  );
  const wrong = { name: 'wrong', user: 'many', password: new Password('not x'), connectTo };
  const stranger = host.dial(wrong, () => {});
  const [leave] = await Promise.all(arrivals);
  await server.line(/login failure for user many/);
  await server.line(/call .* ended before it was up/);
  stranger.end('client-disabled', () => {});
  leave?.();
  await server.line(/many logged out/);

  const client = site.start(
    site.client,
    `/interface pptp-client add name=tunnel connect-to=${addresses.server} user=jack password=lkjrht disabled=no`,
  );
  await client.line(/^tunnel: connected,/);
  site.server.run(
    ...[
      'sh',
      '-c',
      `echo 'User-Name = "jack", Idle-Timeout = 7200' | radclient 127.0.0.1:3799 coa ${secret}`,
    ],
  );
  // Four megabits a second each way, as long as the test takes.
  traffic = site.client.start(['ping', '-q', '-i', '0.002', '-s', '1000', inner], { stdio: 'ignore' });
  await prometheus.has('rate(pptp_session_receive_bytes_total{user="jack"}[5s]) > 100000');
  await prometheus.has('rate(pptp_lcp_echo_round_trip_seconds_count[1m]) > 0');
}

/** As Grafana fills it in. */
function filled(expr: string): string {
  return expr.replaceAll('$node', '.*').replaceAll('$user', '.*').replaceAll('$__rate_interval', '2m');
}

test('every panel of every dashboard has something to show', { timeout: 60_000 }, async () => {
  const panels = dashboards.flatMap(({ uid, rows }) =>
    rows.flatMap(({ title: row, panels: ofRow }) =>
      ofRow.flatMap(({ title, lines }) =>
        lines.map(({ expr }) => ({ where: `${uid} / ${row} / ${title}`, expr: filled(expr) })),
      ),
    ),
  );
  const empty: string[] = [];
  for (const { where, expr } of panels) {
    const samples = await prometheus.ask(expr);
    // A node that stands alone runs no scripts.
    const mayBeEmpty = expr.includes('pptp_redis_');
    const isEmpty = !samples.some(({ value: [, value] }) => value !== 'NaN');
    if (isEmpty !== mayBeEmpty) empty.push(`${where}: ${expr}`);
  }

  expect(panels.length).toBeGreaterThan(70);
  expect(empty).toEqual([]);
});

test('what is shown is what is', { timeout: 60_000 }, async () => {
  const value = async (expr: string) => Number((await prometheus.ask(expr))[0]?.value[1]);

  expect(await value('sum(pptp_sessions{state="up"})')).toBe(swarm);
  expect(await value('pptp_sessions_up{authentication="mschap2",encryption="mppe128"}')).toBe(swarm);
  expect(await value('pptp_licence_tunnels')).toBe(swarm);
  expect(await value('pptp_licence_tunnels_limit')).toBe(200);
  expect(await value('pptp_session_set_up_seconds_count')).toBe(swarm + 1);
  expect(await value('sum(pptp_session_ends_total)')).toBe(1);
  expect(await value('pptp_session_set_up_failures_total{cause="authentication-failed"}')).toBeGreaterThan(0);
  expect(await value('sum(pptp_radius_replies_total{result="accept",role="authentication"})')).toBe(
    swarm + 1,
  );
  expect(await value('pptp_radius_request_seconds_count{role="authentication"}')).toBeGreaterThan(swarm);
  expect(await value('pptp_accounting_starts_total')).toBe(swarm + 1);
  expect(await value('pptp_accounting_records_made_total{type="on"}')).toBe(1);
  expect(await value('pptp_accounting_records_made_total{type="start"}')).toBe(swarm + 1);
  expect(await value('pptp_authentication_attempts_total{method="mschap2",result="accept"}')).toBe(swarm + 1);
  expect(await value('pptp_authentication_attempts_total{method="mschap2",result="reject"}')).toBeGreaterThan(
    0,
  );
  expect(await value('pptp_session_set_up_phase_seconds_count{phase="authenticating"}')).toBe(swarm + 1);
  expect(
    await value('pptp_control_messages_total{type="start-control-connection-reply",direction="transmit"}'),
  ).toBe(
    await value('pptp_control_messages_total{type="start-control-connection-request",direction="receive"}'),
  );
  expect(await value('pptp_radius_incoming_seconds_count{type="coa",route="here",result="ack"}')).toBe(1);
  expect(await value('sum(pptp_engine_worker_seconds_total)')).toBeGreaterThan(0);
  expect(await value('pptp_pool_addresses_leased')).toBe(241);
  expect(await value('pptp_configuration_last_reload_successful')).toBe(1);
  expect(Math.abs((await value('pptp_clock_seconds')) - Date.now() / 1000)).toBeLessThan(30);
  for (const way of ['receive', 'transmit'])
    expect(await value(`pptp_session_${way}_bytes_total{user="jack"}`)).toBeGreaterThan(500_000);
  expect(await value('pptp_session_receive_limit_bytes_per_second{user="jack"}')).toBe(50_000_000 / 8);
});

test('every rule can be evaluated, and nothing is wrong with the node', { timeout: 60_000 }, async () => {
  await prometheus.has('instance:pptp_set_ups:rate5m');
  const rules = await prometheus.rules();

  expect(rules.map(({ name }) => name).sort()).toEqual(
    [...alerts.map(({ name }) => name), ...recordings.map(({ record }) => record)].sort(),
  );
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
});

/** The fastest session, as the page is told. */
async function status(): Promise<string> {
  const [file = '', ...words] = site.server.inside(['curl', '-s', 'http://127.0.0.1:9723/status.json']);
  const { fastest } = JSON.parse((await promisify(execFile)(file, words)).stdout) as {
    fastest: { user: string; transmitBps: number }[];
  };
  return fastest.map(({ user, transmitBps }) => `${user} ${transmitBps > 0}`)[0] ?? '';
}

test('a browser shows the page of a live service', { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pptp-page-'));
  const picture = process.env.NODE_PAGE_PICTURE ?? join(directory, 'page.png');
  try {
    const browser = [
      ...['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
      ...[`--user-data-dir=${directory}`, '--window-size=1280,1180', '--virtual-time-budget=3000'],
    ];
    const url = 'http://127.0.0.1:9723/';
    const run = async (...words: readonly string[]) => {
      const [file = '', ...rest] = site.server.inside([...browser, ...words, url]);
      return (await promisify(execFile)(file, rest, { maxBuffer: 1 << 24 })).stdout;
    };
    // Who is fastest is known from the second look on that the node takes at its counters.
    while (!(await status()).startsWith('jack true')) await prometheus.ask('pptp_ready');
    const text = await run('--dump-dom');
    await run(`--screenshot=${picture}`);

    expect(/id="ready"[^>]*>([^<]*)/.exec(text)?.[1]).toBe('ready');
    expect(/id="up"[^>]*>([^<]*)/.exec(text)?.[1]).toBe(String(swarm));
    expect(/id="licence"[^>]*>([^<]*)/.exec(text)?.[1]).toBe(`${swarm} of 200`);
    expect(text).toContain('127.0.0.1:1812');
    expect(text).toMatch(/<tbody id="fastest"><tr><td class="">jack</);
    expect(text.match(/<canvas/g)).toHaveLength(3);
    expect(statSync(picture).size).toBeGreaterThan(20_000);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
