/**
 * A control connection on the engine's wire: performs what the machine of pptp/control.ts says, and hands what concerns calls
 * to its owner (the server, or a client's dialer). Knows the handle of the connection, no session.
 */

import type { Clock } from '../base/clock.ts';
import type { Ipv4 } from '../base/ip.ts';
import type { Log, Tally } from '../base/observe.ts';
import type { StandingCall } from '../pptp/call.ts';
import type { Placement } from '../pptp/call-messages.ts';
import type { CallAnswer } from '../pptp/calls.ts';
import type { Disconnect } from '../pptp/codes.ts';
import { ControlConnection, type ControlOptions } from '../pptp/control.ts';
import { type Effect, type Notice, pptpTally, type TimerName } from '../pptp/effects.ts';
import { Effects } from './effects.ts';
import type { ConnectionEvent, Switchboard } from './switchboard.ts';
import { Timers } from './timers.ts';
import type { TunnelTrace } from './trace/tunnel-trace.ts';

/** What the owner of a connection is told. */
export type ConnectionNews = Extract<
  Effect,
  {
    do:
      | 'connection-established'
      | 'call-requested'
      | 'call-withdrawn'
      | 'call-connected'
      | 'call-failed'
      | 'call-cleared'
      | 'ended';
  }
>;

export interface ConnectionPlace {
  /** The engine's handle. */
  readonly connection: number;
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
}

export interface ConnectionServices {
  readonly switchboard: Switchboard;
  readonly clock: Clock;
  readonly log: Log;
  readonly trace: TunnelTrace;
}

export const controlTally: Tally<Notice> = pptpTally();

export class Connection {
  readonly place: ConnectionPlace;
  readonly #switchboard: Switchboard;
  readonly #log: Log;
  readonly #trace: TunnelTrace;
  readonly #machine: ControlConnection;
  readonly #timers: Timers<TimerName>;
  readonly #effects: Effects<Effect>;
  readonly #owner: (news: ConnectionNews) => void;

  /** `owner` gets the news; `ended` is the last. */
  constructor(
    place: ConnectionPlace,
    services: ConnectionServices,
    options: ControlOptions,
    owner: (news: ConnectionNews) => void,
  ) {
    this.place = place;
    this.#switchboard = services.switchboard;
    this.#log = services.log;
    this.#trace = services.trace;
    this.#machine = new ControlConnection(options);
    this.#timers = new Timers(services.clock);
    this.#effects = new Effects((effect) => this.#perform(effect));
    this.#owner = owner;
  }

  /** TCP is open: takes its events from now on. */
  open(): void {
    this.#switchboard.holdConnection(this.place.connection, (event) => this.#received(event));
    this.#effects.run(this.#machine.opened());
  }

  /** A process before this one has brought it up, with these calls: takes its events from now on. Instead of `open`. */
  resume(standing: readonly StandingCall[]): void {
    this.#switchboard.holdConnection(this.place.connection, (event) => this.#received(event));
    this.#effects.run(this.#machine.resume(standing));
  }

  placeCall(placement: Placement): void {
    this.#effects.run(this.#machine.placeCall(placement));
  }

  answerCall(request: number, answer: CallAnswer): void {
    this.#effects.run(this.#machine.answerCall(request, answer));
  }

  clearCall(callId: number, disconnect: Disconnect): void {
    this.#effects.run(this.#machine.clearCall(callId, disconnect));
  }

  stop(): void {
    this.#effects.run(this.#machine.stop());
  }

  #received(event: ConnectionEvent): void {
    if (event.kind === 'tcp-closed') return this.#effects.run(this.#machine.closed());
    const effects = this.#machine.received(event.bytes);
    this.#trace.heard(this.#machine.heard);
    this.#effects.run(effects);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'send':
        this.#trace.sent(effect.bytes);
        this.#switchboard.send({ kind: 'tcp-send', connection: this.place.connection, bytes: effect.bytes });
        break;
      case 'close':
        this.#switchboard.send({ kind: 'tcp-close', connection: this.place.connection, abort: 0 });
        break;
      case 'arm':
        this.#timers.arm(effect.timer, effect.delayMs, () =>
          this.#effects.run(this.#machine.expired(effect.timer)),
        );
        break;
      case 'disarm':
        this.#timers.disarm(effect.timer);
        break;
      case 'note':
        controlTally.add(effect.notice);
        this.#log('debug', 'pptp', effect.notice, { detail: effect.detail });
        break;
      case 'ended':
        this.#timers.disarmAll();
        this.#owner(effect);
        this.#trace.closed();
        break;
      default:
        this.#owner(effect);
    }
  }
}
