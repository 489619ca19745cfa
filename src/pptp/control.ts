/**
 * A control connection, RFC 2637 section 3.1: one machine for one TCP connection, originator or receiver, with all its calls.
 * Octets of the stream, deadlines and the owner's verbs enter; effects leave, to be performed in order. It opens no socket,
 * knows no clock and never chooses a call id: ours are the owner's, handed in.
 *
 * Nothing that a peer sends makes it throw; a call id that our owner may not use does.
 */

import { Malformed } from '../base/fault.ts';
import { limits } from '../base/limits.ts';
import { step } from '../base/machine.ts';
import type { StandingCall } from './call.ts';
import type { Placement } from './call-messages.ts';
import { type CallAnswer, Calls, refuse } from './calls.ts';
import { type Disconnect, describe, named, type Reason, reasons, resultCodes } from './codes.ts';
import {
  echoReply,
  type Identity,
  identityOf,
  isVersionSupported,
  startReply,
  startRequest,
  stopReply,
  stopRequest,
  versionOf,
} from './control-messages.ts';
import { type ControlAction, type ControlEvent, controlTable } from './control-states.ts';
import type { ConnectionCause, ConnectionReply, Effect, Notice, PeerIdentity, TimerName } from './effects.ts';
import { Framing } from './framing.ts';
import { encode, type Message, type MessageName, type MessageOf, nameOf } from './messages.ts';
import { type ControlState, echoIntervalMs, rules } from './rules.ts';
import { messageTallies } from './traffic.ts';

/** Which side we are, and what we say of ourselves. */
export interface ControlOptions extends Identity {
  /** `originator` opened the TCP connection. Either may be PAC or PNS of a call. */
  readonly side: 'originator' | 'receiver';
}

interface End {
  readonly cause: ConnectionCause;
  readonly detail: string;
}

/** The event that a deadline is, by the reply that did not come, and the cause unless there is one already. */
const overdue = {
  startControlConnectionReply: { event: 'start-unanswered', cause: 'start-unanswered' },
  stopControlConnectionReply: { event: 'stop-unanswered', cause: 'stopped' },
  echoReply: { event: 'echo-unanswered', cause: 'echo-unanswered' },
} as const satisfies Record<ConnectionReply, { event: ControlEvent; cause: ConnectionCause }>;

export class ControlConnection {
  readonly #options: ControlOptions;
  readonly #framing = new Framing();
  readonly #calls = new Calls();
  readonly #awaited = new Set<ConnectionReply>();
  #effects: Effect[] = [];
  #state: ControlState = 'idle';
  #end: End | undefined;
  #peer: PeerIdentity | undefined;
  #heard: readonly (Message | Malformed)[] = [];
  #isOpen = false;
  #isSettingUp = false;
  #probes = 0;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  get state(): ControlState {
    return this.#state;
  }

  /** What the octets that were received last have completed, for who looks on. */
  get heard(): readonly (Message | Malformed)[] {
    return this.#heard;
  }

  /** Calls that are not over, of whatever state. */
  get callCount(): number {
    return this.#calls.size;
  }

  /** The connection is established with these calls: a process before this one has brought it there. Instead of `opened`. */
  resume(standing: readonly StandingCall[]): readonly Effect[] {
    this.#isOpen = true;
    this.#state = 'established';
    this.#calls.resume(standing);
    this.#hear();
    return this.#settle();
  }

  /** TCP is open: to be said first, on either side. */
  opened(): readonly Effect[] {
    this.#isOpen = true;
    if (this.#options.side === 'originator') this.#step('open');
    return this.#settle();
  }

  /** Octets of the stream, in whatever pieces. */
  received(octets: Uint8Array): readonly Effect[] {
    if (this.#state === 'ended') return [];
    const messages = this.#framing.push(octets);
    this.#heard = messages;
    for (const message of messages) {
      if (message instanceof Malformed) this.#lose(message);
      else this.#receive(message);
    }
    if (messages.length > 0) this.#hear();
    return this.#settle();
  }

  /** TCP is gone, by whomever. */
  closed(): readonly Effect[] {
    this.#step('tcp-closed', 'tcp-closed');
    return this.#settle();
  }

  /** The deadline of `timer` has passed. */
  expired(timer: TimerName): readonly Effect[] {
    switch (timer) {
      case 'set-up':
        if (this.#isSettingUp) this.#step('no-call-in-time', 'no-call-in-time');
        break;
      case 'silence':
        if (this.#state === 'established') this.#probe();
        break;
      case 'startControlConnectionReply':
      case 'stopControlConnectionReply':
      case 'echoReply':
        if (this.#awaited.delete(timer)) this.#step(overdue[timer].event, overdue[timer].cause);
        break;
      default:
        this.#emit(this.#calls.unanswered(Number(timer.slice('call-reply:'.length))));
    }
    return this.#settle();
  }

  /** Places a call, at once or when the connection is established. The engine must know its id already. */
  placeCall(placement: Placement): readonly Effect[] {
    if (this.#end !== undefined) return [{ do: 'call-failed', callId: placement.callId, ...this.#end }];
    this.#emit(this.#calls.place(placement));
    if (this.#state === 'established') this.#emit(this.#calls.connectionUp());
    return this.#settle();
  }

  /** Answers `call-requested`. That the call was withdrawn meanwhile is noted, and its end has been told. */
  answerCall(request: number, answer: CallAnswer): readonly Effect[] {
    this.#emit(this.#calls.answer(request, answer));
    return this.#settle();
  }

  /** Clears a call. A PAC tells why; a PNS asks the PAC, and the call is over when that has answered or its time is up. */
  clearCall(callId: number, disconnect: Disconnect = 'adminShutdown'): readonly Effect[] {
    this.#emit(this.#calls.clear(callId, disconnect));
    return this.#settle();
  }

  /** Stops the connection and with it all calls: they end now, the connection when the peer has answered. */
  stop(reason: Reason = 'stopLocalShutdown'): readonly Effect[] {
    this.#step('stop', 'stopped', '', reason);
    return this.#settle();
  }

  #lose(malformed: Malformed): void {
    this.#note('malformed', `${malformed}`);
    this.#step('malformed', 'malformed', `${malformed}`);
  }

  #receive(message: Message): void {
    // What stands behind a message that ended the connection is not read.
    if (this.#state === 'ended') return;
    messageTallies.receive.add(message.name);
    if (rules[message.name].admittedIn.includes(this.#state)) this.#admit(message);
    else this.#decline(message);
  }

  /** A call is refused, so that its caller need not wait; the rest is ignored. */
  #decline(message: Message): void {
    if (message.name === 'outgoingCallRequest' || message.name === 'incomingCallRequest') {
      this.#emit(refuse(message, 'not-connected', 'call-not-connected'));
    } else {
      this.#note('message-out-of-state', `${message.name} in ${this.#state}`);
    }
  }

  #admit(message: Message): void {
    switch (message.name) {
      case 'startControlConnectionRequest':
        this.#startRequested(message);
        break;
      case 'startControlConnectionReply':
        this.#startReplied(message);
        break;
      case 'stopControlConnectionRequest':
        this.#step('stop-request', 'peer-stopped', `reason ${named(reasons, message.reason)}`);
        break;
      case 'stopControlConnectionReply':
        this.#step('stop-reply');
        break;
      case 'echoRequest':
        this.#send(echoReply(message));
        break;
      case 'echoReply':
        // A sign of life as any other message: `#hear`.
        break;
      case 'outgoingCallRequest':
      case 'incomingCallRequest':
        this.#emit(this.#calls.requested(message));
        break;
      default:
        this.#emit(this.#calls.received(message));
    }
  }

  #startRequested(message: MessageOf<'startControlConnectionRequest'>): void {
    if (this.#state === 'established') this.#note('second-start-request', '');
    this.#peer = identityOf(message);
    if (isVersionSupported(message)) this.#step('start-request');
    else this.#step('start-request-unsupported', 'version-unsupported', versionOf(message));
  }

  #startReplied(message: MessageOf<'startControlConnectionReply'>): void {
    const { successfulChannelEstablishment: success } = resultCodes.startControlConnectionReply;
    this.#stopAwaiting('startControlConnectionReply');
    this.#peer = identityOf(message);
    if (message.resultCode !== success) {
      this.#step('start-reply-refused', 'start-refused', describe(message.name, message));
    } else if (isVersionSupported(message)) {
      this.#step('start-reply');
    } else {
      this.#step('start-reply-unsupported', 'version-unsupported', versionOf(message), 'stopProtocol');
    }
  }

  /** Takes an event through the table. The first cause of the end is kept; `reason` is what a stop tells the peer. */
  #step(event: ControlEvent, cause?: ConnectionCause, detail = '', reason: Reason = 'none'): void {
    const cell = step(controlTable, this.#state, event);
    if (cell === undefined) return;
    if (cause !== undefined && cell.next !== this.#state) this.#end ??= { cause, detail };
    this.#state = cell.next;
    for (const action of cell.actions) this.#perform(action, reason);
  }

  #perform(action: ControlAction, reason: Reason): void {
    switch (action) {
      case 'send-start-request':
        this.#sendTimed(startRequest(this.#options), 'startControlConnectionReply');
        break;
      case 'send-start-reply':
        this.#send(startReply(this.#options, 'successfulChannelEstablishment'));
        break;
      case 'send-start-exists':
        this.#send(startReply(this.#options, 'commandChannelAlreadyExists'));
        break;
      case 'send-start-unsupported':
        this.#send(startReply(this.#options, 'protocolVersionNotSupported'));
        break;
      case 'send-stop-request':
        this.#sendTimed(stopRequest(reason), 'stopControlConnectionReply');
        break;
      case 'send-stop-reply':
        this.#send(stopReply);
        break;
      case 'tell-established':
        this.#emit([{ do: 'connection-established', peer: known(this.#peer) }]);
        this.#emit(this.#calls.connectionUp());
        break;
      case 'end-calls':
        this.#emit(this.#calls.connectionEnded(known(this.#end)));
        break;
      case 'close':
        this.#emit([{ do: 'close' }]);
        break;
      case 'tell-ended':
        this.#emit([{ do: 'ended', ...known(this.#end) }]);
        break;
    }
  }

  #probe(): void {
    this.#probes = (this.#probes + 1) >>> 0;
    this.#sendTimed({ name: 'echoRequest', identifier: this.#probes }, 'echoReply');
  }

  /** Any message is a sign of life: it answers the last probe, and moves the next one away. */
  #hear(): void {
    if (this.#state !== 'established') return;
    this.#stopAwaiting('echoReply');
    this.#emit([{ do: 'arm', timer: 'silence', delayMs: echoIntervalMs }]);
  }

  #send<Name extends MessageName>(message: MessageOf<Name>): void {
    this.#emit([{ do: 'send', bytes: encode(message) }]);
  }

  /** Sends a request of the connection and waits for its reply as long as its rule says. */
  #sendTimed<Name extends MessageName>(message: MessageOf<Name>, reply: ConnectionReply): void {
    this.#send(message);
    const due = rules[message.name].due;
    if (due === undefined) throw new Error(`${message.name} has no reply`);
    this.#awaited.add(reply);
    this.#emit([{ do: 'arm', timer: reply, delayMs: due.withinMs }]);
  }

  #stopAwaiting(reply: ConnectionReply): void {
    if (this.#awaited.delete(reply)) this.#emit([{ do: 'disarm', timer: reply }]);
  }

  #note(notice: Notice, detail: string): void {
    this.#emit([{ do: 'note', notice, detail }]);
  }

  #emit(effects: readonly Effect[]): void {
    this.#effects.push(...effects);
  }

  /** Hands out what has gathered, and keeps watch that there is a call, or soon will be. */
  #settle(): readonly Effect[] {
    if (this.#state !== 'ended') this.#watchSetUp();
    const effects = this.#effects;
    this.#effects = [];
    for (const effect of effects) if (effect.do === 'send') messageTallies.transmit.add(nameOf(effect.bytes));
    return effects;
  }

  #watchSetUp(): void {
    const isSettingUp = this.#isOpen && this.#state !== 'wait-stop-reply' && !this.#calls.hasEstablished;
    if (isSettingUp === this.#isSettingUp) return;
    this.#isSettingUp = isSettingUp;
    const timer = 'set-up';
    this.#emit([
      isSettingUp ? { do: 'arm', timer, delayMs: limits.connectionSetUpMs } : { do: 'disarm', timer },
    ]);
  }
}

/** A value that the events which lead here have set. */
function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the table has an action before the event that it needs');
  return value;
}
