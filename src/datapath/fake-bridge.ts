/**
 * Bridged frames in the fake engine, in the terms of native/bcp.h (RFC 3518 section 4.2): an Ethernet frame travels with two octets
 * before it, flags and MAC type, and only if the peer takes it. Pure. Nobody marks frames, pads them or adds a check sequence here.
 */

import { concat } from '../base/bytes.ts';
import { takes } from './contract.ts';

const header = Uint8Array.of(0, 1);
const ethernetHeaderOctets = 14;
const typeAt = 12;
/** IEEE 802.1Q. */
const tagged = 0x8100;
/** 01-80-C2-00-00-00 to -2F: BPDUs and their like. */
const forBridges = [0x01, 0x80, 0xc2, 0x00, 0x00];
const lastForBridges = 0x2f;

/** Whether a peer that takes these of `takes` takes this frame. */
export function mayPass(frame: Uint8Array, peerTakes: number): boolean {
  if (frame.length < ethernetHeaderOctets) return false;
  const type = ((frame[typeAt] ?? 0) << 8) | (frame[typeAt + 1] ?? 0);
  if (type === tagged && (peerTakes & takes.taggedFrames) === 0) return false;
  const isForBridges =
    forBridges.every((octet, at) => frame[at] === octet) && (frame[forBridges.length] ?? 0) <= lastForBridges;
  return !isForBridges || (peerTakes & takes.inlineManagement) !== 0;
}

/** The information field that carries `frame`. */
export function informationOf(frame: Uint8Array): Uint8Array {
  return concat(header, frame);
}

/** The frame that an information field carries. */
export function frameOf(information: Uint8Array): Uint8Array {
  return information.subarray(header.length);
}
