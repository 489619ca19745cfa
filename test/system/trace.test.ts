/**
 * "One user cannot connect": an engineer traces him with `pptpctl` on a node that runs, and reads what the user's caller and FreeRADIUS say
 * to it, from the first message to the last packet of accounting.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { Follower } from './follower.io.ts';
import { FreeRadius } from './freeradius.io.ts';
import { typed } from './typed.io.ts';

const secret = 'Shared-Words-31';
const timeout = 60_000;

let site: Site;
let server: Concentrator;
let radius: FreeRadius;
let trace: Follower;
let client: Concentrator;

beforeAll(async () => {
  site = new Site('trace');
  radius = await FreeRadius.start({
    namespace: site.server,
    secret,
    users: [
      { name: 'jack', password: 'Zebra-17', reply: ['Framed-IP-Address = 10.77.0.9', 'Class = 0x0102'] },
    ],
  });
  server = await site.startServer(`
/ppp profile set default-encryption local-address=10.77.0.1 use-encryption=required
/ppp secret add name=jill password=Zebra-18 local-address=10.77.0.1 remote-address=10.77.0.10
/radius add service=ppp address=127.0.0.1 secret=${secret}
/ppp aaa set use-radius=yes accounting=yes
/interface pptp-server server set enabled=yes authentication=mschap2`);
}, timeout);
afterAll(async () => {
  await radius?.remove();
  await site?.remove();
});
afterEach(async () => {
  await client?.end();
});

async function follow(what: string): Promise<void> {
  trace = new Follower(server, `/ppp trace ${what}`);
  await trace.line(/^;;; tracing/);
}

function dial(user: string, password: string): void {
  const entry = `add name=out user=${user} password=${password} connect-to=${addresses.server} disabled=no`;
  client = site.start(site.client, `/interface pptp-client ${entry}`);
}

/** That each of `patterns` is said, one behind the other. */
function expectInOrder(patterns: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const at = trace.lines.findIndex((line, place) => place >= from && pattern.test(line));
    expect(at, `${pattern} behind line ${from} of\n${trace.lines.join('\n')}`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
}

describe('a user who is traced before he calls', () => {
  test('from his first message through RADIUS, MPPE and his address to the Stop of his session', {
    timeout,
  }, async () => {
    await follow('jack');
    dial('jack', 'Zebra-17');
    await client.line(/^out: connected/);
    await client.end();
    await trace.line(/Acct-Terminate-Cause/);
    await trace.line(/received Accounting-Response with id \d+ from 127\.0\.0\.1:1813$/);
    await trace.end();

    expectInOrder([
      /^\d\d:\d\d:\d\d\.\d{3} pptp,info TCP connection established from 10\.200\.0\.2$/,
      /pptp,debug,packet rcvd Start-Control-Connection-Request from 10\.200\.0\.2 protocol-version=1\.0 .*host-name=/,
      /pptp,debug,packet sent Start-Control-Connection-Reply to 10\.200\.0\.2 .* result-code=1 \(success/,
      /pptp,debug,packet rcvd Outgoing-Call-Request from 10\.200\.0\.2 call-id=\d+ /,
      /pptp,debug,packet sent Outgoing-Call-Reply to 10\.200\.0\.2 call-id=\d+ peers-call-id=\d+ result-code=1 \(connected\)/,
      /pptp,ppp,debug <pptp-\d+>: ringing -> linking$/,
      /pptp,ppp,debug,packet <pptp-\d+>: sent LCP ConfReq id=0x1 <mru 1450> <auth mschap2> <magic 0x[\da-f]+>/,
      /pptp,ppp,debug,packet <pptp-\d+>: sent LCP ConfAck id=0x1 /,
      /pptp,ppp,debug,packet <pptp-\d+>: sent CHAP Challenge id=0x[\da-f]+ <challenge len=16> /,
      /pptp,ppp,debug,packet <pptp-\d+>: rcvd CHAP Response id=0x[\da-f]+ <response len=49> <name "jack">$/,
      /radius,debug,packet sending Access-Request with id \d+ to 127\.0\.0\.1:1812$/,
      /radius,debug,packet {5}User-Name = "jack"$/,
      /radius,debug,packet {5}MS-CHAP2-Response = hidden, 50 octets$/,
      /radius,debug,packet received Access-Accept with id \d+ from 127\.0\.0\.1:1812$/,
      /pptp,ppp,debug,packet <pptp-\d+>: sent CHAP Success id=0x[\da-f]+ "S=hidden/,
      /pptp,ppp,info <pptp-jack>: authenticated$/,
      /pptp,ppp,debug,packet <pptp-jack>: sent CCP ConfReq id=0x1 <mppe \+H -M \+S -L -D -C>$/,
      /pptp,ppp,debug,packet <pptp-jack>: rcvd CCP ConfAck id=0x[\da-f]+ <mppe \+H -M \+S -L -D -C>$/,
      /pptp,ppp,debug,packet <pptp-jack>: sent IPCP ConfNak id=0x1 <addr 10\.77\.0\.9>$/,
      /pptp,ppp,debug,packet <pptp-jack>: sent IPCP ConfAck id=0x2 <addr 10\.77\.0\.9>$/,
      /pptp,ppp,debug <pptp-jack>: networking -> up$/,
      /pptp,ppp,info <pptp-jack>: using encoding - MPPE128 stateless$/,
      /pptp,ppp,account,info jack logged in, 10\.77\.0\.9 from 10\.200\.0\.2$/,
      /pptp,ppp,debug,packet <pptp-jack>: rcvd LCP TermReq id=0x/,
      /pptp,ppp,info <pptp-jack>: terminating\.\.\. - terminated by the peer/,
      /pptp,ppp,debug,packet <pptp-jack>: sent LCP TermAck id=0x/,
      /pptp,ppp,debug <pptp-jack>: ending -> ended$/,
      /pptp,ppp,account,info jack logged out, /,
    ]);
    // Accounting goes its own way.
    expectInOrder([
      /sending Accounting-Request with id \d+ to 127\.0\.0\.1:1813$/,
      / {5}User-Name = "jack"$/,
      / {5}Class = 0x0102$/,
      / {5}Acct-Status-Type = 1$/,
      /received Accounting-Response with id \d+ from 127\.0\.0\.1:1813$/,
      / {5}Acct-Status-Type = 2$/,
      / {5}Acct-Terminate-Cause = 1$/,
    ]);
    expect(trace.lines.filter((line) => line.includes('not shown'))).toEqual([]);
  });

  test('who has forgotten his password, with the server that says so', { timeout }, async () => {
    await follow('user=jack');
    dial('jack', 'Forgotten-1');
    await trace.line(/terminating\.\.\./);
    await trace.end();

    expectInOrder([
      /sending Access-Request with id \d+ to /,
      /received Access-Reject with id \d+ from 127\.0\.0\.1:1812$/,
      / {5}MS-CHAP-Error = "\S*E=691 R=\d C=hidden V=3/,
      /pptp,ppp,account,error login failure for user jack from 10\.200\.0\.2 via pptp: /,
      /<pptp-\d+>: sent CHAP Failure id=0x[\da-f]+ "E=691 /,
      /<pptp-\d+>: terminating\.\.\. - authentication failed/,
    ]);
  });

  test('alone, while others call; by his address, or by his interface', { timeout }, async () => {
    const others = new Follower(server, '/ppp trace jack');
    await others.line(/^;;; tracing/);
    await follow(`interface=<pptp-jill> caller-id=${addresses.client}`);
    dial('jill', 'Zebra-18');
    await trace.line(/jill logged in/);
    await others.end();
    await trace.end();

    expect(others.lines).toEqual([';;; tracing user=jack']);
    expectInOrder([
      / rcvd Start-Control-Connection-Request /,
      / rcvd CHAP Response .*"jill"/,
      / sent CCP ConfAck /,
    ]);
    expect(trace.lines.filter((line) => line.includes('radius'))).not.toContainEqual(
      expect.stringContaining('Access-Request'),
    );
  });

  test('for as long as was said', { timeout }, async () => {
    expect(await typed(server, '/ppp trace jack duration=1s')).toBe(';;; tracing user=jack\n');
  });
});
