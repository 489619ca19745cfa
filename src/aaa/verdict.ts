/**
 * The judgement of an authority over a user: let in with a grant, or refused for one of a closed set of reasons. The peer is
 * told MS-CHAP's error code and a text, the operator the reason; a peer that does not know the password learns nothing else.
 */

import type { Acceptance, MschapErrorCode, Rejection } from '../ppp/auth/credentials.ts';
import type { Grant } from './grant.ts';

export type RefusalReason =
  | 'unknown-user'
  | 'wrong-password'
  | 'disabled'
  | 'wrong-service'
  | 'wrong-caller'
  | 'already-connected'
  | 'no-profile';

export interface Accepted extends Acceptance {
  /** The user's name as the authority has it, which may lack the domain that the peer sent. */
  readonly user: string;
  readonly grant: Grant;
}

export interface Refused extends Rejection {
  readonly reason: RefusalReason;
  /** For the log. */
  readonly explanation: string;
}

/** An `Answer` to the authentication machines, and what the session needs besides. */
export type Verdict = Accepted | Refused;

interface Refusal {
  readonly errorCode: MschapErrorCode;
  readonly message: string;
  readonly explanation: string;
}

const refusals: Readonly<Record<RefusalReason, Refusal>> = {
  'unknown-user': {
    errorCode: 691,
    message: 'bad user name or password',
    explanation: 'no such user in /ppp secret',
  },
  'wrong-password': {
    errorCode: 691,
    message: 'bad user name or password',
    explanation: 'the password is wrong',
  },
  disabled: { errorCode: 647, message: 'account disabled', explanation: 'the secret is disabled' },
  'wrong-service': {
    errorCode: 649,
    message: 'no dial-in permission',
    explanation: 'the secret is for another service: see service= of /ppp secret',
  },
  'wrong-caller': {
    errorCode: 649,
    message: 'no dial-in permission from here',
    explanation: 'the user calls from another address than caller-id= of /ppp secret',
  },
  'already-connected': {
    errorCode: 649,
    message: 'already connected',
    explanation: 'the user has a session and only-one=yes',
  },
  'no-profile': {
    errorCode: 649,
    message: 'no dial-in permission',
    explanation: 'the profile of the secret does not exist',
  },
};

export function refused(reason: RefusalReason): Refused {
  return { accept: false, reason, ...refusals[reason] };
}
