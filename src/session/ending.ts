/**
 * Why sessions end: one row per cause. The first cause of a session wins; it is in the last log line, in accounting, in the
 * Call-Disconnect-Notify to the peer, and in RouterOS's `last-disconnect-reason`. What PPTP and PPP can say of the end is
 * told in their own folders; this table adds what it means to the outside. Data only.
 */

import type { acctTerminateCause } from '../accounting/record.ts';
import { type Cause as PppCause, causes as pppCauses } from '../ppp/cause.ts';
import type { Disconnect } from '../pptp/codes.ts';
import { type CallCause, callCauses } from '../pptp/effects.ts';

/** Whose move it is to change it. */
export type EndingOwner = 'peer' | 'operator' | 'system';

/** RouterOS's words for `last-disconnect-reason`. */
export type DisconnectReason =
  | 'peer-request'
  | 'hung-up'
  | 'idle-timeout'
  | 'session-timeout'
  | 'reset'
  | 'reboot'
  | 'port-error'
  | 'nas-error'
  | 'nas-request';

/** What happened, to follow the session's name in a log line, and what to look at. */
export interface Explanation {
  readonly text: string;
  /** Empty if nothing is wrong. */
  readonly hint: string;
}

/** Causes that are neither PPTP's nor PPP's. */
const ownCauses = {
  'connect-failed': {
    text: 'no connection to the server',
    hint: 'Is connect-to right, and TCP 1723 open on the way?',
  },
  'set-up-timeout': { text: 'the session was not up in time', hint: 'See by /ppp trace what was awaited.' },
  'idle-timeout': { text: 'idle-timeout', hint: '' },
  'session-timeout': { text: 'session-timeout', hint: '' },
  'quota-exceeded': { text: 'the octets of the session are used up', hint: '' },
  'no-address': {
    text: 'there is no address for the session',
    hint:
      'Give local-address and remote-address in the secret or the profile, or enlarge the pool. With a Redis that is new or has come ' +
      'back a node has none of a pool for half a minute: /readyz tells.',
  },
  'address-in-use': {
    text: 'the address of the user is in use by another session',
    hint: 'Two sessions of one user cannot share remote-address: give a pool, or only-one=yes.',
  },
  'interface-failed': {
    text: 'the interface could not be made',
    hint: "The line before has the kernel's answer.",
  },
  'filter-failed': {
    text: 'the filters of the session could not be set',
    hint: 'Is there a chain of that name in our nftables table? The line before says what was missing.',
  },
  replaced: { text: 'a newer session of the same user takes its place', hint: '' },
  conflict: {
    text: 'another node has the better claim to its user or its address',
    hint: 'The nodes could not see each other for a while, and each let one in.',
  },
  'admin-reset': { text: 'disconnected by the operator', hint: '' },
  'radius-disconnect': { text: 'disconnected by a RADIUS server', hint: '' },
  'server-disabled': { text: 'the server was disabled', hint: '' },
  'client-disabled': { text: 'the client was disabled', hint: '' },
  'shut-down': { text: 'the concentrator shuts down', hint: '' },
  'call-refused': {
    text: 'the engine refused the call',
    hint: 'It holds a call that control does not know of: restart both when the sessions allow it.',
  },
} as const satisfies Record<string, Explanation>;

type OwnCause = keyof typeof ownCauses;
export type EndingCause = PppCause | CallCause | OwnCause;

/** What a cause means to everyone outside. */
export interface Ending {
  readonly owner: EndingOwner;
  readonly acct: keyof typeof acctTerminateCause;
  readonly reason: DisconnectReason;
  /** Of Call-Disconnect-Notify. */
  readonly disconnect: Disconnect;
}

const row = (
  owner: EndingOwner,
  acct: Ending['acct'],
  reason: DisconnectReason,
  disconnect: Disconnect,
): Ending => ({ owner, acct, reason, disconnect });

const asked = row('peer', 'userRequest', 'peer-request', 'request');
const gone = row('peer', 'lostCarrier', 'hung-up', 'lostCarrier');
const wrong = row('peer', 'portError', 'port-error', 'generalError');
const unproved = row('peer', 'userError', 'peer-request', 'adminShutdown');
const disagreed = row('peer', 'userError', 'port-error', 'generalError');
const reset = row('operator', 'adminReset', 'reset', 'adminShutdown');
const reboot = row('operator', 'adminReboot', 'reboot', 'adminShutdown');
const ourFault = row('operator', 'nasError', 'nas-error', 'generalError');
const systemFault = row('system', 'nasError', 'nas-error', 'generalError');

const endings: Readonly<Record<EndingCause, Ending>> = {
  // PPTP (pptp/effects.ts).
  stopped: reset,
  cleared: reset,
  'peer-stopped': asked,
  'peer-cleared': asked,
  'peer-disconnected': asked,
  'tcp-closed': gone,
  'echo-unanswered': gone,
  malformed: wrong,
  'version-unsupported': wrong,
  'start-refused': wrong,
  'start-unanswered': gone,
  'no-call-in-time': gone,
  refused: row('peer', 'serviceUnavailable', 'port-error', 'generalError'),
  unanswered: gone,
  'too-many-calls': wrong,

  // PPP (ppp/cause.ts).
  closed: reset,
  'lower-down': gone,
  'lcp-timeout': gone,
  'lcp-failed': disagreed,
  loopback: wrong,
  unstable: wrong,
  'echo-lost': gone,
  'peer-terminated': asked,
  'peer-refused-authentication': disagreed,
  'authentication-failed': unproved,
  'authentication-silent': gone,
  'authentication-timeout': gone,
  'password-change': unproved,
  impostor: disagreed,
  'encryption-unavailable': ourFault,
  'encryption-refused': disagreed,
  'encryption-timeout': disagreed,
  'ipcp-timeout': gone,
  'ipcp-failed': disagreed,

  // Our own.
  'connect-failed': gone,
  'set-up-timeout': gone,
  'idle-timeout': row('operator', 'idleTimeout', 'idle-timeout', 'request'),
  'session-timeout': row('operator', 'sessionTimeout', 'session-timeout', 'request'),
  'quota-exceeded': row('operator', 'nasRequest', 'nas-request', 'request'),
  'no-address': ourFault,
  'address-in-use': row('operator', 'portPreempted', 'nas-request', 'generalError'),
  'interface-failed': systemFault,
  'filter-failed': ourFault,
  replaced: row('operator', 'portPreempted', 'nas-request', 'adminShutdown'),
  conflict: row('operator', 'portPreempted', 'nas-request', 'adminShutdown'),
  'admin-reset': reset,
  'radius-disconnect': reset,
  'server-disabled': reset,
  'client-disabled': row('operator', 'adminReset', 'reset', 'request'),
  'shut-down': reboot,
  'call-refused': systemFault,
};

/** What `cause` means. */
export function endingOf(cause: EndingCause): Ending {
  return endings[cause];
}

const explanations: Readonly<Record<EndingCause, Explanation>> = {
  ...pppCauses,
  ...ownCauses,
  ...(Object.fromEntries(
    Object.entries(callCauses).map(([cause, text]) => [cause, { text, hint: '' }]),
  ) as Record<CallCause, Explanation>),
};

/** All of them, with what happened. */
export const endingTexts = Object.fromEntries(
  Object.entries(explanations).map(([cause, { text }]) => [cause, text]),
) as Readonly<Record<EndingCause, string>>;

export function explain(cause: EndingCause): Explanation {
  return explanations[cause];
}
