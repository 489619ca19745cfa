/** A port that cannot be had is told once and tried again. */

import { beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { PortTrouble } from '../../../src/base/port-trouble.ts';

const taken = Object.assign(new Error('listen EADDRINUSE 192.0.2.1:53'), { code: 'EADDRINUSE' });
let clock: VirtualClock;
let trouble: PortTrouble;
let told: unknown[];
let attempts: number;
const fail = (error: unknown = taken) => trouble.failed('port 53', 53, error, () => (attempts += 1));

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  attempts = 0;
  const log = (severity: string, topics: string, text: string, more?: object) =>
    void told.push([severity, topics, text, more]);
  trouble = new PortTrouble({ clock, log }, 'dns', { EADDRINUSE: 'End the other one.' });
});

it('is told with its reason and what to do', () => {
  fail();
  expect(told).toEqual([
    [
      'error',
      'dns',
      'port 53 cannot be had: listen EADDRINUSE 192.0.2.1:53',
      { port: 53, hint: 'End the other one.' },
    ],
  ]);
});

it('is told once, however often it is tried, and again for another reason', () => {
  fail();
  fail();
  expect(told.length).toBe(1);
  fail(new Error('no memory'));
  expect(told.at(-1)).toEqual(['error', 'dns', 'port 53 cannot be had: no memory', expect.anything()]);
});

it('is tried once after each failure', () => {
  fail();
  fail();
  clock.advance(60_000);
  expect(attempts).toBe(1);
});

it('is not tried after a pause', () => {
  fail();
  trouble.pause();
  clock.advance(60_000);
  expect(attempts).toBe(0);
  fail();
  expect(told.length).toBe(1);
});

it('is news again once it was open', () => {
  fail();
  trouble.over();
  clock.advance(60_000);
  expect(attempts).toBe(0);
  fail();
  expect(told.length).toBe(2);
});
