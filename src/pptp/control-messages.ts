/**
 * The messages that a control connection sends for itself, RFC 2637 sections 2.1 to 2.6, and what the peer's tell of the peer.
 * Values in, values out.
 */

import { type Reason, reasons, resultCodes } from './codes.ts';
import type { PeerIdentity } from './effects.ts';
import type { MessageOf } from './messages.ts';

/** What we say of ourselves. */
export interface Identity {
  /** At most 64 octets each; what is longer is cut. */
  readonly hostName: string;
  readonly vendorName: string;
  readonly firmwareRevision: number;
}

/** Version 1.0. Of the peer's the first octet must agree; the second is a revision. */
const protocolVersion = 0x0100;

/** Any framing, any bearer, channels unlimited: there are no lines that could be counted. */
const capabilities = { framingCapabilities: 3, bearerCapabilities: 3, maximumChannels: 0 };

type Start = MessageOf<'startControlConnectionRequest'> | MessageOf<'startControlConnectionReply'>;

export function isVersionSupported({ protocolVersion: peers }: Start): boolean {
  return peers >> 8 === protocolVersion >> 8;
}

/** `version 2.0`, for the log. */
export function versionOf({ protocolVersion: peers }: Start): string {
  return `version ${peers >> 8}.${peers & 0xff}`;
}

export function identityOf(start: Start): PeerIdentity {
  const { protocolVersion, firmwareRevision, maximumChannels, hostName, vendorName } = start;
  return { protocolVersion, firmwareRevision, maximumChannels, hostName, vendorName };
}

export function startRequest(identity: Identity): MessageOf<'startControlConnectionRequest'> {
  return { name: 'startControlConnectionRequest', protocolVersion, ...capabilities, ...said(identity) };
}

type StartResult = keyof typeof resultCodes.startControlConnectionReply;

export function startReply(
  identity: Identity,
  result: StartResult,
): MessageOf<'startControlConnectionReply'> {
  const codes = { resultCode: resultCodes.startControlConnectionReply[result], errorCode: 0 };
  return {
    name: 'startControlConnectionReply',
    protocolVersion,
    ...codes,
    ...capabilities,
    ...said(identity),
  };
}

function said({ hostName, vendorName, firmwareRevision }: Identity): Identity {
  return { hostName, vendorName, firmwareRevision };
}

export function stopRequest(reason: Reason): MessageOf<'stopControlConnectionRequest'> {
  return { name: 'stopControlConnectionRequest', reason: reasons[reason] };
}

export const stopReply: MessageOf<'stopControlConnectionReply'> = {
  name: 'stopControlConnectionReply',
  resultCode: resultCodes.stopControlConnectionReply.ok,
  errorCode: 0,
};

export function echoReply({ identifier }: MessageOf<'echoRequest'>): MessageOf<'echoReply'> {
  return { name: 'echoReply', identifier, resultCode: resultCodes.echoReply.ok, errorCode: 0 };
}
