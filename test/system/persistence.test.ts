/** A change of the operator is in force and in the file, or neither; a change of the file is in force by itself, or not at all. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Concentrator, Site } from './concentrator.io.ts';
import { answered, typed } from './typed.io.ts';

const timeout = 60_000;

const fileOf = ({ directory }: Concentrator): string => join(directory, 'configuration.rsc');

async function open(through: readonly string[] = []): Promise<Concentrator> {
  const site = new Site('keeping');
  onTestFinished(() => site.remove());
  const node = site.start(site.server, '/ppp secret add name=alice password=secret\n', { through });
  await answered(node, /^ +name:/m, '/system identity print');
  return node;
}

test('a change is in the file when it is in force, and is not taken for somebody else’s', {
  timeout,
}, async () => {
  const node = await open();

  expect(await typed(node, '/ppp secret add name=bob password=other')).toBe('');
  expect(readFileSync(fileOf(node), 'utf8')).toMatch(
    /^add name=alice password=secret\nadd name=bob password=other$/m,
  );

  // What follows is read because of this change; the one before was not.
  writeFileSync(fileOf(node), '/ppp secret add name=carol password=third\n');
  const { msg } = await node.line(/^configuration (read again|not changed)/);
  expect(msg).toBe('configuration read again, revision 3');
  expect(await typed(node, '/ppp secret print count-only')).toBe('1\n');
});

test('a mistake in the file changes nothing, is told with its place, and is not written over', {
  timeout,
}, async () => {
  const node = await open();

  writeFileSync(fileOf(node), '/ppp secret\nadd name=bob pasword=other\n');
  const told = await node.line(/^configuration not changed/);
  expect(told.level).toBe('error');
  expect(told.msg).toMatch(/configuration\.rsc:2:14: /);
  expect(await typed(node, '/ppp secret print count-only')).toBe('1\n');
});

test('what was written meanwhile is not written over', { timeout }, async () => {
  const node = await open();

  writeFileSync(fileOf(node), '/ppp secret add name=dave password=fourth\n');
  const answer = await typed(node, '/ppp secret add name=bob password=other');

  expect(answer).toMatch(/^failure: .*configuration\.rsc has been changed by somebody else/);
  await node.line(/^configuration read again/);
  expect(await typed(node, '/ppp secret get [find name=dave] password')).toContain('fourth');
  expect(await typed(node, '/ppp secret print count-only')).toBe('1\n');
});

test('a file that cannot be replaced says so, and the change is not in force', { timeout }, async () => {
  // A single file that is mounted into a container is like this.
  const mounted =
    'for f in "$@"; do :; done; mount --bind "$f" "$f" && mount -o remount,bind,ro "$f" && exec "$@"';
  const node = await open(['unshare', '--mount', 'sh', '-c', mounted, 'sh']);

  const answer = await typed(node, '/ppp secret add name=bob password=other');

  expect(answer).toMatch(/^cannot write the configuration .*: EBUSY\n +The file is read-only here: /);
  expect(await typed(node, '/ppp secret print count-only')).toBe('1\n');
});
