/** Changes of what a session is held to, over a firewall whose kernel answers when the test says so. */

import { beforeEach, expect, test } from 'vitest';
import type { Limits } from '../../../src/aaa/grant.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import type { Command, EventOf } from '../../../src/datapath/contract.ts';
import { Firewall } from '../../../src/session/firewall.ts';
import { noLimits, Restraint } from '../../../src/session/restraint.ts';
import { ip } from '../../sim/tunnel-host.ts';

const EINVAL = 22;
const filters = { incoming: 'debtors', outgoing: undefined };
const addressLists = ['vip'];

let asked: ((event: EventOf<'netlink-done'>) => void)[];
let commands: Command[];
let causes: string[];
let told: string[];
let clock: VirtualClock;
let restraint: Restraint;

beforeEach(() => {
  asked = [];
  commands = [];
  causes = [];
  told = [];
  clock = new VirtualClock();
  const firewall = new Firewall({ netlink: (_, done) => void asked.push(done) }, () => {});
  restraint = new Restraint(
    1,
    { clock, firewall },
    {
      command: (command) => void commands.push(command),
      watch: () => {},
      exhausted: (cause) => void causes.push(cause),
    },
  );
  restraint.begin({ linkName: '<pptp-anna>', address: ip('10.0.1.9') }, noLimits, () => {});
  restraint.start();
});

function change(name: string, limits: Partial<Limits>): void {
  restraint.change(limits, (trouble) => told.push(`${name}: ${trouble ?? 'done'}`));
}

/** The kernel answers what it was asked so far. */
function answer(errno = 0): void {
  for (const done of asked.splice(0)) {
    done({ kind: 'netlink-done', token: 1, errno, performed: 0, text: new Uint8Array() });
  }
}

/** The kernel answers until it is asked nothing more. */
function answerAll(): void {
  while (asked.length > 0) answer();
}

test('changes that come while the firewall answers keep what the one before has changed', () => {
  change('filters', { filters });
  change('lists', { addressLists });
  change('idle', { idleTimeoutMs: 60_000 });
  expect(told).toEqual([]);

  answerAll();

  expect(told).toEqual(['filters: done', 'lists: done', 'idle: done']);
  expect(restraint.limits).toEqual({ ...noLimits, filters, addressLists, idleTimeoutMs: 60_000 });
});

test('what waits behind a change that is refused has nothing of it', () => {
  change('filters', { filters });
  change('lists', { addressLists });
  // The frame of our table is made first; the chain that is named in it is what the kernel refuses.
  answer();
  answer(EINVAL);
  answerAll();

  expect(told).toEqual([expect.stringMatching(/^filters: .*EINVAL/), 'lists: done']);
  expect(restraint.limits).toEqual({ ...noLimits, addressLists });
});

test('a session that ends while changes wait is changed no more', () => {
  change('filters and time', { filters, sessionTimeoutMs: 1_000 });
  change('rates', { rates: { receive: rate, transmit: rate } });
  restraint.stop();
  answerAll();
  clock.advance(2_000);

  expect(told).toEqual(['filters and time: the session is not up', 'rates: the session is not up']);
  expect(commands).toEqual([]);
  expect(causes).toEqual([]);
});

test('no more than sixteen changes are under way', () => {
  for (let at = 1; at <= 17; at++) change(`${at}`, { addressLists: [`list-${at}`] });
  expect(told).toEqual(['17: 16 changes are under way already']);

  answerAll();

  expect(told).toHaveLength(17);
  expect(restraint.limits?.addressLists).toEqual(['list-16']);
});

const rate = { limit: 1_000, burst: 1_000, threshold: 1_000, burstTimeMs: 1_000 };
