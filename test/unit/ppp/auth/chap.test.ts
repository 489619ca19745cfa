import { beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toBytes, toHex, toText } from '../../../../src/base/bytes.ts';
import { type Random, seededRandom } from '../../../../src/base/random.ts';
import { authenticatee } from '../../../../src/ppp/auth/authenticatee.ts';
import type {
  AuthenticationEffect,
  Authenticator,
  Effects,
} from '../../../../src/ppp/auth/authentication.ts';
import { authenticator } from '../../../../src/ppp/auth/authenticator.ts';
import type { Answer } from '../../../../src/ppp/auth/credentials.ts';
import { chapProtocol } from '../../../../src/ppp/auth/method.ts';
import { Password } from '../../../../src/ppp/auth/password.ts';
import { decodePacket, encodePacket, type Packet } from '../../../../src/ppp/packet.ts';
import { vectors } from './vectors.ts';

/** First the identifier 2a, then a challenge that counts up. */
const counting: Random = (size) =>
  size === 1 ? Uint8Array.of(0x2a) : Uint8Array.from({ length: size }, (_, at) => at);

const vector = vectors('chap.txt');
const password = new Password('secret');
const granted: Answer = { accept: true, message: 'access granted' };
const rejected: Answer = { accept: false, errorCode: 691, message: 'bad user name or password'.slice(0, 24) };

const sent = (effects: Effects): Uint8Array[] =>
  effects.flatMap((effect) => (effect.do === 'send' ? [effect.bytes] : []));
const packets = (effects: Effects): Packet[] => sent(effects).map((bytes) => decodePacket(bytes) as Packet);
const kinds = (effects: Effects): string[] =>
  effects.map((effect: AuthenticationEffect) => (effect.do === 'note' ? effect.what : effect.do));

const client = () => authenticatee({ method: 'chap', name: 'jack', password, random: counting });

describe('CHAP with MD5 (RFC 1994)', () => {
  let server: Authenticator;
  beforeEach(() => {
    server = authenticator({ method: 'chap', name: 'node1', mru: 1400, random: counting });
  });

  it("speaks the RFC's packets, both sides", () => {
    const challenge = server.start();
    const response = client().received(fromHex(vector('challenge')));
    const question = server.received(fromHex(vector('response')));
    const success = server.verdict(granted);

    expect(challenge).toEqual([
      { do: 'send', protocol: chapProtocol, bytes: fromHex(vector('challenge')) },
      { do: 'arm', timer: 'authenticator', delayMs: 3000 },
    ]);
    expect(sent(response).map(toHex)).toEqual([toHex(fromHex(vector('response')))]);
    expect(kinds(question)).toEqual(['disarm', 'prove']);
    expect(sent(success).map(toHex)).toEqual([toHex(fromHex(vector('success')))]);
  });

  it("takes a packet cut at any length as malformed or another's, and stays", () => {
    server.start();
    const whole = fromHex(vector('response'));

    for (let size = 0; size < whole.length; size++) {
      expect(kinds(server.received(whole.subarray(0, size))), `${size} octets`).toEqual(['malformed']);
    }
    expect(kinds(server.received(whole))).toEqual(['disarm', 'prove']);
  });

  it('ignores padding behind the packet', () => {
    server.start();

    expect(kinds(server.received(fromHex(`${vector('response')} 000000`)))).toEqual(['disarm', 'prove']);
  });

  it('does not take a response to another challenge', () => {
    server.start();
    const other = fromHex(vector('response'));
    other[1] = 0x2b;

    expect(kinds(server.received(other))).toEqual(['unexpected']);
  });

  it('repeats its reply to a response that comes again, whatever it says', () => {
    server.start();
    server.received(fromHex(vector('response')));
    server.verdict(rejected);
    const better = fromHex(vector('response'));
    better[5] = 0xff;

    expect(sent(server.received(better)).map(toHex)).toEqual([toHex(fromHex(vector('failure')))]);
    expect(kinds(server.received(better))).toEqual(['duplicate', 'send']);
  });

  it('lets nobody in whom the authority would have asked further', () => {
    server.start();
    server.received(fromHex(vector('response')));

    const effects = server.verdict({ accept: undefined, eap: Uint8Array.of(1, 2, 0, 5, 4) });

    expect(packets(effects)).toMatchObject([{ code: 4, identifier: 0x2a }]);
    expect(effects.at(-1)).toMatchObject({ do: 'failed', cause: 'refused' });
  });

  it('takes no second verdict, and none that it did not ask for', () => {
    const early = server.verdict(granted);
    server.start();
    server.received(fromHex(vector('response')));
    server.verdict(rejected);

    expect(early).toEqual([]);
    expect(server.verdict(granted)).toEqual([]);
  });

  it('keeps identifier and challenge when it asks again, so that a late answer counts', () => {
    const first = sent(server.start());

    expect(sent(server.expired())).toEqual(first);
  });

  it('lets a client answer again when the server asks again after success', () => {
    const jack = client();
    jack.start();
    jack.received(fromHex(vector('challenge')));
    jack.received(fromHex(vector('success')));

    const again = jack.received(encodePacket({ code: 1, identifier: 7, data: Uint8Array.of(2, 0xaa, 0xbb) }));
    const success = jack.received(encodePacket({ code: 3, identifier: 7, data: new Uint8Array() }));

    expect(packets(again)).toMatchObject([{ code: 2, identifier: 7 }]);
    expect(kinds(success)).toEqual(['disarm']);
    expect(jack.expired()).toEqual([]);
  });

  it('lets a server that asked again throw a client out', () => {
    const jack = client();
    jack.received(fromHex(vector('challenge')));
    jack.received(fromHex(vector('success')));
    jack.received(encodePacket({ code: 1, identifier: 7, data: Uint8Array.of(2, 0xaa, 0xbb) }));

    const failure = jack.received(encodePacket({ code: 4, identifier: 7, data: toBytes('go') }));

    expect(failure.at(-1)).toEqual({ do: 'failed', cause: 'refused', message: 'go' });
  });

  it("ignores the other direction's packets without a note", () => {
    const jack = client();

    expect(server.received(fromHex(vector('challenge')))).toEqual([]);
    expect(jack.received(fromHex(vector('response')))).toEqual([]);
  });

  it('lets no peer write control characters into a message', () => {
    const jack = client();
    jack.received(fromHex(vector('challenge')));

    const failure = jack.received(
      encodePacket({ code: 4, identifier: 0x2a, data: toBytes('a\u001b[2Jb\nc') }),
    );

    expect(failure.at(-1)).toMatchObject({ do: 'failed', message: 'a?[2Jb?c' });
  });
});

describe('MS-CHAP-V2 (RFC 2759)', () => {
  const success = `S=${'0123456789'.repeat(4)}`;
  let server: Authenticator;
  beforeEach(() => {
    server = authenticator({ method: 'mschap2', name: 'node1', mru: 1400, random: counting });
    server.start();
  });
  const respond = (flags: number) => {
    const value = Uint8Array.of(49, ...new Uint8Array(48).fill(1), flags);
    return server.received(
      encodePacket({ code: 2, identifier: 0x2a, data: Uint8Array.of(...value, ...toBytes('D\\jack')) }),
    );
  };
  const reply = (answer: Answer): string =>
    toText(packets(server.verdict(answer))[0]?.data ?? new Uint8Array());

  it('hands on the name as it was sent, domain and all', () => {
    expect(respond(0)).toContainEqual({
      do: 'prove',
      credentials: expect.objectContaining({ name: 'D\\jack', nameOctets: toBytes('D\\jack'), flags: 0 }),
    });
  });

  it("tells success with the authority's proof and a text", () => {
    respond(0);

    expect(reply({ accept: true, mschap2Success: success, message: 'hello' })).toBe(`${success} M=hello`);
  });

  it('tells Windows 98, known by its flags, the proof alone', () => {
    respond(4);

    expect(reply({ accept: true, mschap2Success: success, message: 'hello' })).toBe(success);
  });

  it('refuses when the authority accepts without a proof, and says so', () => {
    respond(0);

    const effects = server.verdict({ accept: true });

    expect(packets(effects)).toMatchObject([{ code: 4 }]);
    expect(effects.at(-1)).toMatchObject({
      do: 'failed',
      cause: 'refused',
      message: expect.stringMatching(/MS-CHAP2-Success/),
    });
  });

  it('tells failure with the code of the verdict, no retry, a challenge and the version', () => {
    respond(0);

    expect(reply({ accept: false, errorCode: 649, message: 'no dial-in permission' })).toBe(
      'E=649 R=0 C=000102030405060708090A0B0C0D0E0F V=3 M=no dial-in permission',
    );
  });

  it('does not change passwords: not instead of a response', () => {
    const effects = server.received(encodePacket({ code: 7, identifier: 0x2b, data: new Uint8Array(582) }));

    expect(packets(effects)[0]).toMatchObject({ code: 4, identifier: 0x2b });
    expect(toText(packets(effects)[0]?.data ?? new Uint8Array())).toMatch(/^E=709 R=0 /);
    expect(effects.at(-1)).toMatchObject({ do: 'failed', cause: 'password-change' });
  });

  it('does not change passwords: not after it has expired', () => {
    respond(0);
    server.verdict({ accept: false, errorCode: 648, message: 'password expired' });

    const effects = server.received(encodePacket({ code: 7, identifier: 0x2b, data: new Uint8Array(582) }));

    expect(kinds(effects)).toEqual(['unexpected', 'send']);
    expect(packets(effects)).toMatchObject([{ code: 4, identifier: 0x2b }]);
  });

  const challenge = encodePacket({ code: 1, identifier: 5, data: Uint8Array.of(16, ...new Uint8Array(16)) });
  const answerTo = (message: string) => {
    const jack = authenticatee({ method: 'mschap2', name: 'jack', password, random: seededRandom(5) });
    jack.start();
    jack.received(challenge);
    return jack.received(encodePacket({ code: 3, identifier: 5, data: toBytes(message) }));
  };

  it.each([
    ['another proof', `${success} M=hello`],
    ['no proof', 'M=hello'],
    ['nothing', ''],
    ['half a proof', success.slice(0, 22)],
  ])('takes a server that shows %s for an impostor', (_, message) => {
    expect(answerTo(message).at(-1)).toMatchObject({ do: 'failed', cause: 'impostor' });
  });

  it('answers a challenge that comes again with the same octets', () => {
    const jack = authenticatee({ method: 'mschap2', name: 'jack', password, random: seededRandom(5) });

    const first = sent(jack.received(challenge));

    expect(sent(jack.received(challenge))).toEqual(first);
  });

  it('knows a demand to change the password from a refusal', () => {
    const jack = authenticatee({ method: 'mschap2', name: 'jack', password, random: seededRandom(5) });
    jack.received(challenge);
    const message = `E=648 R=0 C=${'00'.repeat(16)} V=3 M=time is up`;

    const effects = jack.received(encodePacket({ code: 4, identifier: 5, data: toBytes(message) }));

    expect(effects.at(-1)).toEqual({ do: 'failed', cause: 'password-change', message: 'time is up' });
  });

  it("takes no challenge of another size than the RFC's", () => {
    const jack = authenticatee({ method: 'mschap2', name: 'jack', password, random: seededRandom(5) });

    const short = encodePacket({ code: 1, identifier: 5, data: Uint8Array.of(8, ...new Uint8Array(8)) });

    expect(kinds(jack.received(short))).toEqual(['malformed']);
  });
});

describe('MS-CHAP (RFC 2433)', () => {
  it('tells failure without a text', () => {
    const server = authenticator({ method: 'mschap1', name: 'node1', mru: 1400, random: counting });
    server.start();
    const value = Uint8Array.of(49, ...new Uint8Array(49));
    server.received(encodePacket({ code: 2, identifier: 0x2a, data: value }));

    const [failure] = packets(server.verdict({ accept: false, errorCode: 691, message: 'no' }));

    expect(toText(failure?.data ?? new Uint8Array())).toBe('E=691 R=0 C=0001020304050607 V=2');
  });

  it('leaves the LAN Manager response out', () => {
    const jack = authenticatee({ method: 'mschap1', name: 'jack', password, random: counting });
    const challenge = Uint8Array.of(8, ...new Uint8Array(8));

    const [response] = packets(jack.received(encodePacket({ code: 1, identifier: 5, data: challenge })));

    expect(response?.data.subarray(1, 25)).toEqual(new Uint8Array(24));
    expect(response?.data[49]).toBe(1);
  });
});
