import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { defaultsOf, Refusal } from '../../../src/base/setting.ts';
import { delegationOf, publicationOf } from '../../../src/dns/publication.ts';
import { type PublishSettings, publishMenu } from '../../../src/dns/settings.ts';

/** The settings that an operator gets who types these words. */
function typed(words: Readonly<Record<string, string>>): PublishSettings {
  const values: Record<string, unknown> = { ...defaultsOf(publishMenu) };
  for (const [name, text] of Object.entries(words)) {
    const setting = publishMenu.named.get(name);
    const value = setting?.kind.parse(text);
    if (setting === undefined || value instanceof Refusal) throw new Error(`${name}=${text}`);
    values[setting.key] = value;
  }
  return values as PublishSettings;
}

const updating = {
  name: 'vpn.example.net',
  zone: 'example.net',
  'dns-server': '192.0.2.53',
  'key-name': 'pptp.key',
  key: 'AQIDBA==',
};
const responding = {
  name: 'vpn.example.net',
  respond: 'yes',
  'name-servers': 'ns1.example.net,ns2.example.net',
};

/** Which argument is at fault, and why. */
function refused(words: Readonly<Record<string, string>>): string | undefined {
  const fault = publishMenu.check?.(typed(words));
  return fault && `${fault.argument}: ${fault.refusal.wording(fault.argument)}`;
}

describe('settings', () => {
  it('publish nothing unless a name is set', () => {
    const nothing = typed({});

    expect(publishMenu.check?.(nothing)).toBeUndefined();
    expect(publicationOf(nothing, 1)).toBeUndefined();
    expect(delegationOf(nothing)).toBeUndefined();
  });

  it('say where updates go, signed with what, about what', () => {
    expect(refused(updating)).toBeUndefined();
    expect(publicationOf(typed({ ...updating, ttl: '1m' }), parseIpv4('192.0.2.1'))).toEqual({
      place: { zone: 'example.net', name: 'vpn.example.net', ttlMs: 60_000, address: parseIpv4('192.0.2.1') },
      key: { name: 'pptp.key', algorithm: 'hmac-sha256', secret: Uint8Array.of(1, 2, 3, 4) },
      server: { host: '192.0.2.53', port: 53 },
    });
  });

  it('prefer the address that clients reach to the one that the node has', () => {
    const behindNat = typed({ ...updating, address: '203.0.113.7', 'dns-server': 'ns.example.net' });

    expect(publicationOf(behindNat, 1)).toMatchObject({
      place: { address: parseIpv4('203.0.113.7') },
      server: { host: 'ns.example.net' },
    });
    expect(publicationOf(typed(updating), undefined)).toBeUndefined();
  });

  it('say what this node answers for', () => {
    expect(refused(responding)).toBeUndefined();
    expect(delegationOf(typed(responding))).toEqual({
      name: 'vpn.example.net',
      ttlMs: 30_000,
      nameServers: ['ns1.example.net', 'ns2.example.net'],
      addressesPerAnswer: 2,
    });
    expect(delegationOf(typed({ ...responding, respond: 'no' }))).toBeUndefined();
  });

  it('print what was typed', () => {
    for (const [name, text] of Object.entries({ ...updating, ...responding })) {
      const kind = publishMenu.named.get(name)?.kind;

      expect(kind?.format(kind.parse(text) as never), name).toBe(text);
    }
  });

  it.each([
    ['zone', { ...updating, zone: 'example.org' }, 'zone: failure: the name is not in the zone'],
    ['a key name', { ...updating, 'key-name': undefined }, 'keyName: failure: updates need a key'],
    ['a key', { ...updating, key: undefined }, 'key: failure: updates need a key'],
    [
      'name servers',
      { ...responding, 'name-servers': undefined },
      'nameServers: failure: a name that is delegated has name servers',
    ],
    [
      'name servers that are found elsewhere',
      { ...responding, 'name-servers': 'ns1.vpn.example.net' },
      'nameServers: failure: a name server is called neither like the name nor like something below it',
    ],
  ])('need %s', (_, words, why) => {
    const said = Object.entries(words).filter((pair): pair is [string, string] => pair[1] !== undefined);

    expect(refused(Object.fromEntries(said))).toBe(why);
  });

  it.each(['AQID BA==', 'AQIDBA=', 'secret!!'])('take no key that is not base64: %j', (text) => {
    expect(publishMenu.named.get('key')?.kind.parse(text)).toBeInstanceOf(Refusal);
  });
});
