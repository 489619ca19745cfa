import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { judgeLocally, type LocalQuestion, type LocalUsers } from '../../../src/aaa/local.ts';
import { type PppSecret, type Profile, profileMenu, secretMenu } from '../../../src/aaa/settings.ts';
import { concat } from '../../../src/base/bytes.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import type { Mschap1Credentials } from '../../../src/ppp/auth/credentials.ts';
import { challengeResponse, lmPasswordHash } from '../../../src/ppp/auth/mschap-hash.ts';
import { Password } from '../../../src/ppp/auth/password.ts';
import { credentials, passwordMethods } from './peer.ts';

const password = new Password('lkjrht');

function users(secret: Partial<PppSecret> = {}, profile: Partial<Profile> = {}): LocalUsers {
  const ex = { ...defaultsOf(secretMenu), name: 'ex', password, ...secret };
  const plain = { ...defaultsOf(profileMenu), name: 'default', ...profile };
  return { secrets: new Map([[ex.name, ex]]), profiles: new Map([['default', plain]]) };
}

function question(more: Partial<LocalQuestion> = {}): LocalQuestion {
  return {
    credentials: credentials('mschap2'),
    callerId: '192.0.2.7',
    defaultProfile: 'default',
    ...more,
  };
}

describe.each(passwordMethods)('the local database, by %s', (method) => {
  it('lets in who knows the password', () => {
    expect(judgeLocally(question({ credentials: credentials(method) }), users())).toMatchObject({
      accept: true,
      user: 'ex',
      grant: { profile: 'default' },
      source: 'local',
      classes: [],
      interimMs: undefined,
    });
  });

  it('refuses who does not, and a name that it does not know, with the same words', () => {
    const wrong = judgeLocally(question({ credentials: credentials(method, 'ex', 'guess') }), users());
    const unknown = judgeLocally(question({ credentials: credentials(method, 'nobody') }), users());

    expect(wrong).toMatchObject({ accept: false, reason: 'wrong-password', errorCode: 691 });
    expect(unknown).toMatchObject({ accept: false, reason: 'unknown-user', errorCode: 691 });
    expect(wrong.message).toBe(unknown.message);
  });

  it("does not let in an unknown name with the decoy's password", () => {
    const verdict = judgeLocally(
      question({ credentials: credentials(method, 'nobody', 'no such user') }),
      users(),
    );

    expect(verdict).toMatchObject({ accept: false, reason: 'unknown-user' });
  });

  it('takes DOMAIN\\ex for ex', () => {
    const verdict = judgeLocally(question({ credentials: credentials(method, 'DOMAIN\\ex') }), users());

    expect(verdict).toMatchObject({ accept: true, user: 'ex' });
  });

  it('has keys and a proof where the method gives them', () => {
    const verdict = judgeLocally(question({ credentials: credentials(method) }), users());

    expect('mppeKeys' in verdict).toBe(method.startsWith('mschap'));
    expect('mschap2Success' in verdict).toBe(method === 'mschap2');
  });
});

describe('the local database', () => {
  it.each<[string, Partial<PppSecret>, Partial<LocalQuestion>, string, number]>([
    ['a disabled secret', { disabled: true }, {}, 'disabled', 647],
    ['another service', { service: 'l2tp' }, {}, 'wrong-service', 649],
    ['another caller', { callerId: '192.0.2.8' }, {}, 'wrong-caller', 649],
    ['a profile that is gone', { profile: 'gone' }, {}, 'no-profile', 649],
    ['a default profile that is gone', {}, { defaultProfile: 'gone' }, 'no-profile', 649],
  ])('refuses %s, but only who knows the password learns of it', (_, secret, more, reason, errorCode) => {
    const guess = { ...more, credentials: credentials('mschap2', 'ex', 'guess') };

    expect(judgeLocally(question(more), users(secret))).toMatchObject({ accept: false, reason, errorCode });
    expect(judgeLocally(question(guess), users(secret))).toMatchObject({ reason: 'wrong-password' });
  });

  it.each<[string, Partial<PppSecret>]>([
    ['any service', { service: 'any' }],
    ['its service', { service: 'pptp' }],
    ['its caller', { callerId: '192.0.2.7' }],
  ])('lets in %s', (_, secret) => {
    expect(judgeLocally(question(), users(secret))).toMatchObject({ accept: true });
  });

  it('prefers the secret of the whole name to that without the domain', () => {
    const { secrets, profiles } = users();
    const whole = { ...defaultsOf(secretMenu), name: 'DOMAIN\\ex', password };
    const both = { profiles, secrets: new Map([...secrets, [whole.name, whole]]) };

    const verdict = judgeLocally(question({ credentials: credentials('mschap2', whole.name) }), both);

    expect(verdict).toMatchObject({ accept: true, user: 'DOMAIN\\ex' });
  });

  it('takes a LAN Manager response where the peer says that it has no other', () => {
    const given = credentials('mschap1') as Mschap1Credentials;
    const lmResponse = challengeResponse(given.challenge, lmPasswordHash(password));
    const response = concat(lmResponse, new Uint8Array(24), Uint8Array.of(0));

    expect(judgeLocally(question({ credentials: { ...given, response } }), users())).toMatchObject({
      accept: true,
    });
  });

  it('takes no response that the peer left out', () => {
    const given = credentials('mschap1') as Mschap1Credentials;
    const response = new Uint8Array(49);

    expect(judgeLocally(question({ credentials: { ...given, response } }), users())).toMatchObject({
      reason: 'wrong-password',
    });
  });

  it('shows no password in what it says or holds', () => {
    const verdict = judgeLocally(question(), users());

    expect(inspect([verdict, users()], { depth: 9, showHidden: true })).not.toContain('lkjrht');
  });
});
