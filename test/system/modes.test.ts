/**
 * Our client against our server, with the real engine at both ends: every authentication method with every wish for encryption
 * carries traffic, and what must not come up does not. MPPE of 40 and 56 bit and stateful is in ciphers.test.ts, because no
 * setting chooses it.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addresses, type Concentrator, type Line, Site } from './concentrator.io.ts';
import { octetsOutOf, tunnelsOf } from './links.io.ts';
import { iperf, ping } from './traffic.io.ts';

const methods = ['pap', 'chap', 'mschap1', 'mschap2'] as const;
const shortNames = { pap: 'pap', chap: 'chap', mschap1: 'ms1', mschap2: 'ms2' } as const;
const wishes = ['no', 'yes', 'required'] as const;

/** Only MS-CHAP gives MPPE its keys (RFC 3079): the other methods are in clear, and cannot come up where that is forbidden. */
const modes = methods.flatMap((method, row) =>
  wishes.map((wish, column) => {
    const hasKeys = method.startsWith('mschap');
    const isEncrypted = hasKeys && wish !== 'no';
    const network = `10.77.${10 * row + column}`;
    return {
      method,
      wish,
      user: `${shortNames[method]}-${wish.slice(0, 3)}`,
      comesUp: hasKeys || wish !== 'required',
      encoding: isEncrypted ? 'MPPE128 stateless' : 'none',
      mtu: isEncrypted ? 1446 : 1450,
      server: `${network}.1`,
      client: `${network}.2`,
    };
  }),
);

const profiles = `/ppp profile
add name=no use-encryption=no
add name=yes use-encryption=yes
add name=required use-encryption=required
`;

const serverScript = `${profiles}/ppp secret
${modes
  .map(
    ({ user, wish, server, client }) =>
      `add name=${user} password=secret profile=${wish} local-address=${server} remote-address=${client}`,
  )
  .join('\n')}
/interface pptp-server server
set enabled=yes authentication=pap,chap,mschap1,mschap2
`;

const datagrams = ['--udp', '--bitrate', '10M', '--length', '1200', '-n', '240K'] as const;

const dial = (user: string, more: string): string =>
  `add name=to-${user} user=${user} password=secret connect-to=${addresses.server} disabled=no ${more}\n`;

describe('every authentication with every encryption', () => {
  const working = modes.filter(({ comesUp }) => comesUp);
  let site: Site;
  let server: Concentrator;
  let client: Concentrator;

  beforeAll(async () => {
    site = new Site('modes');
    server = await site.startServer(serverScript);
    const entries = working.map(({ user, method, wish }) => dial(user, `allow=${method} profile=${wish}`));
    client = site.start(site.client, `${profiles}/interface pptp-client\n${entries.join('')}`);
  }, 60_000);
  afterAll(() => site.remove());

  test.for(working)(
    '$method with use-encryption=$wish carries traffic',
    { timeout: 60_000 },
    async (mode) => {
      const [dynamic, dialled] = [`<pptp-${mode.user}>`, `to-${mode.user}`];
      await server.line(new RegExp(`^${dynamic}: connected`));
      await client.line(new RegExp(`^${dialled}: connected,`));
      for (const [side, name] of [
        [server, dynamic],
        [client, dialled],
      ] as const) {
        const { msg } = await side.line(new RegExp(`^${name}: using encoding`));
        expect(msg).toBe(`${name}: using encoding - ${mode.encoding}`);
      }
      expect(tunnelsOf(site.server).get(dynamic)).toEqual({
        mtu: mode.mtu,
        local: mode.server,
        remote: mode.client,
      });
      expect(tunnelsOf(site.client).get(dialled)).toEqual({
        mtu: mode.mtu,
        local: mode.client,
        remote: mode.server,
      });

      expect(await ping(site.client, mode.server, { count: 10 })).toEqual({ sent: 10, received: 10 });
      // What is still in buffers when iperf3 stops does not count.
      for (const direction of [[], ['--reverse']]) {
        const tcp = await iperf(site.client, site.server, mode.server, '-n', '16M', ...direction);
        expect(tcp).toBeGreaterThan(8 * 2 ** 20);
      }
      // Counted where datagrams leave the tunnel: iperf3 drops what it has not read when the other end says that all is sent.
      const before = octetsOutOf(site.server, dynamic);
      await iperf(site.client, site.server, mode.server, ...datagrams);
      expect(octetsOutOf(site.server, dynamic) - before).toBeGreaterThan(0.9 * 240 * 2 ** 10);
    },
  );
});

describe('what is refused', () => {
  let site: Site;
  let server: Concentrator;

  beforeAll(async () => {
    site = new Site('refusals');
    server = await site.startServer(serverScript);
  }, 60_000);
  afterAll(() => site.remove());

  const dialOnly = (entry: string) => site.start(site.client, `${profiles}/interface pptp-client\n${entry}`);

  test.for(['pap', 'chap'])('%s where encryption is required', { timeout: 60_000 }, async (method) => {
    const client = dialOnly(dial(`${method}-req`, `allow=${method} profile=yes`));
    const end = await server.line(new RegExp(`^<pptp-${method}-req>: terminating`));
    expect(end.msg).toMatch(/ - encryption is required but there are no keys$/);
    expect(end.cause).toBe('encryption-unavailable');
    expect(end.hint).toMatch(/^MPPE needs MS-CHAP: require mschap1 or mschap2/);
    expect((await client.line(/: terminating/)).cause).toBe('peer-terminated');
    await client.end();
  });

  test('a server that does not encrypt, where we require it', { timeout: 60_000 }, async () => {
    const begin = server.lines.at(-1);
    const client = dialOnly(dial('ms2-no', 'profile=required'));
    const end = await client.line(/: terminating/);
    expect(end.cause).toBe('encryption-refused');
    expect(end.hint).toMatch(/^Enable MPPE on the peer/);
    // In full: the line of a call before this one may still be on its way.
    await server.line(/^call from .* ended before it was up - terminated by the peer$/, begin);
    await client.end();
  });

  test.for([
    ['a wrong password', 'ms2-yes', 'the password is wrong'],
    ['an unknown user', 'nobody', 'no such user in /ppp secret'],
  ] as const)('%s; the client dials again, each time later', { timeout: 60_000 }, async ([, user, why]) => {
    const begin = server.lines.at(-1);
    const client = dialOnly(dial(user, '').replace('password=secret', 'password=wrong'));
    const failure = await server.line(/^login failure/, begin);
    expect(failure.msg).toBe(`login failure for user ${user} from ${addresses.client} via pptp: ${why}`);
    expect(failure.level).toBe('error');
    expect((await server.line(/: terminating/, failure)).cause).toBe('authentication-failed');

    const pauses: number[] = [];
    let last: Line | undefined;
    for (const _ of [1, 2]) {
      const end = await client.line(/: terminating\.\.\. - authentication failed/, last);
      expect(end.cause).toBe('authentication-failed');
      last = await client.line(/: dialling/, end);
      pauses.push(Date.parse(last.time) - Date.parse(end.time));
    }
    expect(pauses[0]).toBeGreaterThanOrEqual(1_000);
    expect(pauses[1]).toBeGreaterThanOrEqual(2_000);
    await client.end();
  });
});
