/** The menus of RADIUS: RouterOS's properties and defaults, our own, and what is refused. */

import { describe, expect, it } from 'vitest';
import { type AnyMenu, Refusal } from '../../../src/base/setting.ts';
import { parseAddress, withPort } from '../../../src/radius/address.ts';
import { radiusIncomingMenu, radiusMenu } from '../../../src/radius/settings.ts';
import { server } from './world.ts';

/** `name=value` of every row, as `print` would show the defaults. */
function printed(menu: AnyMenu): string {
  return menu.settings
    .filter(({ name }) => name !== 'comment')
    .map(({ name, kind, default: value }) => `${name}=${kind.format(value)}`)
    .join(' ');
}

describe('/radius', () => {
  it("has RouterOS's properties and defaults, and ours", () => {
    expect(printed(radiusMenu as unknown as AnyMenu)).toBe(
      'service= called-id= domain= address=0.0.0.0 secret= authentication-port=1812 accounting-port=1813 ' +
        'timeout=1s100ms radsec-timeout=3s300ms radsec-port=2083 accounting-backup=no realm= src-address=0.0.0.0 ' +
        'protocol=udp certificate= ca-certificate= server-name= require-message-auth=auto weight=0 backup=no ' +
        'requests-max=128 disabled=no',
    );
  });

  it('takes a timeout in milliseconds, and prints it so', () => {
    const { kind } = radiusMenu.rows.timeout;

    expect(kind.parse('300ms')).toBe(300);
    expect(kind.format(1_100)).toBe('1s100ms');
    expect(kind.parse('5ms')).toBeInstanceOf(Refusal);
  });

  it('takes `yes` for `yes-for-request-resp`', () => {
    expect(radiusMenu.rows.requireMessageAuth.kind.parse('yes')).toBe('yes-for-request-resp');
  });

  it('hides the secret from whoever prints the values', () => {
    const { kind, sensitive } = radiusMenu.rows.secret;
    const typed = kind.parse('pass "word"');

    expect(sensitive).toBe(true);
    expect(`${typed} ${JSON.stringify(typed)}`).not.toContain('word');
    expect(typed instanceof Refusal ? '' : kind.format(typed)).toBe('pass "word"');
  });

  it.each([
    ['address', { address: '0.0.0.0' }],
    ['address', { address: '::' }],
    ['srcAddress', { srcAddress: '2001:db8::1' }],
    ['certificate', { protocol: 'radsec' }],
  ] as const)('refuses a server whose %s cannot be', (argument, settings) => {
    expect(radiusMenu.check?.(server(settings))?.argument).toBe(argument);
    expect(radiusMenu.check?.(server())).toBeUndefined();
  });
});

it("/radius incoming has RouterOS's properties and defaults", () => {
  expect(printed(radiusIncomingMenu as unknown as AnyMenu)).toBe('accept=no port=3799');
});

describe('an address', () => {
  // RFC 4291 section 2.2, RFC 5952 section 4.
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:13.1.68.3', '::d01:4403'],
    ['::ffff:129.144.52.38', '::ffff:8190:3426'],
    ['10:0:0:5:6:7:8:9', '10::5:6:7:8:9'],
    ['fe80:0:0:0:0:0:0:10', 'fe80::10'],
  ])('%s is %s', (typed, canonical) => {
    expect(parseAddress(typed)).toBe(canonical);
    expect(parseAddress(canonical)).toBe(canonical);
  });

  it.each([
    '',
    ':',
    ':::',
    '1.2.3',
    '1.2.3.256',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::1.2.3.4.5',
    '1.2.3.4::',
    'radius.example.net',
  ])('is not %j', (typed) => {
    expect(parseAddress(typed)).toBeUndefined();
  });

  it('has brackets before a port if it is IPv6', () => {
    expect([withPort('192.0.2.1', 1812), withPort('::1', 1812)]).toEqual(['192.0.2.1:1812', '[::1]:1812']);
  });
});
