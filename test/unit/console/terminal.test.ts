import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../../../src/base/observe.ts';
import { type Console, openConsole } from '../../../src/console/socket.io.ts';
import { key, type Operator, sitAtTerminal, sitDown } from './terminal.io.ts';
import { World } from './world.ts';

let directory: string;
let world: World;
let opened: Console;
const operators: Operator[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'terminal-'));
  world = new World();
  opened = await openConsole({ ...world.services, path: join(directory, 'console.sock'), log: silent });
});

afterEach(async () => {
  for (const operator of operators.splice(0)) operator.kill();
  await opened.close();
  rmSync(directory, { recursive: true });
});

const root = '[admin@north] > ';
const secrets = '[admin@north] /ppp/secret> ';

async function someone(sit: (directory: string) => Operator = sitDown): Promise<Operator> {
  const operator = sit(directory);
  operators.push(operator);
  await operator.sees(root);
  return operator;
}

describe('at a terminal', () => {
  it('menus are walked, items added and printed, and /quit leaves', async () => {
    const operator = await someone(sitAtTerminal);

    expect(await operator.types('ppp secret\r', secrets)).toBe(`${root}ppp secret\n${secrets}`);
    await operator.types('add name=jack password=pass remote-address=10.0.0.2\r', secrets);
    expect(await operator.types('print proplist=name,remote-address\r', secrets)).toBe(
      [
        `${secrets}print proplist=name,remote-address`,
        'Columns: NAME, REMOTE-ADDRESS',
        '#  NAME  REMOTE-ADDRESS',
        '0  jack  10.0.0.2',
        secrets,
      ].join('\n'),
    );
    expect(await operator.types('..\r', '[admin@north] /ppp> ')).toContain('/ppp> ');
    expect(await operator.types('/\r', root)).toContain(root);
    expect(await operator.types('foo\r', root)).toMatch(
      /^\[admin@north\] > foo\nbad command name foo \(line 1 column 1\)\n/,
    );
    operator.press('/quit\r');
    expect(await operator.left()).toBe(0);
  });

  it('Tab completes, the second lists, and ? tells what may stand there', async () => {
    world.configure('/ppp profile add name=gold; /ppp profile add name=green; /ppp secret add name=alice');
    const operator = await someone();

    await operator.types('/ppp se\t', `${root}/ppp secret `);
    await operator.types('a\t', `${root}/ppp secret add `);
    await operator.types('prof\t', `${root}/ppp secret add profile=`);
    await operator.types('g\t', `${root}/ppp secret add profile=g`);
    expect(await operator.types('\t', `${root}/ppp secret add profile=g`)).toMatch(/^gold +green/m);
    await operator.types('o\t', `${root}/ppp secret add profile=gold `);
    expect(await operator.types(key.ctrlC, root)).toContain('profile=gold');

    expect(await operator.types('/ppp aaa set use-radius=?', `${root}/ppp aaa set use-radius=`)).toMatch(
      /^no\nyes\n/m,
    );
    await operator.types(key.ctrlC, root);
    expect(await operator.types(`/ppp secret ${key.f1}`, `${root}/ppp secret `)).toContain(
      '\nadd -- Adds an item.\n',
    );
    await operator.types('remove al\t', `${root}/ppp secret remove alice `);
    await operator.types('\r', root);
    expect(world.store.current.tree.lists.get('/ppp secret')?.items.size).toBe(0);
  });

  it('a line goes on behind a backslash, and in quotation; in a text ? is a character', async () => {
    const operator = await someone();

    await operator.types('/ppp secret add name=a \\\r', '\\... ');
    await operator.types('comment="why?\r', '"... ');
    await operator.types('because"\r', root);

    expect(await operator.types('/ppp secret get 0 comment\r', root)).toContain('\nwhy\\?\\nbecause\n');
  });

  it('lines that are pasted are each done under their own prompt', async () => {
    const operator = await someone();

    const seen = await operator.types(
      '/ppp secret add name=a\r\n/ppp secret print count-only\r\n/ppp secret\r\n',
      secrets,
    );

    expect(seen).toBe(
      [
        `${root}/ppp secret add name=a`,
        `${root}/ppp secret print count-only`,
        '1',
        `${root}/ppp secret`,
        secrets,
      ].join('\n'),
    );
  });

  it('the history comes back with the next session, without passwords, for its owner alone', async () => {
    const first = await someone();
    await first.types('/ppp secret print count-only\r', root);
    await first.types('/ppp secret add name=a password=deep\r', root);
    first.press(key.ctrlD);
    expect(await first.left()).toBe(0);

    const second = await someone();
    await second.types(key.up, `${root}/ppp secret print count-only`);
    expect(await second.types('\r', root)).toContain('\n1\n');

    const file = join(directory, 'pptpctl', 'history');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('deep');
  });

  it('what goes on is ended by Ctrl-C or Q, and the prompt is there again', async () => {
    const log = world.logRing.before(silent);
    log('info', 'pptp,ppp', 'first');
    const operator = await someone();

    await operator.types('/log print follow\r', /pptp,ppp,info first\n$/);
    log('info', 'pptp,ppp', 'second');
    await operator.sees(/pptp,ppp,info second\n$/);
    await operator.types(key.ctrlC, root);

    await operator.types('/ppp active print count-only interval=1h\r', /\n3\n-- \[Q quit\]\n$/);
    await operator.types('q', root);
    await operator.types('/interface pptp-client add name=out1\r', root);
    await operator.types('/interface pptp-client monitor out1\r', /status: Connected\n-- \[Q quit\]\n$/);
    await operator.types('Q', root);
  });
});

describe('safe mode', () => {
  const safe = '[admin@north] <SAFE> ';
  const users = () =>
    Array.from(
      world.store.current.tree.lists.get('/ppp secret')?.items.values() ?? [],
      (item) => item.values.name,
    );

  it('undoes what was changed when the terminal is lost, also by others', async () => {
    const operator = await someone();
    await operator.types('/ppp secret add name=before\r', root);
    expect(await operator.types(key.ctrlX, safe)).toContain('[Safe Mode taken]');
    await operator.types('/ppp secret add name=a\r', safe);
    const other = await someone();
    await other.types('/ppp secret add name=b\r', root);
    expect(users()).toEqual(['before', 'a', 'b']);

    operator.press(key.ctrlD);
    await operator.left();

    await other.types('/safe-mode print\r', root);
    expect(users()).toEqual(['before']);
  });

  it('keeps what was changed when it is released, or quit', async () => {
    const operator = await someone();
    await operator.types(key.f4, safe);
    await operator.types('/ppp secret add name=a\r', safe);
    expect(await operator.types(key.ctrlX, root)).toContain('[Safe Mode released]');
    await operator.types(key.ctrlX, safe);
    await operator.types('/ppp secret add name=b\r', safe);
    operator.press('/quit\r');
    expect(await operator.left()).toBe(0);

    expect(users()).toEqual(['a', 'b']);
  });

  it('is one operator’s, until another takes it from him', async () => {
    const [one, other] = await Promise.all([someone(), someone()]);
    await one.types(key.ctrlX, safe);
    await one.types('/ppp secret add name=a\r', safe);

    const question = "Hijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]: ";
    await other.types(key.ctrlX, question);
    await other.types('d\r', root);
    expect(users()).toEqual(['a']);
    await other.types(key.ctrlX, question);
    expect(await other.types('u\r', safe)).toContain('[Safe Mode taken]');
    expect(users()).toEqual([]);

    expect(await one.types('\r/ppp secret print count-only\r', root)).toContain(
      '[Safe Mode released by another user]',
    );
  });
});
