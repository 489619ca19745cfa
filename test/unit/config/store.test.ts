import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import type { AnyMenu } from '../../../src/base/setting.ts';
import { configurationOf, menus } from '../../../src/config/configuration.ts';
import { exportScript } from '../../../src/config/export.ts';
import { parseScript } from '../../../src/config/script.ts';
import { type Commit, Store } from '../../../src/config/store.ts';
import { describeTree } from './vectors.ts';

function begin(script = ''): Store {
  const store = new Store(menus);
  store.commit(store.proposeWhole([{ file: 'start.rsc', text: script }]));
  return store;
}

function change(store: Store, script: string): Commit {
  return store.commit(store.propose(parseScript(script, 'console', store.root)));
}

describe('the store', () => {
  it('begins with all defaults as revision 0', () => {
    const store = new Store(menus);

    expect(store.current.number).toBe(0);
    expect(describeTree(store.current.tree)).toBe('');
  });

  it('gives the revision before and the one after a commit, and leaves the one before as it was', () => {
    const store = begin('/ppp secret add name=a');

    const { previous, next } = change(store, '/ppp secret; set a comment=x; add name=b');

    expect([previous.number, next.number]).toEqual([1, 2]);
    expect(describeTree(previous.tree)).toBe('/ppp secret *1 name="a"');
    expect(describeTree(next.tree)).toBe('/ppp secret *1 comment="x" name="a"\n/ppp secret *2 name="b"');
    expect(store.current).toBe(next);
  });

  it('keeps what did not change the same value, so that a difference is found by identity', () => {
    const store = begin('/ppp secret; add name=a; add name=b; /ppp profile add name=gold');

    const { previous, next } = change(store, '/ppp secret set b comment=x');

    const before = configurationOf(previous.tree);
    const after = configurationOf(next.tree);
    expect(after.secrets[0]).toBe(before.secrets[0]);
    expect(after.secrets[1]).not.toBe(before.secrets[1]);
    expect(after.profiles[2]).toBe(before.profiles[2]);
    expect(after.server).toBe(before.server);
  });

  it('applies nothing of commands of which the last is refused', () => {
    const store = begin('/ppp secret add name=a');
    const before = store.current;

    const commands = parseScript('/ppp secret; remove a; add name=b; add name=b', 'console', store.root);

    expect(() => store.propose(commands)).toThrow('secret with the same name already exists');
    expect(store.current).toBe(before);
    expect(describeTree(store.current.tree)).toBe('/ppp secret *1 name="a"');
  });

  it('reads several files as one change', () => {
    const store = new Store(menus);

    const candidate = store.proposeWhole([
      { file: 'users.rsc', text: '/ppp secret add name=a profile=gold' },
      { file: 'profiles.rsc', text: '/ppp profile\nadd name=gold' },
      { file: 'server.rsc', text: 'interface pptp-server server set enabled=yes' },
    ]);

    expect(configurationOf(store.commit(candidate).next.tree).server.enabled).toBe(true);
  });

  it('names the file of a mistake', () => {
    const store = new Store(menus);
    const sources = [
      { file: 'one.rsc', text: '/ppp secret add name=a profile=gold' },
      { file: 'two.rsc', text: '/ppp secret\nadd name=b profile=silver' },
    ];

    expect(() => store.proposeWhole(sources)).toThrow(
      'one.rsc:1:32: input does not match any value of profile',
    );
  });

  it('refuses a candidate that was made before another commit', () => {
    const store = begin();
    const one = store.propose(parseScript('/ppp secret add name=a', 'console', store.root));
    const other = store.propose(parseScript('/ppp secret add name=b', 'console', store.root));
    store.commit(one);

    expect(() => store.commit(other)).toThrow(Fault);
    expect(describeTree(store.current.tree)).toBe('/ppp secret *1 name="a"');
  });

  it.each([
    ['/ip pool remove p', '1:1: failure: p is used by /ppp profile gold'],
    ['/ip pool set p name=q', '1:1: failure: p is used by /ppp profile gold'],
    ['/ppp profile remove gold', '1:1: failure: gold is used by /ppp secret a'],
    ['/ppp profile remove silver', '1:1: failure: silver is used by /interface pptp-server server'],
  ])('refuses `%s` while the name is used', (script, words) => {
    const store = begin(`
      /ip pool add name=p ranges=10.0.0.2
      /ppp profile add name=gold remote-address=p
      /ppp profile add name=silver
      /ppp secret add name=a profile=gold
      /interface pptp-server server set default-profile=silver`);

    expect(() => change(store, script)).toThrow(`console:${words}`);
  });

  it('lets go of a name that the same change lets go of', () => {
    const store = begin('/ip pool add name=p ranges=10.0.0.2; /ppp profile set default remote-address=p');

    const { next } = change(store, '/ip pool remove p; /ppp profile set default !remote-address');

    expect(describeTree(next.tree)).toBe('');
  });

  it('never gives the internal number of a removed item again', () => {
    const store = begin('/ppp secret; add name=a; remove a');

    const { next } = change(store, '/ppp secret add name=b');

    expect(describeTree(next.tree)).toBe('/ppp secret *2 name="b"');
  });

  it('takes twenty thousand secrets', () => {
    const lines = Array.from({ length: 20_000 }, (_, at) => `add name=user${at} password=p${at}`);
    const store = begin(`/ppp secret\n${lines.join('\n')}`);

    change(store, '/ppp secret set user19999 password=other');

    const { secrets } = configurationOf(store.current.tree);
    expect(secrets).toHaveLength(20_000);
    expect(secrets[19_999]?.password.reveal()).toBe('other');
    expect(exportScript(store.current.tree, { showSensitive: true })).toContain('name=user19998');
  });
});

/** Each default as its menu prints it: the manuals' tables. */
const defaults: Record<string, Record<string, string>> = {
  '/interface pptp-server server': {
    enabled: 'no',
    'max-mtu': '1450',
    'max-mru': '1450',
    mrru: 'disabled',
    authentication: 'mschap2',
    'keepalive-timeout': '30',
    'default-profile': 'default-encryption',
  },
  '/interface pptp-server': { name: '', user: '', comment: '', disabled: 'no' },
  '/interface pptp-client': {
    name: '',
    'max-mtu': '1450',
    'max-mru': '1450',
    mrru: 'disabled',
    'connect-to': '',
    user: '',
    password: '',
    profile: 'default-encryption',
    'keepalive-timeout': '60',
    'add-default-route': 'no',
    'default-route-distance': '1',
    'dial-on-demand': 'no',
    allow: 'pap,chap,mschap1,mschap2',
    comment: '',
    disabled: 'yes',
  },
};

describe('defaults', () => {
  it.each(Object.entries(defaults))(
    'of %s are those of the manuals, in the order of print',
    (path, expected) => {
      const menu = menus.find((each): each is AnyMenu => each.path === path);

      const printed = menu?.settings.map(({ name, kind, default: value }) => [name, kind.format(value)]);

      expect(printed).toEqual(Object.entries(expected));
    },
  );

  it('read back as themselves in every menu', () => {
    for (const { path, settings } of menus) {
      for (const { name, kind, default: value, required, key } of settings) {
        const absent = value === undefined || required === true || key === 'name';
        if (!absent) expect(kind.parse(kind.format(value)), `${path} ${name}`).toEqual(value);
      }
    }
  });

  it('are typed values once the program reads them', () => {
    const { server, profiles } = configurationOf(new Store(menus).current.tree);

    expect(server.keepaliveTimeout).toBe(30_000);
    expect(server.authentication).toEqual(['mschap2']);
    expect(profiles.map(({ name }) => name)).toEqual(['default', 'default-encryption']);
  });
});
