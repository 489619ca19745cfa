/**
 * The messages that a call sends and what its requests ask for: values of the call in, octets out, and the other way round
 * for a request. RFC 2637 sections 2.7 to 2.13. The values that describe a line (bearer, framing, speed, window) are what any
 * peer takes, because there is no line; who receives them ignores them, as we do.
 */

import { toBytes } from '../base/bytes.ts';
import { type Disconnect, errorCodes, resultCodes } from './codes.ts';
import type { CallKind, CallRequest } from './effects.ts';
import { encode, type MessageOf } from './messages.ts';

/** A call that our owner places; what is left out is what any peer takes. */
export interface Placement {
  /** `outgoing`: we are the PNS, as every subscriber's client is. `incoming`: we are the PAC. */
  readonly kind: CallKind;
  /** Our call id, 1 … 65535; the owner has opened the engine's call with it. */
  readonly callId: number;
  /** For both sides' logs only; else the call id. */
  readonly callSerialNumber?: number;
  /** Phone Number (outgoing) or Dialed Number (incoming): some ADSL modems insist on `RELAY_PPP1`. */
  readonly calledNumber?: string;
  /** Dialing Number; incoming calls only. */
  readonly callingNumber?: string;
  readonly subaddress?: string;
  /** Bit 0 analogue, bit 1 digital; else both. */
  readonly bearerType?: number;
}

/** What a side tells the other of its end of the call. */
export interface Line {
  /** Bits per second. */
  readonly connectSpeed: number;
  /** Packets. */
  readonly packetRecvWindowSize: number;
}

/** Why a call of the peer is refused. */
export type Refusal = 'do-not-accept' | 'busy' | 'no-resource' | 'bad-call-id' | 'not-connected';

const outgoing = resultCodes.outgoingCallReply;
const incoming = resultCodes.incomingCallReply;

/** A refusal as codes: Outgoing-Call-Reply (2.8) has a Busy, Incoming-Call-Reply (2.10) has none. */
const refusals: Readonly<Record<Refusal, { outgoing: number; incoming: number; errorCode: number }>> = {
  'do-not-accept': {
    outgoing: outgoing.doNotAccept,
    incoming: incoming.doNotAccept,
    errorCode: errorCodes.none,
  },
  busy: { outgoing: outgoing.busy, incoming: incoming.doNotAccept, errorCode: errorCodes.none },
  'no-resource': general(errorCodes.noResource),
  'bad-call-id': general(errorCodes.badCallId),
  'not-connected': general(errorCodes.notConnected),
};

function general(errorCode: number): { outgoing: number; incoming: number; errorCode: number } {
  return { outgoing: outgoing.generalError, incoming: incoming.generalError, errorCode };
}

const anyBearer = 3;
const anyFraming = 3;
/** Bits per second, as Windows asks. */
const minimumBps = 300;
/** Packets: Windows' window. GRE follows none here. */
const windowPackets = 64;

/** Our end of a call that we place: Windows' speed and window. */
export const ourLine: Line = { connectSpeed: 100_000_000, packetRecvWindowSize: windowPackets };

/** Our end of a call that the peer requests: what it asked for, given back. An incoming call asks for nothing. */
export function lineFor(asks: CallRequest): Line {
  return asks.kind === 'incoming'
    ? ourLine
    : { connectSpeed: asks.maximumBps, packetRecvWindowSize: asks.packetRecvWindowSize || windowPackets };
}

/** What the peer's request asks for, whichever of the two it is. */
export function requestOf(
  message: MessageOf<'outgoingCallRequest'> | MessageOf<'incomingCallRequest'>,
): CallRequest {
  const { callId: peerCallId, callSerialNumber, subaddress } = message;
  if (message.name === 'outgoingCallRequest') {
    const { minimumBps, maximumBps, bearerType, framingType, packetRecvWindowSize, phoneNumber } = message;
    const line = { minimumBps, maximumBps, bearerType, framingType, packetRecvWindowSize };
    const numbers = { calledNumber: phoneNumber, callingNumber: '', subaddress };
    return { kind: 'outgoing', peerCallId, callSerialNumber, ...line, ...numbers };
  }
  const { callBearerType: bearerType, dialedNumber, dialingNumber } = message;
  const line = { minimumBps: 0, maximumBps: 0, bearerType, framingType: 0, packetRecvWindowSize: 0 };
  const numbers = { calledNumber: dialedNumber, callingNumber: dialingNumber, subaddress };
  return { kind: 'incoming', peerCallId, callSerialNumber, ...line, ...numbers };
}

/** The request that places a call. */
export function request(placement: Placement): Uint8Array {
  const { callId, callSerialNumber = callId, bearerType = anyBearer } = placement;
  const { calledNumber = '', callingNumber = '', subaddress = '' } = placement;
  return placement.kind === 'outgoing'
    ? encode({
        name: 'outgoingCallRequest',
        callId,
        callSerialNumber,
        minimumBps,
        maximumBps: ourLine.connectSpeed,
        bearerType,
        framingType: anyFraming,
        packetRecvWindowSize: ourLine.packetRecvWindowSize,
        packetProcessingDelay: 0,
        phoneNumberLength: digits(calledNumber),
        phoneNumber: calledNumber,
        subaddress,
      })
    : encode({
        name: 'incomingCallRequest',
        callId,
        callSerialNumber,
        callBearerType: bearerType,
        physicalChannelId: 0,
        dialedNumberLength: digits(calledNumber),
        dialingNumberLength: digits(callingNumber),
        dialedNumber: calledNumber,
        dialingNumber: callingNumber,
        subaddress,
      });
}

/** Octets of a number in its field of 64. */
function digits(number: string): number {
  return Math.min(toBytes(number).length, 64);
}

/** The reply that accepts a call which the peer knows as `peersCallId`. */
export function acceptance(kind: CallKind, callId: number, peersCallId: number, line: Line): Uint8Array {
  return kind === 'outgoing'
    ? outgoingReply({ callId, peersCallId, resultCode: outgoing.connected, errorCode: errorCodes.none }, line)
    : incomingReply({ callId, peersCallId, resultCode: incoming.connect, errorCode: errorCodes.none }, line);
}

/** The reply that refuses it. Call ID 0, because a call that is refused gets no id of ours. */
export function refusal(asks: CallRequest, why: Refusal): Uint8Array {
  const { errorCode, [asks.kind]: resultCode } = refusals[why];
  const reply = { callId: 0, peersCallId: asks.peerCallId, resultCode, errorCode };
  const line = { connectSpeed: 0, packetRecvWindowSize: 0 };
  return asks.kind === 'outgoing' ? outgoingReply(reply, line) : incomingReply(reply, line);
}

type Reply = Pick<MessageOf<'outgoingCallReply'>, 'callId' | 'peersCallId' | 'resultCode' | 'errorCode'>;

function outgoingReply(reply: Reply, line: Line): Uint8Array {
  const unused = { causeCode: 0, packetProcessingDelay: 0, physicalChannelId: 0 };
  return encode({ name: 'outgoingCallReply', ...reply, ...line, ...unused });
}

function incomingReply(reply: Reply, { packetRecvWindowSize }: Line): Uint8Array {
  return encode({ name: 'incomingCallReply', ...reply, packetRecvWindowSize, packetTransmitDelay: 0 });
}

/** Incoming-Call-Connected. */
export function connected(peersCallId: number, line: Line): Uint8Array {
  const unused = { packetTransmitDelay: 0, framingType: anyFraming };
  return encode({ name: 'incomingCallConnected', peersCallId, ...line, ...unused });
}

/** Call-Clear-Request of our call `callId`. */
export function clearRequest(callId: number): Uint8Array {
  return encode({ name: 'callClearRequest', callId });
}

/** Call-Disconnect-Notify of our call `callId`; 0, which is never an id of ours, if the call has none. */
export function disconnectNotify(callId: number, why: Disconnect, errorCode: number): Uint8Array {
  const resultCode = resultCodes.callDisconnectNotify[why];
  const unused = { causeCode: 0, callStatistics: '' };
  return encode({ name: 'callDisconnectNotify', callId, resultCode, errorCode, ...unused });
}
