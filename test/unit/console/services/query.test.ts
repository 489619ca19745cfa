import { describe, expect, it } from 'vitest';
import { Fault } from '../../../../src/base/fault.ts';
import { activeMenu } from '../../../../src/console/live-menus.ts';
import { readQuery } from '../../../../src/console/services/query.ts';

const alice = { name: 'alice', address: '10.0.0.9', uptime: '2h', radius: 'true', service: 'pptp' };
const bob = { name: 'bob', address: '10.0.0.10', uptime: '50m', radius: 'false' };

function meant(...words: readonly string[]): string {
  const query = readQuery(words, activeMenu);
  return [alice, bob]
    .filter(query)
    .map(({ name }) => name)
    .join(' ');
}

describe('a query', () => {
  it.each([
    ['', 'alice bob'],
    ['name', 'alice bob'],
    ['service', 'alice'],
    ['-service', 'bob'],
    ['name=bob', 'bob'],
    ['=name=bob', 'bob'],
    ['radius=true', 'alice'],
    // By value, not by letters: 10.0.0.10 is more than 10.0.0.9, and 50m less than 2h.
    ['>address=10.0.0.9', 'bob'],
    ['<uptime=1h', 'bob'],
    ['<uptime=3600', 'bob'],
    ['>name=alice', 'bob'],
    ['nothing=', ''],
    ['name=alice radius=false', ''],
    ['name=alice name=bob #|', 'alice bob'],
    ['name=alice #!', 'bob'],
    ['name=alice #!!', 'alice'],
    ['name=bob radius=true #&!', 'alice bob'],
    // Nothing lies on the stack: below it all is true.
    ['#&', 'alice bob'],
    ['#!', ''],
    // 1 pushes the second from the top once more; at the end a place is all that stays.
    ['name=alice name=bob #1.&!', 'alice'],
    ['name=alice name=bob #1', 'alice'],
    ['name=alice #.&', 'alice'],
  ])('of %j means %j', (words, expected) => {
    expect(meant(...words.split(' ').filter((word) => word !== ''))).toBe(expected);
  });

  it.each([['#x'], ['#99999'], ['<'], ['<name'], ['-name=x'], [`#${'!'.repeat(300)}`]])(
    'is none: %s',
    (word) => {
      expect(() => meant(word)).toThrow(Fault);
    },
  );
});
