/** What a node tells at its port, as those who ask read it. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Metrics } from '../../../src/composition/metrics.ts';
import { publisherTally } from '../../../src/dns/publisher.ts';
import { responderTally } from '../../../src/dns/responder.ts';
import { everyMetric } from '../../../src/metrics/catalogue.ts';
import { HttpFace } from '../../../src/metrics/http.io.ts';
import { sessionSeries } from '../../../src/metrics/session-lines.ts';
import { metricsTally } from '../../../src/metrics/tally.ts';
import { endingTally, setUpFailureTally } from '../../../src/session/tally.ts';
import { freePort } from '../../system/free-port.io.ts';
import { Crowd } from './crowd.ts';

const dns = { dns_publisher: publisherTally(), dns_responder: responderTally() };

let crowd: Crowd;
let face: HttpFace;
let port: number;
let isNaming: boolean;

beforeEach(async () => {
  crowd = new Crowd(3);
  isNaming = true;
  const metrics = new Metrics(crowd, dns, () => isNaming);
  let listening = () => {};
  const isListening = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const { pages, streams } = metrics;
  face = new HttpFace({
    clock: crowd.clock,
    log: () => listening(),
    readiness: () => [],
    pages,
    streams,
  });
  port = await freePort();
  face.configure({ enabled: true, address: 0x7f000001, port, sessions: true });
  await isListening;
  metrics.begin();
});

afterEach(() => face.close());

async function ask(path: string): Promise<{ status: number | undefined; body: string; policy: unknown }> {
  const asking = request({ host: '127.0.0.1', port, path, agent: false });
  asking.end();
  const [response] = await once(asking, 'response');
  const policy = response.headers['content-security-policy'];
  return { status: response.statusCode, body: await text(response), policy };
}

/** The lines of a metric, without its name. */
async function linesOf(name: string, path = '/metrics'): Promise<readonly string[]> {
  const { body } = await ask(path);
  return body
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length).trim());
}

/** What `promtool check metrics` says of a text; empty if nothing. */
function lint(body: string): string {
  try {
    return execFileSync('promtool', ['check', 'metrics'], { input: body, stdio: 'pipe' }).toString();
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr);
  }
}

describe('/metrics', () => {
  it('tells every metric of the catalogue, each with its labels, from the start', async () => {
    const { body } = await ask('/metrics');
    const told = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));

    expect([...everyMetric.keys()].filter((name) => !told.has(name))).toEqual([]);
    for (const [name, { type, labels = {} }] of everyMetric) {
      const [line = ''] = new RegExp(`^${name}(_bucket)?[{ ].*`, 'm').exec(body) ?? [];
      const names = [...line.matchAll(/(\w+)="/g)]
        .map(([, label]) => label)
        .filter((label) => label !== 'le');
      expect([name, type, names.sort()]).toEqual([name, type, Object.keys(labels).sort()]);
    }
  });

  it('is what Prometheus wants', async () => {
    expect(lint((await ask('/metrics')).body).replace(/^nodejs_.*\n/gm, '')).toBe('');
  });

  it('says of all names in the catalogue what they are in', () => {
    for (const [name, { type }] of everyMetric) {
      expect(name).toMatch(/^pptp_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|kb|bits|percent)(_|$)/);
    }
  });

  it('has a value for every label before anything has happened', async () => {
    expect(await linesOf('pptp_session_ends_total')).toHaveLength(Object.keys(endingTally.help).length);
    expect(await linesOf('pptp_sessions')).toContain('{state="ringing"} 0');
    expect(await linesOf('pptp_sessions_up')).toHaveLength(24);
  });

  it('counts sessions by what they are', async () => {
    expect(await linesOf('pptp_sessions')).toContain('{state="up"} 3');
    expect(await linesOf('pptp_sessions_up')).toContain('{authentication="mschap2",encryption="mppe128"} 3');
    expect(await linesOf('pptp_licence_tunnels_limit')).toEqual(['200']);
  });

  it('says that there is no limit as Prometheus does', async () => {
    crowd.licence.configure('level6');

    expect(await linesOf('pptp_licence_tunnels_limit')).toEqual(['+Inf']);
  });

  it('never takes back what calls that are over have counted', async () => {
    crowd.count(0, { receivedOctets: 700n, duplicates: 3 });
    crowd.count(1, { receivedOctets: 5n });
    expect(await linesOf('pptp_datapath_bytes_total')).toContain('{direction="receive"} 705');
    crowd.end(0);

    expect(await linesOf('pptp_datapath_bytes_total')).toContain('{direction="receive"} 705');
    expect(await linesOf('pptp_datapath_drops_total')).toContain('{reason="duplicate"} 3');
  });

  it('begins at nothing with calls that it takes over from a process before', async () => {
    crowd.count(0, { receivedOctets: 1_000_000n });
    crowd.switchboard.adoptCall(0x10001, () => {});
    expect(await linesOf('pptp_datapath_bytes_total')).toContain('{direction="receive"} 0');
    crowd.count(0, { receivedOctets: 1_000_500n });

    expect(await linesOf('pptp_datapath_bytes_total')).toContain('{direction="receive"} 500');
  });

  it('tells of pools what a node may give of them, and of those for whom there was nothing', async () => {
    crowd.pools = [{ name: 'a "shared" one', size: 1024, leased: 128, used: 100, refused: 2 }];

    const pool = String.raw`{pool="a \"shared\" one"}`;
    expect(await linesOf('pptp_pool_addresses_leased')).toEqual([`${pool} 128`]);
    expect(await linesOf('pptp_pool_refusals_total')).toEqual([`${pool} 2`]);
  });

  it('tells whether the configuration is in force, and what time it is', async () => {
    crowd.lastReload = { isSuccessful: false, successAtMs: 1_700_000_000_500 };

    expect(await linesOf('pptp_configuration_last_reload_successful')).toEqual(['0']);
    expect(await linesOf('pptp_configuration_last_reload_success_timestamp_seconds')).toEqual([
      '1700000000.5',
    ]);
    expect(await linesOf('pptp_clock_seconds')).toEqual([String(crowd.clock.wallMs() / 1000)]);
  });

  it('tells of scripts where they run', async () => {
    expect(await linesOf('pptp_redis_command_failures_total')).toContain('{script="acctKeep"} 0');
    crowd.hasRedis = false;

    expect(await linesOf('pptp_redis_command_failures_total')).toEqual([]);
    expect(await linesOf('pptp_redis_command_seconds_count')).toEqual([]);
  });

  it('tells of each worker of the engine, if the engine does', async () => {
    crowd.workers = [];
    expect(await linesOf('pptp_engine_worker_seconds_total')).toEqual([]);
    crowd.workers = [
      { processorUs: 2_500_000n, socketDrops: 0 },
      { processorUs: 100_000n, socketDrops: 7 },
    ];

    expect(await linesOf('pptp_engine_worker_seconds_total')).toEqual([
      '{worker="0"} 2.5',
      '{worker="1"} 0.1',
    ]);
    expect(await linesOf('pptp_engine_socket_drops_total')).toEqual(['{worker="0"} 0', '{worker="1"} 7']);
  });

  it('tells how long servers take as ranges that add up', async () => {
    for (const ms of [0.4, 3, 3, 40_000]) crowd.radiusCounters.answered(ms);

    const ranges = await linesOf('pptp_radius_request_seconds_bucket');
    expect(ranges.find((line) => line.includes('le="0.001"'))).toMatch(/ 1$/);
    expect(ranges.find((line) => line.includes('le="0.005"'))).toMatch(/ 3$/);
    expect(ranges.find((line) => line.includes('le="+Inf"'))).toMatch(/ 4$/);
    expect((await linesOf('pptp_radius_request_seconds_count'))[0]).toMatch(/ 4$/);
  });

  it('counts what is tallied under the name and with the sentence of the tally', async () => {
    const before = setUpFailureTally.read('lcp-timeout');
    setUpFailureTally.add('lcp-timeout');

    expect(await linesOf('pptp_session_set_up_failures_total')).toContain(
      `{cause="lcp-timeout"} ${before + 1}`,
    );
    expect((await ask('/metrics')).body).toContain(
      '# HELP pptp_admission_connections_refused_total Control connections closed at once',
    );
  });

  it('is 503 while the engine does not answer', async () => {
    crowd.isMute = true;
    const isAsked = new Promise<void>((resolve) => {
      crowd.asked = resolve;
    });
    const answer = ask('/metrics');
    await isAsked;
    crowd.clock.advance(5_000);

    expect((await answer).status).toBe(503);
  });
});

describe('/metrics/sessions', () => {
  it('is what Prometheus wants, also of users with strange names', async () => {
    crowd.add('back\\slash "quoted"\nin two lines');
    const { body } = await ask('/metrics/sessions');

    expect(lint(body)).toBe('');
    expect(body).toContain('user="back\\\\slash \\"quoted\\"\\nin two lines"');
    const told = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(told).toEqual(sessionSeries.map(({ name }) => name));
  });

  it('has the counters of each session, by user and interface', async () => {
    crowd.count(1, { receivedOctets: 12_345_678_901n, transmittedPackets: 7n });
    const labels = '{user="user1",interface="<pptp-user1>"}';

    expect(await linesOf('pptp_session_receive_bytes_total', '/metrics/sessions')).toContain(
      `${labels} 12345678901`,
    );
    expect(await linesOf('pptp_session_transmit_packets_total', '/metrics/sessions')).toContain(
      `${labels} 7`,
    );
    expect(await linesOf('pptp_session_uptime_seconds', '/metrics/sessions')).toContain(`${labels} 61`);
  });

  it('tells limits in octets, and none where there is none', async () => {
    const receive = await linesOf('pptp_session_receive_limit_bytes_per_second', '/metrics/sessions');

    expect(receive[0]).toBe('{user="user0",interface="<pptp-user0>"} 125000');
    expect(await linesOf('pptp_session_transmit_limit_bytes_per_second', '/metrics/sessions')).toEqual([]);
  });

  it('cuts names that nobody would read', async () => {
    crowd.add('x'.repeat(253));

    expect((await ask('/metrics/sessions')).body).toContain(`user="${'x'.repeat(64)}",`);
  });

  it('lists the fastest if asked for some', async () => {
    await ask('/metrics');
    crowd.count(2, { transmittedOctets: 1_000_000n });
    crowd.clock.advance(5_000);
    await ask('/metrics');

    const lines = await linesOf('pptp_session_info', '/metrics/sessions?top=1');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('user="user2"');
    expect((await ask('/metrics/sessions?top=0')).status).toBe(400);
    expect((await ask('/metrics/sessions?top=all')).status).toBe(400);
  });

  it('is not told where names are not to be told', async () => {
    isNaming = false;

    expect((await ask('/metrics/sessions')).status).toBe(404);
    expect(JSON.parse((await ask('/status.json')).body).fastest).toEqual([]);
  });

  it('is told to two at a time, and a reader that takes nothing holds nobody up', async () => {
    const big = new Crowd(20_000);
    const metrics = new Metrics(big, dns, () => true);
    const wide = new HttpFace({
      clock: big.clock,
      log: () => {},
      readiness: () => [],
      pages: metrics.pages,
      streams: metrics.streams,
    });
    face.close();
    wide.configure({ enabled: true, address: 0x7f000001, port, sessions: true });
    const sleepers = [0, 1].map(() => connect(port, '127.0.0.1'));
    const refused = metricsTally.read('readersRefused');
    try {
      for (const sleeper of sleepers) {
        await once(sleeper, 'connect');
        sleeper.pause();
        sleeper.write('GET /metrics/sessions HTTP/1.1\r\nHost: node\r\n\r\n');
      }
      let status: number | undefined;
      while (status !== 503) status = (await ask('/metrics/sessions?top=1')).status;

      expect(metricsTally.read('readersRefused')).toBeGreaterThan(refused);
      expect((await ask('/metrics')).status).toBe(200);
    } finally {
      for (const sleeper of sleepers) sleeper.destroy();
      wide.close();
    }
  });
});

describe('the page', () => {
  it('takes nothing from anywhere but the node', async () => {
    const { status, body, policy } = await ask('/');

    expect(status).toBe(200);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(body).not.toMatch(/https?:|<script>|style=|onclick/);
    for (const [, path] of body.matchAll(/(?:src|href)="([^":]+)"/g)) {
      expect((await ask(`/${path}`)).status).toBe(200);
    }
  });

  it('asks for the points that it has not seen', async () => {
    const first = JSON.parse((await ask('/status.json')).body);
    crowd.clock.advance(5_000);
    await ask('/metrics');
    const next = JSON.parse((await ask(`/status.json?since=${first.points.at(-1)?.[0] ?? 0}`)).body);

    expect(first).toMatchObject({ node: 'node1', sessions: { up: 3 }, licence: { limit: 200 } });
    expect(next.points.length).toBeLessThanOrEqual(1);
  });
});
