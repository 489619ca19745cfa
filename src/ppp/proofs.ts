/**
 * The Authenticate phase of a link (RFC 1661 section 3.5): either side may owe the other a proof, or both, or none. Made anew
 * whenever LCP opens. Enter: frames of PAP, CHAP and EAP, expiries, AAA's answer. Leave: the machines' effects, and `proved` once,
 * when nothing is owed any more. The machines stay to answer what the peer repeats.
 */

import type { Random } from '../base/random.ts';
import { authenticatee } from './auth/authenticatee.ts';
import type {
  Authenticatee,
  AuthenticationEffect,
  AuthenticationFailure,
  AuthenticationTimer,
  Authenticator,
} from './auth/authentication.ts';
import { authenticator } from './auth/authenticator.ts';
import type { Answer, Credentials } from './auth/credentials.ts';
import type { Method, PasswordMethod } from './auth/method.ts';
import type { MppeKeys } from './auth/mppe-keys.ts';
import type { Password } from './auth/password.ts';
import { type Arm, type Disarm, type Noted, note, type Send } from './effect.ts';

/** What has been proved. Keys of MPPE come from the proof that we demanded, if there were two. */
export interface Proved {
  /** Missing, with the rest, if nobody had to prove anything. */
  readonly method?: Method;
  readonly peerName?: string;
  readonly keys?: MppeKeys;
}

export type ProofEffect =
  | Send
  | Arm<AuthenticationTimer>
  | Disarm<AuthenticationTimer>
  | Noted
  | { readonly do: 'prove'; readonly credentials: Credentials }
  | { readonly do: 'proved'; readonly proved: Proved }
  | { readonly do: 'failed'; readonly cause: AuthenticationFailure; readonly message: string };

type Effects = readonly ProofEffect[];

export interface ProofSettings {
  readonly random: Random;
  /** How we call ourselves in challenges. */
  readonly identity: string;
  /** What LCP has agreed that the peer owes us. */
  readonly demand: Method | undefined;
  /** The peer's, in octets: what it is asked has to fit. */
  readonly mru: number;
  /** What LCP has agreed that we owe the peer, and what we prove it with. */
  readonly owe:
    | { readonly method: PasswordMethod; readonly name: string; readonly password: Password }
    | undefined;
}

export class Proofs {
  readonly #authenticator: Authenticator | undefined;
  readonly #authenticatee: Authenticatee | undefined;
  readonly #owed = new Set<AuthenticationTimer>();
  #proved: Proved = {};

  constructor({ random, identity, demand, mru, owe }: ProofSettings) {
    if (demand !== undefined) {
      this.#authenticator = authenticator({ method: demand, name: identity, mru, random });
      this.#owed.add('authenticator');
    }
    if (owe !== undefined) {
      this.#authenticatee = authenticatee({ ...owe, random });
      this.#owed.add('authenticatee');
    }
  }

  start(): Effects {
    if (this.#owed.size === 0) return [{ do: 'proved', proved: this.#proved }];
    return this.#machines().flatMap(([side, machine]) => this.#of(side, machine.start()));
  }

  /** A frame goes to both machines of its protocol: each takes only its own codes. */
  received(protocol: number, bytes: Uint8Array): Effects {
    const takers = this.#machines().filter(([, machine]) => machine.protocol === protocol);
    if (takers.length === 0) return [note('unexpected')];
    return takers.flatMap(([side, machine]) => this.#of(side, machine.received(bytes)));
  }

  verdict(answer: Answer): Effects {
    return this.#of('authenticator', this.#authenticator?.verdict(answer) ?? []);
  }

  expired(timer: AuthenticationTimer): Effects {
    const machine = timer === 'authenticator' ? this.#authenticator : this.#authenticatee;
    return this.#of(timer, machine?.expired() ?? []);
  }

  /** The peer does not know `protocol`: true if it owes us a proof by it. */
  refusedBy(protocol: number): boolean {
    return this.#owed.has('authenticator') && this.#authenticator?.protocol === protocol;
  }

  /** LCP has left Opened. */
  drop(): Effects {
    return this.#machines().map(([timer]) => ({ do: 'disarm', timer }));
  }

  #machines(): readonly (readonly [AuthenticationTimer, Authenticator | Authenticatee])[] {
    const both = [
      ['authenticator', this.#authenticator],
      ['authenticatee', this.#authenticatee],
    ] as const;
    return both.flatMap(([side, machine]) => (machine === undefined ? [] : [[side, machine] as const]));
  }

  #of(side: AuthenticationTimer, effects: readonly AuthenticationEffect[]): Effects {
    return effects.flatMap((effect): Effects => (effect.do === 'done' ? this.#done(side, effect) : [effect]));
  }

  #done(side: AuthenticationTimer, done: Extract<AuthenticationEffect, { do: 'done' }>): Effects {
    if (!this.#owed.delete(side)) return [];
    const { method, peerName, keys } = done;
    if (side === 'authenticator' || this.#proved.method === undefined) {
      this.#proved = { method, peerName, ...(keys && { keys }) };
    }
    return this.#owed.size === 0 ? [{ do: 'proved', proved: this.#proved }] : [];
  }
}
