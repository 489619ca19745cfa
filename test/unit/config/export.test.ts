import { describe, expect, it } from 'vitest';
import { below, seededRandom } from '../../../src/base/random.ts';
import { menus } from '../../../src/config/configuration.ts';
import { exportScript } from '../../../src/config/export.ts';
import { ScriptFault } from '../../../src/config/fault.ts';
import { quote } from '../../../src/config/quotation.ts';
import { Store } from '../../../src/config/store.ts';
import { parseStatements } from '../../../src/config/syntax.ts';
import type { Tree } from '../../../src/config/tree.ts';
import { pick, randomScript, randomText } from './random-script.ts';
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
