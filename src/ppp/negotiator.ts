/**
 * One layer's negotiation: the automaton of RFC 1661 section 4, the option rows of the layer, the restart timer and the
 * counters. LCP, CCP, IPCP and BCP are instances; they differ in rows and in the codes that they add.
 *
 * Packets and expiries go in; packets to send, timer orders and the layer's changes come out. What a packet's codes above 7
 * mean is the owner's business, which offers them to `extended`.
 *
 * Each layer brings the periods of its restart timer (RFC 1661 section 4.6).
 */

import { Malformed } from '../base/fault.ts';
import { step } from '../base/machine.ts';
import { type Answer, Answering } from './answering.ts';
import { Asking } from './asking.ts';
import { type Action, automaton, type Event, type State } from './automaton.ts';
import { type Arm, type Disarm, type Noted, note, type Send } from './effect.ts';
import type { OptionRow } from './option.ts';
import { codes, decodeOptions, encodeOptions, encodePacket, headerBytes, type Packet } from './packet.ts';

/** Configure-Requests without an answer before the peer is given up (RFC 1661 section 4.6). */
const maxConfigure = 10;
/** Terminate-Requests likewise. */
const maxTerminate = 2;
/** Refusals in a row, ours or the peer's, before the two are said not to converge. */
const maxRefusals = 20;

export type LayerName = 'lcp' | 'ccp' | 'ipcp' | 'bcp';

/** Why a layer finished. */
export type FinishCause = 'timeout' | 'closed' | 'terminated' | 'rejected' | 'no-convergence';

/** This-Layer-Up, -Down and -Finished, of RFC 1661 section 4.4. */
export type LayerChange =
  | { readonly do: 'layer-up' }
  | { readonly do: 'layer-down' }
  | { readonly do: 'layer-finished'; readonly cause: FinishCause };

/** Comes right before the Configure-Ack that it announces. `repeated`: the same request was acknowledged before. */
export interface Acknowledging {
  readonly do: 'acknowledging';
  readonly repeated: boolean;
}

export type NegotiatorEffect<Name extends LayerName = LayerName> =
  | Send
  | Arm<Name>
  | Disarm<Name>
  | LayerChange
  | Acknowledging
  | Noted;

/** What makes a layer: where its packets travel and what can be negotiated. */
export interface Layer<Terms, Name extends LayerName = LayerName> {
  /** Its timer's as well. */
  readonly name: Name;
  readonly protocol: number;
  readonly rows: readonly OptionRow<Terms>[];
  /** Periods of the restart timer; the last one repeats. */
  readonly restartMs: readonly [number, ...number[]];
}

/**
 * RFC 1661's default, for the network protocols: the peer is known to listen, and a request that it has answered already must
 * not come twice. pppd that requires MPPE hangs up (`MPPE disabled`) on a CCP request that finds it open, and a busy
 * machine's answer may take more than a second.
 */
export const steadyRestartMs: readonly [number] = [3_000];

export class Negotiator<Terms, Name extends LayerName = LayerName> {
  readonly #layer: Layer<Terms, Name>;
  readonly #asking: Asking<Terms>;
  readonly #answering: Answering<Terms>;
  #state: State = 'Initial';
  #identifier = 0;
  #terminateIdentifier = 0;
  #terminateText: Uint8Array = new Uint8Array();
  #restartCount = 0;
  #restarts = 0;
  #armed = false;
  #refusals = 0;
  #cause: FinishCause | undefined;
  // What the actions of the step in progress answer.
  #packet: Packet | undefined;
  #answer: Answer | undefined;
  #serve: (() => readonly NegotiatorEffect<Name>[]) | undefined;
  #effects: NegotiatorEffect<Name>[] = [];

  constructor(layer: Layer<Terms, Name>, terms: Terms) {
    this.#layer = layer;
    this.#asking = new Asking(layer.rows, terms);
    this.#answering = new Answering(layer.rows, terms);
  }

  get state(): State {
    return this.#state;
  }

  /** True while our Configure-Request waits for its answer. */
  get waiting(): boolean {
    return this.#asking.waiting && negotiating(this.#state);
  }

  /** A process before this one has led the layer here: it is open, or has been given up. Instead of `open` and `up`. */
  resume(state: 'Opened' | 'Closed'): void {
    this.#state = state;
  }

  up(): readonly NegotiatorEffect<Name>[] {
    return this.#run('Up');
  }

  down(): readonly NegotiatorEffect<Name>[] {
    return this.#run('Down');
  }

  open(): readonly NegotiatorEffect<Name>[] {
    this.#cause = undefined;
    return this.#run('Open');
  }

  /** Ends the layer; `text` goes into the Terminate-Request for the peer's log. */
  close(cause: FinishCause, text: Uint8Array): readonly NegotiatorEffect<Name>[] {
    this.#cause ??= cause;
    this.#terminateText = text;
    return this.#run('Close');
  }

  /** The peer rejected this layer's whole protocol. */
  protocolRejected(): readonly NegotiatorEffect<Name>[] {
    this.#cause ??= 'rejected';
    return this.#run('RXJ-');
  }

  /** A fresh copy of our request if it waits: the peer has shown that it was not listening when the last one was sent. */
  again(): readonly NegotiatorEffect<Name>[] {
    return this.waiting ? [this.#sendRequest()] : [];
  }

  /** The restart timer ran out. */
  expired(): readonly NegotiatorEffect<Name>[] {
    if (!this.#armed) return [];
    this.#armed = false;
    if (this.#restartCount > 0) return this.#run('TO+');
    this.#cause ??= 'timeout';
    return this.#run('TO-');
  }

  /** A packet with a code of the layer's own: `serve` is what to do in the one state where it counts. */
  extended(serve: () => readonly NegotiatorEffect<Name>[]): readonly NegotiatorEffect<Name>[] {
    this.#serve = serve;
    return this.#run('RXR');
  }

  /** A packet with one of the codes 1 to 7, or with one that nobody here knows. */
  received(packet: Packet): readonly NegotiatorEffect<Name>[] {
    this.#packet = packet;
    switch (packet.code) {
      case codes.configureRequest:
        return this.#configureRequest(packet);
      case codes.configureAck:
      case codes.configureNak:
      case codes.configureReject:
        return this.#configureReply(packet);
      case codes.terminateRequest:
        if (this.#state === 'Opened') this.#cause ??= 'terminated';
        return this.#run('RTR');
      case codes.terminateAck:
        return this.#run('RTA');
      case codes.codeReject:
        return this.#codeRejected(packet);
      default:
        return [note('unknown-code'), ...this.#run('RUC')];
    }
  }

  #configureRequest(packet: Packet): readonly NegotiatorEffect<Name>[] {
    const options = decodeOptions(packet.data);
    if (options instanceof Malformed) return [note('malformed')];
    // In the other states the options do not matter: RCR+ and RCR- have the same cell.
    if (!answers(this.#state)) return this.#run('RCR+');
    const { answer, again } = this.#answering.judge(packet.identifier, options);
    this.#answer = answer;
    if (answer.code === codes.configureAck) return this.#run('RCR+');
    return (again ? undefined : this.#countRefusal()) ?? this.#run('RCR-');
  }

  #configureReply({ code, identifier, data }: Packet): readonly NegotiatorEffect<Name>[] {
    const options = decodeOptions(data);
    if (options instanceof Malformed) return [note('malformed')];
    if (!this.#asking.answered(code, identifier, options)) return [note('crossed')];
    if (code === codes.configureAck) return this.#run('RCA');
    return this.#countRefusal() ?? this.#run('RCN');
  }

  /** Counts a refusal; the one too many ends the layer. */
  #countRefusal(): readonly NegotiatorEffect<Name>[] | undefined {
    if (!negotiating(this.#state)) return undefined;
    this.#refusals += 1;
    if (this.#refusals < maxRefusals) return undefined;
    return this.close('no-convergence', new Uint8Array());
  }

  /** [RFC 1661 §5.6] A peer that does not know Configure-Request to Code-Reject cannot be spoken with. */
  #codeRejected({ data }: Packet): readonly NegotiatorEffect<Name>[] {
    const [code] = data;
    if (code === undefined) return [note('malformed')];
    if (code > codes.codeReject) return this.#run('RXJ+');
    this.#cause ??= 'rejected';
    return this.#run('RXJ-');
  }

  #run(event: Event): readonly NegotiatorEffect<Name>[] {
    const cell = step(automaton, this.#state, event);
    if (cell === undefined) return [note('illegal')];
    this.#effects = [];
    // First, because what the owner does on This-Layer-Up may arm the timer again.
    if (this.#armed && !timed(cell.next)) {
      this.#armed = false;
      this.#effects.push({ do: 'disarm', timer: this.#layer.name });
    }
    for (const action of cell.actions) this.#perform(action, cell.next);
    this.#state = cell.next;
    return this.#effects;
  }

  #perform(action: Action, next: State): void {
    const effects = this.#effects;
    switch (action) {
      case 'tlu':
        this.#asking.settled();
        this.#refusals = 0;
        effects.push({ do: 'layer-up' });
        return;
      case 'tld':
        this.#answering.forget();
        effects.push({ do: 'layer-down' });
        return;
      case 'tls':
        return;
      case 'tlf':
        effects.push({ do: 'layer-finished', cause: this.#cause ?? 'closed' });
        return;
      case 'irc':
        this.#restartCount = next === 'Closing' || next === 'Stopping' ? maxTerminate : maxConfigure;
        this.#restarts = 0;
        return;
      case 'zrc':
        this.#restartCount = 0;
        this.#restarts = 0;
        this.#arm();
        return;
      case 'scr':
        this.#configure();
        return;
      case 'sca':
        this.#acknowledge();
        return;
      case 'scn':
        this.#reply(this.#answer);
        return;
      case 'str':
        this.#terminate();
        return;
      case 'sta':
        effects.push(this.#send(codes.terminateAck, this.#packet?.identifier ?? 0, new Uint8Array()));
        return;
      case 'scj':
        this.#rejectCode();
        return;
      case 'ser':
        effects.push(...(this.#serve?.() ?? []));
    }
  }

  /** scr: after a timeout the same request, because nothing in it changed; else a new one. */
  #configure(): void {
    if (!this.waiting) this.#asking.renew(this.#nextIdentifier());
    this.#restartCount -= 1;
    this.#effects.push(this.#sendRequest());
    this.#arm();
  }

  #sendRequest(): Send {
    const { identifier, options } = this.#asking.request;
    return this.#send(codes.configureRequest, identifier, encodeOptions(options));
  }

  #acknowledge(): void {
    if (this.#answer === undefined) throw new Error('a Configure-Ack without a request');
    this.#refusals = 0;
    this.#effects.push({ do: 'acknowledging', repeated: this.#answering.acknowledge(this.#answer) });
    this.#reply(this.#answer);
  }

  #reply(answer: Answer | undefined): void {
    if (answer === undefined) throw new Error('a reply without a request');
    this.#effects.push(this.#send(answer.code, answer.identifier, encodeOptions(answer.options)));
  }

  #terminate(): void {
    if (this.#state !== 'Closing' && this.#state !== 'Stopping') {
      this.#terminateIdentifier = this.#nextIdentifier();
    }
    this.#restartCount -= 1;
    this.#effects.push(this.#send(codes.terminateRequest, this.#terminateIdentifier, this.#terminateText));
    this.#arm();
  }

  /** [RFC 1661 §5.6] The rejected packet comes back, cut to what every peer can receive. */
  #rejectCode(): void {
    if (this.#packet === undefined) throw new Error('a Code-Reject without a packet');
    const copy = encodePacket(this.#packet).subarray(0, rejectedBytes);
    this.#effects.push(this.#send(codes.codeReject, this.#nextIdentifier(), copy));
  }

  #arm(): void {
    const { restartMs } = this.#layer;
    const delayMs = restartMs[Math.min(this.#restarts, restartMs.length - 1)] ?? restartMs[0];
    this.#restarts += 1;
    this.#armed = true;
    this.#effects.push({ do: 'arm', timer: this.#layer.name, delayMs });
  }

  #send(code: number, identifier: number, data: Uint8Array): Send {
    return {
      do: 'send',
      protocol: this.#layer.protocol,
      bytes: encodePacket({ code, identifier, data }),
    };
  }

  #nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }
}

/** Octets of a rejected packet that are sent back: the smallest MRU that we accept, less the Code-Reject's own header. */
const rejectedBytes = 128 - headerBytes;

function negotiating(state: State): boolean {
  return state === 'Req-Sent' || state === 'Ack-Rcvd' || state === 'Ack-Sent';
}

/** States in which a Configure-Request is judged. */
function answers(state: State): boolean {
  return negotiating(state) || state === 'Stopped' || state === 'Opened';
}

/** States in which the restart timer runs (RFC 1661 section 4.2). */
function timed(state: State): boolean {
  return negotiating(state) || state === 'Closing' || state === 'Stopping';
}
