/**
 * Authentication against a real FreeRADIUS: the authority, the exchange and UDP as they run, credentials as a peer makes them.
 * What must come out is what our own database says of the same proof: let in or not, the same keys, the same words to the peer.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserAuthority } from '../../src/aaa/authority.ts';
import { prove } from '../../src/aaa/proof.ts';
import type { Question } from '../../src/aaa/question.ts';
import { profileMenu } from '../../src/aaa/settings.ts';
import type { Accepted, Refused, Verdict } from '../../src/aaa/verdict.ts';
import { toHex } from '../../src/base/bytes.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import { parseIpv4 } from '../../src/base/ip.ts';
import { silent } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { Secret } from '../../src/base/secret.ts';
import { defaultsOf } from '../../src/base/setting.ts';
import { chapResponse } from '../../src/ppp/auth/chap-md5.ts';
import type { Credentials } from '../../src/ppp/auth/credentials.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { attributeCodec } from '../../src/radius/codec.io.ts';
import { Exchange } from '../../src/radius/exchange.ts';
import { type RadiusServer, radiusMenu } from '../../src/radius/settings.ts';
import { openUdp } from '../../src/radius/udp.io.ts';
import { credentials, passwordMethods } from '../unit/aaa/peer.ts';
import { FreeRadius, type RadiusUser } from './freeradius.io.ts';

const ip = (text: string): number => parseIpv4(text) ?? Number.NaN;

const users: readonly RadiusUser[] = [
  { name: 'ex', password: 'lkjrht' },
  {
    name: 'rich',
    password: 'lkjrht',
    reply: [
      'User-Name = "contract-17"',
      'Framed-IP-Address = 10.0.0.5',
      'Framed-IP-Netmask = 255.255.255.248',
      'Framed-Route = "10.1.0.0/16 0.0.0.0 1"',
      'Framed-Route += "10.2.0.0/16 10.0.0.5 2"',
      'Framed-MTU = 1400',
      'Framed-Pool = "clients"',
      'Filter-Id = "users.in"',
      'Session-Timeout = 3600',
      'Idle-Timeout = 300',
      'Acct-Interim-Interval = 600',
      'Port-Limit = 2',
      'Class = 0x00ff',
      'Class += "second"',
      'Class += 0x03',
      'Reply-Message = "Hello"',
      'MS-Primary-DNS-Server = 192.0.2.53',
      'MS-Secondary-DNS-Server = 192.0.2.54',
      'MS-Primary-NBNS-Server = 192.0.2.55',
      'Mikrotik-Group = "gold"',
      'Mikrotik-Rate-Limit = "1M/2M 2M/4M 1M/2M 5/5"',
      'Mikrotik-Recv-Limit = 5',
      'Mikrotik-Recv-Limit-Gigawords = 1',
      'Mikrotik-Total-Limit = 1000',
      'Mikrotik-Address-List = "debtors"',
      'Mikrotik-Address-List += "tariff"',
      'WISPr-Bandwidth-Max-Up = 1',
      'Ascend-Data-Rate = 2',
      'Cisco-AVPair = "ip:whatever=1"',
    ],
  },
  {
    name: 'wispr',
    password: 'lkjrht',
    reply: ['WISPr-Bandwidth-Max-Up = 1000', 'WISPr-Bandwidth-Max-Down = 2000'],
  },
  { name: 'ascend', password: 'lkjrht', reply: ['Ascend-Data-Rate = 1000', 'Ascend-Xmit-Rate = 2000'] },
  { name: 'broken', password: 'lkjrht', reply: ['Mikrotik-Rate-Limit = "fast"', 'Session-Timeout = 5'] },
  { name: 'login', password: 'lkjrht', reply: ['Service-Type = Login-User'] },
  { name: 'disabled', password: 'lkjrht', check: ['SMB-Account-CTRL-TEXT := "[DU         ]"'] },
  { name: 'expired', password: 'lkjrht', check: ['SMB-Account-CTRL-TEXT := "[Ue         ]"'] },
  { name: 'debtor', reply: ['Reply-Message = "Please pay"'] },
  { name: 'OFFICE\\ex', password: 'lkjrht' },
  { name: 'weak', password: 'lkjrht', reply: ['MS-MPPE-Encryption-Types = 6'] },
];

let server: FreeRadius;
const exchange = new Exchange({
  clock: systemClock,
  random: systemRandom,
  openWire: openUdp,
  log: silent,
});

const profiles = new Map(
  [{ name: 'default', localAddress: { address: ip('10.0.0.1') } }, { name: 'gold' }].map((profile) => [
    profile.name,
    { ...defaultsOf(profileMenu), ...profile },
  ]),
);

const authority = new UserAuthority(
  {
    ask: (query, done) => void exchange.ask(query, done),
    codec: attributeCodec,
    clock: systemClock,
    log: silent,
  },
  { aaa: { useRadius: true }, secrets: new Map(), profiles },
);

function radiusServer(more: Partial<RadiusServer> = {}): RadiusServer {
  return {
    ...defaultsOf(radiusMenu),
    service: ['ppp'],
    address: server.address,
    secret: new Secret(server.secret),
    authenticationPort: server.authenticationPort,
    accountingPort: server.accountingPort,
    ...more,
  };
}

const identity = {
  nas: { identifier: 'node-1', address: ip('203.0.113.1') },
  sessionId: '81a00000',
  nasPort: 1234,
  nasPortId: 'pptp-1234',
  peerAddress: ip('198.51.100.7'),
  localAddress: ip('203.0.113.1'),
  connectInfo: '100000000 bps',
};

function judge(given: Credentials, more: Partial<Question> = {}): Promise<Verdict> {
  const question = { credentials: given, callerId: '198.51.100.7', defaultProfile: 'default', identity };
  return new Promise((judged) => authority.judge({ ...question, ...more }, judged));
}

async function accepted(given: Credentials): Promise<Accepted> {
  const verdict = await judge(given);
  if (!verdict.accept) throw new Error(`not accepted: ${JSON.stringify(verdict)}\n${server.output}`);
  return verdict;
}

async function refused(given: Credentials): Promise<Refused> {
  const verdict = await judge(given);
  if (verdict.accept !== false) throw new Error(`not refused: ${JSON.stringify(verdict)}`);
  return verdict;
}

beforeAll(async () => {
  server = await FreeRadius.start({ users, requireMessageAuthenticator: true, signReplies: true, eap: {} });
  exchange.configure([radiusServer({ requireMessageAuth: 'yes-for-request-resp' })]);
});

afterAll(async () => {
  exchange.close();
  await server?.remove();
});

describe.each(passwordMethods)('by %s', (method) => {
  it('the server lets in who knows the password, with the proof and keys that our own database makes', async () => {
    const given = credentials(method);
    const { mschap2Success, mppeKeys } = prove(given, new Password('lkjrht'));

    const verdict = await accepted(given);

    expect(verdict).toMatchObject({ user: 'ex', source: 'radius' });
    expect(verdict.mschap2Success).toEqual(mschap2Success);
    expect(verdict.mppeKeys?.send).toEqual(mppeKeys?.send);
    expect(verdict.mppeKeys?.receive).toEqual(mppeKeys?.receive);
  });

  it('the server lets nobody in who does not', async () => {
    const verdicts = [
      await refused(credentials(method, 'ex', 'guess')),
      await refused(credentials(method, 'nobody')),
    ];

    expect(verdicts).toMatchObject([
      { reason: 'radius-rejects', errorCode: 691 },
      { reason: 'radius-rejects', errorCode: 691 },
    ]);
  });

  it('the server is told a name with its domain, and lets it in', async () => {
    expect(await accepted(credentials(method, 'OFFICE\\ex'))).toMatchObject({ user: 'OFFICE\\ex' });
  });

  it('the words of a reject reach the user', async () => {
    expect(await refused(credentials(method, 'debtor'))).toMatchObject({ message: 'Please pay' });
  });
});

describe('the encryption that the server asks for', () => {
  it('is not weak by MS-CHAP, whatever it allows, for it sends no LAN Manager hash', async () => {
    const [byMschap, byPap] = [
      await accepted(credentials('mschap1', 'weak')),
      await accepted(credentials('pap', 'weak')),
    ];

    expect(byMschap.mppeKeys?.shortSend).toEqual(new Uint8Array(8));
    expect(byMschap.grant.encryptionBits).toEqual(new Set([128]));
    expect(byPap.grant.encryptionBits).toEqual(new Set([40, 128]));
  });

  it('is required and strong, by either MS-CHAP', async () => {
    for (const method of ['mschap1', 'mschap2'] as const) {
      const { grant } = await accepted(credentials(method));

      expect(grant).toMatchObject({ useEncryption: 'required', encryptionBits: new Set([128]) });
    }
  });
});

describe("MS-CHAP's errors", () => {
  it('reach the user as the server means them', async () => {
    const wrong = await refused(credentials('mschap2', 'ex', 'guess'));
    const expired = await refused(credentials('mschap2', 'expired'));

    expect(wrong).toMatchObject({ errorCode: 691, message: 'Authentication rejected' });
    expect(expired).toMatchObject({ errorCode: 648, message: 'Password expired' });
  });

  it('of a disabled account are the 691 that FreeRADIUS has for it', async () => {
    expect(await refused(credentials('mschap2', 'disabled'))).toMatchObject({ errorCode: 691 });
  });
});

describe('the server', () => {
  it('understands every attribute of a request', async () => {
    await accepted(credentials('mschap2'));

    const request = server.requests().at(-1);
    const said = Object.fromEntries(request?.attributes ?? []);
    expect(said).toMatchObject({
      'User-Name': 'ex',
      'NAS-IP-Address': '203.0.113.1',
      'NAS-Identifier': 'node-1',
      'NAS-Port': '1234',
      'NAS-Port-Id': 'pptp-1234',
      'NAS-Port-Type': 'Virtual',
      'Service-Type': 'Framed-User',
      'Framed-Protocol': 'PPP',
      'Calling-Station-Id': '198.51.100.7',
      'Called-Station-Id': '203.0.113.1',
      'Acct-Session-Id': '81a00000',
      'Connect-Info': '100000000 bps',
      'Tunnel-Type:0': 'PPTP',
      'Tunnel-Medium-Type:0': 'IPv4',
      'Tunnel-Client-Endpoint:0': '198.51.100.7',
      'Tunnel-Server-Endpoint:0': '203.0.113.1',
    });
    expect(request?.get('MS-CHAP-Challenge')).toBe('0x000102030405060708090a0b0c0d0e0f');
    expect(request?.get('Event-Timestamp')).toMatch(/20\d\d/);
  });

  it('grants every attribute of its reply', async () => {
    const verdict = await accepted(credentials('mschap2', 'rich'));

    expect(verdict).toMatchObject({
      user: 'contract-17',
      message: 'Hello',
      interimMs: 600_000,
      grant: {
        profile: 'gold',
        localAddress: { address: ip('10.0.0.1') },
        remoteAddress: { address: ip('10.0.0.5') },
        dnsServer: [ip('192.0.2.53'), ip('192.0.2.54')],
        winsServer: [ip('192.0.2.55')],
        mtu: 1400,
        portLimit: 2,
        routes: [
          { destination: { address: ip('10.0.0.0'), length: 29 }, gateway: 0, metric: 1 },
          { destination: { address: ip('10.1.0.0'), length: 16 }, gateway: 0, metric: 1 },
          { destination: { address: ip('10.2.0.0'), length: 16 }, gateway: ip('10.0.0.5'), metric: 2 },
        ],
        limits: {
          sessionTimeoutMs: 3_600_000,
          idleTimeoutMs: 300_000,
          rates: {
            receive: { limit: 1e6, burst: 2e6, threshold: 1e6, burstTimeMs: 5000 },
            transmit: { limit: 2e6, burst: 4e6, threshold: 2e6, burstTimeMs: 5000 },
          },
          quota: { receiveOctets: 2 ** 32 + 5, transmitOctets: undefined, totalOctets: 1000 },
          filters: { incoming: 'users', outgoing: undefined },
          addressLists: ['debtors', 'tariff'],
        },
      },
    });
    expect(verdict.classes.map(toHex)).toEqual(['00ff', toHex(Buffer.from('second')), '03']);
  });

  it.each(['wispr', 'ascend'])('limits rates by %s', async (name) => {
    const { grant } = await accepted(credentials('pap', name));

    expect(grant.limits.rates).toMatchObject({ receive: { limit: 1000 }, transmit: { limit: 2000 } });
  });

  it('is not followed by halves', async () => {
    expect(await refused(credentials('pap', 'broken'))).toMatchObject({
      reason: 'unreadable-attribute',
      explanation: expect.stringContaining('Mikrotik-Rate-Limit = fast'),
    });
    expect(await refused(credentials('pap', 'login'))).toMatchObject({ reason: 'other-service' });
  });

  it('challenges by EAP, gets its State back, and accepts', async () => {
    const eap = (packet: number[]): Credentials => ({
      method: 'eap',
      name: 'ex',
      nameOctets: Buffer.from('ex'),
      packet: Uint8Array.from(packet),
      mtu: 1400,
    });
    const identityResponse = [2, 1, 0, 7, 1, 0x65, 0x78];

    const asked = await judge(eap(identityResponse));
    if (asked.accept !== undefined) throw new Error(`no challenge: ${JSON.stringify(asked)}`);
    // EAP-MD5 (RFC 3748 section 5.4): identifier and type of the request, then a challenge with its size before it.
    const [code, id = 0, , , type, size = 0] = asked.eap;
    expect([code, type]).toEqual([1, 4]);
    const response = chapResponse(id, new Password('lkjrht'), asked.eap.subarray(6, 6 + size));
    const verdict = await judge(eap([2, id, 0, 22, 4, 16, ...response]), { resume: asked.resume });

    expect(verdict).toMatchObject({ accept: true, source: 'radius', eap: Uint8Array.of(3, id, 0, 4) });
    expect(server.requests().at(-1)?.get('State')).toBe(`0x${toHex(asked.resume.state ?? new Uint8Array())}`);
  });

  it('that is frozen is told apart from a wrong password, and answers again', async () => {
    const impatient = new Exchange({
      clock: systemClock,
      random: systemRandom,
      openWire: openUdp,
      log: silent,
    });
    impatient.configure([radiusServer({ timeout: 20 })]);
    const ports = { codec: attributeCodec, clock: systemClock, log: silent };
    const judging = new UserAuthority(
      { ...ports, ask: (query, done) => void impatient.ask({ ...query, deadlineMs: 200 }, done) },
      { aaa: { useRadius: true }, secrets: new Map(), profiles },
    );
    const question = { callerId: '', defaultProfile: 'default', identity };

    server.freeze();
    const verdict = await new Promise((judged) =>
      judging.judge({ ...question, credentials: credentials('pap') }, judged),
    );
    server.thaw();

    expect(verdict).toMatchObject({ accept: false, reason: 'radius-silent' });
    expect(await accepted(credentials('pap'))).toMatchObject({ user: 'ex' });
    impatient.close();
  });
});
