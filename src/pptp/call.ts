/**
 * One call of a control connection, RFC 2637 section 3.2, in any of its four parts. Events enter by `step`, effects leave; the
 * states stand in call-states.ts. It knows nothing of the other calls and nothing of GRE.
 *
 * The first cause of its end is kept: what the peer says while we already clear the call changes nothing.
 */

import {
  acceptance,
  clearRequest,
  connected,
  disconnectNotify,
  type Line,
  lineFor,
  ourLine,
  type Placement,
  type Refusal,
  refusal,
  request,
} from './call-messages.ts';
import { type CallAction, type CallState, callTables } from './call-states.ts';
import { type Disconnect, describe, errorCodes } from './codes.ts';
import type { CallCause, CallKind, CallRequest, Effect, Role, TimerName } from './effects.ts';
import type { Message, MessageName, MessageOf } from './messages.ts';
import { rules } from './rules.ts';

type Reply = MessageOf<'outgoingCallReply'> | MessageOf<'incomingCallReply'>;

/** What happened to the call, with what came along. */
export type CallInput =
  | { readonly event: 'request' | 'place' | 'connection-up' | 'unanswered' }
  | { readonly event: 'accept'; readonly callId: number }
  | { readonly event: 'refuse'; readonly why: Refusal }
  | { readonly event: 'clear'; readonly disconnect: Disconnect }
  | { readonly event: 'connection-ended'; readonly cause: CallCause; readonly detail: string }
  | { readonly event: 'reply-connected' | 'reply-refused'; readonly message: Reply }
  | { readonly event: 'connected'; readonly message: MessageOf<'incomingCallConnected'> }
  | { readonly event: 'clear-request' }
  | { readonly event: 'disconnect-notify'; readonly message: MessageOf<'callDisconnectNotify'> };

/** Messages about a call that exists. */
export type CallMessage = Extract<
  Message,
  {
    readonly name:
      | 'outgoingCallReply'
      | 'incomingCallReply'
      | 'incomingCallConnected'
      | 'callClearRequest'
      | 'callDisconnectNotify';
  }
>;

/** Where a call comes from: the peer asks for it, known to the owner as `request`; or the owner places it; or a process before this one has brought it up. */
type Origin =
  | { readonly request: number; readonly asks: CallRequest }
  | { readonly request?: undefined; readonly placement: Placement }
  | { readonly request?: undefined; readonly standing: StandingCall };

/** A call that is established, as it is told to a process after this one. Ids as in the messages. */
export interface StandingCall {
  readonly kind: CallKind;
  readonly role: Role;
  readonly callId: number;
  readonly peerCallId: number;
}

interface End {
  readonly cause: CallCause;
  readonly detail: string;
}

const replyTo = { outgoing: 'outgoingCallReply', incoming: 'incomingCallReply' } as const;

export class Call {
  readonly kind: CallKind;
  readonly role: Role;
  readonly #origin: Origin;
  #state: CallState = 'idle';
  #callId: number | undefined;
  #peerCallId: number | undefined;
  /** What the owner is told of the line: the PAC's speed, the other side's window. */
  #line: Line;
  #wasConnected = false;
  #isTimed = false;
  #end: End | undefined;

  constructor(origin: Origin) {
    this.#origin = origin;
    if ('standing' in origin) {
      ({ kind: this.kind, role: this.role } = origin.standing);
      ({ callId: this.#callId, peerCallId: this.#peerCallId } = origin.standing);
      this.#line = ourLine;
      this.#state = 'established';
      this.#wasConnected = true;
      return;
    }
    const isPlaced = origin.request === undefined;
    this.kind = isPlaced ? origin.placement.kind : origin.asks.kind;
    this.role = isPlaced === (this.kind === 'outgoing') ? 'PNS' : 'PAC';
    this.#callId = isPlaced ? origin.placement.callId : undefined;
    this.#peerCallId = isPlaced ? undefined : origin.asks.peerCallId;
    this.#line = isPlaced ? ourLine : lineFor(origin.asks);
  }

  get state(): CallState {
    return this.#state;
  }

  /** Ours; none before the owner has accepted the call. */
  get callId(): number | undefined {
    return this.#callId;
  }

  /** The peer's, 0 included; none before it has answered. */
  get peerCallId(): number | undefined {
    return this.#peerCallId;
  }

  /** The owner's handle of a call that the peer requested. */
  get request(): number | undefined {
    return this.#origin.request;
  }

  /** Takes an event through the table. Undefined if it cannot happen in this state: then nothing has changed. */
  step(input: CallInput): readonly Effect[] | undefined {
    const cell = callTables[this.role][this.kind][input.event]?.[this.#state];
    if (cell === undefined) return undefined;
    this.#end ??= endBy(input);
    const effects = cell.next === this.#state ? [] : [...this.#disarm()];
    this.#state = cell.next;
    for (const action of cell.actions) effects.push(...this.#perform(action, input));
    return effects;
  }

  /** Takes a message of the peer. Undefined if the call does not admit it now. */
  received(message: CallMessage): readonly Effect[] | undefined {
    switch (message.name) {
      case 'outgoingCallReply':
      case 'incomingCallReply': {
        if (message.name !== replyTo[this.kind]) return undefined;
        // Both replies say 1 for a call that is taken.
        return this.step({ event: message.resultCode === 1 ? 'reply-connected' : 'reply-refused', message });
      }
      case 'incomingCallConnected':
        return this.step({ event: 'connected', message });
      case 'callClearRequest':
        return this.step({ event: 'clear-request' });
      case 'callDisconnectNotify':
        return this.step({ event: 'disconnect-notify', message });
    }
  }

  #perform(action: CallAction, input: CallInput): readonly Effect[] {
    switch (action) {
      case 'tell-requested':
        return this.#tellRequested();
      case 'send-request':
        return this.#sendRequest();
      case 'send-reply':
        return this.#sendReply(input);
      case 'send-refusal':
        return this.#sendRefusal(input);
      case 'learn-peer':
        return this.#learnPeer(input);
      case 'send-connected':
        return [{ do: 'send', bytes: connected(this.#peers(), ourLine) }];
      case 'tell-connected':
        return this.#tellConnected();
      case 'send-clear-request':
        return this.#sendTimed('callClearRequest', clearRequest(this.#ours()));
      case 'send-disconnect-notify': {
        const notify = disconnectNotify(this.#callId ?? 0, disconnectBy(input), errorCodes.none);
        return [{ do: 'send', bytes: notify }];
      }
      case 'tell-end':
        return this.#tellEnd();
    }
  }

  #tellRequested(): readonly Effect[] {
    if (this.#origin.request === undefined) throw new Error('a placed call is not requested');
    return [{ do: 'call-requested', request: this.#origin.request, ...this.#origin.asks }];
  }

  #sendRequest(): readonly Effect[] {
    if (!('placement' in this.#origin)) throw new Error('this call was not placed here');
    const name = this.kind === 'outgoing' ? 'outgoingCallRequest' : 'incomingCallRequest';
    return this.#sendTimed(name, request(this.#origin.placement));
  }

  #sendReply(input: CallInput): readonly Effect[] {
    if (input.event !== 'accept') throw new Error(`no reply to ${input.event}`);
    this.#callId = input.callId;
    const reply = acceptance(this.kind, input.callId, this.#peers(), this.#line);
    return this.#sendTimed(replyTo[this.kind], reply);
  }

  #sendRefusal(input: CallInput): readonly Effect[] {
    if (input.event !== 'refuse' || this.#origin.request === undefined) throw new Error('nothing to refuse');
    return [{ do: 'send', bytes: refusal(this.#origin.asks, input.why) }];
  }

  #learnPeer(input: CallInput): readonly Effect[] {
    if (input.event === 'reply-connected') this.#peerCallId = input.message.callId;
    if ('message' in input && 'packetRecvWindowSize' in input.message) {
      this.#line = { ...this.#line, ...lineOf(input.message) };
    }
    return [];
  }

  #tellConnected(): readonly Effect[] {
    this.#wasConnected = true;
    const { role, kind } = this;
    const ids = { callId: this.#ours(), peerCallId: this.#peers() };
    return [{ do: 'call-connected', ...ids, kind, role, ...this.#line }];
  }

  #tellEnd(): readonly Effect[] {
    if (this.#end === undefined) throw new Error('a call ends by an event that has a cause');
    if (this.#wasConnected) return [{ do: 'call-cleared', callId: this.#ours(), ...this.#end }];
    if (this.#callId !== undefined) return [{ do: 'call-failed', callId: this.#callId, ...this.#end }];
    if (this.request === undefined) throw new Error('a call has a handle or an id of ours');
    return [{ do: 'call-withdrawn', request: this.request, ...this.#end }];
  }

  /** Sends a message and, if rules.ts has a reply due to it, waits for that. */
  #sendTimed(name: MessageName, octets: Uint8Array): readonly Effect[] {
    const due = rules[name].due;
    const sent: Effect = { do: 'send', bytes: octets };
    if (due === undefined) return [sent];
    this.#isTimed = true;
    return [sent, { do: 'arm', timer: this.#timer(), delayMs: due.withinMs }];
  }

  #disarm(): readonly Effect[] {
    if (!this.#isTimed) return [];
    this.#isTimed = false;
    return [{ do: 'disarm', timer: this.#timer() }];
  }

  #timer(): TimerName {
    return `call-reply:${this.#ours()}`;
  }

  #ours(): number {
    if (this.#callId === undefined) throw new Error('the call has no id of ours yet');
    return this.#callId;
  }

  #peers(): number {
    if (this.#peerCallId === undefined) throw new Error('the call has no id of the peer yet');
    return this.#peerCallId;
  }
}

/** What the peer says of its end; Incoming-Call-Reply comes from the PNS, which has no speed. */
function lineOf(message: Reply | MessageOf<'incomingCallConnected'>): Partial<Line> {
  const { packetRecvWindowSize } = message;
  return 'connectSpeed' in message
    ? { connectSpeed: message.connectSpeed, packetRecvWindowSize }
    : { packetRecvWindowSize };
}

/** The end that an event brings about, at once or in its course; none if it brings none. */
function endBy(input: CallInput): End | undefined {
  switch (input.event) {
    case 'clear':
      return { cause: 'cleared', detail: '' };
    case 'clear-request':
      return { cause: 'peer-cleared', detail: '' };
    case 'disconnect-notify':
      return { cause: 'peer-disconnected', detail: describe('callDisconnectNotify', input.message) };
    case 'reply-refused':
      return { cause: 'refused', detail: describe(input.message.name, input.message) };
    case 'unanswered':
      return { cause: 'unanswered', detail: '' };
    case 'connection-ended':
      return { cause: input.cause, detail: input.detail };
    default:
      return undefined;
  }
}

/** The Result Code of our Call-Disconnect-Notify, by what made us send it. */
function disconnectBy(input: CallInput): Disconnect {
  switch (input.event) {
    case 'clear':
      return input.disconnect;
    case 'clear-request':
      return 'request';
    default:
      return 'generalError';
  }
}
