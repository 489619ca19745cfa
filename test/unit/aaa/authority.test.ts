import { describe, expect, it } from 'vitest';
import { type AuthorityConfiguration, UserAuthority } from '../../../src/aaa/authority.ts';
import type { Question } from '../../../src/aaa/question.ts';
import { profileMenu, secretMenu } from '../../../src/aaa/settings.ts';
import type { Verdict } from '../../../src/aaa/verdict.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/observe.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import type { Credentials } from '../../../src/ppp/auth/credentials.ts';
import { Password } from '../../../src/ppp/auth/password.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import type { Outcome } from '../../../src/radius/query.ts';
import { credentials } from './peer.ts';

function configuration(useRadius: boolean): AuthorityConfiguration {
  const ex = { ...defaultsOf(secretMenu), name: 'ex', password: new Password('lkjrht') };
  const profile = { ...defaultsOf(profileMenu), name: 'default' };
  return {
    aaa: { useRadius },
    secrets: new Map([['ex', ex]]),
    profiles: new Map([['default', profile]]),
  };
}

function question(given: Credentials): Question {
  const nas = { identifier: 'node-1', address: 1 };
  const place = { peerAddress: 2, localAddress: 1, connectInfo: '' };
  return {
    credentials: given,
    callerId: '0.0.0.2',
    defaultProfile: 'default',
    identity: { nas, sessionId: '1', nasPort: 1, nasPortId: 'pptp-1', ...place },
  };
}

/** The authority, with a server that answers when it is told to. */
function authority(useRadius: boolean) {
  const waiting: ((outcome: Outcome) => void)[] = [];
  const ports = {
    ask: (_query: unknown, done: (outcome: Outcome) => void) => void waiting.push(done),
    codec: attributeCodec,
    clock: new VirtualClock(),
    log: silent,
  };
  const verdicts: Verdict[] = [];
  const judging = new UserAuthority(ports, configuration(useRadius));
  const judge = (given: Credentials) => judging.judge(question(given), (verdict) => verdicts.push(verdict));
  return { judging, judge, verdicts, waiting };
}

const eap: Credentials = {
  method: 'eap',
  name: 'ex',
  nameOctets: credentials('pap').nameOctets,
  packet: Uint8Array.of(2, 1, 0, 7, 1, 0x65, 0x78),
  mtu: 1400,
};

const silence: Outcome = { got: 'silence' };

describe('the authority over subscribers', () => {
  it('judges who is in /ppp secret itself, whatever RADIUS would say', () => {
    const { judge, verdicts, waiting } = authority(true);

    judge(credentials('mschap2'));
    judge(credentials('mschap2', 'ex', 'guess'));

    expect(verdicts).toMatchObject([{ accept: true, source: 'local' }, { reason: 'wrong-password' }]);
    expect(waiting).toHaveLength(0);
  });

  it('asks RADIUS about everybody else', () => {
    const { judge, verdicts, waiting } = authority(true);

    judge(credentials('pap', 'somebody'));
    expect(verdicts).toHaveLength(0);
    waiting[0]?.(silence);

    expect(verdicts).toMatchObject([{ accept: false, reason: 'radius-silent' }]);
  });

  it('asks nobody unless it may', () => {
    const { judge, verdicts, waiting } = authority(false);

    judge(credentials('pap', 'somebody'));
    judge(eap);

    expect(verdicts).toMatchObject([{ reason: 'unknown-user' }, { reason: 'eap-needs-radius' }]);
    expect(waiting).toHaveLength(0);
  });

  it('asks RADIUS about EAP, of a local user too', () => {
    const { judge, verdicts, waiting } = authority(true);

    judge(eap);
    waiting[0]?.({ got: 'no-server' });

    expect(verdicts).toMatchObject([{ reason: 'no-radius-server' }]);
  });

  it('follows a changed configuration, and grants by the profiles of the moment of the answer', () => {
    const { judging, judge, verdicts, waiting } = authority(false);
    judging.configure(configuration(true));

    judge(credentials('pap', 'somebody'));
    judging.configure({ ...configuration(true), profiles: new Map() });
    const packet = {
      code: 2,
      identifier: 0,
      authenticator: new Uint8Array(16),
      attributes: new Uint8Array(),
    };
    const round = { server: 's', secret: new Uint8Array(1), authenticator: new Uint8Array(16), waitedMs: 0 };
    waiting[0]?.({ got: 'reply', packet, round });

    expect(verdicts).toMatchObject([{ reason: 'no-profile' }]);
  });
});
