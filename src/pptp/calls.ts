/**
 * The calls of one control connection: begins them, finds the one that a message or the owner speaks of, and lets go of those
 * that are over. RFC 2637 section 3.2; many calls may share a connection. The states of each are its own (call.ts); whether the
 * connection admits the message has been decided (control.ts).
 */

import { limits } from '../base/limits.ts';
import { Call, type CallInput, type CallMessage, type StandingCall } from './call.ts';
import { disconnectNotify, type Placement, type Refusal, refusal, requestOf } from './call-messages.ts';
import { type Disconnect, errorCodes } from './codes.ts';
import type { CallCause, Effect, Notice } from './effects.ts';
import type { MessageOf } from './messages.ts';
import { rules } from './rules.ts';

/** Our owner's answer to a call of the peer. Its id, 1 … 65535, is known to the engine already. */
export type CallAnswer =
  | { readonly accept: true; readonly callId: number }
  | { readonly accept: false; readonly why: Refusal };

/** Messages that begin a call. */
export type CallRequestMessage = MessageOf<'outgoingCallRequest'> | MessageOf<'incomingCallRequest'>;

/** Messages that tell something of a call and change nothing. */
type InformingMessage = MessageOf<'wanErrorNotify'> | MessageOf<'setLinkInfo'>;

const informs = { wanErrorNotify: 'wan-error', setLinkInfo: 'link-info-ignored' } as const;

export class Calls {
  readonly #calls = new Set<Call>();
  #requests = 0;
  #begun = 0;

  /** Calls that are not over, of whatever state. */
  get size(): number {
    return this.#calls.size;
  }

  get hasEstablished(): boolean {
    return this.#where((call) => call.state === 'established') !== undefined;
  }

  /**
   * These are established: a process before this one has brought them up. How many the connection had besides is not known, so none
   * is taken for its only one.
   */
  resume(standing: readonly StandingCall[]): void {
    for (const each of standing) this.#begin(new Call({ standing: each }));
    this.#begun = Number.POSITIVE_INFINITY;
  }

  /** The peer requests a call: the owner is asked, unless there is no place for it. */
  requested(message: CallRequestMessage): readonly Effect[] {
    if (this.#calls.size >= limits.callsPerConnection)
      return refuse(message, 'no-resource', 'calls-too-many');
    if (this.#byPeers(message.callId) !== undefined)
      return refuse(message, 'bad-call-id', 'call-id-duplicate');
    this.#requests += 1;
    const call = this.#begin(new Call({ request: this.#requests, asks: requestOf(message) }));
    return this.#step(call, { event: 'request' });
  }

  answer(request: number, answer: CallAnswer): readonly Effect[] {
    if (answer.accept) this.#checkId(answer.callId);
    const call = this.#where((each) => each.request === request && each.state === 'wait-answer');
    if (call === undefined) return [note('answer-stale', `request ${request}`)];
    return answer.accept
      ? this.#step(call, { event: 'accept', callId: answer.callId })
      : this.#step(call, { event: 'refuse', why: answer.why });
  }

  /** The owner places a call, which is requested when the connection is up. */
  place(placement: Placement): readonly Effect[] {
    this.#checkId(placement.callId);
    const { callId } = placement;
    if (this.#calls.size >= limits.callsPerConnection)
      return [{ do: 'call-failed', callId, cause: 'too-many-calls', detail: '' }];
    return this.#step(this.#begin(new Call({ placement })), { event: 'place' });
  }

  clear(callId: number, disconnect: Disconnect): readonly Effect[] {
    const call = this.#byOurs(callId);
    return call === undefined
      ? [note('clear-stale', `call ${callId}`)]
      : this.#step(call, { event: 'clear', disconnect });
  }

  /** The reply that the call `callId` waits for is overdue. */
  unanswered(callId: number): readonly Effect[] {
    const call = this.#byOurs(callId);
    return call === undefined ? [] : this.#step(call, { event: 'unanswered' });
  }

  /** A message of the peer about a call that should exist. */
  received(message: CallMessage | InformingMessage): readonly Effect[] {
    const callId = 'peersCallId' in message ? message.peersCallId : message.callId;
    const call = rules[message.name].call === 'our-id' ? this.#byOurs(callId) : this.#byPeers(callId);
    if (call !== undefined) return this.#received(call, message);
    return rules[message.name].call === 'peer-id' && this.#isLonely
      ? this.#receivedByOnly(message, callId)
      : unknownCall(message, callId);
  }

  connectionUp(): readonly Effect[] {
    return [...this.#calls].flatMap((call) => this.#step(call, { event: 'connection-up' }));
  }

  connectionEnded(end: { readonly cause: CallCause; readonly detail: string }): readonly Effect[] {
    return [...this.#calls].flatMap((call) => this.#step(call, { event: 'connection-ended', ...end }));
  }

  #received(call: Call, message: CallMessage | InformingMessage): readonly Effect[] {
    if (message.name === 'wanErrorNotify' || message.name === 'setLinkInfo')
      return [note(informs[message.name], `call ${call.callId}`)];
    const effects = call.received(message);
    if (effects === undefined) return [note('message-out-of-state', `${message.name} in ${call.state}`)];
    this.#letGo(call);
    return effects;
  }

  /**
   * Departs from RFC 2637 sections 2.12 and 2.13: pptpd's clients clear with any call id, so a connection that never had a second
   * call needs no id. Where there was one, a wrong id may be that of a call which has just ended, and must not end the other.
   */
  get #isLonely(): boolean {
    return this.#begun === 1 && this.#calls.size === 1;
  }

  #receivedByOnly(message: CallMessage | InformingMessage, callId: number): readonly Effect[] {
    const taken = note('call-taken-for-only', `${message.name} of call ${callId}`);
    return [taken, ...[...this.#calls].flatMap((call) => this.#received(call, message))];
  }

  #begin(call: Call): Call {
    this.#calls.add(call);
    this.#begun += 1;
    return call;
  }

  /** An event of ours. One that the call's state does not have changes nothing. */
  #step(call: Call, input: CallInput): readonly Effect[] {
    const effects = call.step(input) ?? [];
    this.#letGo(call);
    return effects;
  }

  #letGo(call: Call): void {
    if (call.state === 'idle') this.#calls.delete(call);
  }

  #byOurs(callId: number): Call | undefined {
    return this.#where((call) => call.callId === callId);
  }

  #byPeers(callId: number): Call | undefined {
    return this.#where((call) => call.peerCallId === callId);
  }

  #where(fits: (call: Call) => boolean): Call | undefined {
    for (const call of this.#calls) if (fits(call)) return call;
    return undefined;
  }

  #checkId(callId: number): void {
    if (!Number.isInteger(callId) || callId < 1 || callId > 0xffff)
      throw new RangeError(`no call id: ${callId}`);
    if (this.#byOurs(callId) !== undefined) throw new RangeError(`call id ${callId} is in use`);
  }
}

/** Refuses a call of the peer that the owner is not asked about. */
export function refuse(message: CallRequestMessage, why: Refusal, notice: Notice): readonly Effect[] {
  return [note(notice, `call ${message.callId}`), { do: 'send', bytes: refusal(requestOf(message), why) }];
}

/** A peer that clears a call which we do not have waits for an answer all the same: one that names no call of ours. */
function unknownCall(message: CallMessage | InformingMessage, callId: number): readonly Effect[] {
  const noted = note('call-unknown', `${message.name} of call ${callId}`);
  if (message.name !== 'callClearRequest') return [noted];
  return [noted, { do: 'send', bytes: disconnectNotify(0, 'generalError', errorCodes.badCallId) }];
}

function note(notice: Notice, detail: string): Effect {
  return { do: 'note', notice, detail };
}
