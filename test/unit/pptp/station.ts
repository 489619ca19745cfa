/** An owner for a control connection in tests: performs its effects on a virtual clock and remembers what it was told. */

import { type Timer, VirtualClock } from '../../../src/base/clock.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { ControlConnection } from '../../../src/pptp/control.ts';
import type { Effect, Notice, TimerName } from '../../../src/pptp/effects.ts';
import {
  decode,
  encode,
  type Message,
  type MessageName,
  type MessageOf,
  messages,
} from '../../../src/pptp/messages.ts';

/** Effects that speak of the connection and its calls to the owner. */
export type News = Exclude<Effect, { do: 'send' | 'close' | 'arm' | 'disarm' | 'note' }>;

export class Station {
  readonly machine: ControlConnection;
  readonly clock: VirtualClock;
  readonly news: News[] = [];
  readonly notices: Notice[] = [];
  readonly timers = new Map<TimerName, Timer>();
  isClosed = false;
  #sent: Uint8Array[] = [];

  constructor(side: 'originator' | 'receiver', clock = new VirtualClock()) {
    this.machine = new ControlConnection({ side, hostName: 'here', vendorName: 'test', firmwareRevision: 1 });
    this.clock = clock;
  }

  perform(effects: readonly Effect[]): this {
    for (const effect of effects) this.#perform(effect);
    return this;
  }

  /** Takes messages of the peer, all in one piece. */
  hear(...heard: readonly Message[]): this {
    return this.perform(this.machine.received(Buffer.concat(heard.map((message) => encode(message)))));
  }

  /** The octets sent since they were last taken. */
  takeOctets(): Uint8Array {
    const octets = Buffer.concat(this.#sent);
    this.#sent = [];
    return octets;
  }

  /** The messages sent since they were last taken. */
  take(): readonly Message[] {
    const taken = this.#sent.map((octets) => decode(octets));
    this.#sent = [];
    return taken.filter((message) => {
      if (message instanceof Malformed) throw new Error(`sent ${message}`);
      return true;
    }) as Message[];
  }

  /** The last news of a kind, which must exist. */
  last<Kind extends News['do']>(kind: Kind): Extract<News, { do: Kind }> {
    const found = this.news.findLast((each) => each.do === kind);
    if (found === undefined)
      throw new Error(`no ${kind} among ${this.news.map((each) => each.do).join(', ')}`);
    return found as Extract<News, { do: Kind }>;
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'send':
        this.#sent.push(effect.bytes);
        break;
      case 'close':
        this.isClosed = true;
        break;
      case 'arm':
        this.timers.get(effect.timer)?.cancel();
        this.timers.set(
          effect.timer,
          this.clock.arm(effect.delayMs, () => this.#expire(effect.timer)),
        );
        break;
      case 'disarm':
        this.timers.get(effect.timer)?.cancel();
        this.timers.delete(effect.timer);
        break;
      case 'note':
        this.notices.push(effect.notice);
        break;
      case 'ended':
        for (const timer of this.timers.values()) timer.cancel();
        this.timers.clear();
        this.news.push(effect);
        break;
      default:
        this.news.push(effect);
    }
  }

  #expire(timer: TimerName): void {
    this.timers.delete(timer);
    this.perform(this.machine.expired(timer));
  }
}

/** A message of which only some fields matter: the others are zero or empty. */
export function message<Name extends MessageName>(
  name: Name,
  some: Partial<Omit<MessageOf<Name>, 'name'>> = {},
): MessageOf<Name> {
  const none = messages[name].fields
    .filter(({ name: field, kind }) => !kind.startsWith('reserved') && !silent.has(field))
    .map(({ name: field, kind }) => [field, kind.startsWith('text') ? '' : 0]);
  const version = 'protocolVersion' in Object.fromEntries(none) ? { protocolVersion: 0x0100 } : {};
  return { name, ...Object.fromEntries(none), ...version, ...some } as MessageOf<Name>;
}

const silent = new Set(['length', 'pptpMessageType', 'magicCookie', 'controlMessageType']);

/** A server with an established connection. */
export function server(clock?: VirtualClock): Station {
  const station = new Station('receiver', clock);
  station.perform(station.machine.opened()).hear(message('startControlConnectionRequest')).take();
  return station;
}

/** A client with an established connection. */
export function client(clock?: VirtualClock): Station {
  const station = new Station('originator', clock);
  station.perform(station.machine.opened());
  station.hear(message('startControlConnectionReply', { resultCode: 1 })).take();
  return station;
}

/** A server with a call established: ours is `callId`, the peer's `peerCallId`. */
export function serverWithCall(callId: number, peerCallId: number, station = server()): Station {
  station.hear(message('outgoingCallRequest', { callId: peerCallId }));
  const { request } = station.last('call-requested');
  station.perform(station.machine.answerCall(request, { accept: true, callId })).take();
  return station;
}
