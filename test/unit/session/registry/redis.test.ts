/** The registry of a service over a Redis whose answers the test gives: what no real Redis can be made to say at the right moment. */

import { beforeEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../../src/base/clock.ts';
import { silent } from '../../../../src/base/observe.ts';
import type { ScriptRunner } from '../../../../src/base/redis.io.ts';
import type { Nodes, NodesPorts } from '../../../../src/session/registry/parts.ts';
import { RedisRegistry } from '../../../../src/session/registry/redis.io.ts';
import { rowOf } from '../../../conformance/registry.ts';

const owner = { node: 'anna', bootId: '1' };

let clock: VirtualClock;
let ports: NodesPorts;
let registry: RedisRegistry;
/** Commands that wait for an answer, oldest first. */
let asked: { readonly name: string; answer(reply: unknown): void; fail(): void }[];

const nodes: Nodes = {
  begin: (those, done) => {
    ports = those;
    done();
  },
  isOnline: true,
  isSettled: true,
  nodes: (answer) => answer([]),
  command: (_node, _command, answer) => answer({ ok: true }),
  wasReaped: (_sessionIds, answer) => answer(new Set()),
  close: (done) => done(),
};

const redis: ScriptRunner = {
  run: ({ name }) =>
    new Promise((answer, fail) => {
      asked.push({ name, answer, fail: () => fail(new Error('Command timed out')) });
    }),
};

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const nothingHeld = [0, [], []];

/** Answers what is asked, and what is asked then, until nothing is. */
async function answerAll(): Promise<void> {
  for (await turn(); asked.length > 0; await turn()) {
    for (const { name, answer } of asked.splice(0)) answer(name === 'registryHeld' ? nothingHeld : []);
  }
}

beforeEach(async () => {
  clock = new VirtualClock();
  asked = [];
  registry = new RedisRegistry({ redis, service: 'test', owner, nodes, clock, log: silent });
  registry.begin({} as Parameters<RedisRegistry['begin']>[0], () => {});
  ports.joined();
  await answerAll();
  expect(registry.isOnline).toBe(true);
});

describe('a node that has to write all again', () => {
  // The answers to both may come in one packet: the news then comes in the middle of what the first one sets off.
  test.each(Array.from({ length: 12 }, (_, turns) => turns))(
    'does so when it hears of it %i turns after the last command was answered',
    async (turns) => {
      registry.up(rowOf(owner, 's1', 'user', 1));
      await answerAll();
      registry.ended('s1');
      const [end] = asked.splice(0);

      end?.answer(null);
      for (let turned = 0; turned < turns; turned += 1) await Promise.resolve();
      ports.joined();
      await answerAll();

      expect(registry.isOnline).toBe(true);
    },
  );

  test('compares once more what came under doubt while it compared', async () => {
    ports.joined();
    await turn();
    asked.splice(0)[0]?.answer(nothingHeld);
    await turn();
    const [comparison] = asked.splice(0);
    ports.joined();
    comparison?.answer(nothingHeld);
    await turn();

    expect(registry.isOnline).toBe(false);
    await answerAll();
    expect(registry.isOnline).toBe(true);
  });

  test('tries again half a second after a command that failed', async () => {
    ports.joined();
    asked.splice(0)[0]?.fail();
    await answerAll();
    expect(registry.isOnline).toBe(false);

    clock.advance(500);
    await answerAll();

    expect(registry.isOnline).toBe(true);
  });
});
