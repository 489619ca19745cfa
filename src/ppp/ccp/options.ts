/**
 * CCP's one option that we speak: MPPE (RFC 3078 section 2), a word of bits. All compressions (Deflate, BSD, Predictor) stand
 * in no row and are rejected; the MPPC bit of this same option is naked away.
 *
 * The two directions of CCP negotiate apart, but MPPE has to be the same in both (Windows 95 cannot do else, and nobody
 * tries): so there is one `choice`, and a peer that settles for a weaker one that is allowed here lowers it.
 *
 * As RFC 3078 section 2.1 has it, our first request lists all that is allowed and the peer naks it to one; it must not name the
 * strongest alone, because pppd with a single strength hangs up on a request for another. To a peer that rejects the list each
 * strength is offered alone.
 */

import { Reader, Writer } from '../../base/bytes.ts';
import type { MppeBits } from '../auth/mppe-keys.ts';
import type { Judgement, OptionRow } from '../option.ts';

/** One way to encrypt: the strength, and whether every packet has a key of its own. */
export interface Mppe {
  readonly bits: MppeBits;
  readonly stateless: boolean;
}

/** What this side agrees to. */
export interface MppePolicy {
  readonly strengths: ReadonlySet<MppeBits>;
  /** Stateful mode, in which a lost packet costs a round trip: `allowed` takes it from a peer that insists, `only` insists. */
  readonly stateful: 'never' | 'allowed' | 'only';
}

export const mppeBits: readonly MppeBits[] = [128, 56, 40];

/** RFC 3078 section 2, and M from RFC 3079's 56 bits. */
const flags = {
  /** H: stateless mode. */
  stateless: 0x01_00_00_00,
  /** M, S, L: 56, 128 and 40 bits. */
  strength: { 56: 0x80, 128: 0x40, 40: 0x20 } as const satisfies Record<MppeBits, number>,
};

export interface CcpTerms {
  /** Strengths that are allowed and that the peer has not rejected. */
  readonly allowed: Set<MppeBits>;
  readonly stateful: MppePolicy['stateful'];
  /** What we offer; undefined once the peer has refused all of it. */
  choice: Mppe | undefined;
  /** True until the peer has said what it wants: our request lists all that is allowed. */
  listing: boolean;
  /** What our outstanding request says, if that is one thing. */
  offered: Mppe | undefined;
  /** Stateless mode asked for in vain. */
  statelessNaks: number;
  /** What the peer acknowledged, and what we did. */
  ours: Mppe | undefined;
  peers: Mppe | undefined;
}

/** A peer that answers a wish for stateless mode with stateful once more means it. */
const maxStatelessNaks = 2;

const mppe: OptionRow<CcpTerms, number> = {
  type: 18,
  name: 'MPPE',
  decode: (data) => (data.length === 4 ? new Reader(data).u32() : undefined),
  encode: (word) => new Writer(new Uint8Array(4)).u32(word).done(),

  offer(terms) {
    terms.offered = terms.listing ? undefined : terms.choice;
    return terms.listing ? listOf(terms) : terms.choice && wordOf(terms.choice);
  },
  /** A list that is acknowledged whole means its strongest; should the peer's own request say less, that holds for both. */
  granted(word, terms) {
    terms.ours = word === undefined ? undefined : mppeOf(word);
  },
  onNak(word, terms) {
    terms.listing = false;
    const bits = strongestIn(word, terms.allowed);
    if (bits === undefined) return forgo(terms);
    const isStateless = (word & flags.stateless) !== 0;
    terms.choice = {
      bits,
      stateless: terms.stateful === 'allowed' ? isStateless : terms.stateful === 'never',
    };
  },
  onReject: forgo,

  judge: judgeMppe,
  want: ({ choice }) => choice && wordOf(choice),
  agreed(word, terms) {
    terms.peers = word === undefined ? undefined : mppeOf(word);
  },
};

export const ccpOptions: readonly OptionRow<CcpTerms>[] = [mppe];

/** The strongest of `allowed`, stateless if that is permitted. */
export function strongestMppe({
  allowed,
  stateful,
}: Pick<CcpTerms, 'allowed' | 'stateful'>): Mppe | undefined {
  const bits = mppeBits.find((each) => allowed.has(each));
  return bits === undefined ? undefined : { bits, stateless: stateful !== 'only' };
}

export function sameMppe(one: Mppe | undefined, other: Mppe | undefined): boolean {
  return one?.bits === other?.bits && one?.stateless === other?.stateless;
}

/** The weaker of two: fewer bits, or a state that loss can break. */
export function weakerMppe(one: Mppe, other: Mppe): Mppe {
  if (one.bits !== other.bits) return one.bits < other.bits ? one : other;
  return one.stateless ? other : one;
}

/**
 * A single strength that is allowed is taken as it is, because pppd gives up when it is naked towards one that it does not
 * allow; several, or bits that are not MPPE's, are naked to the one strongest choice.
 */
function judgeMppe(word: number, terms: CcpTerms): Judgement<number> {
  const { choice } = terms;
  if (choice === undefined) return 'reject';
  terms.listing = false;
  const bits = strongestIn(word, terms.allowed);
  if (bits === undefined) return { nak: wordOf(choice) };
  // Stay with our choice if the peer's proposal covers it.
  const chosen = (word & flags.strength[choice.bits]) !== 0 ? choice.bits : bits;
  const stateless = judgeStateless(word, terms);
  const taken = { bits: chosen, stateless };
  terms.choice = taken;
  return word === wordOf(taken) ? 'ack' : { nak: wordOf(taken) };
}

function judgeStateless(word: number, terms: CcpTerms): boolean {
  if (terms.stateful === 'only') return false;
  if ((word & flags.stateless) !== 0 || terms.stateful === 'never') return true;
  terms.statelessNaks += 1;
  return terms.statelessNaks <= maxStatelessNaks && terms.choice?.stateless !== false;
}

/** The peer will not have what we offered: try what is left, unless it has meanwhile asked for something else itself. */
function forgo(terms: CcpTerms): void {
  terms.listing = false;
  if (terms.offered === undefined || !sameMppe(terms.offered, terms.choice)) return;
  terms.allowed.delete(terms.offered.bits);
  terms.choice = strongestMppe(terms);
}

function strongestIn(word: number, allowed: ReadonlySet<MppeBits>): MppeBits | undefined {
  return mppeBits.find((bits) => allowed.has(bits) && (word & flags.strength[bits]) !== 0);
}

function listOf({ allowed, stateful }: CcpTerms): number {
  return mppeBits.reduce(
    (word, bits) => (allowed.has(bits) ? word + flags.strength[bits] : word),
    stateful === 'only' ? 0 : flags.stateless,
  );
}

function wordOf({ bits, stateless }: Mppe): number {
  return flags.strength[bits] + (stateless ? flags.stateless : 0);
}

function mppeOf(word: number): Mppe | undefined {
  const bits = mppeBits.find((each) => (word & flags.strength[each]) !== 0);
  return bits === undefined ? undefined : { bits, stateless: (word & flags.stateless) !== 0 };
}
