import { describe, expect, it } from 'vitest';
import { judgeByRadius } from '../../../src/aaa/by-radius.ts';
import type { Question } from '../../../src/aaa/question.ts';
import { type Profile, profileMenu } from '../../../src/aaa/settings.ts';
import type { Verdict } from '../../../src/aaa/verdict.ts';
import { concat, toBytes, toHex } from '../../../src/base/bytes.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import type {
  EapCredentials,
  Mschap1Credentials,
  Mschap2Credentials,
} from '../../../src/ppp/auth/credentials.ts';
import { mschap1Keys } from '../../../src/ppp/auth/mppe-keys.ts';
import { hashNtPasswordHash, lmPasswordHash, ntPasswordHash } from '../../../src/ppp/auth/mschap-hash.ts';
import { Password } from '../../../src/ppp/auth/password.ts';
import { type Attribute, type Attributes, attribute } from '../../../src/radius/attribute.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import { codes } from '../../../src/radius/packet.ts';
import type { Outcome, Query, Round } from '../../../src/radius/query.ts';
import { hidePassword, revealPassword } from '../../../src/radius/sign.ts';
import { credentials } from './peer.ts';

const round: Round = {
  server: '192.0.2.1:1812',
  secret: toBytes('testing123'),
  authenticator: Uint8Array.from({ length: 16 }, (_, at) => 200 + at),
  waitedMs: 0,
};

const ip = (text: string): number => parseIpv4(text) ?? Number.NaN;

function question(more: Partial<Question> = {}): Question {
  return {
    credentials: credentials('mschap2'),
    callerId: '198.51.100.7',
    defaultProfile: 'default',
    identity: {
      nas: { identifier: 'node-1', address: ip('203.0.113.1') },
      sessionId: '81a00000',
      nasPort: 1234,
      nasPortId: 'pptp-1234',
      peerAddress: ip('198.51.100.7'),
      localAddress: ip('203.0.113.1'),
      connectInfo: '100000000',
    },
    ...more,
  };
}

const eap: EapCredentials = {
  method: 'eap',
  name: 'ex',
  nameOctets: toBytes('ex'),
  packet: Uint8Array.from({ length: 600 }, (_, at) => at),
  mtu: 1400,
};

function profiles(...items: readonly Partial<Profile>[]): ReadonlyMap<string, Profile> {
  const all = [{ name: 'default' }, ...items].map((item) => ({ ...defaultsOf(profileMenu), ...item }));
  return new Map(all.map((profile) => [profile.name, profile]));
}

interface Asked {
  readonly query: Query;
  readonly request: Attributes;
  readonly verdict: Verdict;
  readonly told: readonly string[];
}

/** Asks, and answers with `outcome`. */
function ask(asked: Question, outcome: Outcome, known = profiles()): Asked {
  let query: Query | undefined;
  let verdict: Verdict | undefined;
  const told: string[] = [];
  const ports = {
    codec: attributeCodec,
    clock: new VirtualClock(Date.UTC(2026, 10, 21)),
    log: (severity: string, _topics: string, text: string) => void told.push(`${severity}: ${text}`),
    ask(made: Query, done: (outcome: Outcome) => void) {
      query = made;
      done(outcome);
    },
  };
  judgeByRadius(
    asked,
    () => known,
    ports,
    (given) => {
      verdict = given;
    },
  );
  if (query === undefined || verdict === undefined) throw new Error('nothing was asked, or answered');
  const request = attributeCodec.decode(query.attributes(round));
  if (request instanceof Malformed) throw new Error(request.toString());
  return { query, request, verdict, told };
}

function reply(code: number, list: readonly Attribute[]): Outcome {
  const packet = {
    code,
    identifier: 1,
    authenticator: new Uint8Array(16),
    attributes: attributeCodec.encode(list),
  };
  return { got: 'reply', packet, round };
}

const accept = (...list: readonly Attribute[]): Outcome => reply(codes.accessAccept, list);
const reject = (...list: readonly Attribute[]): Outcome => reply(codes.accessReject, list);
const challenge = (...list: readonly Attribute[]): Outcome => reply(codes.accessChallenge, list);
const silence: Outcome = { got: 'silence' };

const success = attribute('MS-CHAP2-Success', toBytes(`\x07S=${'0123456789'.repeat(4)}`));
const pap = question({ credentials: credentials('pap') });

describe('an Access-Request', () => {
  it('says of every session what servers know it by', () => {
    const { request } = ask(question(), silence);

    const said = request.names.map((name) => [name, request.first(name)] as const);
    expect(said.filter(([name]) => !/CHAP/.test(name))).toEqual([
      ['User-Name', 'ex'],
      ['NAS-IP-Address', ip('203.0.113.1')],
      ['NAS-Identifier', 'node-1'],
      ['NAS-Port', 1234],
      ['NAS-Port-Id', 'pptp-1234'],
      ['NAS-Port-Type', 5],
      ['Service-Type', 2],
      ['Framed-Protocol', 1],
      ['Calling-Station-Id', '198.51.100.7'],
      ['Called-Station-Id', '203.0.113.1'],
      ['Acct-Session-Id', '81a00000'],
      ['Connect-Info', '100000000'],
      ['Tunnel-Type', 1],
      ['Tunnel-Medium-Type', 1],
      ['Tunnel-Client-Endpoint', '198.51.100.7'],
      ['Tunnel-Server-Endpoint', '203.0.113.1'],
      ['Event-Timestamp', Date.UTC(2026, 10, 21) / 1000],
    ]);
  });

  it('leaves out an address of this node that is not known yet', () => {
    const identity = { ...question().identity, nas: { identifier: 'node-1', address: undefined } };

    expect(ask(question({ identity }), silence).request.has('NAS-IP-Address')).toBe(false);
  });

  it("is for a server that is for this node's address and the user's domain, and is urgent", () => {
    const { query, request } = ask(question({ credentials: credentials('pap', 'OFFICE\\ex') }), silence);

    expect(query).toMatchObject({
      role: 'authentication',
      code: codes.accessRequest,
      urgency: 'urgent',
      calledId: '203.0.113.1',
      domain: 'OFFICE',
    });
    expect(query.server).toBeUndefined();
    expect(request.first('User-Name')).toBe('OFFICE\\ex');
    expect(request.first('MS-CHAP-Domain')).toEqual(toBytes('OFFICE'));
  });

  it('is not made for a name that RADIUS would cut', () => {
    const verdicts: Verdict[] = [];
    const nameOctets = new Uint8Array(254).fill(0x5c);
    const ports = {
      ask: () => expect.unreachable('nobody is asked'),
      codec: attributeCodec,
      clock: new VirtualClock(),
      log: () => {},
    };

    judgeByRadius(
      question({ credentials: { ...credentials('pap'), nameOctets } }),
      () => profiles(),
      ports,
      (verdict) => verdicts.push(verdict),
    );

    expect(verdicts).toMatchObject([{ accept: false, reason: 'name-too-long' }]);
  });

  it.each([253, 252, 248, 247])('takes a name of which %i octets are domain', (size) => {
    const nameOctets = new Uint8Array(253).fill(0xff);
    if (size < 253) nameOctets[size] = 0x5c;

    expect(
      ask(question({ credentials: { ...credentials('pap'), nameOctets } }), silence).request.first(
        'User-Name',
      ),
    ).toHaveLength(253);
  });

  it('passes a name on as it came, in whatever alphabet', () => {
    const named = { ...credentials('pap'), nameOctets: Uint8Array.of(0xef, 0xf0, 0xe8) };
    const octets = ask(question({ credentials: named }), silence).query.attributes(round);

    expect(toHex(octets.subarray(0, 5))).toBe('0105eff0e8');
  });

  it('hides a password by the round that it is sent in', () => {
    const { request } = ask(pap, silence);

    const hidden = request.first('User-Password') ?? new Uint8Array();
    const revealed = revealPassword(hidden, round.secret, round.authenticator);
    expect(revealed?.subarray(0, 6)).toEqual(toBytes('lkjrht'));
  });

  it('proves by CHAP with identifier, response and challenge', () => {
    const given = credentials('chap');
    const { request } = ask(question({ credentials: given }), silence);

    if (given.method !== 'chap') throw new Error('not CHAP');
    expect(request.first('CHAP-Password')).toEqual(concat(Uint8Array.of(7), given.response));
    expect(request.first('CHAP-Challenge')).toEqual(given.challenge);
  });

  it('proves by MS-CHAP with the flag before the responses (RFC 2548 section 2.1.3)', () => {
    const given = credentials('mschap1') as Mschap1Credentials;
    const { request } = ask(question({ credentials: given }), silence);

    const response = request.first('MS-CHAP-Response') ?? new Uint8Array();
    expect(response).toHaveLength(50);
    expect(response.subarray(0, 2)).toEqual(Uint8Array.of(7, 1));
    expect(response.subarray(2)).toEqual(given.response.subarray(0, 48));
    expect(request.first('MS-CHAP-Challenge')).toEqual(given.challenge);
  });

  it('proves by MS-CHAP-V2 with reserved octets between (RFC 2548 section 2.3.2)', () => {
    const given = { ...(credentials('mschap2') as Mschap2Credentials), flags: 4 };
    const { request } = ask(question({ credentials: given }), silence);

    const response = request.first('MS-CHAP2-Response') ?? new Uint8Array();
    expect(response).toEqual(
      concat(Uint8Array.of(7, 4), given.peerChallenge, new Uint8Array(8), given.ntResponse),
    );
    expect(request.first('MS-CHAP-Challenge')).toEqual(given.challenge);
  });

  it('carries an EAP packet however long, and goes on where the challenge came from', () => {
    const resume = { state: Uint8Array.of(9, 8, 7), server: '192.0.2.2:1812' };
    const { request, query } = ask(question({ credentials: eap, resume }), silence);

    expect(request.first('EAP-Message')).toEqual(eap.packet);
    expect(request.first('State')).toEqual(resume.state);
    expect(request.first('Framed-MTU')).toBe(1400);
    expect(query.server).toBe('192.0.2.2:1812');
  });
});

describe('an Access-Accept', () => {
  it('is a grant by the reply, the profile that it names, and the default profile', () => {
    const known = profiles(
      { name: 'gold', useEncryption: 'yes', dnsServer: [1] },
      { name: 'server', localAddress: { address: 5 }, useEncryption: 'no' },
    );
    const answer = accept(
      attribute('Mikrotik-Group', 'gold'),
      attribute('Framed-IP-Address', ip('10.0.0.5')),
      attribute('Session-Timeout', 60),
    );

    expect(ask({ ...pap, defaultProfile: 'server' }, answer, known).verdict).toMatchObject({
      accept: true,
      source: 'radius',
      grant: {
        profile: 'gold',
        localAddress: { address: 5 },
        remoteAddress: { address: ip('10.0.0.5') },
        dnsServer: [1],
        useEncryption: 'yes',
        limits: { sessionTimeoutMs: 60_000 },
      },
    });
  });

  it('has the default profile alone where it names none', () => {
    expect(ask(pap, accept()).verdict).toMatchObject({ accept: true, grant: { profile: 'default' } });
  });

  it('renames the user', () => {
    expect(ask(pap, accept(attribute('User-Name', 'contract-17'))).verdict).toMatchObject({
      user: 'contract-17',
    });
    expect(ask(pap, accept()).verdict).toMatchObject({ user: 'ex' });
  });

  it('keeps Class as it is, all of it, in order', () => {
    const values = [Uint8Array.of(0, 255), new Uint8Array(), Uint8Array.of(1)];
    const { verdict } = ask(pap, accept(...values.map((value) => attribute('Class', value))));

    expect(verdict).toMatchObject({ classes: values });
  });

  it.each([
    [undefined, undefined, 0],
    [0, undefined, 0],
    [5, 60_000, 1],
    [60, 60_000, 0],
    [600, 600_000, 0],
  ])('with an interim interval of %s s means %s ms', (interval, interimMs, lines) => {
    const list = interval === undefined ? [] : [attribute('Acct-Interim-Interval', interval)];
    const { verdict, told } = ask(pap, accept(...list));

    expect(verdict).toHaveProperty('interimMs', interimMs);
    expect(told).toHaveLength(lines);
  });

  it('shows Reply-Message to the user, all of them', () => {
    const { verdict } = ask(
      pap,
      accept(attribute('Reply-Message', 'Hello,'), attribute('Reply-Message', 'pay\u0007 soon')),
    );

    expect(verdict).toMatchObject({ message: 'Hello, pay? soon' });
  });

  it("proves itself to a peer by MS-CHAP-V2, without the server's identifier and message", () => {
    const proof = `S=${'0123456789'.repeat(4)}`;
    const longer = attribute('MS-CHAP2-Success', toBytes(`\x01${proof} M=Welcome`));

    expect(ask(question(), accept(success)).verdict).toMatchObject({ accept: true, mschap2Success: proof });
    expect(ask(question(), accept(longer)).verdict).toMatchObject({ mschap2Success: proof });
  });

  it.each(['', '\x01', '\x01S=123', '\x01S=', `\x01S=${'g'.repeat(40)}`, `\x01S=${'0'.repeat(41)}`])(
    'that does not prove itself, by %j, is refused and says so',
    (text) => {
      const { verdict } = ask(question(), accept(attribute('MS-CHAP2-Success', toBytes(text))));

      expect(verdict).toMatchObject({ accept: false, reason: 'no-mschap2-success' });
    },
  );

  it('has keys of MS-CHAP-V2 and EAP in our directions, of which 16 octets count', () => {
    const [send, receive] = [new Uint8Array(32).fill(1), new Uint8Array(16).fill(2)];
    const keys = [
      attribute('MS-MPPE-Send-Key', salted(send)),
      attribute('MS-MPPE-Recv-Key', salted(receive)),
    ];
    const mppeKeys = {
      send: new Uint8Array(16).fill(1),
      receive,
      shortSend: new Uint8Array(8).fill(1),
      shortReceive: new Uint8Array(8).fill(2),
    };

    expect(ask(question(), accept(success, ...keys)).verdict).toMatchObject({ mppeKeys });
    expect(ask(question({ credentials: eap }), accept(...keys)).verdict).toMatchObject({ mppeKeys });
  });

  it('has keys of MS-CHAP, which come from its hashes and the challenge', () => {
    const given = credentials('mschap1') as Mschap1Credentials;
    const password = new Password('lkjrht');
    const [lmHash, ntHashHash] = [lmPasswordHash(password), hashNtPasswordHash(ntPasswordHash(password))];
    const plain = concat(lmHash.subarray(0, 8), ntHashHash, new Uint8Array(8));
    const hidden = hidePassword(plain, round.secret, round.authenticator);

    const { verdict } = ask(question({ credentials: given }), accept(attribute('MS-CHAP-MPPE-Keys', hidden)));

    expect(verdict).toMatchObject({ mppeKeys: mschap1Keys(given.challenge, lmHash, ntHashHash) });
  });

  it('has no short keys of MS-CHAP where the server has no LAN Manager hash: weak encryption is off', () => {
    const plain = concat(new Uint8Array(8), new Uint8Array(16).fill(7), new Uint8Array(8));
    const hidden = hidePassword(plain, round.secret, round.authenticator);
    const keys = attribute('MS-CHAP-MPPE-Keys', hidden);
    const types = (value: number) => attribute('MS-MPPE-Encryption-Types', value);
    const bits = (...list: readonly Attribute[]) =>
      ask(question({ credentials: credentials('mschap1') }), accept(keys, ...list)).verdict;

    expect(bits()).toMatchObject({ grant: { encryptionBits: new Set([128]) } });
    expect(bits(types(6))).toMatchObject({ grant: { encryptionBits: new Set([128]) } });
    expect(bits(types(2))).toMatchObject({ grant: { encryptionBits: new Set() } });
  });

  it.each<[string, readonly Attribute[]]>([
    ['no keys', []],
    ['one key', [attribute('MS-MPPE-Send-Key', salted(new Uint8Array(16)))]],
    [
      'short keys',
      [
        attribute('MS-MPPE-Send-Key', salted(new Uint8Array(8))),
        attribute('MS-MPPE-Recv-Key', salted(new Uint8Array(8))),
      ],
    ],
    [
      'keys of no shape',
      [attribute('MS-MPPE-Send-Key', new Uint8Array(5)), attribute('MS-MPPE-Recv-Key', new Uint8Array())],
    ],
  ])('with %s is refused where encryption is required, and told where it is wished for', (_, keys) => {
    const required = profiles({ name: 'server', useEncryption: 'required' });
    const wished = profiles({ name: 'server', useEncryption: 'yes' });
    const asked = question({ defaultProfile: 'server' });

    expect(ask(asked, accept(success, ...keys), required).verdict).toMatchObject({
      accept: false,
      reason: 'no-mppe-keys',
    });
    const { verdict, told } = ask(asked, accept(success, ...keys), wished);
    expect(verdict).toMatchObject({ accept: true });
    expect(verdict).not.toHaveProperty('mppeKeys');
    expect(told).toHaveLength(1);
  });

  it('needs no keys of PAP: what has none is judged where encryption is negotiated', () => {
    const required = profiles({ name: 'default', useEncryption: 'required' });

    expect(ask(pap, accept(), required)).toMatchObject({ verdict: { accept: true }, told: [] });
  });

  it.each<[string, Attribute, string]>([
    ['of another service', attribute('Service-Type', 1), 'other-service'],
    ['with a rate that is none', attribute('Mikrotik-Rate-Limit', 'fast'), 'unreadable-attribute'],
    ['with a profile that is none', attribute('Mikrotik-Group', 'platinum'), 'no-group'],
    [
      'for a time that is over',
      attribute('WISPr-Session-Terminate-Time', '2026-11-20T23:59:59Z'),
      'session-time-over',
    ],
  ])('%s is refused', (_, one, reason) => {
    expect(ask(pap, accept(one)).verdict).toMatchObject({ accept: false, reason });
  });

  it('names the attribute that cannot be read', () => {
    const { verdict } = ask(pap, accept(attribute('Framed-Route', 'everywhere')));

    expect(verdict).toHaveProperty('explanation', expect.stringContaining('Framed-Route = everywhere'));
  });

  it('whose default profile is gone is refused', () => {
    expect(ask({ ...pap, defaultProfile: 'gone' }, accept()).verdict).toMatchObject({ reason: 'no-profile' });
  });

  it('lets a user have as many sessions as Port-Limit says, by the name that it gives him', () => {
    const answer = accept(attribute('Port-Limit', 2), attribute('User-Name', 'contract-17'));

    expect(ask(pap, answer).verdict).toMatchObject({ user: 'contract-17', grant: { portLimit: 2 } });
  });
});

describe('an Access-Reject', () => {
  const chapError = (text: string) => attribute('MS-CHAP-Error', toBytes(text));

  it.each<[string, Attribute[], number, string]>([
    ['nothing', [], 691, 'bad user name or password'],
    ['a message', [attribute('Reply-Message', 'no money')], 691, 'no money'],
    [
      "an error, in MS-CHAP's words",
      [chapError('\x07E=647 R=1 C=00 V=3 M=Account disabled')],
      647,
      'Account disabled',
    ],
    ['an error alone', [chapError('\x07E=648 R=0 V=3')], 648, 'bad user name or password'],
    [
      'an error and a message',
      [chapError('\x07E=646 R=0 V=3'), attribute('Reply-Message', 'come tomorrow')],
      646,
      'come tomorrow',
    ],
    ['an error that is none', [chapError('\x07E=12 M=What?')], 691, 'What?'],
    ['an empty error', [chapError('')], 691, 'bad user name or password'],
  ])('with %s is passed on', (_, list, errorCode, message) => {
    expect(ask(question(), reject(...list)).verdict).toMatchObject({
      accept: false,
      reason: 'radius-rejects',
      errorCode,
      message,
    });
  });

  it("passes EAP's Failure on", () => {
    const failure = Uint8Array.of(4, 1, 0, 4);
    const { verdict } = ask(question({ credentials: eap }), reject(attribute('EAP-Message', failure)));

    expect(verdict).toMatchObject({ accept: false, eap: failure });
  });
});

describe('an Access-Challenge', () => {
  const packet = Uint8Array.of(1, 5, 0, 5, 4);

  it('goes on by EAP, at the same server', () => {
    const state = Uint8Array.of(1, 2, 3);
    const answer = challenge(attribute('EAP-Message', packet), attribute('State', state));

    expect(ask(question({ credentials: eap }), answer).verdict).toEqual({
      accept: undefined,
      eap: packet,
      resume: { state, server: '192.0.2.1:1812' },
    });
  });

  it('is refused where there is nobody to ask', () => {
    const verdicts = [
      ask(pap, challenge(attribute('State', packet))).verdict,
      ask(question({ credentials: eap }), challenge()).verdict,
    ];

    expect(verdicts).toMatchObject([{ reason: 'unasked-challenge' }, { reason: 'radius-nonsense' }]);
  });
});

describe('no answer', () => {
  it.each<[string, Outcome, string]>([
    ['silence', silence, 'radius-silent'],
    ['no server', { got: 'no-server' }, 'no-radius-server'],
    ['a packet that answers nothing', reply(codes.accountingResponse, []), 'radius-nonsense'],
    [
      'an attribute of a wrong size',
      accept({ name: 'Framed-MTU', octets: Uint8Array.of(5) }),
      'radius-nonsense',
    ],
  ])('%s is refused, not as a wrong password', (_, outcome, reason) => {
    const { verdict } = ask(pap, outcome);

    expect(verdict).toMatchObject({ accept: false, reason, errorCode: 649 });
  });
});

/** As RFC 2548 section 2.4.2 hides a key. */
function salted(key: Uint8Array): Uint8Array {
  const salt = Uint8Array.of(0x80, 0x01);
  const plain = concat(Uint8Array.of(key.length), key);
  return concat(salt, hidePassword(plain, round.secret, concat(round.authenticator, salt)));
}
