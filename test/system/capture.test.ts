/**
 * A whole session as Wireshark reads it: from Start-Control-Connection-Request to Stop-Control-Connection-Reply nothing is malformed,
 * and everything comes in the order that RFC 2637 and RFC 1661 have.
 */

import { expect, onTestFinished, test } from 'vitest';
import { capture, dissect, type Row } from './capture.io.ts';
import { addresses, Site } from './concentrator.io.ts';
import { iperf, ping } from './traffic.io.ts';

/** A warning or worse of any dissector, but for what TCP's says of a segment that came late: a busy machine does that. */
const complaint = '_ws.malformed or (_ws.expert.severity >= 0x600000 and not _ws.expert.group == 0x2000000)';

const controlMessages = [
  'Start-Control-Connection-Request',
  'Start-Control-Connection-Reply',
  'Outgoing-Call-Request',
  'Outgoing-Call-Reply',
  'Call-Clear-Request',
  'Call-Disconnect-Notify',
  'Stop-Control-Connection-Request',
  'Stop-Control-Connection-Reply',
];

/** What is seen of PPP, in the order in which each is seen first. */
const beginning = [
  'LCP Configuration Request',
  'LCP Configuration Ack',
  'CHAP Challenge',
  'CHAP Response',
  'CHAP Success',
];
const addressing = ['IPCP Configuration Request', 'IPCP Configuration Ack'];
const ending = ['LCP Termination Request', 'LCP Termination Ack'];

test.for([
  { wish: 'no', middle: [...addressing, 'ICMP Echo', 'TCP'] },
  {
    wish: 'required',
    middle: ['CCP Configuration Request', 'CCP Configuration Ack', ...addressing, 'Comp Compressed data'],
  },
])('a session with use-encryption=$wish', { timeout: 60_000 }, async ({ wish, middle }) => {
  const site = new Site('capture');
  onTestFinished(() => site.remove());
  const wire = await capture(
    site.server,
    site.cable,
    'tcp port 1723 or proto gre',
    site.client,
    addresses.server,
  );
  const profile = `/ppp profile add name=one use-encryption=${wish}\n`;
  const server = await site.startServer(
    `${profile}/ppp secret
     add name=alice password=secret profile=one local-address=10.77.0.1 remote-address=10.77.0.2
     /interface pptp-server server set enabled=yes`,
  );
  const client = site.start(
    site.client,
    `${profile}/interface pptp-client
     add user=alice password=secret profile=one connect-to=${addresses.server} disabled=no`,
  );
  await client.line(/: connected,/);
  await ping(site.client, '10.77.0.1');
  await iperf(site.client, site.server, '10.77.0.1', '-n', '100K');
  await client.end();
  await server.line(/^alice logged out/);
  const octets = await wire.end();

  expect(await dissect(octets, complaint)).toEqual([]);
  const control = await dissect(octets, 'pptp');
  expect(control.map(({ info }) => info)).toEqual(controlMessages);
  const tunnel = await dissect(octets, 'gre and ppp');
  expect(firstSeen(tunnel)).toEqual([...beginning, ...middle, ...ending]);
});

/** Each kind of packet, in the order in which it is seen first. A Configuration-Nak may or may not be there: who asks first decides. */
function firstSeen(rows: readonly Row[]): string[] {
  const kinds = rows.map(({ protocol, info }) => {
    const kind = protocol.replace(/^PPP /, '');
    return kind === 'TCP' ? kind : `${kind} ${/^\w+ (?:Request|Ack|Nak|Reject|data)|^\w+/.exec(info)?.[0]}`;
  });
  return [...new Set(kinds)].filter((kind) => !kind.endsWith('Nak'));
}
