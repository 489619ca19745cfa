/** The licence at its limit: 500 callers for 200 places, and the next one as soon as one leaves. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { ClientHost } from './client-host.io.ts';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';

const callers = 500;
const places = 200;
const sources = Array.from({ length: 10 }, (_, at) => `10.200.0.${100 + at}`);

let site: Site;
let server: Concentrator;
let host: ClientHost;

beforeAll(async () => {
  site = new Site('licence');
  for (const source of sources) site.client.run('ip', 'address', 'add', `${source}/24`, 'dev', site.cable);
  server = await site.startServer(`
/ip pool add name=all ranges=10.77.0.0/16
/ppp profile add name=all local-address=10.78.0.1 remote-address=all
/ppp secret add name=anybody password=x profile=all
/system license set level=level3
/interface pptp-server server set enabled=yes`);
  host = await ClientHost.start(site.client, { interfaces: 'none', sources });
}, 60_000);

afterAll(async () => {
  await host?.stop();
  await site?.remove();
});

test('exactly 200 of 500 callers at once come up, and one more once one has left', {
  timeout: 120_000,
}, async () => {
  const up = new Set<Dialer>();
  const refused = new Set<string>();
  let told: () => void = () => {};
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>((something) => (told = something));
  };
  const dial = (name: string): void => {
    const connectTo = { address: parseIpv4(addresses.server) ?? 0 };
    const choice = { name, user: 'anybody', password: new Password('x'), connectTo };
    const dialer = host.dial(choice, (_severity, _topics, text) => {
      if (/: connected, /.test(text)) up.add(dialer);
      if (/refused by the peer/.test(text)) refused.add(name);
      told();
    });
  };
  for (let at = 0; at < callers; at += 1) dial(`c${at}`);
  await until(() => up.size >= places && refused.size >= callers - places);
  expect(up.size).toBe(places);
  expect((await server.line(/refused: the licence/)).msg).toMatch(
    /refused: the licence is used up: level3 allows 200 tunnels$/,
  );

  const [leaving] = up;
  await new Promise<void>((ended) => leaving?.end('client-disabled', ended));
  const leftAtMs = performance.now();
  // The others dial on, each after his own pause: one of them may be first.
  dial('next');
  await until(() => up.size > places);
  console.log(`the next one is in ${(performance.now() - leftAtMs).toFixed()} ms after one left`);
  expect(up.size).toBe(places + 1);
});
