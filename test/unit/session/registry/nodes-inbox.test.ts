/** Commands between nodes by a clock of the test's: what no real Redis can be made to do at the right moment. */

import { beforeEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../../src/base/clock.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import type { ScriptRunner } from '../../../../src/base/redis.io.ts';
import { keysOf } from '../../../../src/session/registry/keys.ts';
import { commandText, customaryPace, nodeKeysOf, replyText } from '../../../../src/session/registry/nodes.ts';
import { Board, type NodeScripts, nodeScriptNames } from '../../../../src/session/registry/nodes-board.ts';
import { Inbox } from '../../../../src/session/registry/nodes-inbox.ts';
import type { NodeCommand, NodeReply } from '../../../../src/session/registry/registry.ts';

const names = [...nodeScriptNames.behindClaims, ...nodeScriptNames.alone];
const scripts = Object.fromEntries(names.map((name) => [name, { name, lua: '' }])) as NodeScripts;
const kick: NodeCommand = { kind: 'kick', sessionIds: ['s1'], cause: 'admin-reset' };
const unreachable: NodeReply = { ok: false, why: 'unreachable' };
const owner = { node: 'anna', bootId: '1' };

let clock: VirtualClock;
let ran: { readonly name: string; readonly args: readonly (string | number)[] }[];
let replies: Promise<unknown>[];
let performed: NodeCommand[];
let replyOf: (reply: NodeReply) => void;
let losses: unknown[];
let inbox: Inbox;

beforeEach(() => {
  clock = new VirtualClock();
  [ran, replies, performed, losses] = [[], [], [], []];
  const runner: ScriptRunner = {
    run(script, _keys, args) {
      ran.push({ name: script.name, args });
      return replies.shift() ?? Promise.resolve(1);
    },
  };
  const keys = { ...keysOf('test'), ...nodeKeysOf('test') };
  inbox = new Inbox({
    board: new Board(runner, scripts, keys, owner, clock, customaryPace),
    node: 'anna',
    clock,
    random: seededRandom(1),
    perform: (command, reply) => {
      performed.push(command);
      replyOf = reply;
    },
    lost: (why) => losses.push(why),
  });
});

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function ask(node: string, canSend = true): NodeReply[] {
  const heard: NodeReply[] = [];
  inbox.command(node, kick, canSend, (reply) => heard.push(reply));
  return heard;
}

/** The id under which the last command was sent. */
const sentId = () => String(ran.at(-1)?.args[5]);

describe('who asks', () => {
  test('is answered as the other node replied, once', async () => {
    const heard = ask('bert');
    await settled();

    inbox.take({ id: sentId(), body: replyText.write({ ok: true, errorCause: 503 }) });
    inbox.take({ id: sentId(), body: replyText.write({ ok: true }) });
    clock.advance(10_000);

    expect(heard).toEqual([{ ok: true, errorCause: 503 }]);
  });

  test('is answered after a second and a half if nobody replies, and not again when one does', () => {
    const heard = ask('bert');

    clock.advance(1_499);
    expect(heard).toEqual([]);
    clock.advance(1);
    inbox.take({ id: sentId(), body: replyText.write({ ok: true }) });

    expect(heard).toEqual([unreachable]);
  });

  test('is answered at once if the node does not live, Redis is away, or refuses', async () => {
    replies.push(Promise.resolve(0), Promise.reject(new Error('away')));

    const heard = [...Array.from({ length: 2 }, () => ask('bert')), ask('bert', false)];
    await settled();

    expect(heard).toEqual([[unreachable], [unreachable], [unreachable]]);
    expect(losses).toEqual([new Error('away')]);
    expect(ran.length).toBe(2);
  });

  test('for this node itself asks nobody else, and not for ever', () => {
    const heard = ask('anna', false);
    expect([performed, ran]).toEqual([[kick], []]);

    clock.advance(1_500);
    replyOf({ ok: true });

    expect(heard).toEqual([unreachable]);
  });

  test('is refused when too many wait, and is answered when the inbox closes', () => {
    const heard = Array.from({ length: 1_001 }, () => ask('bert'));

    expect(heard.at(-1)).toEqual([{ ok: false, why: 'refused' }]);
    inbox.close();
    expect(heard.slice(0, -1)).toEqual(Array.from({ length: 1_000 }, () => [unreachable]));
    expect(ask('bert')).toEqual([{ ok: false, why: 'refused' }]);
  });

  test('is refused a command that would fill an inbox', () => {
    const heard: NodeReply[] = [];
    const sessionIds = Array.from({ length: 5_000 }, (_, at) => `0123456789abcdef${at}`);

    inbox.command('bert', { kind: 'kick', sessionIds, cause: 'admin-reset' }, true, (reply) =>
      heard.push(reply),
    );

    expect(heard).toEqual([{ ok: false, why: 'refused' }]);
    expect(ran).toEqual([]);
  });
});

describe('who is asked', () => {
  const command = (id: string, deadlineMs: number, body = commandText.write(kick)) => ({
    id,
    from: 'bert@1',
    deadlineMs,
    body,
  });

  test('carries a command out once, however often it comes, and replies once', () => {
    inbox.take(command('c1', 1_000));
    inbox.take(command('c1', 1_000));
    replyOf({ ok: true });
    replyOf(unreachable);

    expect(performed).toEqual([kick]);
    expect(ran).toEqual([{ name: 'answer', args: ['c1', replyText.write({ ok: true })] }]);
  });

  test('drops what comes after its time', () => {
    clock.advance(2_000);

    inbox.take(command('c1', 1_999));
    inbox.take(command('c2', 2_000));

    expect(performed.length).toBe(1);
  });

  test('refuses what a newer release asks', () => {
    inbox.take(command('c1', 1_000, '{"kind":"dance"}'));

    expect(performed).toEqual([]);
    expect(ran).toEqual([{ name: 'answer', args: ['c1', replyText.write({ ok: false, why: 'refused' })] }]);
  });

  test('does nothing any more when it has been fenced', () => {
    inbox.close();

    inbox.take(command('c1', 1_000));

    expect([performed, ran]).toEqual([[], []]);
  });
});
