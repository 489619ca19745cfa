/**
 * What a peer has shown to prove itself, and what became of it. The authentication machines make `Credentials`; whoever
 * knows the passwords (the local database, a RADIUS server) answers with an `Answer`. The machines judge nothing themselves.
 */

import type { MppeKeys } from './mppe-keys.ts';

interface Claim {
  /** Who the peer says that it is, for people: fit for a log line, whatever the peer sent. */
  readonly name: string;
  /** The same as the peer sent it: what it hashed, and what users are looked up by. */
  readonly nameOctets: Uint8Array;
}

/** RFC 1334: the password itself. */
export interface PapCredentials extends Claim {
  readonly method: 'pap';
  readonly password: Uint8Array;
}

/** RFC 1994: MD5 over identifier, password and challenge. */
export interface ChapCredentials extends Claim {
  readonly method: 'chap';
  readonly id: number;
  readonly challenge: Uint8Array;
  /** 16 octets. */
  readonly response: Uint8Array;
}

/** RFC 2433: `response` is 24 octets by the LAN Manager hash, 24 by the NT hash, one that says which of them counts. */
export interface Mschap1Credentials extends Claim {
  readonly method: 'mschap1';
  readonly id: number;
  /** 8 octets. */
  readonly challenge: Uint8Array;
  /** 49 octets. */
  readonly response: Uint8Array;
}

/** RFC 2759. */
export interface Mschap2Credentials extends Claim {
  readonly method: 'mschap2';
  readonly id: number;
  /** 16 octets. */
  readonly challenge: Uint8Array;
  /** 16 octets. */
  readonly peerChallenge: Uint8Array;
  /** 24 octets. */
  readonly ntResponse: Uint8Array;
  /** Zero by the RFC; Windows 98 sends 4. */
  readonly flags: number;
}

/** What proves a password by itself: who knows the password can judge it. */
export type PasswordCredentials = PapCredentials | ChapCredentials | Mschap1Credentials | Mschap2Credentials;

/** RFC 3748: one step of a conversation that somebody else holds (RFC 3579). `name` is that of the Response to Identity. */
export interface EapCredentials extends Claim {
  readonly method: 'eap';
  /** The peer's EAP Response, header included. */
  readonly packet: Uint8Array;
  /** How large the EAP Requests of the server may be, in octets: Framed-MTU (RFC 3579 section 2.4). */
  readonly mtu: number;
}

export type Credentials = PasswordCredentials | EapCredentials;

/**
 * Why MS-CHAP refuses (RFC 2759 section 6): 646 restricted hours, 647 account disabled, 648 password expired, 649 no dial-in
 * permission, 691 authentication failure, 709 error changing the password.
 */
export type MschapErrorCode = 646 | 647 | 648 | 649 | 691 | 709;

export interface Acceptance {
  readonly accept: true;
  /** Shown to the peer's user. */
  readonly message?: string;
  /** MS-CHAP-V2 only, without which the peer hangs up: `S=` and 40 hexadecimal digits. */
  readonly mschap2Success?: string;
  /** Without them the session cannot encrypt. */
  readonly mppeKeys?: MppeKeys;
  /** EAP only: the Success packet. One is made if it is missing. */
  readonly eap?: Uint8Array;
}

export interface Rejection {
  readonly accept: false;
  readonly errorCode: MschapErrorCode;
  /** Shown to the peer's user. */
  readonly message: string;
  /** EAP only: the Failure packet. One is made if it is missing. */
  readonly eap?: Uint8Array;
}

/** EAP only: no judgement yet, the peer is asked further. */
export interface Continuation {
  readonly accept: undefined;
  /** The EAP Request to send. The peer's Response to it comes as new credentials. */
  readonly eap: Uint8Array;
}

export type Answer = Acceptance | Rejection | Continuation;
