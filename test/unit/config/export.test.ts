import { describe, expect, it } from 'vitest';
import { below, type Random, seededRandom } from '../../../src/base/random.ts';
import { Refusal, type Setting } from '../../../src/base/setting.ts';
import { menus } from '../../../src/config/configuration.ts';
import { exportScript } from '../../../src/config/export.ts';
import { ScriptFault } from '../../../src/config/fault.ts';
import { quote } from '../../../src/config/quotation.ts';
import { Store } from '../../../src/config/store.ts';
import { parseStatements } from '../../../src/config/syntax.ts';
import type { Tree } from '../../../src/config/tree.ts';
import { blocksOf } from './vectors.ts';

function treeOf(text: string): Tree {
  return new Store(menus).proposeWhole([{ file: 'export', text }]).tree;
}

function exported(text: string, showSensitive = true): string {
  return exportScript(treeOf(text), { showSensitive });
}

describe('export', () => {
  it('of all defaults is empty', () => {
    expect(exported('')).toBe('');
  });

  it('writes what is not default, in alphabetical order, wrapped and quoted only when needed', () => {
    const script = exported(`
      /interface pptp-server server set enabled=yes auth=mschap2,mschap1 keepalive-timeout=disabled
      /interface pptp-client add connect-to=192.168.62.2 disabled=no password="Strong Pass" user=MT-User profile=default
      /ppp profile set default-encryption local-address=10.0.0.1
      /ppp secret add name=ex service=pptp password=lkjrht profile=default-encryption \\
        local-address=10.0.103.1 remote-address=10.0.103.2 routes="10.150.1.0/24 10.0.103.2 1"`);

    expect(script).toBe(`/ppp profile
set *FFFFFFFE local-address=10.0.0.1
/ppp secret
add local-address=10.0.103.1 name=ex password=lkjrht \\
    profile=default-encryption remote-address=10.0.103.2 \\
    routes="10.150.1.0/24 10.0.103.2 1" service=pptp
/interface pptp-server server
set authentication=mschap1,mschap2 enabled=yes keepalive-timeout=disabled
/interface pptp-client
add connect-to=192.168.62.2 disabled=no name=pptp-out1 password="Strong Pass" \\
    profile=default user=MT-User
`);
  });

  it('hides passwords unless asked for them', () => {
    const script = '/ppp secret add name=a password=deep; /interface pptp-client add password=dark';

    expect(exported(script, false)).not.toMatch(/deep|dark|password/);
    expect(exported(script, true)).toMatch(/password=deep(.|\n)*password=dark/);
  });

  it('says of a built-in item what differs from how it is built in', () => {
    expect(exported('/ppp profile set default-encryption use-encryption=default')).toBe(
      '/ppp profile\nset *FFFFFFFE use-encryption=default\n',
    );
  });

  it.each(blocksOf('config-script.txt'))('reads back: $law', ({ script }) => {
    const once = exported(script);

    expect(exported(once)).toBe(once);
    expect(valuesOf(treeOf(once))).toEqual(valuesOf(treeOf(script)));
  });

  it('reads back whatever was configured', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const tree = treeOf(randomScript(seededRandom(seed)));

      const text = exportScript(tree, { showSensitive: true });

      expect(valuesOf(treeOf(text)), `seed ${seed}`).toEqual(valuesOf(tree));
      expect(exported(text), `seed ${seed}`).toBe(text);
    }
  });
});

describe('quotation', () => {
  it('reads back any text', () => {
    for (let seed = 1; seed <= 2000; seed += 1) {
      const text = randomText(seededRandom(seed));

      const [statement] = parseStatements(`x name=${quote(text)}`, 'test');

      expect(statement?.nodes[1], `seed ${seed}`).toMatchObject({ value: { text } });
    }
  });
});

describe('the parser', () => {
  it('answers any text with commands or a fault that stands in it', () => {
    const pieces = [
      '/ppp',
      ' ',
      'secret',
      'add',
      ' name=',
      '"',
      '\\',
      '\n',
      '[',
      ']',
      'find',
      '=',
      ';',
      '#',
      '$',
      '..',
      '\t',
      '\r',
      '!',
      'ж',
      'set 0',
    ];
    for (let seed = 1; seed <= 5000; seed += 1) {
      const random = seededRandom(seed);
      const text = Array.from({ length: below(random, 30) }, () => pick(random, pieces)).join('');
      try {
        treeOf(text);
      } catch (fault) {
        if (!(fault instanceof ScriptFault)) throw new Error(`seed ${seed}: ${fault}`);
        const line = text.split('\n')[fault.at.line - 1];
        expect(line, `seed ${seed}`).toBeDefined();
        expect(fault.at.column, `seed ${seed}`).toBeLessThanOrEqual((line?.length ?? 0) + 1);
      }
    }
  });
});

/** All values, by menu; internal numbers are not part of what a script says. */
function valuesOf({ settings, lists }: Tree): unknown {
  const items = Array.from(lists, ([path, list]) => [
    path,
    [...list.items.values()].map(({ values }) => values),
  ]);
  return [...settings, ...items];
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

function randomText(random: Random): string {
  const letters = [
    'a',
    'Z',
    '0',
    ' ',
    '"',
    '\\',
    '$',
    '?',
    '\n',
    '\r',
    '\t',
    '\x00',
    '\x7f',
    '\x85',
    '=',
    ';',
    '#',
    '[',
    ']',
    '{',
    'ж',
    '😀',
    '_',
    '\\_',
    '!',
    ',',
  ];
  return Array.from({ length: below(random, 20) }, () => pick(random, letters)).join('');
}

/** A script that gives random values to random rows of every menu. */
function randomScript(random: Random): string {
  const lines: string[] = [];
  for (const { path, kind, settings, naming } of menus) {
    const values = () =>
      settings
        .filter(({ key, required }) => key !== 'name' && (required || below(random, 3) === 0))
        .map((setting) => `${setting.name}=${quote(randomValue(random, setting))}`)
        .join(' ');
    if (kind === 'settings') lines.push(acceptable(() => `${path} set ${values()}`));
    for (let count = kind === 'list' ? below(random, 4) : 0; count > 0; count -= 1) {
      const isNamed = naming !== undefined && (naming.prefix === undefined || below(random, 2) === 0);
      const named = isNamed ? `name=${nameFor(path, count)}` : '';
      lines.push(acceptable(() => `${path} add ${named} ${values()}`));
    }
  }
  lines.push(`/ppp profile set default local-address=${below(random, 256)}.0.0.1`);
  return lines.join('\n');
}

/** The first line drawn that its menu takes: some values do not go together. */
function acceptable(draw: () => string): string {
  for (;;) {
    const line = draw();
    try {
      treeOf(line);
      return line;
    } catch (fault) {
      if (!(fault instanceof ScriptFault)) throw fault;
    }
  }
}

function nameFor(path: string, count: number): string {
  return `${path.replace(/[^a-z]/g, '').slice(-8)}${count}`;
}

/** Text that the row accepts and that names nothing which might not be there. */
function randomValue(random: Random, { kind, name }: Setting<unknown>): string {
  const samples = [
    ...(kind.words ?? []),
    ...['10.0.0.1', '10.0.0.0/8', '10.0.0.2-10.0.0.9', '10.0.0.1,10.0.0.2', '10.0.0.0/8 10.0.0.1 1'],
    ...[
      '1',
      '30',
      '1200',
      '1m30s',
      'default',
      'default-encryption',
      '64k/128k',
      'redis://localhost',
      randomText(random),
    ],
  ];
  const builtIn = ['default', 'default-encryption'];
  const fit = samples.filter((text) => {
    const value = kind.parse(text);
    if (value instanceof Refusal) return false;
    return (kind.references?.(value) ?? []).every(
      (to) => to.menu === '/ppp profile' && builtIn.includes(to.name),
    );
  });
  if (fit.length === 0) throw new Error(`no sample fits ${name}: ${kind.label}`);
  return pick(random, fit);
}
