/** Call IDs, link handles and interface names: what is given out once, and given back. */

import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { CallIds, callIdOf, LinkHandles } from '../../../src/session/call-ids.ts';
import { InterfaceNames } from '../../../src/session/interface-names.ts';

function takeAll(ids: CallIds): number[] {
  const taken: number[] = [];
  for (let handle = ids.take(); handle !== undefined; handle = ids.take()) taken.push(handle);
  return taken;
}

describe('Call IDs', () => {
  it('give out every id from 1 to 65535 once, in an order that cannot be guessed, then none', () => {
    const ids = new CallIds(new VirtualClock(), seededRandom(1));
    const taken = takeAll(ids).map(callIdOf);

    expect(taken.length).toBe(65_535);
    expect(new Set(taken).size).toBe(65_535);
    expect(taken).not.toContain(0);
    expect(ids.held).toBe(65_535);
    const steps = taken.slice(0, 1_000).map((id, at) => id - (taken[at - 1] ?? 0));
    expect(new Set(steps).size).toBeGreaterThan(900);
  });

  it('rest for a minute after use, and come back with another generation', () => {
    const clock = new VirtualClock();
    const ids = new CallIds(clock, seededRandom(2));
    const [first = 0] = takeAll(ids);
    ids.release(first);

    clock.advance(limits.callIdRestMs - 1);
    expect(ids.take()).toBeUndefined();
    clock.advance(1);
    const again = ids.take() ?? 0;
    expect(callIdOf(again)).toBe(callIdOf(first));
    expect([first >>> 16, again >>> 16]).toEqual([1, 2]);
  });

  it('skip generation 0 after 65535 uses of one id: a handle is never only its slot', () => {
    const clock = new VirtualClock();
    // A source that always comes to the same id.
    const ids = new CallIds(clock, (size) => new Uint8Array(size));
    let handle = ids.take() ?? 0;
    for (let use = 1; use <= 0xffff; use += 1) {
      ids.release(handle);
      clock.advance(limits.callIdRestMs);
      handle = ids.take() ?? 0;
      if (handle >>> 16 === 0 || callIdOf(handle) !== 1) throw new Error(`use ${use}: ${handle}`);
    }
    expect(handle >>> 16).toBe(1);
  });

  it('of a process before are held, and given out again when they have rested, with a generation that is another', () => {
    const clock = new VirtualClock();
    const ids = new CallIds(clock, seededRandom(5));
    ids.hold(0x70009);
    expect(() => ids.hold(0x80009)).toThrow('is held');
    expect(takeAll(ids).map(callIdOf)).not.toContain(9);
    ids.release(0x70009);
    clock.advance(limits.callIdRestMs);
    expect(ids.take()).toBe(0x80009);
  });

  it('refuse the release of what is not held', () => {
    const ids = new CallIds(new VirtualClock(), seededRandom(4));
    const handle = ids.take() ?? 0;
    expect(() => ids.release(handle + 0x10000)).toThrow('not held');
    ids.release(handle);
    expect(() => ids.release(handle)).toThrow('not held');
    expect(ids.held).toBe(0);
  });
});

describe('link handles', () => {
  it('use a slot again before a new one, with another generation, and are never 0', () => {
    const links = new LinkHandles();
    const [one, two] = [links.take(), links.take()];
    expect([one, two].map((handle) => handle & 0xffff)).toEqual([0, 1]);
    expect(one).not.toBe(0);
    links.release(one);
    const again = links.take();
    expect(again & 0xffff).toBe(0);
    expect(again).not.toBe(one);
    expect(links.held).toBe(2);
    links.release(again);
    links.release(two);
    expect(links.held).toBe(0);
  });

  it('of a process before are held, in whatever order and with gaps between', () => {
    const links = new LinkHandles();
    links.hold(0x30004);
    links.hold(0x20001);
    expect(() => links.hold(0x40004)).toThrow('is held');
    expect(links.held).toBe(2);
    const taken = Array.from({ length: 4 }, () => links.take());
    expect(taken.map((handle) => handle & 0xffff).sort()).toEqual([0, 2, 3, 5]);
    links.release(0x20001);
    expect(links.take()).toBe(0x30001);
  });
});

describe('interface names', () => {
  it('are what the kernel takes, whatever the user is called', () => {
    const names = new InterfaceNames();
    const users = ['anna', '', 'a/b:c', 'eth%d', 'a user', 'ünï', '<x>', '\u{1f600}', 'a'.repeat(300), '\n'];
    for (const user of users) {
      const name = names.takeDynamic(user);
      expect(name, JSON.stringify(user)).toMatch(/^<pptp-[!-$&-.0-9;=?-~]+>$/);
      expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(15);
    }
    expect(names.held).toBe(users.length);
  });

  it('tell two thousand sessions of one user with a long name apart', () => {
    const names = new InterfaceNames();
    const given = new Set<string>();
    for (let copy = 0; copy < 2_000; copy += 1) given.add(names.takeDynamic('maximilian'));
    expect(given.size).toBe(2_000);
    expect([...given].slice(0, 2)).toEqual(['<pptp-maximili>', '<pptp-maximi-1>']);
    expect(Math.max(...[...given].map((name) => name.length))).toBe(15);
  });

  it('call the port of a bridge like its user, and tell many apart', () => {
    const names = new InterfaceNames();
    expect([names.takePort('anna'), names.takeDynamic('anna'), names.takePort('anna')]).toEqual([
      '<bcp-anna>',
      '<pptp-anna>',
      '<bcp-anna-1>',
    ]);
    expect(names.takePort('maximilian of far away')).toBe('<bcp-maximilia>');
  });

  it('give a name that was released again, and never one that is taken', () => {
    const names = new InterfaceNames();
    expect(names.takeExactly('pptp-in1')).toBe(true);
    expect(names.takeExactly('pptp-in1')).toBe(false);
    expect(names.takeExactly('<pptp-anna>')).toBe(true);
    expect(names.takeDynamic('anna')).toBe('<pptp-anna-1>');
    names.release('<pptp-anna>');
    expect(names.takeDynamic('anna')).toBe('<pptp-anna>');
  });
});
