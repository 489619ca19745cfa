import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../src/base/clock.ts';
import { menus } from '../../../../src/config/configuration.ts';
import { Store } from '../../../../src/config/store.ts';
import { itemsOf } from '../../../../src/config/tree.ts';
import { userMenu } from '../../../../src/console/services/settings.ts';
import { Gate } from '../../../../src/console/services/users.ts';
import { ip } from '../world.ts';

const here = ip('192.0.2.1');

function gateOf(script: string): { gate: Gate; clock: VirtualClock; lines: string[] } {
  const store = new Store(menus);
  store.commit(store.proposeWhole([{ file: 'test', text: script }]));
  const lines: string[] = [];
  const clock = new VirtualClock();
  const gate = new Gate(
    (_, __, text, facts) => lines.push([text, facts?.why].filter(Boolean).join(': ')),
    clock,
  );
  gate.configure(itemsOf(store.current.tree, userMenu).map(({ values }) => values));
  return { gate, clock, lines };
}

describe('a login', () => {
  const script = '/user add name=anna group=write password=secret address=192.0.2.0/24,198.51.100.7';

  it('needs the name, the password and an allowed address', () => {
    const { gate } = gateOf(script);

    expect(gate.admits('anna', { password: 'secret' }, here, 'api')).toBe(true);
    expect(gate.admits('anna', { password: 'secret' }, ip('198.51.100.7'), 'api')).toBe(true);
    expect(gate.rights('anna', here)).toEqual(new Set(['read', 'write', 'sensitive']));
    expect(gate.rights('anna', ip('203.0.113.1'))).toBeUndefined();
  });

  it.each([
    ['anna', 'wrong', '192.0.2.1', 'wrong password'],
    ['anna', '', '192.0.2.1', 'wrong password'],
    ['anna', 'secret', '203.0.113.1', 'not from this address: see address= of /user'],
    ['nobody', 'secret', '192.0.2.1', 'no such user in /user'],
    ['admin', '', '192.0.2.1', 'the user has no password: set one in /user'],
  ])('of %s with %j from %s fails, and the log has why', (name, password, from, why) => {
    const { gate, lines } = gateOf(script);

    expect(gate.admits(name, { password }, ip(from), 'api')).toBe(false);
    expect(lines).toEqual([`login failure for user ${name} from ${from} via api: ${why}`]);
  });

  it('of a user who is disabled fails', () => {
    const { gate, lines } = gateOf('/user add name=a group=read password=secret disabled=yes');

    expect(gate.admits('a', { password: 'secret' }, here, 'rest-api')).toBe(false);
    expect(lines[0]).toMatch(/via rest-api: the user is disabled$/);
    expect(gate.rights('a', here)).toBeUndefined();
  });

  it('with a name without end is logged with its beginning', () => {
    const { gate, lines } = gateOf('');

    gate.admits('x'.repeat(10_000), { password: '' }, here, 'api');
    expect(lines[0]?.length).toBeLessThan(200);
  });
});

describe('who fails too often', () => {
  const wrong = { password: 'wrong' } as const;
  const right = { password: 'secret' } as const;
  const script = '/user add name=a group=read password=secret';

  it('waits a minute, also with the right password; others do not', () => {
    const { gate, clock, lines } = gateOf(script);
    for (let failures = 0; failures < 5; failures += 1) gate.admits('a', wrong, here, 'api');
    expect(lines).toHaveLength(6);
    expect(lines[5]).toBe('too many login failures from 192.0.2.1: nobody is let in from there for 1m');

    for (let more = 0; more < 100; more += 1) expect(gate.admits('a', right, here, 'api')).toBe(false);
    expect(lines).toHaveLength(6);
    expect(gate.admits('a', right, ip('192.0.2.2'), 'api')).toBe(true);

    clock.advance(60_000);
    expect(gate.admits('a', right, here, 'api')).toBe(true);
  });

  it('begins anew after a success, and after ten minutes', () => {
    const { gate, clock } = gateOf(script);
    const four = () => {
      for (let failures = 0; failures < 4; failures += 1) gate.admits('a', wrong, here, 'api');
    };

    four();
    expect(gate.admits('a', right, here, 'api')).toBe(true);
    four();
    clock.advance(600_001);
    four();
    expect(gate.admits('a', right, here, 'api')).toBe(true);
  });

  it('is forgotten when thousands of others fail: the table is bounded', () => {
    const { gate } = gateOf(script);
    for (let failures = 0; failures < 5; failures += 1) gate.admits('a', wrong, here, 'api');
    for (let other = 0; other < 4096; other += 1) gate.admits('a', wrong, ip('10.0.0.0') + other, 'api');

    expect(gate.admits('a', right, here, 'api')).toBe(true);
  });
});
