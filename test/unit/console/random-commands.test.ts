import { describe, expect, it } from 'vitest';
import { below, type Random, seededRandom } from '../../../src/base/random.ts';
import { configurationOf } from '../../../src/config/configuration.ts';
import { exportScript } from '../../../src/config/export.ts';
import { Store } from '../../../src/config/store.ts';
import type { Tree } from '../../../src/config/tree.ts';
import { transcriptOf, World } from './world.ts';

const runs = 400;
const linesEach = 12;

const paths = [
  '/ppp secret',
  '/ppp/profile',
  '/ppp active',
  '/ppp aaa',
  '/radius',
  '/radius incoming',
  '/ip pool',
  '/interface pptp-server',
  '/interface pptp-server server',
  '/interface pptp-client',
  '/system license',
  '/system cluster',
  '/system cluster node',
  '/system metrics',
  '/nowhere',
  '/',
  '..',
  '',
];
const verbs = [
  ...['add', 'set', 'remove', 'enable', 'disable', 'comment', 'print', 'find', 'get', 'monitor', 'export'],
  ...['p', 'e', 'rem', 'xyzzy'],
];
const words = [
  ...[
    '0',
    '1',
    '2',
    '0,1',
    '*1',
    '*2',
    '*FFFFFFFE',
    'alice',
    'default',
    'ex',
    '[find]',
    '[find where name~"a"]',
  ],
  ...['[find disabled]', 'numbers=0', 'name=ex', 'name=alice', 'user=ex', 'profile=default', 'profile=none'],
  ...['service=pptp', 'password=x', 'comment="a b"', 'disabled=yes', '!disabled', '!remote-address'],
  ...[
    'remote-address=10.0.0.9',
    'remote-address=pool1',
    'ranges=10.1.0.0/24',
    'address=192.0.2.1',
    'level=level3',
  ],
  ...[
    'port=9000',
    'enabled=yes',
    'mtu=1400',
    'max-mtu=99',
    'redis=redis://localhost',
    'accounting-store=redis',
  ],
  ...[
    'detail',
    'terse',
    'brief',
    'as-value',
    'count-only',
    'where',
    'uptime>1m',
    'name',
    '~',
    '"^a"',
    'and',
    'or',
  ],
  ...[
    'proplist=name,comment',
    'from=0',
    'once',
    'show-sensitive',
    '!',
    '=',
    '"',
    '[',
    ']',
    '$x',
    '(',
    '\\',
    ';',
    '#',
  ],
];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

/** Commands that make sense more often than not. */
const sensible = [
  ...[
    '/ppp secret add name=alice',
    '/ppp secret add name=bob',
    '/interface pptp-client add',
    '/ip pool add ranges=10.2.0.0/24',
  ],
  ...['/radius add address=192.0.2.1', '/interface pptp-server add name=i1', '/ppp profile add name=p1'],
  ...['/ppp secret set 0', '/ppp secret set [find]', '/ppp profile set *0', '/interface pptp-server set 1'],
  ...['/ppp secret remove', '/interface pptp-server remove', '/ppp active remove', '/ip pool remove 0'],
  ...['/ppp secret print', '/ppp active print', '/interface print', '/system license set'],
];

function randomLine(random: Random): string {
  if (below(random, 2) === 0) {
    return [pick(random, sensible), ...(below(random, 2) === 0 ? [] : [pick(random, words)])].join(' ');
  }
  const tail = Array.from({ length: below(random, 6) }, () => pick(random, words));
  return [pick(random, paths), ...(below(random, 8) === 0 ? [] : [pick(random, verbs)]), ...tail].join(' ');
}

/** What `tree` says, without numbers that only this process knows. */
function scriptOf(tree: Tree): string {
  return exportScript(tree, { showSensitive: true });
}

/** Whether the tree is a configuration that a node could start with: its own export makes it again. */
function expectWhole(tree: Tree, why: string): void {
  const again = new Store(tree.menus);
  again.commit(again.proposeWhole([{ file: 'export', text: scriptOf(tree) }]));
  expect(scriptOf(again.current.tree), why).toBe(scriptOf(tree));
  expect(() => configurationOf(tree), why).not.toThrow();
}

describe('whatever is typed', () => {
  it('ends with text or a fault, and a fault of one command has changed nothing', async () => {
    const firstSeed = Number(process.env.SEED ?? 1);
    let changes = 0;
    let faults = 0;
    for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
      const random = seededRandom(seed);
      const world = new World();
      world.configure(
        '/ppp secret add name=ex; /interface pptp-server add user=ex; /ip pool add ranges=10.9.0.0/24',
      );
      const shell = world.shell();
      const forms = [
        { width: undefined, json: false },
        { width: 1 + below(random, 120), json: false },
        { width: undefined, json: true },
      ];
      for (let count = 0; count < linesEach; count += 1) {
        const line = randomLine(random);
        const why = `seed ${seed}: ${line}`;
        const before = world.store.current;
        const kicked = world.kicked.length;

        const seen = await transcriptOf(shell.run(line, pick(random, forms))).catch((error: unknown) => {
          throw new Error(why, { cause: error });
        });

        const isRefused = /^! /m.test(seen);
        const isOne = !line.includes(';');
        if (isRefused && isOne) {
          expect(world.store.current, why).toBe(before);
          expect(world.kicked.length, why).toBe(kicked);
        }
        if (isRefused) faults += 1;
        if (world.store.current === before) continue;
        changes += 1;
        expectWhole(world.store.current.tree, why);
      }
    }

    // Else the lines would be nonsense only, or sense only.
    console.log(`${runs * linesEach} commands from seed ${firstSeed}: ${changes} changes, ${faults} faults`);
    expect(changes).toBeGreaterThan(runs);
    expect(faults).toBeGreaterThan(runs);
  });
});
