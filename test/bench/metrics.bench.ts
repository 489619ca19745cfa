/**
 * What it costs a node to be looked at: how long `/metrics` and `/metrics/sessions` take, and for how long they keep the event loop
 * from everybody else, with as many sessions as a large node has and with five times as many. The node and its engine are processes
 * as they are in service; who asks is another.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enginePath } from '../contract/real-world.io.ts';
import { Network } from '../netns/namespaces.io.ts';
import { type Held, MetricsNode } from './metrics-node.io.ts';

const port = 19_723;
/** Before those that are measured: a process that has just started compiles more than it works. */
const warmRounds = 5;
const rounds = 15;

interface Cost {
  /** As curl has it, from the request to the last octet. */
  readonly medianMs: number;
  /** The longest of the rounds; and in the median of the rounds. */
  readonly worst: Held;
  readonly usualTurnMs: number;
  readonly octets: number;
}

async function costOf(node: MetricsNode, path: string): Promise<Cost> {
  for (let round = 0; round < warmRounds; round += 1) await curl(path);
  const times: number[] = [];
  const helds: Held[] = [];
  let octets = 0;
  for (let round = 0; round < rounds; round += 1) {
    await node.held();
    const { seconds, size } = await curl(path);
    helds.push(await node.held());
    times.push(seconds * 1000);
    octets = size;
  }
  const worst = {
    turnMs: Math.max(...helds.map(({ turnMs }) => turnMs)),
    collectionMs: Math.max(...helds.map(({ collectionMs }) => collectionMs)),
  };
  const usualTurnMs = medianOf(helds.map(({ turnMs }) => turnMs));
  return { medianMs: medianOf(times), worst, usualTurnMs, octets };
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

let network: Network;
const directory = mkdtempSync(join(tmpdir(), 'metrics-'));
beforeAll(() => {
  network = new Network('metrics');
});
afterAll(async () => {
  await network.remove();
  rmSync(directory, { recursive: true });
});

describe.each([1_000, 10_000, 50_000])('with %i sessions', (sessions) => {
  it('tells of itself, and of each session', async () => {
    const command = network.namespace(`host${sessions}`).inside([enginePath]);
    const node = await MetricsNode.start({ sessions, port, directory, command });

    for (const path of ['/metrics', '/metrics/sessions', '/metrics/sessions?top=100', '/status.json']) {
      const { medianMs, worst, usualTurnMs, octets } = await costOf(node, path);
      console.log(
        `${sessions} sessions, ${path}: ${medianMs.toFixed(1)} ms, longest turn ${usualTurnMs.toFixed(1)} ms, of all rounds ` +
          `${worst.turnMs.toFixed(1)} ms (collection of garbage ${worst.collectionMs.toFixed(1)} ms), ${(octets / 1e6).toFixed(2)} MB`,
      );
      expect(octets).toBeGreaterThan(0);
    }
    await node.end();
  });
});
