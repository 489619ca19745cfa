/** Anything a peer may send and an owner may do, in any order, at both sides and in every state. Failures name their seed. */

import { describe, expect, it } from 'vitest';
import { concat } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { limits } from '../../../src/base/limits.ts';
import { below, type Random, seededRandom } from '../../../src/base/random.ts';
import { ControlConnection } from '../../../src/pptp/control.ts';
import type { Effect, TimerName } from '../../../src/pptp/effects.ts';
import { decode, encode, type Message, messageNames, messages } from '../../../src/pptp/messages.ts';
import { message } from './station.ts';

const runs = 800;
const stepsPerRun = 60;

/** A connection under test, with the rules that must hold of its effects whatever happens. */
class Suspect {
  readonly machine: ControlConnection;
  readonly seen = new Set<string>();
  readonly #random: Random;
  readonly #timers = new Set<TimerName>();
  readonly #requests = new Map<number, 'asked' | 'answered' | 'withdrawn'>();
  readonly #calls = new Map<number, 'placed' | 'connected'>();
  #ended = false;

  constructor(random: Random, side: 'originator' | 'receiver') {
    this.#random = random;
    this.machine = new ControlConnection({ side, hostName: 'a', vendorName: 'b', firmwareRevision: 1 });
  }

  step(): void {
    this.seen.add(this.machine.state);
    this.#check(this.#act());
    if (this.machine.callCount > limits.callsPerConnection) throw new Error('more calls than there may be');
  }

  /** TCP goes: whatever was begun must have been told its end. */
  finish(): void {
    this.#check(this.machine.closed());
    if (!this.#ended) throw new Error('a connection without TCP has not ended');
    if (this.machine.callCount > 0 || this.#calls.size > 0) throw new Error('a call has not ended');
    if ([...this.#requests.values()].includes('asked')) throw new Error('a request was not withdrawn');
  }

  #act(): readonly Effect[] {
    const { machine } = this;
    switch (below(this.#random, 24)) {
      case 0:
        return machine.opened();
      case 1:
        return below(this.#random, 10) === 0 ? machine.closed() : [];
      case 2:
        return below(this.#random, 10) === 0 ? machine.stop() : [];
      case 3:
      case 4:
        return this.#place();
      case 5:
      case 6:
      case 7:
        return this.#answer();
      case 8:
        return machine.clearCall(1 + below(this.#random, 8));
      case 9:
      case 10:
        return this.#expire();
      case 11:
        return below(this.#random, 20) === 0 ? machine.received(this.#random(below(this.#random, 40))) : [];
      case 12:
        return machine.received(encode(message('startControlConnectionRequest')));
      case 13:
        return machine.received(encode(message('startControlConnectionReply', { resultCode: 1 })));
      default:
        return machine.received(this.#messages());
    }
  }

  /** One to three messages: of their numbers some are likely ones, so that they meet a call. */
  #messages(): Uint8Array {
    return concat(...Array.from({ length: 1 + below(this.#random, 3) }, () => this.#message()));
  }

  #message(): Uint8Array {
    const name = messageNames[below(this.#random, messageNames.length)] ?? 'echoRequest';
    const isRare = name.startsWith('stop') && below(this.#random, 10) > 0;
    const { fields } = messages[isRare ? 'echoRequest' : name];
    const numbers = fields
      .filter(({ kind, offset }) => /^u\d+$/.test(kind) && offset >= 12)
      .map((field) => [field.name, this.#number(field.name)]);
    return encode(message(isRare ? 'echoRequest' : name, Object.fromEntries(numbers)) as Message);
  }

  #number(field: string): number {
    if (field === 'protocolVersion' && below(this.#random, 20) > 0) return 0x0100;
    if (field === 'resultCode' && below(this.#random, 3) > 0) return 1;
    return below(this.#random, 9);
  }

  #place(): readonly Effect[] {
    const callId = 1 + below(this.#random, 8);
    if (this.#calls.has(callId)) return [];
    this.#calls.set(callId, 'placed');
    return this.machine.placeCall({ kind: below(this.#random, 2) === 0 ? 'outgoing' : 'incoming', callId });
  }

  #answer(): readonly Effect[] {
    const requests = [...this.#requests.keys()];
    const request = requests[below(this.#random, requests.length + 1)];
    const callId = 1 + below(this.#random, 8);
    if (request === undefined || this.#calls.has(callId)) return [];
    const was = this.#requests.get(request);
    if (was === 'asked') this.#requests.set(request, 'answered');
    if (below(this.#random, 4) === 0) return this.machine.answerCall(request, { accept: false, why: 'busy' });
    if (was === 'asked') this.#calls.set(callId, 'placed');
    return this.machine.answerCall(request, { accept: true, callId });
  }

  #expire(): readonly Effect[] {
    const timers: TimerName[] = [...this.#timers, 'set-up', 'silence', 'echoReply', 'call-reply:3'];
    const timer = timers[below(this.#random, timers.length)] ?? 'silence';
    this.#timers.delete(timer);
    return this.machine.expired(timer);
  }

  #check(effects: readonly Effect[]): void {
    for (const effect of effects) this.#checkOne(effect);
    if (this.#timers.size > this.machine.callCount + 5) throw new Error(`timers left: ${[...this.#timers]}`);
  }

  #checkOne(effect: Effect): void {
    if (this.#ended && effect.do !== 'note' && effect.do !== 'call-failed') {
      throw new Error(`${effect.do} after the end`);
    }
    this.seen.add(effect.do);
    switch (effect.do) {
      case 'send':
        if (decode(effect.bytes) instanceof Malformed) throw new Error('sent what it would not read');
        break;
      case 'arm':
        this.#timers.add(effect.timer);
        break;
      case 'disarm':
        if (
          !this.#timers.delete(effect.timer) &&
          effect.timer !== 'set-up' &&
          !effect.timer.startsWith('call')
        )
          throw new Error(`disarms ${effect.timer}, which is not armed`);
        break;
      case 'call-requested':
        if (this.#requests.has(effect.request)) throw new Error('one handle for two requests');
        this.#requests.set(effect.request, 'asked');
        break;
      case 'call-withdrawn':
        if (this.#requests.get(effect.request) !== 'asked') throw new Error('withdrew what was not asked');
        this.#requests.set(effect.request, 'withdrawn');
        break;
      case 'call-connected':
        if (this.#calls.get(effect.callId) !== 'placed') throw new Error('connected twice, or never begun');
        this.#calls.set(effect.callId, 'connected');
        break;
      case 'call-failed':
        if (this.#calls.get(effect.callId) !== 'placed') throw new Error('failed what was not being placed');
        this.#calls.delete(effect.callId);
        break;
      case 'call-cleared':
        if (this.#calls.get(effect.callId) !== 'connected') throw new Error('cleared what was not connected');
        this.#calls.delete(effect.callId);
        break;
      case 'ended':
        this.#ended = true;
        this.#timers.clear();
        break;
    }
  }
}

describe.each(['originator', 'receiver'] as const)('whatever is done to a %s', (side) => {
  it('it never throws, stays within its bounds, and tells each call one end', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= runs; seed += 1) {
      const suspect = new Suspect(seededRandom(seed), side);
      try {
        for (let at = 0; at < stepsPerRun; at += 1) suspect.step();
        suspect.finish();
      } catch (error) {
        throw new Error(`seed ${seed}: ${error}`, { cause: error });
      }
      for (const each of suspect.seen) seen.add(each);
    }

    // The runs are worth something only if they went everywhere.
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'idle',
        'established',
        'wait-stop-reply',
        'ended',
        'call-withdrawn',
        'call-cleared',
      ]),
    );
  });

  it('a dozen random octets and more end it', () => {
    for (let seed = 1; seed <= runs; seed += 1) {
      const random = seededRandom(seed);
      const machine = new ControlConnection({ side, hostName: 'a', vendorName: 'b', firmwareRevision: 1 });
      machine.opened();
      machine.received(random(12 + below(random, 100)));
      expect(machine.state, `seed ${seed}`).toBe('ended');
    }
  });
});
