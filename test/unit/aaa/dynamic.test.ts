import { beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../../src/aaa/change.ts';
import { actOn, type DynamicPorts, type DynamicTarget } from '../../../src/aaa/dynamic.ts';
import type { NasIdentity } from '../../../src/aaa/identity.ts';
import { changeOf } from '../../../src/aaa/limits-of.ts';
import { type Ipv4, parseIpv4 } from '../../../src/base/ip.ts';
import { type Attribute, type Attributes, attribute } from '../../../src/radius/attribute.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import type { Answer, DynamicRequest } from '../../../src/radius/dynamic.ts';

const ip = (text: string): Ipv4 => parseIpv4(text) ?? 0;

const nas: NasIdentity = { identifier: 'concentrator', address: ip('192.0.2.1') };

/** A session that does as it is told, and remembers it. */
class Session implements DynamicTarget {
  readonly identity;
  readonly user: string;
  readonly framedAddress: Ipv4;
  standing: Required<Change> = {
    sessionTimeoutMs: 3_600_000,
    idleTimeoutMs: undefined,
    rates: undefined,
    quota: { receiveOctets: undefined, transmitOctets: undefined, totalOctets: undefined },
    filters: { incoming: undefined, outgoing: undefined },
    addressLists: ['paid'],
    classes: [Uint8Array.of(1)],
    interimMs: 300_000,
  };
  isUp = true;
  /** The Error-Cause of the next change. */
  trouble: number | undefined;
  /** Changes that wait to be done, if they are not done at once. */
  later: (() => void)[] | undefined;

  constructor(port: number, user: string) {
    this.identity = {
      nas,
      sessionId: `session-${port}`,
      nasPort: port,
      nasPortId: `pptp-${port}`,
      peerAddress: ip(`198.51.100.${port}`),
      localAddress: ip('192.0.2.1'),
      connectInfo: '',
    };
    this.user = user;
    this.framedAddress = ip(`10.0.0.${port}`);
  }

  change(change: Change, done: Answer): void {
    const trouble = this.trouble;
    this.trouble = undefined;
    const perform = (): void => {
      if (trouble === undefined) this.standing = { ...this.standing, ...change };
      done(trouble);
    };
    if (this.later === undefined) perform();
    else this.later.push(perform);
  }

  disconnect(): void {
    this.isUp = false;
  }
}

let ann: Session;
let bob: Session;
let secondOfBob: Session;
let several: 'all' | 'refuse';

beforeEach(() => {
  ann = new Session(1, 'ann');
  bob = new Session(2, 'bob');
  secondOfBob = new Session(3, 'bob');
  several = 'all';
});

function ports(): DynamicPorts {
  return {
    nas: () => nas,
    targets: () => [ann, bob, secondOfBob],
    changeOf,
    severalSessions: () => several,
  };
}

/** What is answered at once: undefined is an ACK, `silence` nothing yet. */
function answerTo(
  kind: DynamicRequest['kind'],
  ...list: readonly Attribute[]
): number | undefined | 'silence' {
  let answered: number | undefined | 'silence' = 'silence';
  const attributes = attributeCodec.decode(attributeCodec.encode(list)) as Attributes;
  actOn({ kind, attributes, octets: new Uint8Array() }, ports(), (errorCause) => {
    if (answered !== 'silence') throw new Error('answered twice');
    answered = errorCause;
  });
  return answered;
}

const annsName = attribute('User-Name', 'ann');
const bobsName = attribute('User-Name', 'bob');
const tenMinutes = attribute('Session-Timeout', 600);

function up(): readonly string[] {
  return [ann, bob, secondOfBob].filter(({ isUp }) => isUp).map(({ identity }) => identity.sessionId);
}

describe('a session is named by', () => {
  it.each([
    ['Acct-Session-Id', attribute('Acct-Session-Id', 'session-1')],
    ['User-Name', annsName],
    ['NAS-Port', attribute('NAS-Port', 1)],
    ['NAS-Port-Id', attribute('NAS-Port-Id', 'pptp-1')],
    ['Framed-IP-Address', attribute('Framed-IP-Address', ip('10.0.0.1'))],
    ['Calling-Station-Id', attribute('Calling-Station-Id', '198.51.100.1')],
  ])('%s', (_, name) => {
    expect(answerTo('disconnect', name)).toBeUndefined();

    expect(up()).toEqual(['session-2', 'session-3']);
  });

  it.each([
    ['another Acct-Session-Id', attribute('Acct-Session-Id', 'session-2')],
    ['another User-Name', attribute('User-Name', 'Ann')],
    ['another NAS-Port', attribute('NAS-Port', 2)],
    ['another NAS-Port-Id', attribute('NAS-Port-Id', 'pptp-2')],
    ['another Framed-IP-Address', attribute('Framed-IP-Address', ip('10.0.0.2'))],
    ['another Calling-Station-Id', attribute('Calling-Station-Id', '198.51.100.2')],
    ['another Called-Station-Id', attribute('Called-Station-Id', '192.0.2.2')],
    ['an Acct-Multi-Session-Id, which no session has', attribute('Acct-Multi-Session-Id', '1')],
    [
      'a Chargeable-User-Identity, which she has not',
      attribute('Chargeable-User-Identity', Uint8Array.of(1)),
    ],
    ['an IPv6 prefix', attribute('Framed-IPv6-Prefix', { address: new Uint8Array(16), length: 0 })],
  ])('all that is given: not if it has %s', (_, other) => {
    expect(answerTo('disconnect', annsName, other)).toBe(503);
    expect(answerTo('change', annsName, other, tenMinutes)).toBe(503);

    expect(up()).toHaveLength(3);
    expect(ann.standing.sessionTimeoutMs).toBe(3_600_000);
  });

  it('all that billing systems send together', () => {
    const answer = answerTo(
      'disconnect',
      attribute('NAS-Identifier', 'concentrator'),
      attribute('NAS-IP-Address', ip('192.0.2.1')),
      annsName,
      attribute('NAS-Port', 1),
      attribute('NAS-Port-Type', 5),
      attribute('Service-Type', 2),
      attribute('Framed-Protocol', 1),
      attribute('Framed-IP-Address', ip('10.0.0.1')),
      attribute('Acct-Session-Id', 'session-1'),
      attribute('Called-Station-Id', '192.0.2.1'),
      attribute('Acct-Terminate-Cause', 6),
      attribute('Class', Uint8Array.of(1)),
    );

    expect(answer).toBeUndefined();
    expect(up()).toEqual(['session-2', 'session-3']);
  });

  it('Chargeable-User-Identity, where the server gave one', () => {
    Object.assign(bob, { chargeableUserIdentity: Uint8Array.of(9) });

    expect(answerTo('disconnect', attribute('Chargeable-User-Identity', Uint8Array.of(9)))).toBeUndefined();
    expect(up()).toEqual(['session-1', 'session-3']);
  });

  it.each([
    ['nothing', []],
    ['this node alone', [attribute('NAS-IP-Address', ip('192.0.2.1'))]],
    ['what all sessions have', [attribute('Called-Station-Id', '192.0.2.1')]],
  ])('something: not by %s', (_, list) => {
    expect(answerTo('disconnect', ...list)).toBe(402);
    expect(answerTo('change', ...list, tenMinutes)).toBe(402);
    expect(up()).toHaveLength(3);
  });
});

describe('another node', () => {
  it.each([
    ['NAS-Identifier', attribute('NAS-Identifier', 'elsewhere')],
    ['NAS-IP-Address', attribute('NAS-IP-Address', ip('192.0.2.9'))],
    ['NAS-IPv6-Address', attribute('NAS-IPv6-Address', new Uint8Array(16))],
  ])('is meant by its %s', (_, other) => {
    expect(answerTo('disconnect', annsName, other)).toBe(403);
    expect(answerTo('change', annsName, other, tenMinutes)).toBe(403);
    expect(up()).toHaveLength(3);
  });

  it('is not meant by the name that this one had when the session began', () => {
    Object.assign(ann.identity, { nas: { identifier: 'renamed-since', address: undefined } });

    expect(answerTo('disconnect', annsName, attribute('NAS-Identifier', 'renamed-since'))).toBeUndefined();
  });
});

describe('several sessions', () => {
  it('are all disconnected', () => {
    expect(answerTo('disconnect', bobsName)).toBeUndefined();
    expect(up()).toEqual(['session-1']);
  });

  it('are all changed', () => {
    expect(answerTo('change', bobsName, tenMinutes)).toBeUndefined();
    expect([ann, bob, secondOfBob].map(({ standing }) => standing.sessionTimeoutMs)).toEqual([
      3_600_000, 600_000, 600_000,
    ]);
  });

  it('are refused where the operator wants one at a time', () => {
    several = 'refuse';

    expect(answerTo('disconnect', bobsName)).toBe(508);
    expect(answerTo('change', bobsName, tenMinutes)).toBe(508);
    expect(up()).toHaveLength(3);
    expect(answerTo('disconnect', annsName)).toBeUndefined();
  });

  it('are as they were if one of them cannot be changed', () => {
    const before = bob.standing;
    secondOfBob.trouble = 506;

    expect(answerTo('change', bobsName, tenMinutes, attribute('Class', Uint8Array.of(2)))).toBe(506);
    expect(bob.standing).toEqual(before);
    expect(secondOfBob.standing).toEqual(before);
  });

  it('are answered when the last of them is done', () => {
    let answered: unknown = 'silence';
    bob.later = [];
    const attributes = attributeCodec.decode(attributeCodec.encode([bobsName, tenMinutes])) as Attributes;
    actOn({ kind: 'change', attributes, octets: new Uint8Array() }, ports(), (errorCause) => {
      answered = errorCause;
    });

    expect(answered).toBe('silence');
    bob.later[0]?.();
    expect(answered).toBeUndefined();
  });
});

describe('a change', () => {
  it('replaces what it names and leaves the rest', () => {
    const before = ann.standing;
    const answer = answerTo(
      'change',
      annsName,
      tenMinutes,
      attribute('Acct-Interim-Interval', 120),
      attribute('Mikrotik-Rate-Limit', '1M/2M'),
      attribute('Class', Uint8Array.of(3)),
      attribute('Class', Uint8Array.of(4)),
    );

    expect(answer).toBeUndefined();
    expect(ann.standing).toEqual({
      ...before,
      sessionTimeoutMs: 600_000,
      interimMs: 120_000,
      classes: [Uint8Array.of(3), Uint8Array.of(4)],
      rates: expect.objectContaining({
        receive: expect.objectContaining({ limit: 1_000_000 }),
        transmit: expect.objectContaining({ limit: 2_000_000 }),
      }),
    });
  });

  it.each([
    ['an attribute that nobody can change', 401, attribute('Framed-MTU', 1400)],
    ['a value that cannot be read', 407, attribute('Mikrotik-Rate-Limit', 'fast')],
    ['Authorize-Only', 405, attribute('Service-Type', 17)],
    ['another service', 405, attribute('Service-Type', 1)],
    ['another protocol', 407, attribute('Framed-Protocol', 2)],
  ])('with %s changes nothing: %d', (_, errorCause, spoiling) => {
    const before = ann.standing;

    expect(answerTo('change', annsName, tenMinutes, spoiling)).toBe(errorCause);
    expect(answerTo('change', spoiling, tenMinutes, annsName)).toBe(errorCause);
    expect(ann.standing).toBe(before);
  });

  it('with an attribute of an RFC that we do not know changes nothing, with a vendor’s it is done', () => {
    const named = attributeCodec.encode([annsName, tenMinutes]);
    const answers = [Uint8Array.of(200, 3, 1), Uint8Array.of(26, 9, 0, 0, 1, 173, 1, 3, 1)].map((extra) => {
      let answered: unknown = 'silence';
      const attributes = attributeCodec.decode(Uint8Array.of(...named, ...extra)) as Attributes;
      actOn({ kind: 'change', attributes, octets: new Uint8Array() }, ports(), (errorCause) => {
        answered = errorCause;
      });
      return answered;
    });

    expect(answers).toEqual([401, undefined]);
  });

  it('that the session refuses is not acknowledged', () => {
    ann.trouble = 506;

    expect(answerTo('change', annsName, tenMinutes)).toBe(506);
    expect(ann.standing.sessionTimeoutMs).toBe(3_600_000);
  });
});

describe('a Disconnect-Request', () => {
  it.each([
    ['asks for more than an end', 401, tenMinutes],
    ['asks for another service', 405, attribute('Service-Type', 17)],
  ])('that %s ends nothing: %d', (_, errorCause, more) => {
    expect(answerTo('disconnect', annsName, more)).toBe(errorCause);
    expect(up()).toHaveLength(3);
  });

  it('may carry what vendors add', () => {
    expect(
      answerTo('disconnect', annsName, attribute('Cisco-AVPair', 'subscriber:command=x')),
    ).toBeUndefined();
    expect(up()).toEqual(['session-2', 'session-3']);
  });
});
