/** How the real engine's end of the socket fails, each with a fault that says what to do. What goes well stands in test/contract. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { concat } from '../../../src/base/bytes.ts';
import { Fault } from '../../../src/base/fault.ts';
import {
  contractVersion,
  decodeCommand,
  type Event,
  type EventOf,
  encodeEvent,
} from '../../../src/datapath/contract.ts';
import { connectEngine, type Engine, startEngine } from '../../../src/datapath/engine.io.ts';

let directory: string;
let socketPath: string;
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'engine-'));
  socketPath = join(directory, 'engine.sock');
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

const start = (...command: [string, ...string[]]): Promise<Engine> =>
  startEngine({ socketPath, command, logPath: join(directory, 'engine.log'), onLost: () => {} });

const shell = (script: string): Promise<Engine> => start('/bin/sh', '-c', script);

/** Something that listens where the engine should. */
async function impostor(): Promise<{ engine: Engine; peer: Socket; lost: Promise<Fault> }> {
  const peers = new Promise<Socket>((resolve) => {
    server = createServer(resolve);
  });
  await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
  let report: (fault: Fault) => void = () => {};
  const lost = new Promise<Fault>((resolve) => {
    report = resolve;
  });
  const engine = await connectEngine({ socketPath, onLost: report });
  return { engine, peer: await peers, lost };
}

test('an engine without its rights is an operator’s fault, with its words and the remedy', async () => {
  const fault = await shell('echo "no CAP_NET_ADMIN" >&2; exit 77').catch((error: unknown) => error);

  expect(fault).toBeInstanceOf(Fault);
  expect(fault).toMatchObject({ code: 'ENGINE_NO_PRIVILEGE', owner: 'operator' });
  expect((fault as Fault).message).toContain('no CAP_NET_ADMIN');
  expect((fault as Fault).hint).toContain('setcap');
});

test('an engine that fails to start is reported with its words', async () => {
  await expect(shell('echo "out of luck" >&2; exit 1')).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    message: expect.stringMatching(/status 1.*out of luck/),
  });
  await expect(shell('kill -KILL $$')).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    message: expect.stringContaining('SIGKILL'),
  });
});

test('an engine that was not built says how to build it', async () => {
  await expect(start(join(directory, 'absent'))).rejects.toMatchObject({
    code: 'ENGINE_NOT_EXECUTABLE',
    hint: expect.stringContaining('npm run engine'),
  });
});

test('no engine at all is a fault of its own', async () => {
  await expect(connectEngine({ socketPath, onLost: () => {} })).rejects.toMatchObject({
    code: 'ENGINE_ABSENT',
  });
});

test('an engine that comes later is waited for as long as asked', async () => {
  const late = connectEngine({ socketPath, patienceMs: 10_000, onLost: () => {} });
  server = createServer((peer) => peer.resume());
  server.listen(socketPath);

  await (await late).close();

  await expect(
    connectEngine({ socketPath: `${socketPath}-absent`, patienceMs: 1, onLost: () => {} }),
  ).rejects.toMatchObject({ code: 'ENGINE_ABSENT' });
});

test('events wait until somebody listens', async () => {
  const { engine, peer } = await impostor();
  peer.write(encodeEvent({ kind: 'idle', call: 9 }));

  const event = await new Promise<Event>((resolve) => engine.listen(resolve));

  expect(event).toEqual({ kind: 'idle', call: 9 });
  peer.resume();
  await engine.close();
});

test('the engine is told how much has been heard, and only when that has been done', async () => {
  const { engine, peer } = await impostor();
  const done: number[] = [];
  engine.listen((event) => void done.push((event as EventOf<'idle'>).call));
  const said = concat(...[1, 2].map((call) => encodeEvent({ kind: 'idle', call })));

  // The second message is not whole yet.
  peer.write(said.subarray(0, said.length - 1));
  const [first] = (await once(peer, 'data')) as [Uint8Array];
  expect([decodeCommand(first), done]).toEqual([{ kind: 'heard', length: said.length / 2 }, [1]]);

  peer.write(said.subarray(said.length - 1));
  const [second] = (await once(peer, 'data')) as [Uint8Array];
  expect([decodeCommand(second), done]).toEqual([{ kind: 'heard', length: said.length / 2 }, [1, 2]]);
  await engine.close();
});

test('an engine that goes away is lost, once', async () => {
  const { engine, peer, lost } = await impostor();
  engine.listen(() => {});

  peer.destroy();

  expect(await lost).toMatchObject({ code: 'ENGINE_LOST' });
  await engine.close();
});

test('an engine of another version is left alone', async () => {
  const { engine, peer, lost } = await impostor();
  engine.listen(() => expect.unreachable());

  peer.write(encodeEvent({ kind: 'hello', version: contractVersion + 1, workers: 1, pid: 1, held: 0 }));

  expect(await lost).toMatchObject({ code: 'ENGINE_OTHER_VERSION' });
});

test('nonsense ends the connection', async () => {
  const { engine, peer, lost } = await impostor();
  engine.listen(() => expect.unreachable());

  peer.write(new Uint8Array(8).fill(0xff));

  expect(await lost).toMatchObject({ code: 'ENGINE_NONSENSE' });
});

test('an engine that does not read is not fed without end', async () => {
  const { engine, peer, lost } = await impostor();
  peer.pause();
  const bytes = new Uint8Array(1 << 19);

  for (let times = 0; times < 200; times++) engine.send({ kind: 'tcp-send', connection: 1, bytes });

  expect(await lost).toMatchObject({ code: 'ENGINE_HANGS' });
});
