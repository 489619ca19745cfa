/** The one line that tells a session's whole story, when it is over. RouterOS's words first, the reason after. */

import { formatDuration } from '../base/duration.ts';
import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { type EndingCause, endingOf, explain } from './ending.ts';
import { eventOf } from './events.ts';
import type { FinalCounters, Session } from './session.ts';

/**
 * Uptime in seconds, octets received and sent, packets received and sent, as RouterOS's `logged out` line has them.
 * `way` says who called whom.
 */
export function summarise(
  log: Log,
  session: Session,
  way: 'from' | 'to',
  cause: EndingCause,
  counters: FinalCounters,
): void {
  const { text, hint } = explain(cause);
  const { reason, owner } = endingOf(cause);
  const { receivedOctets, transmittedOctets, receivedPackets, transmittedPackets } = counters;
  const peer = `${way} ${formatIpv4(session.place.peerAddress)}`;
  const who = way === 'from' ? session.terms?.user : session.name;
  const seconds = Math.round(session.uptimeMs / 1000);
  const wasUp = session.terms !== undefined && session.uptimeMs > 0;
  const line = !wasUp
    ? `call ${peer} ended before it was up - ${text}`
    : `${who} logged out, ${seconds} ${receivedOctets} ${transmittedOctets} ${receivedPackets} ${transmittedPackets} ${peer} after ${formatDuration(seconds * 1000)} - ${text}`;
  log('info', 'pptp,ppp,account', line, {
    ...eventOf(wasUp ? 'session-ended' : 'call-failed'),
    session: session.place.call,
    cause,
    reason,
    owner,
    ...(hint !== '' && { hint }),
    lost: counters.lost,
    duplicates: counters.duplicates,
    dropped: counters.dropped,
  });
}
