/** The firewall over a kernel that the test speaks for; the real one is met in test/netns/firewall.test.ts. */

import { beforeEach, describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import type { EventOf } from '../../../src/datapath/contract.ts';
import { type FilterPlan, filterDifference } from '../../../src/net/filter-plan.ts';
import { expectFrame, makeFrame } from '../../../src/net/filter-table.ts';
import { encodeNftables, type NftablesRequest } from '../../../src/net/nftables.ts';
import { Firewall } from '../../../src/session/firewall.ts';

const errno = { ENOENT: 2, EPERM: 1, EPROTONOSUPPORT: 93 };

let asked: { messages: Uint8Array; done: (event: EventOf<'netlink-done'>) => void }[];
let lines: string[];
let told: string[];
let firewall: Firewall;

beforeEach(() => {
  asked = [];
  lines = [];
  told = [];
  firewall = new Firewall(
    { netlink: (messages, done) => void asked.push({ messages, done }) },
    (severity, _, text) => void lines.push(`${severity}: ${text}`),
  );
});

/** The next transaction is this one; the kernel performs it, or says what it has against its message number `performed`. */
function kernel(
  requests: readonly NftablesRequest[],
  error = 0,
  performed = requests.length,
  text = '',
): void {
  const next = asked.shift();
  expect(toHex(next?.messages ?? new Uint8Array())).toBe(toHex(encodeNftables(requests)));
  const answer = new TextEncoder().encode(text);
  next?.done({ kind: 'netlink-done', token: 1, errno: error, performed, text: answer });
}

function follow(holder: string, plan: FilterPlan | undefined): void {
  firewall.follow(holder, plan, (trouble) => told.push(`${holder}: ${trouble ?? 'done'}`));
}

function planOf(linkName: string, plan: Partial<FilterPlan> = {}): FilterPlan {
  const filters = { incoming: undefined, outgoing: undefined };
  return { linkName, address: 0x0a000002, filters, addressLists: [], ...plan };
}

const nobody = (): boolean => false;
const change = (from: FilterPlan | undefined, to: FilterPlan | undefined): readonly NftablesRequest[] => [
  expectFrame,
  ...filterDifference(from, to, nobody),
];
const listed = planOf('<a>', { addressLists: ['vip'] });
const filtered = planOf('<a>', { filters: { incoming: 'debtors', outgoing: undefined } });

describe('the start', () => {
  test('of a node without our table makes nothing', () => {
    firewall.start(() => told.push('started'));
    kernel([{ request: 'list-sets' }], errno.ENOENT, 0);

    expect([told, asked, lines]).toEqual([['started'], [], []]);
  });

  test('of a kernel without nftables says nothing', () => {
    firewall.start(() => told.push('started'));
    kernel([{ request: 'list-sets' }], errno.EPROTONOSUPPORT, 0);

    expect([told, asked, lines]).toEqual([['started'], [], []]);
  });

  test('empties our maps and lists, and no other set; wishes wait for it', () => {
    firewall.start(() => told.push('started'));
    follow('one', listed);
    const answer = toText(
      '3000000009 0a 0200 00000000 00000000 02000005 0900010070707470 00000000 0d000200 6c6973742d766970 00000000',
      '2c00000009 0a 0200 00000000 00000000 02000005 0900010070707470 00000000 09000200 6d696e65 00000000',
    );
    kernel([{ request: 'list-sets' }], 0, 1, answer);
    kernel([...makeFrame(), { request: 'empty-set', set: 'list-vip' }]);
    kernel(change(undefined, listed));

    expect(told).toEqual(['started', 'one: done']);
  });

  const resume = (holder: string, plan: FilterPlan) =>
    firewall.resume(holder, plan, (trouble) => told.push(`${holder}: ${trouble ?? 'done'}`));
  const both = { filters: { incoming: 'debtors', outgoing: undefined }, addressLists: ['vip'] };

  test('keeps what a process before had, in one transaction: nobody is without his filters for a moment', () => {
    resume('one', planOf('<a>', both));
    resume('two', planOf('<b>', { ...both, address: 0x0a000003 }));
    firewall.start(() => told.push('started'));
    kernel([{ request: 'list-sets' }], 0, 1);
    const seen = new Set<string>();
    const isSeen = (name: string) => seen.size === seen.add(name).size;
    kernel([
      ...makeFrame(),
      ...filterDifference(undefined, planOf('<a>', both), isSeen),
      ...filterDifference(undefined, planOf('<b>', { ...both, address: 0x0a000003 }), isSeen),
    ]);

    expect(told).toEqual(['one: done', 'two: done', 'started']);
    follow('one', undefined);
    kernel(change(planOf('<a>', both), undefined));
  });

  test('asks for each alone if the kernel does not take all: who cannot be filtered hears it, the others stay', () => {
    const refused = planOf('<a>', { filters: { incoming: 'gone', outgoing: undefined } });
    resume('one', refused);
    resume('two', listed);
    firewall.start(() => told.push('started'));
    kernel([{ request: 'list-sets' }], 0, 1);
    kernel(
      [...makeFrame(), ...change(undefined, refused).slice(1), ...change(undefined, listed).slice(1)],
      errno.ENOENT,
    );
    kernel(makeFrame());
    kernel(change(undefined, refused), errno.ENOENT, 1);
    kernel(change(undefined, listed));

    expect(told).toEqual(['started', expect.stringContaining('one: '), 'two: done']);
    expect(told[1]).toContain('gone');
  });

  test('comes before the wishes of sessions that it keeps: one that ends meanwhile has nothing at last', () => {
    resume('one', listed);
    follow('one', undefined);
    firewall.start(() => told.push('started'));
    kernel([{ request: 'list-sets' }], 0, 1);
    kernel([...makeFrame(), ...change(undefined, listed).slice(1)]);
    kernel(change(listed, undefined));

    expect(told).toEqual(['one: done', 'started', 'one: done']);
  });

  test('that cannot clean up warns and goes on', () => {
    firewall.start(() => told.push('started'));
    kernel([{ request: 'list-sets' }], 0, 1);
    kernel(makeFrame(), errno.EPERM, 0);

    expect(told).toEqual(['started']);
    expect(lines).toEqual([expect.stringContaining('make-table: EPERM')]);
  });
});

describe('a session', () => {
  test('without filters and lists causes nothing, thousands of them', () => {
    firewall.start(() => {});
    for (let n = 0; n < 12_000; n += 1) follow(`${n}`, planOf(`<${n}>`));
    kernel([{ request: 'list-sets' }], errno.ENOENT, 0);
    follow('0', undefined);

    expect(told.length).toBe(12_001);
    expect(asked).toEqual([]);
  });

  test('that is the first to need it has the table made', () => {
    follow('one', listed);
    kernel(makeFrame());
    kernel(change(undefined, listed));
    follow('one', undefined);
    kernel(change(listed, undefined));

    expect(told).toEqual(['one: done', 'one: done']);
  });

  test('has its changes in order, one transaction at a time', () => {
    follow('one', listed);
    follow('one', filtered);
    follow('one', undefined);
    kernel(makeFrame());
    expect(asked.length).toBe(1);
    kernel(change(undefined, listed));
    kernel(change(listed, filtered));
    kernel(change(filtered, undefined));

    expect(told).toEqual(['one: done', 'one: done', 'one: done']);
  });

  test('keeps what it had when a change is refused', () => {
    follow('one', listed);
    kernel(makeFrame());
    kernel(change(undefined, listed));
    follow('one', filtered);
    kernel(change(listed, filtered), errno.ENOENT, 2);
    follow('one', undefined);
    kernel(change(listed, undefined));

    expect(told).toEqual([
      'one: done',
      'one: filter chain "debtors" does not exist: make it with `nft add chain ip pptp debtors`',
      'one: done',
    ]);
  });

  test('of a kernel without nftables fails in words, and so does the next', () => {
    for (const holder of ['one', 'two']) {
      follow(holder, listed);
      kernel(makeFrame(), errno.EPROTONOSUPPORT, 0);
    }

    expect(told).toEqual([
      expect.stringMatching(/^one: .*no nftables/),
      expect.stringMatching(/^two: .*no nft/),
    ]);
  });

  test('with names that nft cannot say fails without the kernel', () => {
    follow('one', planOf('<a>', { addressLists: ['1001', 'two words'] }));
    follow('two', planOf('<b>', { filters: { incoming: undefined, outgoing: 'a b' } }));

    expect(told).toEqual([
      expect.stringContaining('address list "two words"'),
      expect.stringContaining('filter "a b"'),
    ]);
    expect(asked).toEqual([]);
  });
});

describe('two sessions with one address in one list', () => {
  test('add it once, and the last of them takes it away', () => {
    const again = { ...listed, linkName: '<b>' };
    follow('one', listed);
    kernel(makeFrame());
    kernel(change(undefined, listed));
    follow('two', again);
    follow('one', undefined);
    expect(asked).toEqual([]);
    follow('two', undefined);
    kernel(change(again, undefined));

    expect(told).toEqual(['one: done', 'two: done', 'one: done', 'two: done']);
  });
});

describe('a table that somebody has flushed', () => {
  test('is made again with everybody in it, before the wish that found out', () => {
    const other = planOf('<b>', { address: 0x0a000003, addressLists: ['vip'] });
    follow('one', listed);
    kernel(makeFrame());
    kernel(change(undefined, listed));
    follow('two', other);
    kernel(change(undefined, other), errno.ENOENT, 0);
    kernel(makeFrame());
    kernel(change(undefined, listed));
    kernel(change(undefined, other));

    expect(told).toEqual(['one: done', 'two: done']);
    expect(lines).toEqual([
      'warning: the nftables table ip pptp was emptied by somebody else; it is made again',
    ]);
  });

  test('is told of for a session whose chain has gone with it', () => {
    follow('one', filtered);
    kernel(makeFrame());
    kernel(change(undefined, filtered));
    follow('two', listed);
    kernel(change(undefined, listed), errno.ENOENT, 0);
    kernel(makeFrame());
    kernel(change(undefined, filtered), errno.ENOENT, 1);
    kernel(change(undefined, listed));

    expect(told).toEqual(['one: done', 'two: done']);
    expect(lines).toContainEqual(expect.stringMatching(/^error: <a>: filter chain "debtors" does not exist/));
  });

  test('twice in a row is trouble, not a loop', () => {
    follow('one', listed);
    kernel(makeFrame());
    kernel(change(undefined, listed), errno.ENOENT, 0);
    kernel(makeFrame());
    kernel(change(undefined, listed), errno.ENOENT, 0);

    expect(told).toEqual(['one: nftables expect-map: ENOENT']);
    expect(asked).toEqual([]);
  });
});

/** The octets of the kernel's answer as text that is the same octets. */
function toText(...hex: readonly string[]): string {
  return new TextDecoder().decode(fromHex(hex.join('').replaceAll(' ', '')));
}
