import { describe, expect, it } from 'vitest';
import { type Level, merge } from '../../../src/aaa/merge.ts';
import { steadyRates } from '../../../src/aaa/rate-limit.ts';
import { profileMenu } from '../../../src/aaa/settings.ts';
import { defaultsOf } from '../../../src/base/setting.ts';

const address = (value: number) => ({ address: value });
const pool = (name: string) => ({ pool: name });
const [slow, fast] = [steadyRates(1e6, 1e6), steadyRates(2e6, 2e6)];

describe('merge of secret, profile and default profile', () => {
  it.each<[string, keyof Level, readonly unknown[], string, unknown]>([
    ['the strongest that speaks', 'rateLimit', [undefined, slow, fast], 'limits.rates', slow],
    ['nobody', 'rateLimit', [undefined, undefined, undefined], 'limits.rates', undefined],
    ['a rate without a limit', 'rateLimit', [steadyRates(0, 0), slow], 'limits.rates', steadyRates(0, 0)],
    ['the strongest chain', 'incomingFilter', [undefined, 'a', 'b'], 'limits.filters.incoming', 'a'],
    ['the strongest chain', 'outgoingFilter', ['a', undefined, 'b'], 'limits.filters.outgoing', 'a'],
    ['nobody', 'outgoingFilter', [undefined], 'limits.filters.outgoing', undefined],
    [
      'the whole list of one level',
      'addressList',
      [[], ['a', 'b'], ['c']],
      'limits.addressLists',
      ['a', 'b'],
    ],
    ['the server', 'encryptionBits', [new Set([128]), undefined], 'encryptionBits', new Set([128])],
    ['nobody', 'encryptionBits', [undefined], 'encryptionBits', undefined],
    ['the strongest bridge', 'bridge', [undefined, 'lan0', 'lan1'], 'bridge', 'lan0'],
    ['the default profile', 'bridge', [undefined, undefined, 'lan1'], 'bridge', 'lan1'],
    ['nobody', 'bridge', [undefined, undefined], 'bridge', undefined],
    ['the server', 'portLimit', [2, undefined], 'portLimit', 2],
    ['the server', 'mtu', [1400, undefined], 'mtu', 1400],
    ['the default profile', 'useEncryption', ['default', 'default', 'required'], 'useEncryption', 'required'],
    ['a `no` above it', 'useEncryption', ['default', 'no', 'required'], 'useEncryption', 'no'],
    ['nobody', 'useEncryption', ['default', 'default', 'default'], 'useEncryption', 'no'],
    ['nobody', 'useCompression', ['default', 'default', 'default'], 'useCompression', false],
    ['nobody', 'onlyOne', ['default', 'default', 'default'], 'onlyOne', false],
    ['the default profile', 'onlyOne', ['default', 'default', 'yes'], 'onlyOne', true],
    ['nobody', 'changeTcpMss', ['default', 'default', 'default'], 'changeTcpMss', true],
    ['the profile', 'changeTcpMss', ['default', 'no', 'yes'], 'changeTcpMss', false],
    [
      'a time of zero, which is none',
      'sessionTimeout',
      [undefined, 0, 60_000],
      'limits.sessionTimeoutMs',
      undefined,
    ],
    ['the default profile', 'idleTimeout', [undefined, undefined, 60_000], 'limits.idleTimeoutMs', 60_000],
    ['the whole list of one level', 'dnsServer', [[], [1], [2, 3]], 'dnsServer', [1]],
    ['nobody', 'winsServer', [[], [], []], 'winsServer', []],
    ['the secret', 'limitBytesIn', [5, undefined, undefined], 'limits.quota.receiveOctets', 5],
    ['nobody', 'limitBytesOut', [0, undefined, undefined], 'limits.quota.transmitOctets', undefined],
    ['the server', 'limitBytesTotal', [7, undefined], 'limits.quota.totalOctets', 7],
    [
      'an address over a pool below',
      'remoteAddress',
      [address(1), pool('a'), pool('b')],
      'remoteAddress',
      address(1),
    ],
    [
      'an address over a pool above',
      'remoteAddress',
      [pool('a'), pool('b'), address(3)],
      'remoteAddress',
      address(3),
    ],
    [
      'the strongest address',
      'localAddress',
      [undefined, address(2), address(3)],
      'localAddress',
      address(2),
    ],
    ['the strongest pool', 'localAddress', [undefined, pool('a'), pool('b')], 'localAddress', pool('a')],
    ['nobody', 'localAddress', [undefined, undefined, undefined], 'localAddress', undefined],
  ])('follows %s for %s %j', (_who, key, said, granted, value) => {
    const grant = merge(
      'p',
      said.map((one) => ({ [key]: one }) as Level),
    );

    expect(grant).toHaveProperty(granted, value);
  });

  it('adds up the routes of all levels, strongest first', () => {
    const route = (metric: number) => ({ destination: { address: 0, length: 0 }, gateway: 0, metric });

    expect(merge('p', [{ routes: [route(1)] }, {}, { routes: [route(2)] }]).routes).toEqual([
      route(1),
      route(2),
    ]);
  });

  it('leaves encryption of the built-in profile `default` to the default profile', () => {
    const [plain, encrypting] = (profileMenu.builtIn ?? []).map(({ values }) => ({
      ...defaultsOf(profileMenu),
      ...values,
    }));

    expect(merge('default', [plain ?? {}, encrypting ?? {}])).toMatchObject({
      useEncryption: 'yes',
      changeTcpMss: true,
      onlyOne: false,
    });
    expect(merge('default', [plain ?? {}, plain ?? {}]).useEncryption).toBe('no');
  });
});
