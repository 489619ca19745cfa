/** The laws of the bargain over MPPE's strength: our list, against pppd, our own kind, and peers that can read none. */

import { describe, expect, it } from 'vitest';
import { below, type Random, seededRandom } from '../../../../src/base/random.ts';
import type { MppeBits } from '../../../../src/ppp/auth/mppe-keys.ts';
import { Ccp, type CcpEffect } from '../../../../src/ppp/ccp/ccp.ts';
import { type Mppe, type MppePolicy, mppeBits } from '../../../../src/ppp/ccp/options.ts';
import { codes } from '../../../../src/ppp/packet.ts';
import { packet, sent, those } from '../peer.ts';
import { Pppd } from './pppd.ts';

const list = '1206010000e0';
const mppe128 = '120601000040';
const mppe56 = '120601000080';
const mppe40 = '120601000020';
const stateful40 = '120600000020';
const nothing = '120601000000';

function begun(strengths: readonly MppeBits[] = mppeBits, stateful: MppePolicy['stateful'] = 'never') {
  const layer = new Ccp({ strengths: new Set(strengths), stateful });
  return { first: layer.up(), ccp: (text: string) => layer.received(packet(text)) };
}

/** One of the two that bargain. */
interface Side {
  up(): readonly Uint8Array[];
  received(bytes: Uint8Array): readonly Uint8Array[];
}

/** Our own side: what it sends, and what came of it. */
class Ours implements Side {
  readonly #layer: Ccp;
  requests = 0;
  mppe: Mppe | undefined;
  clear = false;

  constructor(strengths: readonly MppeBits[]) {
    this.#layer = new Ccp({ strengths: new Set(strengths), stateful: 'never' });
  }

  up(): readonly Uint8Array[] {
    return this.#frames(this.#layer.up());
  }

  received(bytes: Uint8Array): readonly Uint8Array[] {
    return this.#frames(this.#layer.received(bytes));
  }

  #frames(effects: readonly CcpEffect[]): readonly Uint8Array[] {
    for (const { mppe } of those(effects, 'ccp-up')) this.mppe = mppe;
    this.clear ||= those(effects, 'ccp-clear').length > 0;
    const frames = those(effects, 'send').map(({ bytes }) => bytes);
    this.requests += frames.filter(([code]) => code === codes.configureRequest).length;
    return frames;
  }
}

/** No bargain takes more frames than this. */
const maxFrames = 60;

/** Both begin at once; which of the frames under way comes next is a matter of chance, in order for each direction. */
function bargain(one: Side, other: Side, random: Random): void {
  const ways = [
    { to: other, frames: [...one.up()], back: 1 },
    { to: one, frames: [...other.up()], back: 0 },
  ];
  for (let count = 0; count < maxFrames; count += 1) {
    const busy = ways.filter(({ frames }) => frames.length > 0);
    const way = busy[below(random, busy.length)];
    const frame = way?.frames.shift();
    if (way === undefined || frame === undefined) return;
    ways[way.back]?.frames.push(...way.to.received(frame));
  }
  throw new Error('the two do not come to an end');
}

const seeds = Array.from({ length: 50 }, (_, seed) => seed);

/** All sets of strengths but the empty one. */
const allSets = Array.from({ length: 7 }, (_, at) =>
  mppeBits.filter((_bits, position) => ((at + 1) >> position) & 1),
);

describe('our first request', () => {
  it('lists every strength that is allowed, stateless', () => {
    expect(sent(begun().first)).toEqual([`CCP Configure-Request 1 ${list}`]);
    expect(sent(begun([128, 40]).first)).toEqual(['CCP Configure-Request 1 120601000060']);
  });

  it('names the one strength if there is one', () => {
    expect(sent(begun([128]).first)).toEqual([`CCP Configure-Request 1 ${mppe128}`]);
    expect(sent(begun([40]).first)).toEqual([`CCP Configure-Request 1 ${mppe40}`]);
  });

  it('gives way to the one strength of a Nak', () => {
    expect(sent(begun().ccp(`Configure-Nak 1 ${mppe56}`))).toEqual([`CCP Configure-Request 2 ${mppe56}`]);
  });

  it('takes the strongest of a Nak that is a list itself', () => {
    expect(sent(begun([56, 40]).ccp(`Configure-Nak 1 ${list}`))).toEqual([
      `CCP Configure-Request 2 ${mppe56}`,
    ]);
  });

  it('gives way to a stateful Nak only where that is allowed', () => {
    const nak = `Configure-Nak 1 ${stateful40}`;

    expect(sent(begun(mppeBits, 'allowed').ccp(nak))).toEqual([`CCP Configure-Request 2 ${stateful40}`]);
    expect(sent(begun(mppeBits, 'never').ccp(nak))).toEqual([`CCP Configure-Request 2 ${mppe40}`]);
  });

  it.each([
    ['rejects the list', `Configure-Reject 1 ${list}`],
    ['naks it to nothing', `Configure-Nak 1 ${nothing}`],
  ])('is followed by each strength alone for a peer that %s', (_what, refusal) => {
    const { ccp } = begun();

    expect(sent(ccp(refusal))).toEqual([`CCP Configure-Request 2 ${mppe128}`]);
    expect(sent(ccp(`Configure-Reject 2 ${mppe128}`))).toEqual([`CCP Configure-Request 3 ${mppe56}`]);
    expect(sent(ccp(`Configure-Reject 3 ${mppe56}`))).toEqual([`CCP Configure-Request 4 ${mppe40}`]);
    ccp(`Configure-Request 9 ${mppe40}`);
    expect(those(ccp(`Configure-Ack 4 ${mppe40}`), 'ccp-up')).toEqual([
      { do: 'ccp-up', mppe: { bits: 40, stateless: true } },
    ]);
  });

  it('is followed first by what the peer has asked for, if it rejects the list', () => {
    const { ccp } = begun();
    ccp(`Configure-Request 9 ${mppe56}`);

    expect(sent(ccp(`Configure-Reject 1 ${list}`))).toEqual([`CCP Configure-Request 2 ${mppe56}`]);
    expect(sent(ccp(`Configure-Reject 2 ${mppe56}`))).toEqual([`CCP Configure-Request 3 ${mppe128}`]);
  });
});

describe('a list that is acknowledged whole', () => {
  it('means its strongest, if the peer asks for that too', () => {
    const { ccp } = begun();
    ccp(`Configure-Ack 1 ${list}`);

    expect(those(ccp(`Configure-Request 9 ${mppe128}`), 'ccp-up')).toEqual([
      { do: 'ccp-up', mppe: { bits: 128, stateless: true } },
    ]);
  });

  it('is made good by one strength, if the peer asks for a weaker', () => {
    const { ccp } = begun();
    ccp(`Configure-Ack 1 ${list}`);
    const effects = ccp(`Configure-Request 9 ${mppe40}`);

    expect(those(effects, 'transmit-keys')).toEqual([]);
    expect(sent(effects)).toEqual([`CCP Configure-Ack 9 ${mppe40}`, `CCP Configure-Request 2 ${mppe40}`]);
  });
});

describe('against pppd', () => {
  it.each<[readonly (128 | 40)[], readonly MppeBits[], MppeBits]>([
    [[40], [128, 56, 40], 40],
    [[40], [128, 40], 40],
    [[40], [56, 40], 40],
    [[40], [40], 40],
    [[128], [128, 56, 40], 128],
    [[128], [128, 56], 128],
    [[128], [128], 128],
    [[128, 40], [128, 56, 40], 128],
    [[128, 40], [56, 40], 40],
    [[128, 40], [40], 40],
  ])('that allows %j and with %j here, gives it %i bit', (theirs, allowed, bits) => {
    for (const seed of seeds) {
      const [ours, pppd] = [new Ours(allowed), new Pppd(theirs)];
      bargain(ours, pppd, seededRandom(seed));

      expect(pppd, `seed ${seed}`).toMatchObject({ hungUp: false, bits });
      expect(ours, `seed ${seed}`).toMatchObject({ mppe: { bits, stateless: true }, clear: false });
    }
  });

  it('that allows 40 bit alone, the first request is no reason to hang up, and the second is its own', () => {
    const { ccp } = begun();

    expect(sent(ccp(`Configure-Request 1 ${mppe40}`))).toEqual([`CCP Configure-Ack 1 ${mppe40}`]);
    expect(sent(ccp(`Configure-Nak 1 ${mppe40}`))).toEqual([`CCP Configure-Request 2 ${mppe40}`]);
    expect(those(ccp(`Configure-Ack 2 ${mppe40}`), 'ccp-up')).toEqual([
      { do: 'ccp-up', mppe: { bits: 40, stateless: true } },
    ]);
  });

  it('that allows nothing that is allowed here, ends with its hanging up', () => {
    for (const seed of seeds) {
      const [ours, pppd] = [new Ours([128, 56]), new Pppd([40])];
      bargain(ours, pppd, seededRandom(seed));

      expect(pppd, `seed ${seed}`).toMatchObject({ hungUp: true, bits: undefined });
      expect(ours.mppe, `seed ${seed}`).toBeUndefined();
    }
  });
});

describe('two of our own ends', () => {
  it('come to the strongest that both allow, the list being all that a choice costs', () => {
    for (const one of allSets) {
      for (const other of allSets) {
        const common = mppeBits.find((bits) => one.includes(bits) && other.includes(bits));
        if (common === undefined) continue;
        for (const seed of seeds) {
          const ends = [one, other].map((strengths) => new Ours(strengths));
          bargain(ends[0] as Ours, ends[1] as Ours, seededRandom(seed));

          const mppe = { bits: common, stateless: true };
          expect(ends, `${one} and ${other}, seed ${seed}`).toMatchObject([
            { mppe, clear: false, requests: one.length > 1 ? 2 : 1 },
            { mppe, clear: false, requests: other.length > 1 ? 2 : 1 },
          ]);
        }
      }
    }
  });

  it('both go without if they have none in common', () => {
    for (const one of allSets) {
      for (const other of allSets.filter((each) => !each.some((bits) => one.includes(bits)))) {
        for (const seed of seeds) {
          const ends = [one, other].map((strengths) => new Ours(strengths));
          bargain(ends[0] as Ours, ends[1] as Ours, seededRandom(seed));

          const none = { mppe: undefined, clear: true };
          expect(ends, `${one} and ${other}, seed ${seed}`).toMatchObject([none, none]);
        }
      }
    }
  });
});
