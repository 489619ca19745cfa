/**
 * Every strength of MPPE, stateless and stateful, with the keys of either MS-CHAP, the real engine at both ends. No setting of the menus chooses one, so
 * the client is composed here, of the same parts as in main.ts, with a policy that allows just the one.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import type { PasswordMethod } from '../../src/ppp/auth/method.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { type MppePolicy, mppeBits } from '../../src/ppp/ccp/options.ts';
import { ClientHost } from './client-host.io.ts';
import { addresses, type Concentrator, type Line, Site } from './concentrator.io.ts';
import { octetsOutOf } from './links.io.ts';
import { iperf, ping } from './traffic.io.ts';

const inner = '10.77.0.1';
const modes = (['mschap1', 'mschap2'] as const).flatMap((method) =>
  mppeBits.flatMap((bits) =>
    (['never', 'only'] as const).map((stateful) => ({
      method,
      bits,
      stateful,
      encoding: `MPPE${bits} ${stateful === 'never' ? 'stateless' : 'stateful'}`,
    })),
  ),
);

let site: Site;
let server: Concentrator;
let host: ClientHost;
let agreed: Line | undefined;

beforeAll(async () => {
  site = new Site('ciphers');
  server = await site.startServer(`
/ppp profile add name=encrypted local-address=${inner} remote-address=10.77.0.2 use-encryption=required
/ppp secret add name=test password=secret profile=encrypted
/interface pptp-server server set enabled=yes authentication=mschap1,mschap2`);
  host = await ClientHost.start(site.client);
}, 60_000);

afterAll(async () => {
  await host?.stop();
  await site.remove();
});

test.for(modes)(
  '$method with $encoding carries ping, TCP and UDP',
  { timeout: 60_000 },
  async ({ method, bits, stateful, encoding }) => {
    const { dialer, lines } = dial(method, { strengths: new Set([bits]), stateful });

    await lines.said(/^tunnel: connected,/);
    expect(lines.all).toContain(`tunnel: using encoding - ${encoding}`);
    agreed = await server.line(/using encoding/, agreed);
    expect(agreed.msg).toMatch(new RegExp(`${encoding}$`));
    expect(await ping(site.client, inner, { count: 10 })).toEqual({ sent: 10, received: 10 });
    for (const direction of [[], ['--reverse']]) {
      expect(await iperf(site.client, site.server, inner, '-n', '8M', ...direction)).toBeGreaterThan(2 ** 22);
    }
    const datagrams = ['--udp', '--bitrate', '10M', '--length', '1200', '-n', '240K'];
    const before = octetsOutOf(site.server, '<pptp-test>');
    await iperf(site.client, site.server, inner, ...datagrams);
    expect(octetsOutOf(site.server, '<pptp-test>') - before).toBeGreaterThan(0.9 * 240 * 2 ** 10);

    await new Promise<void>((ended) => dialer.end('client-disabled', ended));
  },
);

/** Our client with this method and policy, dialling. */
function dial(method: PasswordMethod, mppe: MppePolicy): { dialer: Dialer; lines: Lines } {
  const lines = new Lines();
  const choice = {
    name: 'tunnel',
    connectTo: { address: parseIpv4(addresses.server) ?? 0 },
    user: 'test',
    password: new Password('secret'),
    allow: [method],
  };
  const dialer = host.dial(choice, (_severity, _topics, text) => lines.add(text), {}, mppe);
  return { dialer, lines };
}

/** What a log was told, and who waits for a line of it. */
class Lines {
  readonly all: string[] = [];
  #awaited: { pattern: RegExp; found: () => void } | undefined;

  add(text: string): void {
    this.all.push(text);
    if (this.#awaited?.pattern.test(text)) this.#awaited.found();
  }

  said(pattern: RegExp): Promise<void> {
    if (this.all.some((text) => pattern.test(text))) return Promise.resolve();
    return new Promise((found) => {
      this.#awaited = { pattern, found };
    });
  }
}
