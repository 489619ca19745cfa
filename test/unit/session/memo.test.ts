/** The memo of a call: what one control process writes, and another release of it reads. */

import { describe, expect, it } from 'vitest';
import { toBytes, toText } from '../../../src/base/bytes.ts';
import { below, type Random, seededRandom } from '../../../src/base/random.ts';
import { memoBytesMax } from '../../../src/datapath/contract.ts';
import type { PlannedRoute } from '../../../src/net/plan.ts';
import {
  type DialledCall,
  lineIn,
  type Memo,
  memoIn,
  memoOctets,
  type StandingCaller,
  type StandingTunnel,
} from '../../../src/session/memo.ts';

const runs = 500;
const seed = Number(process.env.SEED ?? Math.trunc(performance.timeOrigin) % 2 ** 31);

function one<T>(random: Random, ...from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

function word32(random: Random): number {
  return below(random, 2 ** 32);
}

function many<T>(random: Random, most: number, make: () => T): T[] {
  return Array.from({ length: below(random, most + 1) }, make);
}

function textOf(random: Random): string {
  return one(random, 'anna', 'DOMAIN\\anna', 'é ü', '"quoted"', 'a'.repeat(253), '*');
}

function memoOf(random: Random): Memo {
  const user = textOf(random);
  const rate = () => ({ limit: word32(random), burst: word32(random), threshold: 0, burstTimeMs: 8_000 });
  const route = (): PlannedRoute => ({
    destination: { address: word32(random), length: below(random, 33) },
    metric: 1,
  });
  const side = () => ({
    mru: 1450,
    accm: word32(random),
    magic: word32(random),
    protocolFieldCompression: one(random, true, false),
    addressAndControlFieldCompression: one(random, true, false),
    mrru: one(random, undefined, 1600),
    shortSequenceNumbers: one(random, true, false),
  });
  const address = () => one(random, { address: word32(random) }, { pool: 'many' });
  const limits = {
    sessionTimeoutMs: one(random, undefined, 3_600_000),
    idleTimeoutMs: one(random, undefined, 600_000),
    rates: one(
      random,
      undefined,
      { receive: rate(), transmit: rate() },
      { receive: rate(), transmit: rate(), priority: 8, minimum: { receive: 1, transmit: 2 } },
    ),
    quota: { receiveOctets: one(random, undefined, 2 ** 45), transmitOctets: undefined, totalOctets: 7 },
    filters: { incoming: one(random, undefined, 'debtors'), outgoing: undefined },
    addressLists: many(random, 3, () => 'vip'),
  };
  const interfaceName = '<pptp-anna>';
  const standing: StandingCaller = {
    connection: word32(random),
    kind: one(random, 'outgoing', 'incoming'),
    facts: {
      identity: {
        nas: { identifier: 'node', address: one(random, undefined, word32(random)) },
        sessionId: 'ab12',
        nasPort: below(random, 65_536),
        nasPortId: 'pptp-1',
        peerAddress: word32(random),
        localAddress: word32(random),
        connectInfo: 'PPTP',
      },
      user,
      authentic: one(random, 'local', 'radius'),
      framedAddress: word32(random),
      classes: many(random, 3, () => random(below(random, 40))),
    },
    interimMs: one(random, 0, 300_000),
    startedAtMs: 1_800_000_000_000,
    subscriber: {
      user,
      interfaceName,
      ...one(random, {}, { portName: '<bcp-anna>' }),
      local: word32(random),
      remote: word32(random),
      source: one(random, 'local', 'radius'),
      method: one(random, undefined, 'eap', 'mschap2', 'pap'),
      grant: {
        profile: 'default',
        localAddress: address(),
        remoteAddress: address(),
        bridge: one(random, undefined, 'lan0'),
        dnsServer: many(random, 2, () => word32(random)),
        winsServer: [],
        routes: many(random, 3, () => ({ ...route(), gateway: 0 })),
        useEncryption: one(random, 'no', 'yes', 'required'),
        encryptionBits: one(random, undefined, new Set([40, 128] as const)),
        useCompression: false,
        changeTcpMss: true,
        onlyOne: one(random, true, false),
        portLimit: one(random, undefined, 2),
        mtu: one(random, undefined, 1_400),
        limits,
      },
    },
    session: {
      upSinceMs: word32(random),
      lcp: {
        ours: { ...side(), authentication: one(random, undefined, 'eap', 'chap') },
        peers: { ...side(), authentication: one(random, undefined, 'pap') },
      },
      packetBytesMax: 1_450,
      network: {
        keys: one(random, undefined, {
          send: random(16),
          receive: random(16),
          shortSend: random(8),
          shortReceive: random(8),
        }),
        packetBytesMax: 1_450,
        agreed: {
          local: word32(random),
          remote: one(random, undefined, word32(random)),
          dns: [],
          mppe: one(random, undefined, { bits: 56, stateless: true } as const),
        },
        mtu: 1_446,
        plan: {
          linkName: interfaceName,
          mtu: 1_446,
          local: word32(random),
          remote: word32(random),
          routes: many(random, 3, () => one(random, route(), { ...route(), gateway: word32(random) })),
        },
        bridge: one(random, undefined, {
          taggedFrames: true,
          inlineManagement: one(random, true, false),
          controlIndicator: false,
        }),
      },
      restraint: { limits, countsFromMs: word32(random) },
    },
  };
  return { sessionId: 'ab12', standing };
}

/** The same of a tunnel that this node has dialled, and that is up. */
function dialledMemoOf(random: Random): Memo & { readonly dialled: DialledCall } {
  const { standing } = memoOf(random);
  if (standing === undefined) throw new Error('it is of a session that is up');
  const { session, subscriber } = standing;
  const tunnel = {
    grant: subscriber.grant,
    session,
    ...one(random, {}, { portName: '<bcp-out>' }),
    ...one(random, {}, { gateway: word32(random) }),
  };
  const entry = new Map([
    ['name', 'out'],
    ['user', textOf(random)],
  ]);
  const line = { connection: standing.connection, kind: 'outgoing' } as const;
  return { standing: undefined, line, dialled: { entry, standing: tunnel } };
}

/** A memo as another release would have written it. */
function otherwise(memo: Memo, change: (json: Record<string, unknown>) => void): Uint8Array {
  const json = JSON.parse(toText(memoOctets(memo))) as Record<string, unknown>;
  change(json);
  return toBytes(JSON.stringify(json));
}

describe('a memo', () => {
  it(`is read as it was written, in ${runs} memos (seed ${seed})`, () => {
    const random = seededRandom(seed);
    for (let run = 0; run < runs; run += 1) {
      const memo = memoOf(random);
      expect(memoIn(memoOctets(memo))).toEqual(memo);
    }
  });

  it(`of a client’s tunnel is read as it was written, in ${runs} memos (seed ${seed})`, () => {
    const random = seededRandom(seed);
    for (let run = 0; run < runs; run += 1) {
      const memo = dialledMemoOf(random);
      expect(memoIn(memoOctets(memo))).toEqual(memo);
      const unfinished = { ...memo, dialled: { ...memo.dialled, standing: undefined } };
      expect(memoIn(memoOctets(unfinished))).toEqual(unfinished);
    }
  });

  it('of a client’s tunnel is nobody’s for a release that knows none of them: it is no subscriber’s', () => {
    const json = JSON.parse(toText(memoOctets(dialledMemoOf(seededRandom(6)))));
    expect([json.sessionId, json.standing]).toEqual([undefined, null]);
  });

  it('of a client’s tunnel that is too long says only which entry it was', () => {
    const memo = dialledMemoOf(seededRandom(8));
    const addressLists = Array.from({ length: 4_000 }, () => 'list');
    const { entry, standing } = memo.dialled as DialledCall & { readonly standing: StandingTunnel };
    const grant = { ...standing.grant, limits: { ...standing.grant.limits, addressLists } };
    const written = memoOctets({ ...memo, dialled: { entry, standing: { ...standing, grant } } });
    expect(memoIn(written)).toEqual({ ...memo, dialled: { entry, standing: undefined } });
  });

  it('of a clock is rounded to milliseconds', () => {
    const memo = memoOf(seededRandom(1)) as Memo & { readonly standing: StandingCaller };
    const { standing } = memo;
    const written = { ...standing, session: { ...standing.session, upSinceMs: 12.75 } };
    expect(memoIn(memoOctets({ ...memo, standing: written }))?.standing?.session.upSinceMs).toBe(13);
  });

  it('is far from its bound in the engine, for an ordinary subscriber', () => {
    const memo = memoOf(seededRandom(1));
    expect(memoOctets(memo).length).toBeLessThan(memoBytesMax / 4);
  });

  it('that would be longer than the engine keeps says only whose session it is', () => {
    const memo = memoOf(seededRandom(1)) as Memo & { readonly standing: StandingCaller };
    const classes = Array.from({ length: 60 }, () => new Uint8Array(253));
    const facts = { ...memo.standing.facts, classes };
    const written = memoOctets({ ...memo, standing: { ...memo.standing, facts } });
    const { connection, kind } = memo.standing;
    expect(memoIn(written)).toEqual({ sessionId: 'ab12', standing: undefined, line: { connection, kind } });
  });

  it.each<Memo>([
    { standing: undefined, line: { connection: 0x10001, kind: 'outgoing' } },
    { sessionId: 'ab12', standing: undefined, line: { connection: 0x10001, kind: 'incoming' } },
  ])('of a session that is not up says only whose it is, and how it came: %j', (memo) => {
    expect(memoIn(memoOctets(memo))).toEqual(memo);
    expect(lineIn(memo)).toEqual(memo.line);
  });

  it('of a release that told no line has that of what stands', () => {
    const { standing } = memoOf(seededRandom(5));
    const { connection, kind } = standing ?? {};
    expect(lineIn({ sessionId: 'ab12', standing })).toMatchObject({ connection, kind });
    expect(lineIn({ sessionId: 'ab12', standing: undefined })).toBeUndefined();
  });

  it('of a newer release is gone on with: what is not known here is let pass', () => {
    const memo = memoOf(seededRandom(2));
    const newer = otherwise(memo, (json) => {
      json.bridges = ['lan'];
      (json.standing as Record<string, unknown>).colour = 'green';
    });
    expect(memoIn(newer)).toEqual(memo);
  });

  it('of a release that knew less than must be known says whose session it is', () => {
    const written = otherwise(memoOf(seededRandom(3)), (json) => {
      delete (json.standing as Record<string, unknown>).session;
    });
    expect(memoIn(written)).toEqual({ sessionId: 'ab12', standing: undefined });
    expect(memoIn(toBytes('{"version":1,"sessionId":"ab12"}'))).toEqual({
      sessionId: 'ab12',
      standing: undefined,
    });
  });

  it.each(['', '{', '[]', 'null', '{"sessionId":7}', '\u0000'])(
    'that is none (%j) is nobody’s',
    (written) => {
      expect(memoIn(toBytes(written))).toBeUndefined();
    },
  );

  it('cut at any octet is nobody’s, and never a half of one', () => {
    const octets = memoOctets(memoOf(seededRandom(4)));
    for (let cut = 0; cut < octets.length; cut += 1) expect(memoIn(octets.subarray(0, cut))).toBeUndefined();
  });
});
