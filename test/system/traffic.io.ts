/**
 * Traffic through tunnels: ping, iperf3 and what tcpdump and tshark see of it. Each call ends when its command does; what it
 * returns are the command's own figures.
 */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Namespace } from '../netns/namespaces.io.ts';

const execute = promisify(execFile);

/** Runs a command in `namespace` while the test goes on. Returns its output, also if it fails. */
export async function run(namespace: Namespace, ...command: readonly string[]): Promise<string> {
  const [file, ...args] = namespace.inside(command);
  try {
    return (await execute(file, args, { maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return stdout + stderr;
  }
}

export interface Echoes {
  readonly sent: number;
  readonly received: number;
}

/** Echo requests of `size` octets of data, 20 ms apart; `options` are ping's own. */
export async function ping(
  namespace: Namespace,
  address: string,
  { count = 5, size = 56, options = [] as readonly string[] } = {},
): Promise<Echoes> {
  const words = ['-q', '-i', '0.02', '-W', '10', '-c', String(count), '-s', String(size), ...options];
  return echoesOf(await run(namespace, 'ping', ...words, address));
}

/**
 * Echo requests 10 ms apart from before `act` begins until after it is done. They come in batches, each counted to its end: an echo
 * that is under way when ping is interrupted would seem lost.
 */
export async function pingWhile(
  namespace: Namespace,
  address: string,
  act: () => Promise<void>,
): Promise<Echoes> {
  const batches: Echoes[] = [];
  const batch = async () => {
    batches.push(await ping(namespace, address, { count: 100, options: ['-i', '0.01'] }));
  };
  await batch();
  let isDone = false;
  const done = act().finally(() => {
    isDone = true;
  });
  do await batch();
  while (!isDone);
  await done;
  return {
    sent: batches.reduce((sum, { sent }) => sum + sent, 0),
    received: batches.reduce((sum, { received }) => sum + received, 0),
  };
}

/** The figures of ping's last words. */
export function echoesOf(output: string): Echoes {
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(output) ?? [];
  if (sent === undefined || received === undefined) throw new Error(`ping failed: ${output}`);
  return { sent: Number(sent), received: Number(received) };
}

/** Sends by iperf3 from `client` to `address`, where `server` is; `options` are the client's. Returns the octets that the receiver counted. */
export async function iperf(
  client: Namespace,
  server: Namespace,
  address: string,
  ...options: readonly string[]
): Promise<number> {
  const listener = server.start(['iperf3', '--server', '--one-off', '--forceflush', '--bind', address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (listener.stdout === null) throw new Error('the listener needs a pipe');
  const ended = once(listener, 'close');
  const lines = createInterface({ input: listener.stdout });
  for await (const line of lines) if (line.startsWith('Server listening')) break;
  listener.stdout.resume();
  const output = await run(client, 'iperf3', '--json', '--client', address, ...options);
  const { end, error } = JSON.parse(output);
  if (error !== undefined) throw new Error(`iperf3: ${error}`);
  await ended;
  return end.sum_received.bytes;
}
