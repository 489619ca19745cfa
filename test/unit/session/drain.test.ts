import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { Drain, type Drained } from '../../../src/session/drain.ts';

/** A session that is gone as soon as it is told to end, or later. */
class Session implements Drained {
  isTold = false;
  end(): void {
    this.isTold = true;
  }
}

let clock: VirtualClock;
let sessions: Map<Session, unknown>;
let lines: string[];
let isRefusing: boolean;
let rate: number;
let drain: Drain;

beforeEach(() => {
  clock = new VirtualClock();
  sessions = new Map(Array.from({ length: 100 }, () => [new Session(), undefined]));
  lines = [];
  isRefusing = false;
  rate = 50;
  drain = new Drain({
    clock,
    log: (_severity, _topics, text) => lines.push(text),
    sessions: () => sessions,
    refuse: (is) => {
      isRefusing = is;
    },
    rate: () => rate,
  });
});

const told = () => [...sessions.keys()].filter(({ isTold }) => isTold).length;

function leave(count: number): void {
  for (const session of [...sessions.keys()].slice(0, count)) {
    sessions.delete(session);
    drain.sessionEnded();
  }
}

describe('soft', () => {
  it('refuses calls and ends nobody', () => {
    drain.order('soft');
    clock.advance(3_600_000);

    expect(isRefusing).toBe(true);
    expect(told()).toBe(0);
    expect(drain.progress).toEqual({ mode: 'soft', forMs: 3_600_000, begunWith: 100, left: 100 });
    expect(lines).toEqual(['draining: new calls are refused, 100 sessions stay until they end']);
  });

  it('says once that no session is left', () => {
    drain.order('soft');
    leave(100);

    expect(lines.at(-1)).toBe('drained: no session is left');
    expect(lines).toHaveLength(2);
  });

  it('that is cancelled takes calls again', () => {
    drain.order('soft');
    drain.order('cancel');
    leave(100);

    expect(isRefusing).toBe(false);
    expect(drain.progress).toEqual({ mode: 'off', forMs: 0, begunWith: 0, left: 0 });
    expect(lines.at(-1)).toBe('drain cancelled: calls are taken again');
  });
});

describe('hard', () => {
  it.each([1, 3, 50, 1_000])('ends no more than %i in any second, and all in the end', (perSecond) => {
    rate = perSecond;
    const counts: number[] = [];
    drain.order('hard');
    while (told() < 100) {
      counts.push(told());
      clock.advance(100);
    }

    const everySecond = counts.map((count, at) => count - (counts[at - 10] ?? 0));
    // The first is ended at once, before its second.
    expect(Math.max(...everySecond)).toBeLessThanOrEqual(perSecond + 1);
    expect(counts.length).toBeLessThanOrEqual(Math.ceil(1_000 / perSecond) + 1);
  });

  it('spends nothing on sessions that have left by themselves', () => {
    drain.order('hard');
    leave(90);
    clock.advance(200);

    expect(told()).toBe(10);
  });

  it('that is cancelled ends no more, and can be ordered again', () => {
    drain.order('hard');
    clock.advance(500);
    const before = told();
    drain.order('cancel');
    clock.advance(10_000);
    expect(told()).toBe(before);
    expect(isRefusing).toBe(false);

    drain.order('hard');
    clock.advance(10_000);
    expect(told()).toBe(100);
  });

  it('after soft counts from the first order', () => {
    drain.order('soft');
    leave(40);
    clock.advance(5_000);
    drain.order('hard');

    expect(drain.progress).toEqual({ mode: 'hard', forMs: 5_000, begunWith: 100, left: 60 });
  });

  it('ordered twice is as fast as once', () => {
    drain.order('hard');
    drain.order('hard');
    clock.advance(100);

    expect(told()).toBe(6);
    expect(lines).toHaveLength(1);
  });
});

describe('a cordon', () => {
  it('drains softly for as long as it lasts', () => {
    drain.cordon(true);
    clock.advance(1_000);
    expect(drain.progress.mode).toBe('soft');
    expect(told()).toBe(0);

    drain.cordon(false);
    expect(drain.progress.mode).toBe('off');
    expect(isRefusing).toBe(false);
  });

  it.each(['soft', 'hard'] as const)('leaves a %s drain of the operator as it is, and to him', (order) => {
    drain.order(order);
    drain.cordon(true);
    expect(drain.progress.mode).toBe(order);

    drain.cordon(false);
    expect(drain.progress.mode).toBe(order);
    expect(isRefusing).toBe(true);
  });

  it.each(['soft', 'hard'] as const)('is the operator’s drain once he has ordered %s', (order) => {
    drain.cordon(true);
    drain.order(order);
    drain.cordon(false);

    expect(drain.progress.mode).toBe(order);
  });

  it('that the operator has overruled by cancel is over', () => {
    drain.cordon(true);
    drain.order('cancel');
    expect(isRefusing).toBe(false);

    drain.order('soft');
    drain.cordon(false);
    expect(drain.progress.mode).toBe('soft');
  });

  it('changes nothing at the end of the process', () => {
    drain.cordon(true);
    drain.finish(() => {});
    drain.cordon(false);

    expect(isRefusing).toBe(true);
  });
});

describe('the end of the process', () => {
  it('is told when all sessions have been, and cannot be cancelled', () => {
    let isOver = false;
    drain.finish(() => {
      isOver = true;
    });
    drain.order('cancel');
    clock.advance(1_900);
    expect(isOver).toBe(false);
    clock.advance(200);

    expect(isOver).toBe(true);
    expect(told()).toBe(100);
    expect(isRefusing).toBe(true);
  });

  it('takes half a minute at most, however many there are', () => {
    sessions = new Map(Array.from({ length: 20_000 }, () => [new Session(), undefined]));
    let isOver = false;
    drain.finish(() => {
      isOver = true;
    });
    clock.advance(30_100);

    expect(isOver).toBe(true);
  });

  it('without sessions is told at once, and says nothing', () => {
    sessions.clear();
    let isOver = false;
    drain.finish(() => {
      isOver = true;
    });

    expect(isOver).toBe(true);
    expect(lines).toEqual([]);
  });
});
