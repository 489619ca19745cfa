import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import type { Run } from '../../../src/console/run.ts';
import { plain, transcriptOf, World } from './world.ts';

/** Drives `run` to its end, with time passing wherever it waits for that. Gives its fault's words. */
function drive(run: Run, world: World, second: () => void): string | undefined {
  try {
    let given: unknown;
    for (;;) {
      const { done, value } = run.next(given);
      if (done) return undefined;
      given = undefined;
      if (typeof value === 'string') continue;
      let isAnswered = false;
      value.begin((answer) => {
        given = answer;
        isAnswered = true;
      });
      while (!isAnswered) {
        world.clock.advance(1_000);
        second();
      }
    }
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

describe('a drain', () => {
  const say = (world: World, line: string) => transcriptOf(world.shell().run(line, plain));

  it('is ordered of this node, or of another by its name', async () => {
    const world = new World();

    const seen = await say(
      world,
      '/system drain soft; /system drain hard node=south; /system drain cancel node=south',
    );

    expect(seen).toBe('');
    expect(world.drained).toEqual(['north: soft', 'south: hard', 'south: cancel']);
  });

  it('of a node that nobody knows is refused', async () => {
    expect(await say(new World(), '/system drain soft node=west')).toBe('! failure: west does not answer\n');
  });

  it('is printed: what is done, since when, and how far it has come', async () => {
    const world = new World();
    expect(await say(world, '/system drain print proplist=status,rate')).toBe(
      '  status: not draining\n    rate: 50\n',
    );

    world.drain = { mode: 'hard', forMs: 62_000, begunWith: 120, left: 45 };
    const seen = await say(world, '/system drain set rate=20; /system drain print');

    expect(seen).toBe(
      [
        '             rate: 20',
        '           status: ending sessions',
        '         duration: 1m2s',
        '  sessions-before: 120',
        '    sessions-left: 45',
        '',
      ].join('\n'),
    );
  });

  it('can be waited for until no session is left', () => {
    const world = new World();
    let seconds = 0;
    const fault = drive(world.shell().run('/system drain soft wait=1m', plain), world, () => {
      seconds += 1;
      if (seconds === 5) world.drain = { ...world.drain, left: 0 };
    });

    expect(fault).toBeUndefined();
    expect(seconds).toBe(5);
  });

  it('that takes longer than one waits says how many sessions are left', () => {
    const world = new World();

    const fault = drive(world.shell().run('/system drain soft wait=1m', plain), world, () => {});

    expect(fault).toBe('failure: 3 sessions are left');
  });
});

describe('while redis is away', () => {
  it('the list of sessions says above it that it has those of this node only', async () => {
    const world = new World();
    world.isOnline = false;
    const seen = (line: string) => transcriptOf(world.shell().run(line, plain));

    expect(await seen('/ppp active print')).toMatch(
      /^;;; redis is away: only the sessions of this node are shown\n/,
    );
    expect(await seen('/ppp active print terse')).not.toMatch(/;;;/);
    expect(await seen('/ppp active print count-only')).toBe('3\n');
  });

  it('nothing is invented in JSON', async () => {
    const world = new World();
    world.isOnline = false;

    const seen = await transcriptOf(world.shell().run('/ppp active print', { ...plain, json: true }));

    expect(JSON.parse(seen)).toHaveLength(3);
  });
});
