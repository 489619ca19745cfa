/**
 * The options of LCP that we speak (RFC 1661 section 6, RFC 1662 section 7). All others are rejected together in one
 * Configure-Reject, because they stand in no row: Callback and Endpoint-Discriminator, which Windows always asks for, and
 * MRRU, until there is multilink.
 */

import type { Random } from '../../base/random.ts';
import {
  among,
  authenticationOption,
  type Method,
  methodOfOption,
  type PasswordMethod,
  strongest,
} from '../auth/method.ts';
import type { OptionRow } from '../option.ts';

/** What has been agreed for one direction: what the named side wishes to receive, and by which `Proof` from the other. */
export interface LcpSide<Proof extends Method = Method> {
  mru: number;
  accm: number;
  magic: number;
  protocolFieldCompression: boolean;
  addressAndControlFieldCompression: boolean;
  /** How the *other* side has to prove itself. */
  authentication: Proof | undefined;
}

/** [RFC 1661 §6] What holds where an option was not negotiated. */
export const lcpDefaults: Readonly<LcpSide<never>> = {
  mru: 1500,
  accm: 0xffffffff,
  magic: 0,
  protocolFieldCompression: false,
  addressAndControlFieldCompression: false,
  authentication: undefined,
};

/** Smallest MRU that we agree to: below it PPP's own control packets would not fit. */
export const minMru = 128;

export interface LcpTerms {
  readonly random: Random;
  /** What our next request says; undefined leaves the option out. */
  readonly offer: {
    mru: number | undefined;
    magic: number | undefined;
    authentication: Method | undefined;
    readonly fieldCompression: Set<'protocol' | 'address-and-control'>;
  };
  /** Methods that we may still demand of the peer. */
  readonly demand: Set<Method>;
  /** Methods by which we are ready to prove ourselves. */
  readonly answer: ReadonlySet<PasswordMethod>;
  /** The peer will not prove itself by any method that we would take. */
  authenticationRefused: boolean;
  /** Requests in a row that came with our own magic number. */
  loops: number;
  readonly ours: LcpSide;
  readonly peers: LcpSide<PasswordMethod>;
}

type Row<Value> = OptionRow<LcpTerms, Value>;

const mru: Row<number> = {
  type: 1,
  name: 'Maximum-Receive-Unit',
  decode: (data) => number(data, 2),
  encode: (value) => octets(value, 2),
  offer: (terms) => terms.offer.mru,
  granted(value, terms) {
    terms.ours.mru = value ?? lcpDefaults.mru;
  },
  onNak(value, terms) {
    const within = Math.min(Math.max(value, minMru), lcpDefaults.mru);
    // Departs from RFC 1661 §5.3: Windows 2000 naks with the very value that it was sent, which means a reject.
    terms.offer.mru = within === terms.offer.mru ? undefined : within;
  },
  onReject(terms) {
    terms.offer.mru = undefined;
  },
  judge: (value) => (value >= minMru ? 'ack' : { nak: minMru }),
  agreed(value, terms) {
    terms.peers.mru = value ?? lcpDefaults.mru;
  },
};

/** Accepted because pppd and macOS ask for it; GRE carries no asynchronous escapes, so nothing follows from it. */
const accm: Row<number> = {
  type: 2,
  name: 'Async-Control-Character-Map',
  decode: (data) => number(data, 4),
  encode: (value) => octets(value, 4),
  offer: () => undefined,
  onNak() {},
  onReject() {},
  judge: () => 'ack',
  agreed(value, terms) {
    terms.peers.accm = value ?? lcpDefaults.accm;
  },
};

/** A method of ours, or another one (an unknown algorithm), which only the peer can name. */
const authentication: Row<Method | 'other'> = {
  type: 3,
  name: 'Authentication-Protocol',
  decode: (data) => (data.length < 2 ? undefined : (methodOfOption(data) ?? 'other')),
  encode(value) {
    if (value === 'other') throw new Error('only our own methods are offered');
    return authenticationOption(value);
  },
  offer: (terms) => terms.offer.authentication,
  granted(value, terms) {
    terms.ours.authentication = value === 'other' ? undefined : value;
  },
  onNak(value, terms) {
    const { offer, demand } = terms;
    if (offer.authentication === undefined) return;
    demand.delete(offer.authentication);
    const next = among(value, demand) ?? strongest(demand);
    if (next === undefined) terms.authenticationRefused = true;
    else offer.authentication = next;
  },
  onReject(terms) {
    terms.authenticationRefused = true;
  },
  judge(value, { answer }) {
    if (among(value, answer)) return 'ack';
    const nak = strongest(answer);
    return nak === undefined ? 'reject' : { nak };
  },
  agreed(value, terms) {
    terms.peers.authentication = among(value, terms.answer);
  },
};

const magic: Row<number> = {
  type: 5,
  name: 'Magic-Number',
  decode: (data) => number(data, 4),
  encode: (value) => octets(value, 4),
  offer: (terms) => terms.offer.magic,
  granted(value, terms) {
    terms.ours.magic = value ?? lcpDefaults.magic;
  },
  // Two sides that chose alike, or a looped-back link: another choice tells them apart [RFC 1661 §6.4].
  onNak(_value, terms) {
    terms.offer.magic = freshMagic(terms.random);
  },
  onReject(terms) {
    terms.offer.magic = undefined;
  },
  judge(value, terms) {
    const looped = value === terms.offer.magic;
    terms.loops = looped ? terms.loops + 1 : 0;
    return looped || value === 0 ? { nak: freshMagic(terms.random) } : 'ack';
  },
  agreed(value, terms) {
    terms.peers.magic = value ?? lcpDefaults.magic;
  },
};

function fieldCompression(
  type: number,
  name: string,
  which: 'protocol' | 'address-and-control',
  field: 'protocolFieldCompression' | 'addressAndControlFieldCompression',
): Row<true> {
  return {
    type,
    name,
    decode: (data) => (data.length === 0 ? true : undefined),
    encode: () => new Uint8Array(),
    offer: ({ offer }) => (offer.fieldCompression.has(which) ? true : undefined),
    granted(value, terms) {
      terms.ours[field] = value ?? false;
    },
    onNak() {},
    onReject: ({ offer }) => void offer.fieldCompression.delete(which),
    judge: () => 'ack',
    agreed(value, terms) {
      terms.peers[field] = value ?? false;
    },
  };
}

export const lcpOptions: readonly OptionRow<LcpTerms>[] = [
  mru,
  accm,
  authentication,
  magic,
  fieldCompression(7, 'Protocol-Field-Compression', 'protocol', 'protocolFieldCompression'),
  fieldCompression(
    8,
    'Address-and-Control-Field-Compression',
    'address-and-control',
    'addressAndControlFieldCompression',
  ),
];

/** A magic number that is not zero. */
export function freshMagic(random: Random): number {
  return number(random(4), 4) || 1;
}

function number(data: Uint8Array, size: 2 | 4): number | undefined {
  if (data.length !== size) return undefined;
  return data.reduce((value, octet) => value * 256 + octet, 0);
}

function octets(value: number, size: 2 | 4): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => value >>> (8 * (size - 1 - at)));
}
