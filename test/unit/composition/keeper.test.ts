/** Configuration in force and configuration on disk: whether they are one, as metrics are told. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silent } from '../../../src/base/observe.ts';
import { Keeper } from '../../../src/composition/keeper.ts';
import { menus } from '../../../src/config/configuration.ts';
import { Store } from '../../../src/config/store.ts';

const good = '/ppp secret\nadd name=anna password=x\n';
const bad = '/ppp secret\nadd name=anna pasword=x\n';

let directory: string;
let file: string;
let keeper: Keeper;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pptp-keeper-'));
  file = join(directory, 'configuration.rsc');
  writeFileSync(file, good);
  const store = new Store(menus);
  const sources = [{ file, text: good }];
  store.commit(store.proposeWhole(sources));
  keeper = new Keeper({ store, sources, log: silent, apply: () => {} });
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A change that comes too late for every revision: it is refused when its turn comes, and all before it is done. */
const late = new Store(menus).propose([]);

async function isSuccessful(why: 'told' | 'changed'): Promise<boolean> {
  keeper.reload(why);
  await new Promise((refused) => keeper.commit(late, refused));
  return keeper.lastReload.isSuccessful;
}

it('are one from the start, until a file has a mistake, and again when it has none', async () => {
  const { isSuccessful: isOne, successAtMs } = keeper.lastReload;
  writeFileSync(file, bad);
  const wasRead = await isSuccessful('told');
  const failed = keeper.lastReload;
  writeFileSync(file, good);

  expect([isOne, wasRead]).toEqual([true, false]);
  expect(failed.successAtMs).toBe(successAtMs);
  expect(await isSuccessful('told')).toBe(true);
});

it('are one again when a file that was away is what it was', async () => {
  rmSync(file);
  const wasRead = await isSuccessful('changed');
  writeFileSync(file, good);

  expect(wasRead).toBe(false);
  expect(await isSuccessful('changed')).toBe(true);
});

it('are not one because a file with a mistake is seen again', async () => {
  writeFileSync(file, bad);
  await isSuccessful('changed');

  expect(await isSuccessful('changed')).toBe(false);
});
