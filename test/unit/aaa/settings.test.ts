import { expect, it } from 'vitest';
import { routeKind } from '../../../src/aaa/route.ts';
import { profileMenu, secretMenu } from '../../../src/aaa/settings.ts';
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
    'name= local-address= remote-address= use-compression=default use-encryption=default only-one=default ' +
      'change-tcp-mss=default session-timeout= idle-timeout= rate-limit= dns-server= wins-server=',
  );
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
