/** The tables of a session (life, endings) and its small words (order of effects, deadlines, admission). */

import { describe, expect, it } from 'vitest';
import { acctTerminateCause } from '../../../src/accounting/record.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { limits } from '../../../src/base/limits.ts';
import { causes as pppCauses } from '../../../src/ppp/cause.ts';
import { callCauses } from '../../../src/pptp/effects.ts';
import { Admission } from '../../../src/session/admission.ts';
import { Effects } from '../../../src/session/effects.ts';
import { type EndingCause, endingOf, explain } from '../../../src/session/ending.ts';
import { errorName } from '../../../src/session/errno.ts';
import { isAlive, type LifeState, moveTo } from '../../../src/session/lifecycle.ts';
import { Timers } from '../../../src/session/timers.ts';

const states: readonly LifeState[] = [
  'ringing',
  'linking',
  'authenticating',
  'preparing',
  'networking',
  'up',
  'ending',
  'ended',
];

function canMove(from: LifeState, to: LifeState): boolean {
  try {
    return moveTo(from, to) === to;
  } catch {
    return false;
  }
}

describe('the life of a session', () => {
  it('goes forward one state at a time, and up only from there, or at once if a process before this one has led it there', () => {
    expect(canMove('ringing', 'up')).toBe(true);
    for (const [at, state] of states.slice(0, 5).entries()) {
      const forward = states.slice(0, 6).filter((next) => canMove(state, next) && states.indexOf(next) > at);
      expect([state, forward[0]]).toEqual([state, states[at + 1]]);
      expect(forward.slice(1)).toEqual(state === 'ringing' ? ['up'] : []);
    }
  });

  it('can end from everywhere, once, and starts over from everywhere behind linking', () => {
    for (const state of states) expect([state, canMove(state, 'ending')]).toEqual([state, isAlive(state)]);
    for (const state of states.slice(2, 6)) expect(canMove(state, 'linking')).toBe(true);
    for (const state of states) expect(canMove(state, 'ended')).toBe(state === 'ending');
    expect(states.filter((next) => canMove('ended', next))).toEqual([]);
  });

  it('goes to no state twice in a row', () => {
    for (const state of states) expect(canMove(state, state)).toBe(false);
  });
});

describe('endings', () => {
  const own: readonly EndingCause[] = [
    'connect-failed',
    'set-up-timeout',
    'idle-timeout',
    'session-timeout',
    'no-address',
    'address-in-use',
    'interface-failed',
    'admin-reset',
    'server-disabled',
    'client-disabled',
    'shut-down',
    'call-refused',
  ];
  const all = [...Object.keys(pppCauses), ...Object.keys(callCauses), ...own] as readonly EndingCause[];

  it.each(all)(
    '%s has an owner, a reason, a code of RFC 2866, a text, and a hint that is a sentence',
    (cause) => {
      const { owner, acct, reason, disconnect } = endingOf(cause);
      expect(['peer', 'operator', 'system']).toContain(owner);
      expect(acctTerminateCause[acct]).toBeGreaterThanOrEqual(1);
      expect(acctTerminateCause[acct]).toBeLessThanOrEqual(18);
      expect(reason).toMatch(/^[a-z]+(-[a-z]+)?$/);
      expect(disconnect).not.toBe('');
      const { text, hint } = explain(cause);
      expect(text).toMatch(/^\S.*[^.\s]$/);
      if (hint !== '') expect(hint).toMatch(/^[A-Z].*[.?]$/);
    },
  );

  it('tell apart what accounting tells apart', () => {
    expect(endingOf('peer-terminated').acct).toBe('userRequest');
    expect(endingOf('echo-lost').acct).toBe('lostCarrier');
    expect(endingOf('idle-timeout').acct).toBe('idleTimeout');
    expect(endingOf('session-timeout').acct).toBe('sessionTimeout');
    expect(endingOf('admin-reset').acct).toBe('adminReset');
    expect(endingOf('shut-down').acct).toBe('adminReboot');
    expect(endingOf('interface-failed').acct).toBe('nasError');
  });
});

describe('effects', () => {
  it('are performed in the order in which they were emitted, also those that performing emits', () => {
    const performed: string[] = [];
    const effects = new Effects<string>((effect) => {
      performed.push(effect);
      if (effect === 'a') effects.run(['c', 'd']);
      if (effect === 'c') effects.run(['e']);
    });
    effects.run(['a', 'b']);
    expect(performed).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('go on after one that threw', () => {
    const performed: string[] = [];
    const effects = new Effects<string>((effect) => {
      if (effect === 'bad') throw new Error('ours');
      performed.push(effect);
    });
    expect(() => effects.run(['bad', 'x'])).toThrow('ours');
    effects.run(['y']);
    expect(performed).toEqual(['x', 'y']);
  });
});

describe('timers', () => {
  it('fire once, are replaced by name, and never fire after they were disarmed', () => {
    const clock = new VirtualClock();
    const timers = new Timers<'a' | 'b' | 'c'>(clock);
    const fired: string[] = [];
    timers.arm('a', 10, () => fired.push('a early'));
    timers.arm('a', 20, () => fired.push('a'));
    timers.arm('b', 15, () => fired.push('b'));
    timers.arm('c', 30, () => fired.push('c'));
    clock.advance(5);
    timers.disarm('b');
    clock.advance(20);
    expect(fired).toEqual(['a']);
    timers.disarmAll();
    clock.advance(100);
    expect(fired).toEqual(['a']);
    timers.disarm('a');
  });

  it('can be armed again from their own firing', () => {
    const clock = new VirtualClock();
    const timers = new Timers<'again'>(clock);
    let count = 0;
    const fire = () => {
      count += 1;
      if (count < 3) timers.arm('again', 1, fire);
    };
    timers.arm('again', 1, fire);
    clock.advance(10);
    expect(count).toBe(3);
  });
});

describe('admission', () => {
  const [anna = 0, berta = 0] = [parseIpv4('198.51.100.1'), parseIpv4('198.51.100.2')];

  it('bounds the connections of one address that have no call, and no others', () => {
    const admission = new Admission();
    for (let count = 0; count < limits.halfOpenConnectionsPerAddress; count += 1) {
      expect(admission.admit(anna)).toBeUndefined();
    }
    expect(admission.admit(anna)).toContain('half-open');
    expect(admission.admit(berta)).toBeUndefined();
    admission.established(anna);
    expect(admission.admit(anna)).toBeUndefined();
    expect(admission.admit(anna)).toContain('half-open');
    admission.gone(anna, false);
    expect(admission.admit(anna)).toBeUndefined();
  });

  it('bounds the connections of the node, and counts back to none', () => {
    const admission = new Admission();
    for (let peer = 1; peer <= limits.connections; peer += 1) {
      expect(admission.admit(peer)).toBeUndefined();
      if (peer % 2 === 0) admission.established(peer);
    }
    expect(admission.admit(anna)).toBe('too many connections');
    for (let peer = 1; peer <= limits.connections; peer += 1) admission.gone(peer, peer % 2 === 0);
    for (let peer = 1; peer <= limits.connections; peer += 1) expect(admission.admit(peer)).toBeUndefined();
    expect(admission.admit(anna)).toBe('too many connections');
  });
});

describe('errors of the system', () => {
  it('have their names, and a number if they are rare', () => {
    expect([17, 1, 98, 111].map(errorName)).toEqual(['EEXIST', 'EPERM', 'EADDRINUSE', 'ECONNREFUSED']);
    expect(errorName(4242)).toBe('errno 4242');
  });
});
