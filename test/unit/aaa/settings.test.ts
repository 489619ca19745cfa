import { expect, it } from 'vitest';
import { routeKind } from '../../../src/aaa/route.ts';
import { aaaMenu, profileMenu, secretMenu } from '../../../src/aaa/settings.ts';
import { type AnyMenu, defaultsOf, Refusal } from '../../../src/base/setting.ts';

/** `name=value` of every row, as `print` would show the defaults. */
function printed(menu: AnyMenu): string {
  return menu.settings
    .filter(({ name }) => name !== 'comment')
    .map(({ name, kind, default: value }) => `${name}=${kind.format(value)}`)
    .join(' ');
}

it("has the manuals' properties and defaults for a secret, in their order", () => {
  expect(printed(secretMenu as unknown as AnyMenu)).toBe(
    'name= service=any caller-id= password= profile=default local-address= remote-address= routes= ' +
      'limit-bytes-in=0 limit-bytes-out=0 disabled=no',
  );
});

it("has the manuals' properties and defaults for a profile", () => {
  expect(printed(profileMenu as unknown as AnyMenu)).toBe(
    'name= local-address= remote-address= bridge= use-compression=default use-encryption=default only-one=default ' +
      'change-tcp-mss=default session-timeout= idle-timeout= rate-limit= incoming-filter= ' +
      'outgoing-filter= address-list= dns-server= wins-server=',
  );
});

it("has the manuals' properties and defaults for AAA", () => {
  expect(printed(aaaMenu as unknown as AnyMenu)).toBe(
    'use-radius=no accounting=yes interim-update=0s session-policy=reject',
  );
});

it.each(['500ms', '1d1s', 'soon'])('takes no interim-update=%s', (typed) => {
  expect(aaaMenu.rows.interimUpdate.kind.parse(typed)).toBeInstanceOf(Refusal);
});

it("takes interim-update in any of RouterOS's forms of whole seconds", () => {
  const { kind } = aaaMenu.rows.interimUpdate;

  expect(['0s', '300', '5m', '00:05:00'].map((typed) => kind.parse(typed))).toEqual([
    0, 300_000, 300_000, 300_000,
  ]);
});

it.each(['two words', 'drop;flush', 'список', 'x'.repeat(256)])(
  'takes no name of a chain or list that nftables rules cannot have: %s',
  (typed) => {
    expect(profileMenu.rows.incomingFilter.kind.parse(typed)).toBeInstanceOf(Refusal);
    expect(profileMenu.rows.addressList.kind.parse(typed)).toBeInstanceOf(Refusal);
  },
);

it.each(['two words', 'lan/0', 'a-name-of-sixteen', '..'])(
  'takes no bridge that the kernel cannot have: %s',
  (typed) => {
    expect(profileMenu.rows.bridge.kind.parse(typed)).toBeInstanceOf(Refusal);
  },
);

it('reads the name of a bridge, and none', () => {
  expect(['lan0', ''].map((typed) => profileMenu.rows.bridge.kind.parse(typed))).toEqual(['lan0', undefined]);
});

it('lets the name of a list begin with a digit, and that of a chain not', () => {
  expect(profileMenu.rows.addressList.kind.parse('2M-users')).toEqual(['2M-users']);
  expect(profileMenu.rows.incomingFilter.kind.parse('2M-users')).toBeInstanceOf(Refusal);
});

it('reads names of chains and sets, and none of them', () => {
  expect(profileMenu.rows.outgoingFilter.kind.parse('users-out')).toBe('users-out');
  expect(profileMenu.rows.outgoingFilter.kind.parse('')).toBeUndefined();
  expect(profileMenu.rows.addressList.kind.parse('debtors,tariff_1.5')).toEqual(['debtors', 'tariff_1.5']);
});

it("takes `require` for `required`, as RouterOS's help writes it", () => {
  expect(profileMenu.rows.useEncryption.kind.parse('require')).toBe('required');
});

it('hides a password from whoever prints the values', () => {
  const { kind, sensitive } = secretMenu.rows.password;
  const typed = kind.parse('pass "word"');

  expect(sensitive).toBe(true);
  expect(String(typed)).not.toContain('word');
  expect(typed instanceof Refusal ? '' : kind.format(typed)).toBe('pass "word"');
  expect(JSON.stringify(defaultsOf(secretMenu).password)).toBe('"***"');
});

it('reads a route as the manual writes it, and prints it so', () => {
  const route = routeKind.parse('10.150.1.0/24 10.0.103.2 1');

  expect(route).toEqual({
    destination: { address: 0x0a960100, length: 24 },
    gateway: 0x0a006702,
    metric: 1,
  });
  expect(route instanceof Refusal ? '' : routeKind.format(route)).toBe('10.150.1.0/24 10.0.103.2 1');
});

it('reads several routes with commas between', () => {
  const { kind } = secretMenu.rows.routes;

  expect(kind.parse('10.150.1.0/24 10.0.103.2 1,0.0.0.0/0 0.0.0.0 2')).toHaveLength(2);
});

it.each([
  '10.150.1.0/24',
  '10.150.1.0/24 10.0.103.2',
  '10.150.1.0/24 1',
  '10.150.1.1/24 10.0.103.2 1',
  '10.150.1.0/24 10.0.103.2 256',
  '10.150.1.0/24 10.0.103.2 x',
  '10.150.1.0/24 10.0.103.2 1 2',
])('takes no other form of a route: %s', (typed) => {
  expect(routeKind.parse(typed)).toBeInstanceOf(Refusal);
});
