import { describe, expect, it } from 'vitest';
import { fromHex, toBytes, toHex } from '../../../../src/base/bytes.ts';
import { desEncrypt } from '../../../../src/ppp/auth/des.ts';
import { md4 } from '../../../../src/ppp/auth/md4.ts';
import {
  getMasterKey,
  type MppeBits,
  mschap1Keys,
  mschap2Keys,
  startKeys,
} from '../../../../src/ppp/auth/mppe-keys.ts';
import {
  challengeHash,
  challengeResponse,
  generateAuthenticatorResponse,
  generateNtResponse,
  hashNtPasswordHash,
  lmPasswordHash,
  ntPasswordHash,
  sha1,
} from '../../../../src/ppp/auth/mschap-hash.ts';
import { Password } from '../../../../src/ppp/auth/password.ts';
import { vectorLines, vectors } from './vectors.ts';

describe('MD4', () => {
  it.each(vectorLines('mschap-md4.txt'))('digests as RFC 1320 shows: %s', (line) => {
    const [, digest = '', message = ''] = /^(\S+) "(.*)"$/.exec(line) ?? [];

    expect(toHex(md4(toBytes(message)))).toBe(digest);
  });

  it('pads a message at the edge of a block into the next one', () => {
    const digests = [55, 56, 63, 64].map((size) => toHex(md4(new Uint8Array(size))));

    expect(new Set(digests).size).toBe(4);
  });
});

describe('DES', () => {
  it('encrypts under seven octets as FIPS 81 does under the same key with parity', () => {
    const clear = toBytes('Now is t');

    // 0123456789abcdef without its parity bits.
    const cipher = desEncrypt(clear, fromHex('00451338957377'));

    expect(toHex(cipher)).toBe('3fa40e8a984d4815');
  });
});

describe('MS-CHAP (RFC 2433 appendix B)', () => {
  const vector = vectors('mschap1.txt');
  const password = new Password(vector('password'));
  const challenge = fromHex(vector('challenge'));

  it('hashes the password for NT and answers by it', () => {
    const hash = ntPasswordHash(password);

    expect(toHex(hash)).toBe(vector('ntPasswordHash'));
    expect(toHex(challengeResponse(challenge, hash))).toBe(vector('ntResponse'));
  });

  it('hashes the password for LAN Manager and answers by it', () => {
    const hash = lmPasswordHash(password);

    expect(toHex(hash)).toBe(vector('lmPasswordHash'));
    expect(toHex(challengeResponse(challenge, hash))).toBe(vector('lmResponse'));
  });

  it('knows no case of letters in a LAN Manager hash, and no more than 14 of them', () => {
    const hash = (text: string) => toHex(lmPasswordHash(new Password(text)));

    expect(hash('mypw')).toBe(hash('MYPW'));
    expect(hash('12345678901234')).toBe(hash('123456789012345'));
  });
});

describe('MS-CHAP-V2 (RFC 2759 section 9.2)', () => {
  const vector = vectors('mschap2.txt');
  const hash = ntPasswordHash(new Password(vector('password')));
  const exchange = {
    challenge: fromHex(vector('authenticatorChallenge')),
    peerChallenge: fromHex(vector('peerChallenge')),
    nameOctets: fromHex(vector('name')),
  };

  it('leads from password and challenges to both responses', () => {
    const ntResponse = generateNtResponse(exchange, hash);

    expect(toHex(challengeHash(exchange.peerChallenge, exchange.challenge, exchange.nameOctets))).toBe(
      vector('challenge'),
    );
    expect(toHex(hash)).toBe(vector('ntPasswordHash'));
    expect(toHex(hashNtPasswordHash(hash))).toBe(vector('passwordHashHash'));
    expect(toHex(ntResponse)).toBe(vector('ntResponse'));
    expect(generateAuthenticatorResponse(exchange, ntResponse, hash)).toBe(vector('authenticatorResponse'));
  });

  it('leaves the domain out of the challenge hash', () => {
    const withDomain = { ...exchange, nameOctets: toBytes('DOMAIN\\User') };

    expect(generateNtResponse(withDomain, hash)).toEqual(generateNtResponse(exchange, hash));
  });
});

describe('MPPE start keys (RFC 3079)', () => {
  const vector = vectors('mschap-mppe-keys.txt');
  const password = new Password(vector('password'));
  const ntHash = ntPasswordHash(password);
  const ntResponse = fromHex(vector('mschap2NtResponse'));
  const mschap1 = mschap1Keys(
    fromHex(vector('mschap1Challenge')),
    lmPasswordHash(password),
    hashNtPasswordHash(ntHash),
  );

  it('come from the LAN Manager hash for 40 and 56 bits of MS-CHAP, from the challenge for 128', () => {
    expect(toHex(mschap1.shortSend)).toBe(vector('mschap1ShortStart'));
    expect(toHex(mschap1.send)).toBe(vector('mschap1Start'));
  });

  it('come from the NT response for MS-CHAP-V2', () => {
    const keys = mschap2Keys(ntHash, ntResponse, 'authenticator');

    expect(toHex(getMasterKey(hashNtPasswordHash(ntHash), ntResponse))).toBe(vector('mschap2Master'));
    expect(toHex(keys.shortSend)).toBe(vector('mschap2ShortSend'));
    expect(toHex(keys.send)).toBe(vector('mschap2Send'));
  });

  it('lead to the session keys that the RFC shows', () => {
    const session = (start: Uint8Array) => toHex(getNewKeyFromSha(start));

    expect(session(mschap1.send)).toBe(vector('mschap1Session'));
    expect(session(mschap2Keys(ntHash, ntResponse, 'authenticator').send)).toBe(vector('mschap2SendSession'));
  });

  it.each([40, 56, 128] as const)(
    'are crosswise the same at both ends of MS-CHAP-V2, for %i bits',
    (bits) => {
      const authenticator = startKeys(mschap2Keys(ntHash, ntResponse, 'authenticator'), bits);
      const peer = startKeys(mschap2Keys(ntHash, ntResponse, 'peer'), bits);

      expect(peer.send).toEqual(authenticator.receive);
      expect(peer.receive).toEqual(authenticator.send);
      expect(peer.send).not.toEqual(peer.receive);
    },
  );

  it.each([40, 56] as MppeBits[])('have 8 octets and 8 zeros for %i bits', (bits) => {
    const { send, receive } = startKeys(mschap1, bits);

    expect(toHex(send)).toBe(`${vector('mschap1ShortStart')}0000000000000000`);
    expect(receive).toEqual(send);
  });
});

/** GetNewKeyFromSHA (RFC 3078 section 7.3) for the first session key of 128 bits. The engine has the one that counts. */
function getNewKeyFromSha(start: Uint8Array): Uint8Array {
  return sha1(start, new Uint8Array(40), start, new Uint8Array(40).fill(0xf2)).subarray(0, 16);
}
