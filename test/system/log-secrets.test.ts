/**
 * The log and a trace at their most talkative, on a day on which everything happens: no password, no shared secret and no key is in them,
 * of proofs nothing is in a trace that a password could be guessed by, and every line about a session says which.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { events } from '../../src/session/events.ts';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { Follower } from './follower.io.ts';
import { FreeRadius } from './freeradius.io.ts';

const secrets = {
  password: 'Zebra-Pass-17',
  wrong: 'Wrong-Guess-23',
  ofRadius: 'Shared-Words-31',
  local: 'Local-Pass-41',
  ofApi: 'Operator-Pass-53',
} as const;

const script = `
/ip pool add name=far ranges=10.77.0.10-10.77.0.250
/ppp profile set default-encryption local-address=10.77.0.1 remote-address=far use-encryption=yes
/ppp secret add name=local password=${secrets.local}
/radius add service=ppp address=127.0.0.1 secret=${secrets.ofRadius}
/radius incoming set accept=yes
/user add name=operator group=full password=${secrets.ofApi}
/ppp aaa set use-radius=yes
/interface pptp-server server set enabled=yes authentication=pap,chap,mschap1,mschap2`;
/** Everything that it has to say. */
const more = ['--log', 'debug'];

let site: Site;
let server: Concentrator;
let radius: FreeRadius;

beforeAll(async () => {
  site = new Site('log-secrets');
  radius = await FreeRadius.start({
    namespace: site.server,
    secret: secrets.ofRadius,
    users: [{ name: 'jack', password: secrets.password }],
  });
  server = site.start(site.server, script, { more });
  await server.line(/^listening on TCP 1723/);
}, 60_000);
afterAll(async () => {
  await radius?.remove();
  await site?.remove();
});

function dial(user: string, password: string, method: string): Concentrator {
  return site.start(
    site.client,
    `/interface pptp-client add name=out connect-to=${addresses.server} user=${user} password=${password} allow=${method} disabled=no`,
    { more },
  );
}

test('no secret is ever told, and every line of a session has its Acct-Session-Id', {
  timeout: 120_000,
}, async () => {
  const clients: Concentrator[] = [];
  const trace = new Follower(server, `/ppp trace caller-id=${addresses.client}`);
  await trace.line(/^;;; tracing/);
  for (const method of ['pap', 'chap', 'mschap1', 'mschap2']) {
    const client = dial('jack', secrets.password, method);
    clients.push(client);
    await client.line(/^out: connected,/);
    await client.end();
  }
  for (const method of ['pap', 'mschap2']) {
    const client = dial('jack', secrets.wrong, method);
    clients.push(client);
    await client.line(/^out: terminating/);
    await client.end();
  }
  const staying = dial('local', secrets.local, 'mschap2');
  clients.push(staying);
  await staying.line(/^out: connected,/);
  await trace.line(/ local logged in,/);
  await trace.end();
  // Control dies, and the next one reads the keys out of the engine.
  await server.kill();
  const next = site.start(site.server, script, { directory: server.directory, more });
  await next.line(/^sessions of the control process before this one go on/);
  next.rewrite('/ppp secret add name=local password=');
  await next.reload();
  await staying.end();
  await next.line(/^local logged out/);
  await next.end();

  const traced = trace.lines.join('\n');
  for (const what of [
    'PAP AuthReq',
    'CHAP Response',
    'CHAP Success',
    'User-Password',
    'MS-CHAP2-Response',
    'MS-MPPE-Recv-Key',
  ])
    expect(traced).toContain(what);
  // A challenge, a response, a key: none is shorter. Magic numbers are, and so is an Acct-Session-Id.
  expect(traced.match(/[\da-f]{32,}/gi)).toBeNull();
  const said = [server, next, ...clients]
    .map(({ lines, output }) => JSON.stringify(lines) + output)
    .concat(traced)
    .join('\n');
  for (const [what, secret] of Object.entries(secrets)) {
    const spellings = [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64')];
    expect([what, spellings.filter((spelling) => said.includes(spelling))]).toEqual([what, []]);
  }
  const ofSessions = [...server.lines, ...next.lines].filter(({ msg }) =>
    /^<pptp-|logged (in|out)|login failure/.test(msg),
  );
  expect(ofSessions.length).toBeGreaterThan(30);
  expect(ofSessions.filter((line) => (line as { sessionId?: string }).sessionId === undefined)).toEqual([]);
  const codes = new Set(server.lines.map((line) => (line as { event?: string }).event));
  for (const code of ['connection-opened', 'session-up', 'session-ending', 'session-ended', 'login-failed'])
    expect(codes).toContain(code);
  const unknown = [...codes].filter((code) => code !== undefined && !(code in events));
  expect(unknown).toEqual([]);
  const logins = ofSessions.filter(({ msg }) => /^jack logged in/.test(msg));
  for (const login of logins) expect((login as { user?: string }).user).toBe('jack');
});
