import { beforeEach, describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../../src/base/ip.ts';
import type { AddressRange } from '../../../src/base/kind.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { Refusal } from '../../../src/base/setting.ts';
import { Addresses } from '../../../src/session/addresses.ts';
import { type Pool, poolMenu } from '../../../src/session/settings.ts';

const ip = (text: string): number => parseIpv4(text) ?? Number.NaN;

function ranges(text: string): readonly AddressRange[] {
  const parsed = poolMenu.rows.ranges.kind.parse(text);
  if (parsed instanceof Refusal) throw new Error(text);
  return parsed;
}

const pool = (name: string, text: string, nextPool?: string): Pool => ({
  name,
  ranges: ranges(text),
  nextPool,
  comment: '',
});

describe('addresses out of pools', () => {
  let addresses: Addresses;
  beforeEach(() => {
    addresses = new Addresses({ random: seededRandom(7), choice: 'first' });
    addresses.configure([
      pool('a', '10.0.0.2-10.0.0.3', 'b'),
      pool('b', '10.1.0.0/31'),
      pool('circle', '10.2.0.1', 'back'),
      pool('back', '10.3.0.1', 'circle'),
      pool('dangling', '10.4.0.1', 'gone'),
    ]);
  });
  const remote = (name: string, holder: string, user = holder) =>
    addresses.takeRemote({ pool: name }, holder, user);

  it('goes through a pool and on to the next one, then says that there is none', () => {
    const taken = ['1', '2', '3', '4', '5'].map((holder) => remote('a', holder));

    expect(taken.slice(0, 4)).toEqual(['10.0.0.2', '10.0.0.3', '10.1.0.0', '10.1.0.1'].map(ip));
    expect(taken[4]).toEqual({ refused: 'pool-exhausted', text: 'no free address in a, b' });
  });

  it('of a process before are taken again: shared by name, drawn out of a pool, and free at the end', () => {
    const named = (text: string) => ({ wish: { address: ip(text) }, address: ip(text) });
    const drawn = (name: string, text: string) => ({ wish: { pool: name }, address: ip(text) });

    expect(addresses.resume('1', 'anna', named('10.9.0.1'), drawn('a', '10.0.0.2'))).toBe(true);
    expect(addresses.resume('2', 'bert', named('10.9.0.1'), named('10.0.0.3'))).toBe(true);
    expect(addresses.resume('3', 'cleo', drawn('b', '10.1.0.0'), drawn('b', '10.1.0.1'))).toBe(true);
    expect(addresses.drawersIn({ first: ip('10.0.0.0'), last: ip('10.0.0.255') })).toEqual(['1']);
    expect(remote('a', '4')).toMatchObject({ refused: 'pool-exhausted' });

    addresses.release('1');
    expect(addresses.takeRemote({ address: ip('10.9.0.1') }, '5', 'dora')).toMatchObject({
      refused: 'address-in-use',
    });
    expect(remote('a', '6', 'anna')).toBe(ip('10.0.0.2'));
    for (const holder of ['2', '3', '6']) addresses.release(holder);
    expect(['a', 'b'].map((name) => addresses.usageOf(name)?.used)).toEqual([0, 0]);
  });

  it('of a process before that somebody else has are not taken, and nothing of them', () => {
    const named = (text: string) => ({ wish: { address: ip(text) }, address: ip(text) });
    addresses.resume('1', 'anna', named('10.9.0.1'), named('10.0.0.2'));

    expect(addresses.resume('2', 'bert', named('10.9.0.1'), named('10.0.0.2'))).toBe(false);
    expect(addresses.resume('2', 'bert', named('10.0.0.2'), named('10.0.0.3'))).toBe(false);
    expect(addresses.resume('2', 'bert', named('10.9.0.2'), named('10.9.0.2'))).toBe(false);

    addresses.release('1');
    expect(addresses.takeRemote({ address: ip('10.9.0.1') }, '3', 'cleo')).toBe(ip('10.9.0.1'));
  });

  it('goes through a circle of pools once', () => {
    const taken = ['1', '2', '3'].map((holder) => remote('circle', holder));

    expect(taken).toEqual([
      ip('10.2.0.1'),
      ip('10.3.0.1'),
      expect.objectContaining({ refused: 'pool-exhausted' }),
    ]);
  });

  it.each(['nowhere', 'dangling'])('names the pool that does not exist: %s', (name) => {
    expect(remote(name, '1')).toMatchObject({
      refused: 'no-such-pool',
      text: expect.stringMatching(/nowhere|gone/),
    });
  });

  it('gives an address again when its session is over, and only then', () => {
    const first = remote('b', '1');
    const second = remote('b', '2');
    const full = remote('b', '3');
    addresses.release('1');

    expect(full).toMatchObject({ refused: 'pool-exhausted' });
    expect(remote('b', '4')).toBe(first);
    expect(second).not.toBe(first);
  });

  it('gives a user the address again that he had', () => {
    remote('a', '1', 'ann');
    const bobs = remote('a', '2', 'bob');
    addresses.release('1');
    addresses.release('2');

    expect(remote('a', '3', 'bob')).toBe(bobs);
  });

  it('gives a user another address when somebody has his, or it left the pool', () => {
    const his = remote('b', '1', 'bob');
    addresses.release('1');
    expect(remote('b', '2', 'ann')).toBe(his);
    expect(remote('b', '3', 'bob')).not.toBe(his);

    addresses.release('3');
    addresses.configure([pool('b', '10.9.0.1')]);
    expect(remote('b', '4', 'bob')).toBe(ip('10.9.0.1'));
  });

  it('counts an address once that two ranges or two pools have', () => {
    addresses.configure([pool('a', '10.0.0.1-10.0.0.3,10.0.0.2-10.0.0.4'), pool('b', '10.0.0.4')]);
    const taken = ['1', '2', '3', '4'].map((holder) => remote('a', holder));

    expect(addresses.usageOf('a')).toMatchObject({ size: 4, used: 4 });
    expect(new Set(taken).size).toBe(4);
    expect(remote('b', '5')).toMatchObject({ refused: 'pool-exhausted' });
  });

  it('keeps what is in use when the pools change', () => {
    const taken = remote('a', '1');
    addresses.configure([pool('new', '10.0.0.2-10.0.0.3')]);

    expect(addresses.usageOf('new')).toMatchObject({ size: 2, used: 1 });
    expect(remote('new', '2')).not.toBe(taken);
    expect(addresses.usageOf('a')).toBeUndefined();
  });
});

describe('addresses by themselves', () => {
  let addresses: Addresses;
  beforeEach(() => {
    addresses = new Addresses({ random: seededRandom(7) });
    addresses.configure([pool('a', '10.0.0.1-10.0.0.2')]);
  });
  const address = (text: string) => ({ address: ip(text) });

  it("are nobody else's: who has one is told", () => {
    addresses.takeRemote(address('10.0.0.5'), 'one', 'ann');

    expect(addresses.takeRemote(address('10.0.0.5'), 'two', 'bob')).toEqual({
      refused: 'address-in-use',
      text: '10.0.0.5 is in use: session one has it',
    });
  });

  it('are left out of the pools that have them', () => {
    addresses.takeRemote(address('10.0.0.1'), 'one', 'ann');

    expect(addresses.takeRemote({ pool: 'a' }, 'two', 'bob')).toBe(ip('10.0.0.2'));
    expect(addresses.takeRemote({ pool: 'a' }, 'three', 'cat')).toMatchObject({ refused: 'pool-exhausted' });
  });

  it("are shared as this node's end, and no user's until the last session is over", () => {
    addresses.takeLocal(address('10.0.0.1'), 'one');
    addresses.takeLocal(address('10.0.0.1'), 'two');
    const wish = () => addresses.takeRemote(address('10.0.0.1'), 'three', 'cat');

    addresses.release('one');
    expect(wish()).toMatchObject({
      refused: 'address-in-use',
      text: expect.stringMatching(/this node's end/),
    });
    addresses.release('two');
    expect(wish()).toBe(ip('10.0.0.1'));
    expect(addresses.takeLocal(address('10.0.0.1'), 'four')).toMatchObject({ refused: 'address-in-use' });
  });

  it("are the session's own at both ends when both come out of one pool", () => {
    const local = addresses.takeLocal({ pool: 'a' }, 'one');
    const remote = addresses.takeRemote({ pool: 'a' }, 'one', 'ann');

    expect(new Set([local, remote])).toEqual(new Set([ip('10.0.0.1'), ip('10.0.0.2')]));
    addresses.release('one');
    expect(addresses.usageOf('a')).toMatchObject({ size: 2, used: 0 });
  });

  it('are free once, however often a session is over', () => {
    addresses.takeLocal(address('10.0.0.1'), 'one');
    addresses.takeLocal(address('10.0.0.1'), 'one');
    addresses.release('one');
    addresses.release('one');

    expect(addresses.usageOf('a')).toMatchObject({ size: 2, used: 0 });
  });
});

describe('pools of any size', () => {
  it.each([1, 2, 3, 4, 5])('never give one address twice, whatever happens (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const addresses = new Addresses({ random });
    // Ends within pages, whole pages, the end of the address space.
    addresses.configure([
      pool('a', '10.0.3.200-10.0.8.17', 'b'),
      pool('b', '255.255.252.0/22,192.0.2.1-192.0.2.9'),
    ]);
    const inside = [...ranges('10.0.3.200-10.0.8.17'), ...ranges('255.255.252.0/22,192.0.2.1-192.0.2.9')];
    const size = inside.reduce((total, { first, last }) => total + last - first + 1, 0);
    const live = new Map<string, number>();

    for (let step = 0; step < 6000; step++) {
      const full = live.size === size;
      if (full || below(random, 100) < 30) {
        const holder = [...live.keys()][below(random, live.size)];
        if (holder === undefined) continue;
        addresses.release(holder);
        live.delete(holder);
        continue;
      }
      const address = addresses.takeRemote({ pool: 'a' }, `${step}`, `user${below(random, 500)}`);
      if (typeof address !== 'number') throw new Error(`seed ${seed} step ${step}: ${address.text}`);
      if ([...live.values()].includes(address)) throw new Error(`seed ${seed} step ${step}: given twice`);
      expect(inside.some(({ first, last }) => first <= address && address <= last)).toBe(true);
      live.set(`${step}`, address);
    }

    const used = (addresses.usageOf('a')?.used ?? 0) + (addresses.usageOf('b')?.used ?? 0);
    expect(used).toBe(live.size);
    expect(live.size).toBeGreaterThan(1000);
  });

  it('give out every address, the last one too', () => {
    const addresses = new Addresses({ random: seededRandom(3) });
    addresses.configure([pool('a', '10.0.0.0/20')]);

    const taken = Array.from({ length: 4096 }, (_, at) =>
      addresses.takeRemote({ pool: 'a' }, `${at}`, `user${at}`),
    );

    expect(new Set(taken)).toEqual(new Set(Array.from({ length: 4096 }, (_, at) => ip('10.0.0.0') + at)));
  });

  it('are not held in memory: a pool of sixteen million gives its addresses all the same', () => {
    const addresses = new Addresses({ random: seededRandom(3) });
    addresses.configure([pool('a', '10.0.0.0/8')]);

    const taken = Array.from({ length: 100 }, (_, at) =>
      addresses.takeRemote({ pool: 'a' }, `${at}`, `user${at}`),
    );

    expect(addresses.usageOf('a')).toMatchObject({ size: 2 ** 24, used: 100 });
    // Any of them: a hundred choices that all fall into one half would be no choice.
    const upper = taken.filter((address) => typeof address === 'number' && address >= ip('10.128.0.0'));
    expect(upper.length).toBeGreaterThan(20);
    expect(upper.length).toBeLessThan(80);
  });

  it('begin with the lowest free address when that is asked for', () => {
    const addresses = new Addresses({ random: seededRandom(3), choice: 'first' });
    addresses.configure([pool('a', '10.0.0.0/16')]);

    const taken = ['1', '2', '3'].map((holder) => addresses.takeRemote({ pool: 'a' }, holder, holder));

    expect(taken).toEqual(['10.0.0.0', '10.0.0.1', '10.0.0.2'].map(ip));
  });
});

describe('addresses out of what is leased', () => {
  let leased: Map<string, readonly AddressRange[]>;
  let drawn: string[];
  let addresses: Addresses;
  beforeEach(() => {
    leased = new Map([['a', ranges('10.0.0.64/28,10.0.0.0/28')]]);
    drawn = [];
    addresses = new Addresses({
      random: seededRandom(7),
      leases: { within: (name) => leased.get(name) ?? [], drawn: (name) => drawn.push(name) },
    });
    addresses.configure([pool('a', '10.0.0.0/24', 'b'), pool('b', '10.1.0.0/24')]);
  });
  const draw = (holder: string, user = holder) => addresses.takeRemote({ pool: 'a' }, holder, user);
  const isIn = (text: string, address: unknown) =>
    ranges(text).some(({ first, last }) => Number(address) >= first && Number(address) <= last);

  it('come out of the first block until it is full, then out of the next, then out of the next pool', () => {
    leased.set('b', ranges('10.1.0.8/31'));
    const taken = Array.from({ length: 35 }, (_, at) => draw(`${at}`));

    expect(taken.slice(0, 16).every((address) => isIn('10.0.0.64/28', address))).toBe(true);
    expect(taken.slice(16, 32).every((address) => isIn('10.0.0.0/28', address))).toBe(true);
    expect(taken.slice(32, 34).every((address) => isIn('10.1.0.8/31', address))).toBe(true);
    expect(taken[34]).toMatchObject({ refused: 'pool-exhausted' });
    expect(addresses.usageOf('a')).toEqual({ size: 256, leased: 32, used: 32, refused: 1 });
    expect(addresses.usageOf('b')).toMatchObject({ leased: 2, used: 2, refused: 0 });
  });

  it('are asked for by the pool, and by those that follow it', () => {
    draw('one');

    expect(drawn).toEqual(['a', 'b']);
  });

  it('are not those of a lease that has ended, not even for a user who had one', () => {
    draw('one', 'ann');
    addresses.release('one');
    leased.set('a', ranges('10.0.0.0/28'));

    expect(isIn('10.0.0.0/28', draw('two', 'ann'))).toBe(true);
  });

  it('are known by who drew them, and not by who was given one by name', () => {
    draw('one');
    addresses.takeRemote({ address: ip('10.0.0.65') }, 'named', 'bob');
    addresses.takeRemote({ address: ip('10.0.0.200') }, 'elsewhere', 'cat');
    const [block] = ranges('10.0.0.64/28');

    expect(block && addresses.drawersIn(block)).toEqual(['one']);
    expect(block && addresses.usedIn(block)).toBe(2);
  });
});

it('reads and prints the end of a chain of pools as RouterOS does', () => {
  const { kind } = poolMenu.rows.nextPool;

  expect(kind.parse('none')).toBeUndefined();
  expect(kind.format(undefined)).toBe('none');
  expect(kind.references?.('b')).toEqual([{ menu: '/ip pool', name: 'b' }]);
});
