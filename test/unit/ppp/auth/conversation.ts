/**
 * Our authenticator and our authenticatee over a wire that loses, doubles and delays frames as a seed says, with an authority
 * that takes its time. The clock is virtual; `settle` runs until both have an outcome or nothing is left to happen.
 */

import { type Timer, VirtualClock } from '../../../../src/base/clock.ts';
import { below, seededRandom } from '../../../../src/base/random.ts';
import { authenticatee } from '../../../../src/ppp/auth/authenticatee.ts';
import type { AuthenticationEffect, AuthenticationMachine } from '../../../../src/ppp/auth/authentication.ts';
import { authenticator } from '../../../../src/ppp/auth/authenticator.ts';
import type { Answer, Credentials } from '../../../../src/ppp/auth/credentials.ts';
import type { Method } from '../../../../src/ppp/auth/method.ts';
import { Password } from '../../../../src/ppp/auth/password.ts';
import { EapPeer } from './eap-peer.ts';

export interface Scene {
  readonly method: Method;
  readonly name?: string;
  readonly password?: string;
  readonly seed?: number;
  /** Per cent of frames. */
  readonly loss?: number;
  readonly doubling?: number;
  readonly authorityMs?: number;
  judge(credentials: Credentials): Answer;
}

type Outcome = Extract<AuthenticationEffect, { do: 'done' | 'failed' }>;

export interface Result {
  readonly server: readonly Outcome[];
  readonly client: readonly Outcome[];
  readonly questions: readonly Credentials[];
  readonly frames: readonly { readonly from: 'server' | 'client'; readonly bytes: Uint8Array }[];
  readonly tookMs: number;
}

export function converse(scene: Scene): Result {
  const {
    method,
    name = 'jack',
    password = 'secret',
    seed = 1,
    loss = 0,
    doubling = 0,
    authorityMs = 0,
  } = scene;
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const server = authenticator({ method, name: 'node1', mru: 1400, random });
  const client =
    method === 'eap'
      ? new EapPeer(name, password)
      : authenticatee({ method, name, password: new Password(password), random });
  const outcomes = { server: [] as Outcome[], client: [] as Outcome[] };
  const questions: Credentials[] = [];
  const frames: { from: 'server' | 'client'; bytes: Uint8Array }[] = [];
  const timers = new Map<string, Timer>();

  const carry = (from: 'server' | 'client', to: AuthenticationMachine, bytes: Uint8Array) => {
    frames.push({ from, bytes });
    if (below(random, 100) < loss) return;
    const copies = below(random, 100) < doubling ? 2 : 1;
    const other = from === 'server' ? 'client' : 'server';
    for (let copy = 0; copy < copies; copy++) {
      clock.arm(1 + below(random, 200), () => perform(other, to, to.received(bytes)));
    }
  };

  const perform = (
    who: 'server' | 'client',
    self: AuthenticationMachine,
    effects: readonly AuthenticationEffect[],
  ): void => {
    const other = self === server ? client : server;
    for (const effect of effects) {
      switch (effect.do) {
        case 'send':
          carry(who, other, effect.bytes);
          break;
        case 'arm':
          timers.get(effect.timer)?.cancel();
          timers.set(
            effect.timer,
            clock.arm(effect.delayMs, () => perform(who, self, self.expired())),
          );
          break;
        case 'disarm':
          timers.get(effect.timer)?.cancel();
          break;
        case 'prove':
          questions.push(effect.credentials);
          clock.arm(authorityMs, () => perform(who, self, server.verdict(scene.judge(effect.credentials))));
          break;
        case 'note':
          break;
        default:
          outcomes[who].push(effect);
      }
    }
  };

  perform('server', server, server.start());
  perform('client', client, client.start());
  while (clock.step());
  return { ...outcomes, questions, frames, tookMs: clock.nowMs() };
}
