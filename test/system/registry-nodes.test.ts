/** Nodes of a service over a real Redis: who lives, who has died, and who buries whom, whatever fails. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { below, seededRandom } from '../../src/base/random.ts';
import { connectRedis, RedisClient, type RedisConnection } from '../../src/base/redis.io.ts';
import { nodesTally } from '../../src/session/registry/nodes.ts';
import { inboxReaderOver } from '../../src/session/registry/nodes-reader.io.ts';
import { addressOf, Cable, RedisServer } from './redis.io.ts';
import { ChildMember, Member, type MemberOptions, quickPace } from './registry-node.io.ts';
import { Sentinels } from './sentinels.io.ts';

let redis: RedisServer;
let members: Member[];
let children: ChildMember[];
let cables: Cable[];

beforeEach(async () => {
  redis = await RedisServer.start();
  [members, children, cables] = [[], [], []];
});

afterEach(async () => {
  for (const cable of cables) cable.mend();
  await Promise.all([...members.map((member) => member.leave()), ...children.map((child) => child.kill())]);
  for (const cable of cables) cable.remove();
  await redis.remove();
});

type Wish = Omit<MemberOptions, 'address'> & Partial<Pick<MemberOptions, 'address'>>;

async function start(node: string, wish: Omit<Wish, 'node'> = {}): Promise<Member> {
  const member = await Member.start({ address: redis.address, node, ...wish });
  members.push(member);
  return member;
}

async function startChild(node: string, wish: Omit<Wish, 'node'> = {}): Promise<ChildMember> {
  const child = await ChildMember.start({ address: redis.address, node, ...wish });
  children.push(child);
  return child;
}

async function layCable(): Promise<Cable> {
  const cable = await Cable.to(redis.port);
  cables.push(cable);
  return cable;
}

const patience = { timeout: 15_000, interval: 20 };
const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, patience);
const namesOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(4, '0')}`);

describe('a node that lives', () => {
  test('is seen by all others with what it says of itself', async () => {
    const [anna, bert, cleo] = [await start('anna'), await start('bert'), await start('cleo')];
    anna.up('a1', 'user');

    for (const member of [anna, bert, cleo]) {
      await eventually(async () =>
        (await member.rows()).map(({ node, sessions, isSuspect }) => [node, sessions, isSuspect]).toSorted(),
      ).toEqual([
        ['anna', 1, false],
        ['bert', 0, false],
        ['cleo', 0, false],
      ]);
    }
    expect((await bert.rows()).find(({ node }) => node === 'anna')).toMatchObject({
      version: '1.0',
      addresses: [0x0a000001],
      licenceLevel: 'level6',
      licenceLimit: undefined,
    });
  });

  test('leaves nothing behind when it leaves', async () => {
    const [anna, bert] = [await start('anna'), await start('bert')];
    expect(await anna.dial('a1', 'user', { address: 7 })).toBe(true);
    await eventually(() => bert.seen()).toEqual(['a1']);

    await anna.leave();

    expect((await bert.rows()).map(({ node }) => node)).toEqual(['bert']);
    expect(await bert.seen()).toEqual([]);
    expect(await bert.dial('b1', 'user', { address: 7 })).toBe(true);
  });
});

describe('a new boot of a node', () => {
  test('fences the one before: its claims are free at once, and it never counts again', async () => {
    const [former, bert] = [await start('anna'), await start('bert')];
    expect(await former.dial('a1', 'user', { address: 7 })).toBe(true);
    expect(await bert.dial('b1', 'user')).toBe(false);

    const later = await start('anna');

    expect(await bert.dial('b2', 'user', { address: 7 })).toBe(true);
    await eventually(() => former.told.fences).toEqual([true]);
    expect(former.nodes.isOnline).toBe(false);
    expect(
      await former.command('bert', { kind: 'kick', sessionIds: ['b2'], cause: 'admin-reset' }),
    ).toMatchObject({ ok: false });
    expect(later.nodes.isOnline).toBe(true);
    expect((await bert.rows()).map(({ node }) => node).toSorted()).toEqual(['anna', 'bert']);
    expect([...later.told.reaped, ...bert.told.reaped]).toEqual([]);
  });

  test('is obeyed also when Redis has forgotten both, and the former is back first', async () => {
    const cable = await layCable();
    const former = await start('anna', { address: cable.address });
    cable.cut();
    const laterCable = await layCable();
    const later = await start('anna', { address: laterCable.address });
    laterCable.cut();
    await redis.kill();
    await redis.startEmpty();

    cable.mend();
    await eventually(() => former.nodes.isOnline).toBe(true);
    laterCable.mend();

    await eventually(() => later.nodes.isOnline).toBe(true);
    await eventually(() => former.told.fences).toEqual([true]);
    expect(later.told.fences).toEqual([]);
  });

  test('is sent the commands for its node', async () => {
    const [former, bert, later] = [await start('anna'), await start('bert'), await start('anna')];

    expect(await bert.command('anna', { kind: 'drain', mode: 'soft' })).toEqual({ ok: true });
    expect(later.told.commands).toEqual([{ kind: 'drain', mode: 'soft' }]);
    expect(former.told.commands).toEqual([]);
  });
});

describe('a node that dies', () => {
  test('is suspect first, and dead after its time; its sessions are told to one survivor, once', async () => {
    const [bert, cleo] = [await start('bert'), await start('cleo')];
    const anna = await startChild('anna');
    const sessions = namesOf('a', 450);
    await anna.up(sessions.map((sessionId) => [sessionId, sessionId]));
    await eventually(async () => (await bert.seen()).length).toBe(450);

    await anna.kill();

    await eventually(async () =>
      (await bert.rows()).filter(({ isSuspect }) => isSuspect).map(({ node }) => node),
    ).toEqual(['anna']);
    expect([...bert.told.reaped, ...cleo.told.reaped]).toEqual([]);
    await eventually(() => [...bert.told.reaped, ...cleo.told.reaped].toSorted()).toEqual(sessions);
    expect([bert.told.reaped.length, cleo.told.reaped.length].toSorted()).toEqual([0, 450]);
    expect(await bert.seen()).toEqual([]);
    expect((await cleo.rows()).map(({ node }) => node).toSorted()).toEqual(['bert', 'cleo']);
    expect(await cleo.wasReaped([...sessions, 'b1'])).toEqual(new Set(sessions));
  });

  test('frees its users at once; its addresses rest, but for the user who had them and who has leased them', async () => {
    const cable = await layCable();
    const [anna, bert] = [await start('anna', { address: cable.address }), await start('bert')];
    expect(await anna.dial('a1', 'one', { address: 7 })).toBe(true);
    expect(await anna.dial('a2', 'two', { address: 8 })).toBe(true);
    await eventually(async () => (await bert.seen()).length).toBe(2);

    cable.cut();

    await eventually(() => bert.told.reaped.toSorted()).toEqual(['a1', 'a2']);
    expect(await bert.dial('b1', 'other', { address: 7 })).toBe(false);
    expect(await bert.dial('b2', 'one', { address: 7 })).toBe(true);
    expect(await bert.dial('b4', 'other', { address: 8, isDrawn: true })).toBe(true);
    expect(await bert.dial('b3', 'two')).toBe(true);
  });

  test.each(Array.from({ length: Number(process.env.REGISTRY_SEEDS ?? 6) }, (_, seed) => seed))(
    'is buried once, whoever is first (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const pace = { beatMs: 20 + below(random, 40), suspectAfterMs: 200, deadAfterMs: 500 };
      const cable = await layCable();
      const survivors = await Promise.all(
        namesOf('survivor', 2 + below(random, 3)).map((node) => start(node, { pace })),
      );
      const dead = await start('dead', { address: cable.address, pace });
      const sessions = namesOf('d', 1 + below(random, 500));
      for (const sessionId of sessions) dead.up(sessionId, sessionId);
      const [first] = survivors;
      await eventually(async () => (await first?.seen())?.length).toBe(sessions.length);

      cable.cut();

      const reaped = () => survivors.flatMap(({ told }) => told.reaped);
      await eventually(() => reaped().length).toBeGreaterThanOrEqual(sessions.length);
      expect(reaped().toSorted()).toEqual(sessions);
      expect(survivors.filter(({ told }) => told.reaped.length > 0).length).toBe(1);
    },
  );

  test('at a burial leaves the rest to another, which tells nothing twice that was confirmed', async () => {
    const [cable, other] = [await layCable(), await layCable()];
    const anna = await start('anna', { address: cable.address });
    const sessions = namesOf('a', 600);
    for (const sessionId of sessions) anna.up(sessionId, sessionId);
    // Confirms one batch, and no more.
    const bert = await start('bert', { address: other.address, buriesMax: 200 });
    await eventually(async () => (await bert.seen()).length).toBe(600);
    cable.cut();
    await eventually(() => bert.told.reaped.length).toBe(400);
    const confirmed = bert.told.reaped.slice(0, 200);

    const cleo = await start('cleo');
    other.cut();

    await eventually(() => cleo.told.reaped.length).toBe(400);
    expect([...confirmed, ...cleo.told.reaped].toSorted()).toEqual(sessions);
  });

  /** Anna is dead, and Bert cut off with her sessions in his journal, before he could strike them off. */
  async function leaveBuried(sessions: readonly string[]) {
    const [cable, other] = [await layCable(), await layCable()];
    const anna = await start('anna', { address: cable.address });
    for (const sessionId of sessions) anna.up(sessionId, sessionId);
    let keep: () => void = () => {};
    const mayKeep = new Promise<void>((resolve) => {
      keep = resolve;
    });
    const bert = await start('bert', { address: other.address, mayKeep });
    await eventually(() => bert.seen()).toEqual(sessions);
    cable.cut();
    await eventually(() => bert.told.reaped.toSorted()).toEqual(sessions);
    other.cut();
    keep();
    await eventually(() => bert.nodes.isOnline).toBe(false);
    return { anna, bert, cable, other };
  }

  test('before what it has kept was confirmed forgets it, if another has told it', async () => {
    const { bert, other } = await leaveBuried(['a1', 'a2']);
    const cleo = await start('cleo');

    await eventually(() => cleo.told.buried.toSorted()).toEqual(['a1', 'a2']);
    expect([bert.told.buried, bert.told.leftToOthers]).toEqual([[], []]);
    other.mend();

    await eventually(() => bert.told.leftToOthers.toSorted()).toEqual(['a1', 'a2']);
    expect([bert.told.buried, cleo.told.leftToOthers]).toEqual([[], []]);
  });

  test('before what it has kept was confirmed tells it, if nobody else has', async () => {
    const { bert, other } = await leaveBuried(['a1', 'a2']);
    other.mend();

    await eventually(() => bert.told.buried.toSorted()).toEqual(['a1', 'a2']);
    expect(bert.told.leftToOthers).toEqual([]);
  });

  test('leaves it to the node itself, which tells nothing of what had ended there', async () => {
    const { anna, bert, cable, other } = await leaveBuried(['a1', 'a2']);
    anna.hangUp('a1');
    cable.mend();

    await eventually(() => anna.told.buried).toEqual(['a2']);
    other.mend();
    await eventually(() => bert.told.leftToOthers.toSorted()).toEqual(['a1', 'a2']);
    expect(anna.told.conflicts).toEqual([['a2', 'reaped']]);
    expect([anna.told.reaped, bert.told.buried]).toEqual([['a2'], []]);
  });
});

describe('a node that stands still', () => {
  test('for less than its time loses nothing', async () => {
    const bert = await start('bert', { pace: { deadAfterMs: 4_000 } });
    const anna = await startChild('anna', { pace: { deadAfterMs: 4_000 } });
    await anna.up([['a1', 'user']]);
    await eventually(() => bert.seen()).toEqual(['a1']);

    anna.freeze();
    await eventually(async () => (await bert.rows()).some(({ isSuspect }) => isSuspect)).toBe(true);
    anna.thaw();

    await eventually(async () => (await bert.rows()).some(({ isSuspect }) => isSuspect)).toBe(false);
    expect(await bert.seen()).toEqual(['a1']);
    expect([...bert.told.reaped, ...anna.told.conflicts]).toEqual([]);
  });

  test('for longer is told that its sessions were ended elsewhere', async () => {
    const bert = await start('bert');
    const anna = await startChild('anna');
    await anna.up([
      ['a1', 'one'],
      ['a2', 'two'],
    ]);
    await eventually(() => bert.seen()).toEqual(['a1', 'a2']);

    anna.freeze();
    await eventually(() => bert.told.reaped.toSorted()).toEqual(['a1', 'a2']);
    anna.thaw();

    await eventually(() => anna.told.conflicts.toSorted()).toEqual([
      ['a1', 'reaped'],
      ['a2', 'reaped'],
    ]);
    await eventually(() => bert.seen()).toEqual([]);
    await anna.up([['a3', 'one']]);
    await eventually(() => bert.seen()).toEqual(['a3']);
    expect(bert.told.reaped.length).toBe(2);
  });

  test('carries out no command that came meanwhile, and its asker is answered in time', async () => {
    const bert = await start('bert', { pace: { suspectAfterMs: 10_000, deadAfterMs: 60_000 } });
    const anna = await startChild('anna', { pace: { suspectAfterMs: 10_000, deadAfterMs: 60_000 } });
    anna.freeze();

    const askedMs = performance.now();
    expect(await bert.command('anna', { kind: 'kick', sessionIds: ['a1'], cause: 'admin-reset' })).toEqual({
      ok: false,
      why: 'unreachable',
    });
    expect(performance.now() - askedMs).toBeLessThan(2_000);
    anna.thaw();

    await eventually(() =>
      bert.command('anna', { kind: 'kick', sessionIds: ['a2'], cause: 'admin-reset' }),
    ).toEqual({ ok: true });
    expect(anna.told.commands).not.toContainEqual({ kind: 'kick', sessionIds: ['a1'], cause: 'admin-reset' });
  });
});

describe('a node that is cut off from Redis', () => {
  test('for less than its time writes again what happened meanwhile', async () => {
    const cable = await layCable();
    const pace = { deadAfterMs: 6_000 };
    const [anna, bert] = [
      await start('anna', { address: cable.address, pace }),
      await start('bert', { pace }),
    ];
    anna.up('a1', 'one');
    anna.up('a2', 'two');
    await eventually(() => bert.seen()).toEqual(['a1', 'a2']);

    cable.cut();
    await eventually(() => anna.nodes.isOnline).toBe(false);
    anna.up('a3', 'three');
    anna.hangUp('a1');
    expect((await anna.rows()).map(({ node }) => node)).toEqual(['anna']);
    cable.mend();

    await eventually(() => bert.seen()).toEqual(['a2', 'a3']);
    expect([...bert.told.reaped, ...anna.told.conflicts]).toEqual([]);
  });

  test('does not reap the others when it is back', async () => {
    const cable = await layCable();
    const [anna, bert] = [await start('anna', { address: cable.address }), await start('bert')];
    bert.up('b1', 'user');
    cable.cut();
    await eventually(async () => (await bert.rows()).length).toBe(1);

    cable.mend();
    await eventually(() => anna.nodes.isOnline).toBe(true);

    await eventually(async () => (await anna.rows()).length).toBe(2);
    expect(anna.told.reaped).toEqual([]);
  });
});

describe('when Redis', () => {
  test('is away for longer than a node may be, nobody is taken for dead', async () => {
    const all = [await start('anna'), await start('bert'), await start('cleo')] as const;
    for (const member of all) member.up(`${member.node}1`, member.node);
    const names = ['anna1', 'bert1', 'cleo1'];
    await eventually(() => all[0].seen()).toEqual(names);

    await redis.kill();
    await eventually(() => all.some(({ nodes }) => nodes.isOnline)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 2 * quickPace.deadAfterMs));
    await redis.startAgain();

    for (const member of all) await eventually(() => member.registry.isOnline).toBe(true);
    await eventually(() => all[0].seen()).toEqual(names);
    await new Promise((resolve) => setTimeout(resolve, 2 * quickPace.deadAfterMs));
    expect(all.flatMap(({ told }) => [...told.reaped, ...told.conflicts])).toEqual([]);
  });

  test('freezes, every question is answered within two seconds', async () => {
    const [anna, bert] = [await start('anna'), await start('bert')];
    anna.up('a1', 'user');
    await eventually(() => bert.seen()).toEqual(['a1']);

    redis.freeze();
    const askedMs = performance.now();
    await Promise.all([
      bert.rows(),
      bert.wasReaped(['a1']),
      bert.command('anna', { kind: 'kick', sessionIds: ['a1'], cause: 'admin-reset' }),
      bert.list(),
    ]);
    const tookMs = performance.now() - askedMs;
    await eventually(() => bert.nodes.isOnline || anna.nodes.isOnline).toBe(false);
    redis.thaw();

    expect(tookMs).toBeLessThan(2_500);
    await eventually(() => bert.nodes.isOnline && anna.nodes.isOnline).toBe(true);
    await eventually(() =>
      bert.command('anna', { kind: 'kick', sessionIds: ['a2'], cause: 'admin-reset' }),
    ).toEqual({ ok: true });
    expect(anna.told.commands).not.toContainEqual({ kind: 'kick', sessionIds: ['a1'], cause: 'admin-reset' });
    expect(await bert.seen()).toEqual(['a1']);
    expect([...anna.told.reaped, ...bert.told.reaped]).toEqual([]);
  });

  test.each(['killed and empty', 'flushed'])(
    'is %s, all is written again, and nothing is settled before',
    async (how) => {
      const all = [await start('anna'), await start('bert'), await start('cleo')] as const;
      for (const member of all) {
        for (const at of [1, 2, 3]) await member.dial(`${member.node}${at}`, `${member.node}${at}`);
      }
      const names = all.flatMap(({ node }) => [1, 2, 3].map((at) => `${node}${at}`));
      await eventually(() => all[1].seen()).toEqual(names);
      await eventually(() => all.every(({ nodes }) => nodes.isSettled)).toBe(true);

      if (how === 'flushed') await flush();
      else {
        await redis.kill();
        await redis.startEmpty();
      }

      await eventually(() => all.some(({ nodes }) => nodes.isSettled)).toBe(false);
      for (const member of all) await eventually(() => member.seen()).toEqual(names);
      await eventually(() => all.every(({ nodes }) => nodes.isSettled)).toBe(true);
      expect(await all[0].dial('x', 'bert1')).toBe(false);
      expect(all.flatMap(({ told }) => [...told.reaped, ...told.conflicts])).toEqual([]);
    },
  );

  test('has forgotten who was reaped, the survivor tells it again', async () => {
    const cable = await layCable();
    const [anna, bert] = [await start('anna', { address: cable.address }), await start('bert')];
    anna.up('a1', 'user');
    await eventually(() => bert.seen()).toEqual(['a1']);
    cable.cut();
    await eventually(() => bert.told.reaped).toEqual(['a1']);

    await flush();

    await eventually(async () => [...(await bert.wasReaped(['a1']))]).toEqual(['a1']);
    cable.mend();
    await eventually(() => anna.told.conflicts).toEqual([['a1', 'reaped']]);
  });
});

describe('when a replica succeeds the master', () => {
  test('the nodes find it by its Sentinels, and nobody loses a session or is taken for dead', async () => {
    const { replica, sentinels, address } = await watch();
    try {
      const all = [await start('anna', { address }), await start('bert', { address })] as const;
      const sessions = namesOf('s', 300);
      for (const [at, sessionId] of sessions.entries()) all[at % 2]?.up(sessionId, sessionId);
      for (const member of all) await eventually(async () => (await member.seen()).length).toBe(300);
      const marker = (port: number) => client(port, (raw) => raw.hget('{pptp:test}:nodes:marker', 'id'));
      await eventually(() => marker(replica.port)).toBe(await marker(redis.port));
      const emptied = nodesTally.read('emptied');

      await redis.kill();

      for (const member of all) await eventually(() => member.registry.isOnline).toBe(false);
      for (const member of all) await eventually(() => member.registry.isOnline).toBe(true);
      for (const member of all) await eventually(() => member.seen()).toEqual(sessions);
      expect(nodesTally.read('emptied') - emptied).toBe(2);
      expect(all.flatMap(({ told }) => [...told.reaped, ...told.conflicts])).toEqual([]);
      await eventually(() => all[0].command('bert', { kind: 'drain', mode: 'soft' })).toEqual({ ok: true });
    } finally {
      await Promise.all(members.splice(0).map((member) => member.leave()));
      sentinels.remove();
      await replica.remove();
    }
  }, 60_000);

  test('nobody stays with the former one, which was frozen, until it knows that it is none any more', async () => {
    const { replica, sentinels, address } = await watch();
    const asker = new RedisClient(address, silent);
    const port = async () => /^tcp_port:(\d+)/m.exec(await asker.raw.info('server'))?.[1];
    try {
      await asker.whenReady(5_000);
      expect(await port()).toBe(String(redis.port));

      redis.freeze();
      await eventually(() => sentinels.ask('GET-MASTER-ADDR-BY-NAME')).toContain(String(replica.port));
      redis.thaw();

      await eventually(() => port().catch(String)).toBe(String(replica.port));
      expect(await client(redis.port, (raw) => raw.role())).toContain('master');
    } finally {
      asker.close();
      sentinels.remove();
      await replica.remove();
    }
  }, 60_000);

  test.each(['reconnecting', 'connecting'] as const)(
    'an inbox is read anew also if its connection was just %s',
    async (state) => {
      const sentinels = await Sentinels.start(redis.port);
      const address = { ...redis.address, ...sentinels.words };
      const connections: RedisConnection[] = [];
      const connect = () => {
        const connection = connectRedis(address, 'patient', silent);
        connections.push(connection);
        return connection;
      };
      const taken: string[] = [];
      const reader = inboxReaderOver(connect, systemClock)('inbox', ({ id }) => taken.push(id));
      try {
        const [first] = connections;
        await eventually(() => first?.status).toBe('ready');
        const rewound = new Promise<void>((resolve) =>
          first?.once(state, () => {
            reader.rewind();
            resolve();
          }),
        );
        sentinels.freeze();
        await client(redis.port, (raw) => raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
        await rewound;
        sentinels.thaw();
        await client(redis.port, (raw) => raw.xadd('inbox', '*', 'id', 'a1', 'body', '{}'));

        await eventually(() => taken).toEqual(['a1']);
      } finally {
        reader.close();
        sentinels.remove();
      }
    },
    30_000,
  );
});

describe('a command', () => {
  test('is carried out once by its node, and answered to who asked', async () => {
    const all = [await start('anna'), await start('bert'), await start('cleo')] as const;
    const dynamic = { kind: 'dynamic', request: 'coa', attributes: Uint8Array.of(1, 0, 255) } as const;

    expect(await all[0].command('bert', dynamic)).toEqual({ ok: true });
    expect(await all[0].command('anna', { kind: 'drain', mode: 'cancel' })).toEqual({ ok: true });
    expect(await all[0].command('nobody', dynamic)).toEqual({ ok: false, why: 'unreachable' });

    expect(all.map(({ told }) => told.commands)).toEqual([
      [{ kind: 'drain', mode: 'cancel' }],
      [dynamic],
      [],
    ]);
  });

  test('is answered within half a second, 99 of 100 times', async () => {
    const bert = await start('bert');
    const [anna, cleo] = await Promise.all([startChild('anna'), startChild('cleo')]);
    const tookMs: number[] = [];
    const count = 1_000;
    for (let at = 0; at < count; at += 20) {
      const some = Array.from({ length: 20 }, async (_, each) => {
        const askedMs = performance.now();
        const sessionIds = [`s${at + each}`];
        expect(
          await bert.command(each % 2 === 0 ? 'anna' : 'cleo', {
            kind: 'kick',
            sessionIds,
            cause: 'admin-reset',
          }),
        ).toEqual({
          ok: true,
        });
        tookMs.push(performance.now() - askedMs);
      });
      await Promise.all(some);
    }
    tookMs.sort((one, other) => one - other);
    const [half, most] = [tookMs[count / 2] ?? 0, tookMs[(99 * count) / 100] ?? 0];
    console.log(`commands between 3 nodes: p50 ${half.toFixed(1)} ms, p99 ${most.toFixed(1)} ms`);

    expect(most).toBeLessThan(500);
    await eventually(() => anna.told.commands.length + cleo.told.commands.length).toBe(count);
  });
});

/** Asks a Redis or a Sentinel something of its own. */
async function client<T>(port: number, ask: (raw: RedisClient['raw']) => Promise<T>): Promise<T> {
  const connection = new RedisClient(addressOf(port), silent);
  try {
    await connection.whenReady(2_000);
    return await ask(connection.raw);
  } finally {
    connection.close();
  }
}

/** A replica of the master, and Sentinels that know both, and each other. */
async function watch() {
  const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(redis.port));
  const sentinels = await Sentinels.start(redis.port);
  await eventually(() => sentinels.ask('REPLICAS')).toHaveLength(1);
  await eventually(() => sentinels.ask('SENTINELS')).toHaveLength(2);
  return { replica, sentinels, address: { ...redis.address, ...sentinels.words } };
}

function flush(): Promise<unknown> {
  return client(redis.port, (raw) => raw.flushall());
}
