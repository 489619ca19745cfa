import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../src/base/bytes.ts';
import {
  authenticationOption,
  type Method,
  methodOfOption,
  methodsByStrength,
  strongest,
} from '../../../../src/ppp/auth/method.ts';
import { Password } from '../../../../src/ppp/auth/password.ts';

it.each([
  ['eap', 'c227'],
  ['pap', 'c023'],
  ['chap', 'c22305'],
  ['mschap1', 'c22380'],
  ['mschap2', 'c22381'],
] as const)('asks for %s by %s', (method, value) => {
  expect(toHex(authenticationOption(method))).toBe(value);
  expect(methodOfOption(fromHex(value))).toBe(method);
});

it.each(['', 'c0', 'c22705', 'c229', 'c223', 'c22306', 'c02300', 'c2238100'])(
  'knows no method behind "%s"',
  (value) => {
    expect(methodOfOption(fromHex(value))).toBeUndefined();
  },
);

it('prefers the strongest method of those allowed', () => {
  const allowed = new Set<Method>();
  const chosen = methodsByStrength.toReversed().map((method) => strongest(allowed.add(method)));

  expect(strongest(new Set<Method>())).toBeUndefined();
  expect(chosen).toEqual(['pap', 'chap', 'mschap1', 'mschap2', 'eap']);
});

it('shows a password to nobody who does not ask for it', () => {
  const password = new Password('secret');

  const shown = [
    `${password}`,
    JSON.stringify({ password }),
    inspect(password, { showHidden: true, depth: 9 }),
  ];

  expect(shown.join()).not.toContain('secret');
  expect(password.reveal()).toBe('secret');
});
