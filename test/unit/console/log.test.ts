import { describe, expect, it } from 'vitest';
import { plain, transcriptOf, World } from './world.ts';

describe('/log', () => {
  it('shows what happened, as RouterOS does, and nothing of debugging; every line goes on', async () => {
    const world = new World();
    const passed: string[] = [];
    const log = world.logRing.before((severity, topics, text) =>
      passed.push(`${topics},${severity} ${text}`),
    );
    log('info', 'pptp,ppp', '<pptp-alice>: connected');
    world.clock.advance(61_000);
    log('debug', 'system', 'a question');
    log('error', 'system', 'redis: \x1b[2Jgone');
    const shell = world.shell();

    expect(await transcriptOf(shell.run('/log print', plain))).toBe(
      '2026-11-21 00:00:00 pptp,ppp,info <pptp-alice>: connected\n2026-11-21 00:01:01 system,error redis: \\1B[2Jgone\n',
    );
    expect(await transcriptOf(shell.run('/log print where topics~"ppp"', plain))).toMatch(/connected\n$/);
    expect(await transcriptOf(shell.run('/log print count-only where message~gone', plain))).toBe('1\n');
    expect(await transcriptOf(shell.run('/log print', { ...plain, json: true }))).toContain(
      '{".id":"*2","time":"2026-11-21 00:01:01","topics":"system,error","message":"redis: \\u001b[2Jgone"}',
    );
    expect(passed).toHaveLength(3);
  });

  it('shows what is about one user, or one session, alone', async () => {
    const world = new World();
    const log = world.logRing.before(() => {});
    log('info', 'pptp,ppp', 'one', { user: 'alice', sessionId: 'a1' });
    log('info', 'pptp,ppp', 'two', { user: 'bob', sessionId: 'b1' });
    log('info', 'pptp,ppp', 'three', { sessionId: 'a1' });
    const messages = async (where: string) =>
      (await transcriptOf(world.shell().run(`/log print where ${where}`, plain)))
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ').at(-1));

    expect(await messages('user=alice')).toEqual(['one']);
    expect(await messages('session-id=a1')).toEqual(['one', 'three']);
  });

  it('keeps the last thousand lines, the oldest first', async () => {
    const world = new World();
    const log = world.logRing.before(() => {});
    for (let at = 0; at < 2500; at += 1) log('info', 'pptp', `line ${at}`);

    const lines = (await transcriptOf(world.shell().run('/log print', plain))).trimEnd().split('\n');

    expect(lines).toHaveLength(1000);
    expect([lines[0], lines.at(-1)].map((line) => line?.split(' ').at(-1))).toEqual(['1500', '2499']);
  });
});
