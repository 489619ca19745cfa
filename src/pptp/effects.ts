/**
 * What leaves a control connection: effects as values, with the closed sets of causes, timers and notices that they carry. The
 * owner performs them in order. Nothing here acts.
 */

import { type Tally, tally } from '../base/observe.ts';

/** Outgoing-Call or Incoming-Call, as seen by the PAC: a subscriber's client places an *outgoing* call. */
export type CallKind = 'outgoing' | 'incoming';

/** Who we are in a call: PNS and PAC of RFC 2637 section 1.2. A server that is dialled by Outgoing-Call-Request is the PAC. */
export type Role = 'PAC' | 'PNS';

/** Why a control connection ended, with the sentence for it. */
export const connectionCauses = {
  stopped: 'stopped by us',
  'peer-stopped': 'stopped by the peer',
  'tcp-closed': 'TCP connection lost',
  malformed: 'peer does not speak PPTP',
  'version-unsupported': 'peer speaks an unsupported version of PPTP',
  'start-refused': 'peer refused the control connection',
  'start-unanswered': 'peer did not answer Start-Control-Connection-Request',
  'echo-unanswered': 'peer did not answer Echo-Request',
  'no-call-in-time': 'no call was established in time',
} as const;
export type ConnectionCause = keyof typeof connectionCauses;

/** Why a call ended: a cause of its own, or that of the control connection which took it along. */
export const callCauses = {
  ...connectionCauses,
  cleared: 'cleared by us',
  'peer-cleared': 'cleared by the peer',
  'peer-disconnected': 'disconnected by the peer',
  refused: 'refused by the peer',
  unanswered: 'peer did not answer the call',
  'too-many-calls': 'too many calls on one control connection',
} as const;
export type CallCause = keyof typeof callCauses;

/** What is worth counting and a debug line, but changes nothing. */
export const notices = {
  'message-out-of-state': 'Messages that the state of the connection or of the call does not admit; ignored.',
  'second-start-request':
    'Start-Control-Connection-Requests on an established connection; answered that it exists.',
  'call-unknown': 'Messages about a call that is not on the connection.',
  'call-taken-for-only': 'Messages with a wrong call id that were taken for the only call of the connection.',
  'call-id-duplicate': 'Calls refused because the peer gave the same call id twice.',
  'call-not-connected': 'Calls refused because the control connection was not established.',
  'calls-too-many': 'Calls refused because the connection had as many as it may have.',
  'link-info-ignored': 'Set-Link-Infos; ignored, because GRE carries no asynchronous framing.',
  'wan-error': 'WAN-Error-Notifies; counted only.',
  malformed: 'Octets that are not PPTP; they end the connection.',
  'answer-stale': 'Answers of ours to a call that had been withdrawn.',
  'clear-stale': 'Clearings by us of a call that had ended.',
} as const;
export type Notice = keyof typeof notices;

/** Counts of the notices. */
export function pptpTally(): Tally<Notice> {
  return tally('pptp', notices);
}

/** The replies that a connection itself may wait for. */
export type ConnectionReply = 'startControlConnectionReply' | 'stopControlConnectionReply' | 'echoReply';

/** A timer's name; a reply is awaited by the connection, or by the call with our call id. Arming it again moves its deadline. */
export type TimerName = 'set-up' | 'silence' | ConnectionReply | `call-reply:${number}`;

/** What the peer said of itself in Start-Control-Connection-Request or -Reply. */
export interface PeerIdentity {
  readonly protocolVersion: number;
  readonly firmwareRevision: number;
  readonly maximumChannels: number;
  readonly hostName: string;
  readonly vendorName: string;
}

/** What a call of the peer asks for: everything that admission may want. Numbers as in the message. */
export interface CallRequest {
  readonly kind: CallKind;
  /** Any of 0 … 65535: Windows XP calls with 0. */
  readonly peerCallId: number;
  readonly callSerialNumber: number;
  /** Bits per second; 0 in an incoming call, which does not say. */
  readonly minimumBps: number;
  readonly maximumBps: number;
  readonly bearerType: number;
  /** 0 in an incoming call, which does not say until it is connected. */
  readonly framingType: number;
  /** Packets; 0 in an incoming call. */
  readonly packetRecvWindowSize: number;
  /** Phone Number of an outgoing call, Dialed Number of an incoming one. */
  readonly calledNumber: string;
  /** Dialing Number of an incoming call. */
  readonly callingNumber: string;
  readonly subaddress: string;
}

/**
 * The effects. Every call that was requested or placed is told exactly one end: `call-withdrawn` before we answered it,
 * `call-failed` before it was connected, `call-cleared` after; a request that the owner refuses is told none. `ended` is the last
 * effect of a connection: its timers and its TCP connection count no more.
 */
export type Effect =
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  /** Close TCP once all that was sent is written. Not emitted when TCP is gone already. */
  | { readonly do: 'close' }
  | { readonly do: 'arm'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly do: 'disarm'; readonly timer: TimerName }
  | { readonly do: 'connection-established'; readonly peer: PeerIdentity }
  /** The owner opens the engine's call, then calls `answerCall(request, …)`. */
  | ({ readonly do: 'call-requested'; readonly request: number } & CallRequest)
  | {
      readonly do: 'call-withdrawn';
      readonly request: number;
      readonly cause: CallCause;
      readonly detail: string;
    }
  | {
      readonly do: 'call-connected';
      readonly callId: number;
      readonly peerCallId: number;
      readonly kind: CallKind;
      readonly role: Role;
      /** Bits per second, as the PAC says. */
      readonly connectSpeed: number;
      /** Packets that the peer wants outstanding at most; advice that GRE does not follow. */
      readonly packetRecvWindowSize: number;
    }
  /** The call id is free again; `detail` has the peer's codes in words, or is empty. */
  | {
      readonly do: 'call-failed';
      readonly callId: number;
      readonly cause: CallCause;
      readonly detail: string;
    }
  | {
      readonly do: 'call-cleared';
      readonly callId: number;
      readonly cause: CallCause;
      readonly detail: string;
    }
  | { readonly do: 'ended'; readonly cause: ConnectionCause; readonly detail: string }
  | { readonly do: 'note'; readonly notice: Notice; readonly detail: string };
