/**
 * What happens to connections and sessions, by the codes that stand as `event` beside the lines of the log which tell it. Texts may be
 * reworded, codes stay: alerts and searches are made of them. A line without one tells more of what another line tells. Data only.
 */

export const events = {
  listening: 'The server listens.',
  'listen-failed': 'It cannot, and says why.',
  'connection-opened': 'A control connection was accepted.',
  'connection-refused': 'One was refused: too many of the node, or of its address.',
  'connection-ended': 'One has ended; `cause` says why.',
  'call-refused': 'A call was refused: no licence, no Call ID, a drain, a server that is disabled.',
  'login-failed': 'A user was not let in; `reason` says why.',
  'session-authenticated': 'A user was let in.',
  'session-up': 'His network is up, for the first time.',
  'session-connected': 'His network is up: for the first time, or after LCP or CCP has started over.',
  'session-ending': 'His session ends; `cause` says why, `hint` what to do.',
  'session-ended': 'It is over, with its final counters.',
  'call-failed': 'A call ended before it was up; `cause` says why.',
  'session-troubled': 'Something that the session needs was refused; it ends of it.',
  'sessions-resumed': 'Sessions of the control process before this one go on.',
  'call-closed': 'A call of the control process before this one could not go on.',
  'session-replaced': 'A session gives way to a newer one of the same user.',
  drain: 'The node is being drained, or no more.',
  cordon: 'Kubernetes has cordoned the node, or does no more.',
  'cordon-watched': 'A cordon of the node will be seen.',
  'cordon-unwatched': 'It cannot be seen; `code` says why, `hint` what to do.',
} as const;

export type EventCode = keyof typeof events;

/** The fact that goes beside a line. */
export function eventOf(event: EventCode): { readonly event: EventCode } {
  return { event };
}
