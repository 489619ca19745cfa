/**
 * The words that all machines of this folder have in common: the effects that their owner performs for them, and the notes
 * that it tallies. Values only.
 */

import { authenticationNotes } from './auth/authentication.ts';

/** Send `bytes` as the information field of a frame of `protocol`. */
export interface Send {
  readonly do: 'send';
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

/** Call `expired(timer)` in `delayMs`; arming a name again replaces it. */
export interface Arm<Timer extends string> {
  readonly do: 'arm';
  readonly timer: Timer;
  readonly delayMs: number;
}

export interface Disarm<Timer extends string> {
  readonly do: 'disarm';
  readonly timer: Timer;
}

/** Something to count; behaviour does not depend on it. */
export interface Noted {
  readonly do: 'note';
  readonly what: Note;
}

/** What can be counted, with the sentence that metrics show for it. */
export const notes = {
  ...authenticationNotes,
  malformed: 'control packets that do not follow their layout',
  illegal: 'events that RFC 1661 section 4.1 marks with a dash',
  crossed: 'answers that belong to no outstanding request',
  'unknown-code': 'packets answered with a Code-Reject',
  early: 'network control frames before authentication was complete',
  dead: 'frames of a protocol whose machine is not there',
  'protocol-rejected': 'frames answered with a Protocol-Reject',
  'protocol-rejects-exhausted': 'foreign frames dropped after the bound on Protocol-Rejects',
  looped: 'packets that carry our own magic number',
  held: 'IPCP and BCP requests that waited for CCP to settle',
  'reset-requested': 'Reset-Requests sent: stateful encryption had lost packets of the peer',
  'reset-performed': 'Reset-Requests of peers: encryption of what is sent began anew',
  refused: 'IPCP and BCP packets other than requests that came before CCP settled',
} as const;
export type Note = keyof typeof notes;

export function note(what: Note): Noted {
  return { do: 'note', what };
}
