/**
 * The judgement of an authority over a user: let in with a grant, refused for one of a closed set of reasons, or, by EAP, not
 * judged yet. The peer is told MS-CHAP's error code and a text, the operator the reason; a peer that does not know the
 * password learns nothing else.
 */

import type { Acceptance, Continuation, MschapErrorCode, Rejection } from '../ppp/auth/credentials.ts';
import type { Grant } from './grant.ts';
import type { Resume } from './question.ts';

export interface Accepted extends Acceptance {
  /** The user's name as the authority has it, which may lack the domain that the peer sent. */
  readonly user: string;
  readonly grant: Grant;
  readonly source: 'local' | 'radius';
  /** Values of Class, in order: accounting gives them back. */
  readonly classes: readonly Uint8Array[];
  /** Between two Interim-Updates; undefined: as `/ppp aaa` says. */
  readonly interimMs: number | undefined;
}

export interface Refused extends Rejection {
  readonly reason: RefusalReason;
  /** For the log. */
  readonly explanation: string;
}

/** The peer's next answer comes with `resume` in its question. */
export interface Continued extends Continuation {
  readonly resume: Resume;
}

/** An `Answer` to the authentication machines, and what the session needs besides. */
export type Verdict = Accepted | Refused | Continued;

interface Refusal {
  readonly errorCode: MschapErrorCode;
  readonly message: string;
  readonly explanation: string;
}

const badProof = { errorCode: 691, message: 'bad user name or password' } as const;
const noPermission = { errorCode: 649, message: 'no dial-in permission' } as const;
/** Not the user's fault: he may try again. */
const noJudge = { errorCode: 649, message: 'authentication is not available, try again later' } as const;

const refusals = {
  'unknown-user': { ...badProof, explanation: 'no such user in /ppp secret' },
  'wrong-password': { ...badProof, explanation: 'the password is wrong' },
  disabled: { errorCode: 647, message: 'account disabled', explanation: 'the secret is disabled' },
  'wrong-service': {
    ...noPermission,
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
    ...noPermission,
    explanation: 'the profile of the secret, or the default profile of the server, does not exist',
  },
  'eap-needs-radius': {
    ...noPermission,
    explanation: 'EAP is judged by a RADIUS server: set use-radius=yes in /ppp aaa',
  },
  'name-too-long': { ...badProof, explanation: "no user's name in RADIUS has more than 253 octets" },
  'no-radius-server': {
    ...noJudge,
    explanation: 'no server of /radius is for this user: see service= there, and called-id= and domain=',
  },
  'radius-silent': { ...noJudge, explanation: 'no RADIUS server answers' },
  'radius-rejects': { ...badProof, explanation: 'the RADIUS server rejects the user' },
  'unasked-challenge': {
    ...noPermission,
    explanation: 'the RADIUS server asks for a second answer, which only EAP can give',
  },
  'radius-nonsense': {
    ...noPermission,
    explanation: 'the answer of the RADIUS server makes no sense in answer to an Access-Request',
  },
  'unreadable-attribute': {
    ...noPermission,
    explanation: 'the RADIUS server accepts the user with a value that cannot be read',
  },
  'other-service': {
    ...noPermission,
    explanation: 'the RADIUS server accepts the user for another service than Framed PPP',
  },
  'no-group': {
    ...noPermission,
    explanation: 'the RADIUS server names a profile that is not in /ppp profile',
  },
  'no-mschap2-success': {
    ...noPermission,
    explanation:
      'the RADIUS server accepts the user without MS-CHAP2-Success, so that the client would hang up',
  },
  'no-mppe-keys': {
    ...noPermission,
    explanation:
      'encryption is required and the RADIUS server sends no keys for it: see use_mppe= of its mschap',
  },
  'session-time-over': {
    errorCode: 646,
    message: 'no logon at this hour',
    explanation:
      'the RADIUS server accepts the user for a time that is over: see WISPr-Session-Terminate-Time',
  },
  'address-in-use': {
    errorCode: 649,
    message: 'already connected',
    explanation:
      'the address of the user is in use by another session: a pool, or session-policy=replace of /ppp aaa',
  },
  'too-many-sessions': {
    errorCode: 649,
    message: 'too many sessions',
    explanation: 'the user has as many sessions as Port-Limit lets him have',
  },
} as const satisfies Readonly<Record<string, Refusal>>;

export type RefusalReason = keyof typeof refusals;

/** `detail` is for the log: which attribute, which server. */
export function refused(reason: RefusalReason, detail = ''): Refused {
  const { explanation, ...told } = refusals[reason];
  return {
    accept: false,
    reason,
    ...told,
    explanation: detail === '' ? explanation : `${explanation}: ${detail}`,
  };
}
