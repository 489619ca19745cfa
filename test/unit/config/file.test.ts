import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import { systemRandom } from '../../../src/base/random.io.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { configurationOf, menus } from '../../../src/config/configuration.ts';
import { openConfiguration, readScript, writeScript } from '../../../src/config/file.io.ts';
import { firstStart } from '../../../src/config/first-start.ts';
import { Store } from '../../../src/config/store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'configuration-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function faultOf(act: Promise<unknown>): Promise<Fault> {
  const fault = await act.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (fault instanceof Fault) return fault;
  throw new Error(`no fault: ${fault}`);
}

describe('the first start', () => {
  it('serves one user with his password, an address for each side and encryption', () => {
    const { script, user, password } = firstStart(seededRandom(1));
    const store = new Store(menus);

    const { server, secrets, profiles, pools } = configurationOf(
      store.proposeWhole([{ file: 'first', text: script }]).tree,
    );

    expect(server.enabled).toBe(true);
    expect(secrets.map(({ name }) => name)).toEqual([user]);
    expect(secrets[0]?.password.reveal()).toBe(password);
    const profile = profiles.find(({ name }) => name === secrets[0]?.profile);
    expect(profile).toMatchObject({
      remoteAddress: { pool: pools[0]?.name },
      localAddress: { address: 0x0a4d0001 },
    });
    expect(profile?.useEncryption).toBe('yes');
  });

  it('chooses another password each time', () => {
    const passwords = Array.from({ length: 100 }, () => firstStart(systemRandom).password);

    expect(new Set(passwords).size).toBe(100);
    for (const password of passwords) expect(password).toMatch(/^[a-z2-9]{20}$/);
  });

  it('writes a script that only its owner reads, and reads it the next time', async () => {
    const state = join(directory, 'state');

    const first = await openConfiguration([], state, systemRandom);
    const second = await openConfiguration([], state, systemRandom);

    expect(first.first?.script).toBe(first.sources[0]?.text);
    expect(second.first).toBeUndefined();
    expect(second.sources).toEqual(first.sources);
    expect((await stat(join(state, 'configuration.rsc'))).mode & 0o777).toBe(0o600);
    expect(await readdir(state)).toEqual(['configuration.rsc']);
  });
});

describe('configuration files', () => {
  it('are read in the order named, and no other is written', async () => {
    const files = ['b.rsc', 'a.rsc'].map((name) => join(directory, name));
    for (const file of files) await writeFile(file, `# ${file}`);

    const opened = await openConfiguration(files, join(directory, 'state'), systemRandom);

    expect(opened).toEqual({
      sources: files.map((file) => ({ file, text: `# ${file}` })),
      first: undefined,
    });
    expect(await readdir(directory)).toEqual(['a.rsc', 'b.rsc']);
  });

  it('are replaced in one step, also when a draft was left behind', async () => {
    const file = join(directory, 'x.rsc');
    await writeFile(file, 'old', { mode: 0o644 });
    await writeFile(`${file}.new`, 'half a scri');

    await writeScript(file, 'new');

    expect(await readFile(file, 'utf8')).toBe('new');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['x.rsc']);
  });

  it('that are missing are named, with what to do', async () => {
    const file = join(directory, 'none.rsc');

    const fault = await faultOf(openConfiguration([file], directory, systemRandom));

    expect(fault).toMatchObject({ code: 'CONFIG_UNREADABLE', owner: 'system' });
    expect(fault.message).toBe(`cannot read the configuration ${file}: ENOENT`);
    expect(fault.hint).toContain('no such file');
  });

  it('that are directories are refused', async () => {
    expect((await faultOf(readScript(directory))).message).toContain('EISDIR');
  });

  it('that are no script by their size are refused unread', async () => {
    const file = join(directory, 'large.rsc');
    await writeFile(file, new Uint8Array(64 * 1024 * 1024 + 1));

    expect((await faultOf(readScript(file))).code).toBe('CONFIG_TOO_LARGE');
  });

  it('that cannot be written leave nothing behind', async () => {
    const file = join(directory, 'x.rsc');
    await mkdir(file);

    const fault = await faultOf(writeScript(file, 'new'));

    expect(fault.code).toBe('CONFIG_UNWRITABLE');
    expect(await readdir(directory)).toEqual(['x.rsc']);
  });
});
