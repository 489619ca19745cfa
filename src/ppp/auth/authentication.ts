/**
 * The face of the authentication machines, one for all methods: `Authenticator` asks the peer, `Authenticatee` proves
 * ourselves. Information fields of PAP, CHAP or EAP frames go in, effects come out as values; the owner performs them in order.
 *
 * The machines hold no clock, know no user and judge nobody: `prove` hands the credentials to the owner, who answers with
 * `verdict` whenever AAA is done. How long that may take is the owner's limit; no timer of ours runs meanwhile.
 */

import type { Acceptance, Answer, Credentials, Rejection } from './credentials.ts';
import type { Method } from './method.ts';
import type { MppeKeys } from './mppe-keys.ts';

/** One name per machine, so that both can run on one link. */
export type AuthenticationTimer = 'authenticator' | 'authenticatee';

/**
 * Why an authentication failed.
 * `refused`: AAA said no to the peer, or the server to us. `silent`: no answer to any try. `password-change`: the peer wants
 * to change its password here, which nobody can, or the server wants us to change ours. `impostor`: the server could not
 * prove that it knows our password (MS-CHAP-V2).
 */
export type AuthenticationFailure = 'refused' | 'silent' | 'password-change' | 'impostor';

/** What a machine notes about frames that moved nothing; the keys of a tally. */
export const authenticationNotes = {
  malformed: 'authentication frames that do not follow their RFC',
  unexpected: 'authentication frames that do not fit what was asked',
  duplicate: 'authentication frames that had been answered already',
} as const;

export type AuthenticationNote = keyof typeof authenticationNotes;

export type AuthenticationEffect =
  | { readonly do: 'send'; readonly protocol: number; readonly bytes: Uint8Array }
  | { readonly do: 'arm'; readonly timer: AuthenticationTimer; readonly delayMs: number }
  | { readonly do: 'disarm'; readonly timer: AuthenticationTimer }
  | { readonly do: 'prove'; readonly credentials: Credentials }
  | { readonly do: 'done'; readonly method: Method; readonly peerName: string; readonly keys?: MppeKeys }
  | { readonly do: 'failed'; readonly cause: AuthenticationFailure; readonly message: string }
  | { readonly do: 'note'; readonly what: AuthenticationNote };

export type Effects = readonly AuthenticationEffect[];

/** What both machines have. A frame whose code is the other direction's is ignored without a note. */
export interface AuthenticationMachine {
  readonly method: Method;
  /** The PPP protocol whose frames it takes and sends. */
  readonly protocol: number;
  /** LCP has opened. */
  start(): Effects;
  received(bytes: Uint8Array): Effects;
  /** The machine's timer has run out. */
  expired(): Effects;
}

/**
 * Asks the peer. `prove` comes once, by EAP once more after each Continuation; a frame that repeats what was settled gets the
 * same answer again.
 */
export interface Authenticator extends AuthenticationMachine {
  /** The answer to `prove`. Ignored when none is awaited. */
  verdict(answer: Answer): Effects;
}

/** What `answer` means to a method that asks the peer once: one that would have it asked further lets nobody in. */
export function judgementOf(answer: Answer): Acceptance | Rejection {
  return answer.accept === undefined ? unaskable : answer;
}

const unaskable: Rejection = {
  accept: false,
  errorCode: 691,
  message: 'the authentication server asks for what this method cannot ask',
};

/** Proves ourselves, again if the peer asks again. */
export type Authenticatee = AuthenticationMachine;

/** Between two tries, as RFC 1661's restart timer: three seconds. */
export const retryMs = 3_000;
/** Tries in all: half a minute, after which Microsoft's client gives up as well. */
export const tries = 10;
