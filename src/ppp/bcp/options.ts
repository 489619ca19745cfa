/**
 * The options of BCP that we speak (RFC 3518 section 5). Each tells what its sender takes of the other; what is sent is always
 * whole Ethernet frames. Bridge- and Line-Identification (source routing), LAN-Identification (obsolete) and the
 * Spanning-Tree-Protocol of old, with BPDUs outside of Ethernet frames, stand in no row and are rejected.
 */

import { fromHex, toHex } from '../../base/bytes.ts';
import type { OptionRow } from '../option.ts';

/** What a side takes beyond plain Ethernet frames. */
export interface BridgeTakes {
  /** Frames with a VLAN tag (IEEE-802-Tagged-Frame). */
  readonly taggedFrames: boolean;
  /** BPDUs and their like as Ethernet frames (Management-Inline). */
  readonly inlineManagement: boolean;
  /** These with a mark in the frame's flags (Bridge-Control-Packet-Indicator). */
  readonly controlIndicator: boolean;
}

export interface BcpTerms {
  /** What our next request says of us. */
  readonly offer: { macSupport: boolean; taggedFrames: boolean; inlineManagement: boolean };
  /** What the peer takes, as we acknowledged it. */
  readonly peerTakes: { -readonly [Name in keyof BridgeTakes]: BridgeTakes[Name] };
}

export function newBcpTerms(): BcpTerms {
  return {
    offer: { macSupport: true, taggedFrames: true, inlineManagement: true },
    peerTakes: { taggedFrames: false, inlineManagement: false, controlIndicator: false },
  };
}

/** Of the MAC types: IEEE 802.3 and Ethernet with canonical addresses. */
const ethernet = 1;

/** One octet, 1 enabled or 2 disabled. */
const switchCodec = {
  decode: ([octet, ...more]: Uint8Array) =>
    more.length === 0 && (octet === 1 || octet === 2) ? octet === 1 : undefined,
  encode: (enabled: boolean) => Uint8Array.of(enabled ? 1 : 2),
};

/** To name such an option is to say it. `other`: with an octet behind, as Wireshark reads it and so perhaps a peer writes it. */
type Flag = true | 'other';

const flagCodec = {
  decode: ({ length }: Uint8Array): Flag | undefined =>
    length === 0 ? true : length === 1 ? 'other' : undefined,
  encode: () => new Uint8Array(),
};

/** Said of the peer's own, asked for never. */
const silent = { offer: () => undefined, onNak() {}, onReject() {} };

/** A peer may name several types, which is as good as none: we send the one that every bridge has. */
const macSupport: OptionRow<BcpTerms, number> = {
  type: 3,
  name: 'MAC-Support',
  decode: (data) => (data.length === 1 ? data[0] : undefined),
  encode: (type) => Uint8Array.of(type),
  offer: ({ offer }) => (offer.macSupport ? ethernet : undefined),
  onNak(type, { offer }) {
    offer.macSupport = type === ethernet;
  },
  onReject({ offer }) {
    offer.macSupport = false;
  },
  judge: (type) => (type === ethernet ? 'ack' : 'reject'),
};

/** What the peer would take: the padding of short frames left out. We leave it in. */
const tinygramCompression: OptionRow<BcpTerms, boolean> = {
  type: 4,
  name: 'Tinygram-Compression',
  ...switchCodec,
  ...silent,
  judge: () => 'ack',
};

/** The peer's own address. One of zeros asks for an address, and a bridge has none to give. Kept in hexadecimal. */
const macAddress: OptionRow<BcpTerms, string> = {
  type: 6,
  name: 'MAC-Address',
  decode: (data) => (data.length === 6 ? toHex(data) : undefined),
  encode: (address) => fromHex(address),
  ...silent,
  judge: (address) => (address === '000000000000' || isGroup(address) ? 'reject' : 'ack'),
};

const taggedFrame: OptionRow<BcpTerms, boolean> = {
  type: 8,
  name: 'IEEE-802-Tagged-Frame',
  ...switchCodec,
  offer: ({ offer }) => offer.taggedFrames || undefined,
  onNak(enabled, { offer }) {
    offer.taggedFrames = enabled;
  },
  onReject({ offer }) {
    offer.taggedFrames = false;
  },
  judge: () => 'ack',
  agreed(enabled = false, { peerTakes }) {
    peerTakes.taggedFrames = enabled;
  },
};

const managementInline: OptionRow<BcpTerms, Flag> = {
  type: 9,
  name: 'Management-Inline',
  ...flagCodec,
  offer: ({ offer }) => offer.inlineManagement || undefined,
  onNak(_, { offer }) {
    offer.inlineManagement = true;
  },
  onReject({ offer }) {
    offer.inlineManagement = false;
  },
  judge: () => 'ack',
  agreed(said, { peerTakes }) {
    peerTakes.inlineManagement = said !== undefined;
  },
};

/** Not asked for: a BPDU is known here by its address. */
const controlIndicator: OptionRow<BcpTerms, Flag> = {
  type: 10,
  name: 'Bridge-Control-Packet-Indicator',
  ...flagCodec,
  ...silent,
  judge: () => 'ack',
  agreed(said, { peerTakes }) {
    peerTakes.controlIndicator = said !== undefined;
  },
};

export const bcpOptions: readonly OptionRow<BcpTerms>[] = [
  macSupport,
  tinygramCompression,
  macAddress,
  taggedFrame,
  managementInline,
  controlIndicator,
];

/** Multicast and broadcast: nobody's own. */
function isGroup(address: string): boolean {
  return (Number.parseInt(address.slice(0, 2), 16) & 1) === 1;
}
