/**
 * What RFC 2637 says of each message beside its layout, one row each: in which states of the control connection (section 3.1)
 * it is admitted, how the call that it speaks of is found (3.2), which reply is due when we have sent it, how long we wait, and
 * what dies without it. control.ts and call.ts follow the rows; nothing here acts.
 */

import type { MessageName } from './messages.ts';

/** Section 3.1, both sides of a connection, and `ended`, in which nothing happens any more. */
export type ControlState = 'idle' | 'wait-ctl-reply' | 'established' | 'wait-stop-reply' | 'ended';

/**
 * How the call of a message is found: it has none; it begins one; by the id that we gave it; or by the id that the peer gave
 * it, which Call-Clear-Request and Call-Disconnect-Notify carry because the sender may not know ours yet.
 */
export type CallSearch = 'none' | 'new' | 'our-id' | 'peer-id';

/** The reply that must come after we have sent a message. */
export interface Due {
  readonly reply: MessageName;
  readonly withinMs: number;
  /** What ends when none comes. */
  readonly death: 'connection' | 'call';
}

export interface Rule {
  /** States of the control connection that admit it from the peer. In others it is noted, and the connection lives on. */
  readonly admittedIn: readonly ControlState[];
  readonly call: CallSearch;
  readonly due?: Due;
}

/** Section 3.1.4: after so long without a message the peer is probed; so long after a probe without one, it is dead. */
export const echoIntervalMs = 60_000;

/** TCP is up already, so the peer is one message away; ten seconds outlive a lost segment or two. */
const startReplyMs = 10_000;
/** Together with `startReplyMs` below limits.connectionSetUpMs, so that an unanswered call is blamed on the call. */
const callReplyMs = 19_000;
/** A farewell: nothing is lost by not waiting long, and limits.shutdownMs must hold. */
const farewellReplyMs = 3_000;

const anyLive: readonly ControlState[] = ['idle', 'wait-ctl-reply', 'established', 'wait-stop-reply'];

export const rules: Readonly<Record<MessageName, Rule>> = {
  startControlConnectionRequest: {
    // Departs from RFC 2637 section 3.1.2, which has no second one: peers send it again, and are told that they are connected.
    admittedIn: ['idle', 'wait-ctl-reply', 'established'],
    call: 'none',
    due: { reply: 'startControlConnectionReply', withinMs: startReplyMs, death: 'connection' },
  },
  startControlConnectionReply: { admittedIn: ['wait-ctl-reply'], call: 'none' },
  stopControlConnectionRequest: {
    admittedIn: anyLive,
    call: 'none',
    due: { reply: 'stopControlConnectionReply', withinMs: farewellReplyMs, death: 'connection' },
  },
  stopControlConnectionReply: { admittedIn: ['wait-stop-reply'], call: 'none' },
  echoRequest: {
    admittedIn: anyLive,
    call: 'none',
    due: { reply: 'echoReply', withinMs: echoIntervalMs, death: 'connection' },
  },
  echoReply: { admittedIn: ['established', 'wait-stop-reply'], call: 'none' },
  outgoingCallRequest: {
    admittedIn: ['established'],
    call: 'new',
    due: { reply: 'outgoingCallReply', withinMs: callReplyMs, death: 'call' },
  },
  outgoingCallReply: { admittedIn: ['established'], call: 'our-id' },
  incomingCallRequest: {
    admittedIn: ['established'],
    call: 'new',
    due: { reply: 'incomingCallReply', withinMs: callReplyMs, death: 'call' },
  },
  incomingCallReply: {
    admittedIn: ['established'],
    call: 'our-id',
    due: { reply: 'incomingCallConnected', withinMs: callReplyMs, death: 'call' },
  },
  incomingCallConnected: { admittedIn: ['established'], call: 'our-id' },
  callClearRequest: {
    admittedIn: ['established'],
    call: 'peer-id',
    due: { reply: 'callDisconnectNotify', withinMs: farewellReplyMs, death: 'call' },
  },
  callDisconnectNotify: { admittedIn: ['established'], call: 'peer-id' },
  wanErrorNotify: { admittedIn: ['established'], call: 'our-id' },
  setLinkInfo: { admittedIn: ['established'], call: 'our-id' },
};
