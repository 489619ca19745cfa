/**
 * The options of LCP that we speak (RFC 1661 section 6, RFC 1662 section 7, RFC 1990 section 5.1). All others are rejected
 * together in one Configure-Reject, because they stand in no row, as Callback, which Windows always asks for; so are those of
 * Multilink where it was not asked for.
 */

import { fromHex, toHex } from '../../base/bytes.ts';
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
  /** The longest information field that it puts together from fragments; undefined: it takes none. */
  mrru: number | undefined;
  /** Whether it wishes the sequence numbers of fragments in 12 bits. */
  shortSequenceNumbers: boolean;
}

/** [RFC 1661 §6] What holds where an option was not negotiated. */
export const lcpDefaults: Readonly<LcpSide<never>> = {
  mru: 1500,
  accm: 0xffffffff,
  magic: 0,
  protocolFieldCompression: false,
  addressAndControlFieldCompression: false,
  authentication: undefined,
  mrru: undefined,
  shortSequenceNumbers: false,
};

/** Who is at the end of a link, to tell whether two links lead to the same system. `address` is in hexadecimal. */
export interface Endpoint {
  readonly class: number;
  readonly address: string;
}

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
    mrru: number | undefined;
    endpoint: Endpoint | undefined;
  };
  /** Whether the peer may have Multilink. */
  readonly multilink: boolean;
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

/** [RFC 1990 §5.1.1] Asks for Multilink: the longest information field that the sender puts together from fragments. */
const mrru: Row<number> = {
  type: 17,
  name: 'Multilink-MRRU',
  decode: (data) => number(data, 2),
  encode: (value) => octets(value, 2),
  offer: ({ offer }) => offer.mrru,
  granted(value, { ours }) {
    ours.mrru = value;
  },
  onNak(value, { offer }) {
    if (offer.mrru === undefined) return;
    const within = Math.max(value, minMru);
    offer.mrru = within < offer.mrru ? within : undefined;
  },
  onReject({ offer }) {
    offer.mrru = undefined;
    offer.endpoint = undefined;
  },
  judge(value, { multilink }) {
    if (!multilink) return 'reject';
    return value >= minMru ? 'ack' : { nak: minMru };
  },
  agreed(value, { peers }) {
    peers.mrru = value;
  },
};

/** [RFC 1990 §5.1.2] Granted to a peer that wants it, not asked for: two octets in some 1,400. */
const shortSequenceNumbers: Row<true> = {
  type: 18,
  name: 'Multilink-Short-Sequence-Number-Header-Format',
  decode: (data) => (data.length === 0 ? true : undefined),
  encode: () => new Uint8Array(),
  offer: () => undefined,
  onNak() {},
  onReject() {},
  judge: (_value, { multilink }) => (multilink ? 'ack' : 'reject'),
  agreed(value, { peers }) {
    peers.shortSequenceNumbers = value ?? false;
  },
};

/** Octets of an address, by class [RFC 1990 §5.1.3]: null, locally assigned, IPv4, MAC, magic numbers, telephone number. */
const endpointBytes: readonly (readonly [least: number, most: number])[] = [
  [0, 0],
  [1, 20],
  [4, 4],
  [6, 6],
  [4, 20],
  [1, 15],
];

/**
 * [RFC 1990 §5.1.3] Ours is another one for every link: without it a peer takes all links of one user name for links of one
 * bundle (§5.1.3, table), and would spread its fragments over calls of different hosts. What the peer's says is not looked at.
 */
const endpoint: Row<Endpoint> = {
  type: 19,
  name: 'Multilink-Endpoint-Discriminator',
  decode(data) {
    const [kind = -1, ...address] = data;
    const [least, most] = endpointBytes[kind] ?? [1, 0];
    if (address.length < least || address.length > most) return undefined;
    return { class: kind, address: toHex(data.subarray(1)) };
  },
  encode: (value) => Uint8Array.of(value.class, ...fromHex(value.address)),
  offer: ({ offer }) => offer.endpoint,
  onNak(_value, { offer }) {
    offer.endpoint = undefined;
  },
  onReject({ offer }) {
    offer.endpoint = undefined;
  },
  judge: (_value, { multilink }) => (multilink ? 'ack' : 'reject'),
};

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
  mrru,
  shortSequenceNumbers,
  endpoint,
];

/** An endpoint that is no other link's: locally assigned, of 20 octets. */
export function freshEndpoint(random: Random): Endpoint {
  return { class: 1, address: toHex(random(20)) };
}

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
