/**
 * What it costs a node to be looked at: how long `/metrics` and `/metrics/sessions` take, and for how long they keep the event loop
 * from everybody else, with as many sessions as a large node has and with five times as many. The counters are a real engine's, which
 * holds as many calls. Who asks is another process. Turns
 * of the loop are measured in processor time as well: a machine that others use makes the clock's figures theirs.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Metrics } from '../../src/composition/metrics.ts';
import { type Engine, startEngine } from '../../src/datapath/engine.io.ts';
import { HttpFace } from '../../src/metrics/http.io.ts';
import { enginePath } from '../contract/real-world.io.ts';
import { Network } from '../netns/namespaces.io.ts';
import { Crowd } from '../unit/metrics/crowd.ts';

const port = 19_723;
const rounds = 15;

interface Cost {
  /** As curl has it, from the request to the last octet. */
  readonly medianMs: number;
  /** The longest time between two turns of the event loop while it was told. */
  readonly stallMs: number;
  /** The most processor time that the process took between two turns, and in the median for the whole. */
  readonly turnCpuMs: number;
  readonly cpuMs: number;
  readonly octets: number;
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Asks for `path` some times, and watches the event loop meanwhile. */
async function costOf(path: string): Promise<Cost> {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let stallMs = 0;
  let turnCpuMs = 0;
  let octets = 0;
  for (let round = 0; round < rounds; round += 1) {
    let last = { ms: 0, cpu: 0 };
    let isWatching = true;
    let began = 0;
    const watch = () => {
      const now = { ms: performance.now(), cpu: cpuMs() };
      stallMs = Math.max(stallMs, now.ms - last.ms);
      turnCpuMs = Math.max(turnCpuMs, now.cpu - last.cpu);
      last = now;
      if (isWatching) setImmediate(watch);
    };
    const asking = curl(path);
    // The start of a process is not the server's: from the next turn on it counts.
    setImmediate(() => {
      last = { ms: performance.now(), cpu: cpuMs() };
      began = last.cpu;
      watch();
    });
    const { seconds, size } = await asking;
    isWatching = false;
    times.push(seconds * 1000);
    cpuTimes.push(cpuMs() - began);
    octets = size;
  }
  return { medianMs: medianOf(times), stallMs, turnCpuMs, cpuMs: medianOf(cpuTimes), octets };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

async function curl(path: string): Promise<{ readonly seconds: number; readonly size: number }> {
  const words = ['-s', '-o', '/dev/null', '-w', '%{time_total} %{size_download}'];
  const { stdout } = await promisify(execFile)('curl', [...words, `http://127.0.0.1:${port}${path}`]);
  const [seconds = 0, size = 0] = stdout.split(' ').map(Number);
  return { seconds, size };
}

describe.each([1_000, 10_000, 50_000])('with %i sessions', (sessions) => {
  it('tells of itself, and of each session', async () => {
    const crowd = new Crowd(sessions);
    const engine = await engineFor(sessions);
    crowd.holdIn(engine);
    const { pages, streams } = new Metrics(crowd, {}, () => true);
    const face = new HttpFace({ clock: crowd.clock, log: () => {}, readiness: () => [], pages, streams });
    face.configure({ enabled: true, address: 0x7f000001, port, sessions: true });
    await curl('/metrics/sessions');

    for (const path of ['/metrics', '/metrics/sessions', '/metrics/sessions?top=100', '/status.json']) {
      const { medianMs, stallMs, turnCpuMs, cpuMs: whole, octets } = await costOf(path);
      console.log(
        `${sessions} sessions, ${path}: ${medianMs.toFixed(1)} ms (processor ${whole.toFixed(1)} ms, waiting for curl included), ` +
          `longest turn ${stallMs.toFixed(1)} ms (processor ${turnCpuMs.toFixed(1)} ms), ${(octets / 1e6).toFixed(2)} MB`,
      );
      expect(octets).toBeGreaterThan(0);
    }
    face.close();
    await engine.stop();
  });
});

let network: Network;
const directory = mkdtempSync(join(tmpdir(), 'metrics-'));
beforeAll(() => {
  network = new Network('metrics');
});
afterAll(async () => {
  await network.remove();
  rmSync(directory, { recursive: true });
});

function engineFor(sessions: number): Promise<Engine> {
  return startEngine({
    socketPath: join(directory, `${sessions}.sock`),
    logPath: join(directory, 'engine.log'),
    command: network.namespace(`host${sessions}`).inside([enginePath]),
    onLost(fault) {
      throw fault;
    },
  });
}
