import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { type Ipv4, parseIpv4 } from '../../../src/base/ip.ts';
import { silent } from '../../../src/base/observe.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { Secret } from '../../../src/base/secret.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import { emptyMessage, encodeMessage } from '../../../src/dns/message.ts';
import { type ListeningPlace, Presence, type Reply } from '../../../src/dns/presence.ts';
import { type PublishSettings, publishMenu } from '../../../src/dns/settings.ts';
import type { Key } from '../../../src/dns/tsig.ts';
import { NameServer } from './name-server.ts';

const key: Key = { name: 'pptp.key', algorithm: 'hmac-sha256', secret: Uint8Array.of(1, 2, 3) };
const [first, second] = ['192.0.2.1', '192.0.2.2'].map((text) => parseIpv4(text) ?? 0) as [Ipv4, Ipv4];

const updating: PublishSettings = {
  ...defaultsOf(publishMenu),
  name: 'vpn.example.net',
  zone: 'example.net',
  dnsServer: { hostName: 'ns.example.net' },
  keyName: 'pptp.key',
  key: new Secret('AQID'),
};
const responding: PublishSettings = { ...updating, respond: true, nameServers: ['ns1.example.net'] };

function presence() {
  const clock = new VirtualClock();
  const server = new NameServer(key, clock, seededRandom(1));
  const listeners: (ListeningPlace & { reply: Reply; isClosed: boolean })[] = [];
  const own = new Presence({
    clock,
    random: seededRandom(2),
    log: silent,
    isWanted: () => true,
    deadAddresses: () => [],
    members: () => [{ address: first, weight: 1, isReady: true }],
    ownAddress: () => first,
    lineTo: () => server.openLine,
    listen(place, reply) {
      const listener = { ...place, reply, isClosed: false };
      listeners.push(listener);
      return {
        close: () => {
          listener.isClosed = true;
        },
      };
    },
  });
  const configure = (settings: PublishSettings): void => {
    own.configure(settings);
    clock.advance(5_000);
  };
  return { clock, server, listeners, own, configure, records: () => [...server.records] };
}

describe('the presence of a node', () => {
  it('is nothing until it is configured', () => {
    const { own, configure, listeners, records } = presence();

    configure(defaultsOf(publishMenu));

    expect(own.monitor).toBeUndefined();
    expect(listeners).toEqual([]);
    expect(records()).toEqual([]);
  });

  it('is its address, and another one once the settings say so', () => {
    const { own, configure, records } = presence();

    configure(updating);
    expect(records()).toEqual([first]);
    configure({ ...updating, address: second });

    expect(records()).toEqual([second]);
    expect(own.monitor?.state).toBe('published');
  });

  it('does not move when the settings say what they said', () => {
    const { server, configure } = presence();
    configure(updating);
    const { queries, updates } = server;

    configure({ ...updating, key: new Secret('AQID') });

    expect({ queries: server.queries, updates: server.updates }).toEqual({ queries, updates });
  });

  it('ends where nothing is configured any more', () => {
    const { own, configure, listeners, records } = presence();
    configure(responding);

    configure(defaultsOf(publishMenu));

    expect(own.monitor).toBeUndefined();
    expect(records()).toEqual([]);
    expect(listeners).toMatchObject([{ isClosed: true }]);
  });

  it('keeps its port for queries while only what it says changes', () => {
    const { configure, listeners } = presence();
    const query = encodeMessage({
      ...emptyMessage(1, 0),
      questions: [{ name: 'new.example.net', type: 1, class: 1 }],
    });
    configure(responding);
    expect(listeners[0]?.reply(query, 'udp')?.[3]).toBe(5);

    configure({ ...responding, name: 'new.example.net' });
    expect(listeners).toMatchObject([{ port: 53, isClosed: false }]);
    expect(listeners[0]?.reply(query, 'udp')?.[3]).toBe(0);
    configure({ ...responding, respondPort: 5_353 });

    expect(listeners).toMatchObject([{ isClosed: true }, { port: 5_353, isClosed: false }]);
  });

  it('takes the last of several settings that come at once', () => {
    const { own, configure, records, clock } = presence();
    configure(updating);

    own.configure({ ...updating, address: 1 });
    own.configure({ ...updating, address: second });
    clock.advance(5_000);

    expect(records()).toEqual([second]);
  });

  it('ends in order, also in the middle of a change', () => {
    const { own, configure, records, clock } = presence();
    configure(updating);
    let ended = 0;

    own.configure({ ...updating, address: second });
    own.close(() => {
      ended += 1;
    });
    own.configure(responding);
    clock.advance(5_000);

    expect(ended).toBe(1);
    expect(records()).toEqual([]);
  });
});
