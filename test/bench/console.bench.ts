/**
 * The console with 10,000 users connected: how long `print` takes, and how long the daemon's other work waits meanwhile. Claims:
 * all of them printed within a second, counted at once, and no wait that a session would notice. The client runs in the
 * same process, so its work is in the figures too.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../../src/base/observe.ts';
import { Daemon } from '../../src/console/daemon.io.ts';
import { openConsole } from '../../src/console/socket.io.ts';
import { sessionRow, World } from '../unit/console/world.ts';

const sessions = 10_000;

const commands = [
  '/ppp active print',
  '/ppp active print detail',
  '/ppp active print where uptime>1h and name~"9\\$"',
  '/ppp active print count-only',
];

test.each([...commands, 'Tab'])('%s', async (command) => {
  const directory = mkdtempSync(join(tmpdir(), 'console-bench-'));
  const world = new World();
  world.sessions = Array.from({ length: sessions }, (_, at) =>
    sessionRow(at, `user${at}`, at % 3 === 0 ? 'north' : 'south', {
      uptimeMs: at * 1000,
      encoding: 'MPPE128 stateless',
    }),
  );
  const path = join(directory, 'console.sock');
  const opened = await openConsole({ ...world.services, path, log: silent });
  const daemon = new Daemon(path);
  onTestFinished(async () => {
    daemon.close();
    await opened.close();
    rmSync(directory, { recursive: true });
  });

  const rounds: Round[] = [];
  for (let count = 0; count < 5; count += 1) rounds.push(await measured(daemon, command));

  const { tookMs, octets, waitedMs } = medianOf(rounds);
  console.log(
    `${command}: ${tookMs.toFixed(0)} ms, ${octets} octets; others waited ${waitedMs.toFixed(1)} ms at most`,
  );
});

interface Round {
  readonly tookMs: number;
  readonly octets: number;
  /** The longest that the event loop did nothing else. */
  readonly waitedMs: number;
}

async function measured(daemon: Daemon, command: string): Promise<Round> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let octets = 0;
  const beganMs = performance.now();
  if (command === 'Tab') {
    const completion = await daemon.complete({ complete: '/ppp active remove user' });
    expect(completion?.omitted).toBe(sessions - 100);
  } else {
    const { fault } = await daemon.run({ run: command, width: 120, json: false }, async (text) => {
      octets += text.length;
    });
    expect(fault).toBeUndefined();
  }
  const tookMs = performance.now() - beganMs;
  delay.disable();
  return { tookMs, octets, waitedMs: delay.max / 1e6 };
}

function medianOf(rounds: readonly Round[]): Round {
  const [middle] = rounds.toSorted((one, other) => one.tookMs - other.tookMs).slice(rounds.length / 2);
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}
