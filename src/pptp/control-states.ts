/**
 * The states of a control connection as a table: RFC 2637 section 3.1.1 (originator) and 3.1.2 (receiver) in one, because they
 * differ in the first step only. Pure data; control.ts steps through it.
 */

import type { Cell, Table } from '../base/machine.ts';
import type { ControlState } from './rules.ts';

export type ControlEvent =
  /** TCP is open, and we are the originator. */
  | 'open'
  /** Start-Control-Connection-Request, and one of a version that we do not speak. */
  | 'start-request'
  | 'start-request-unsupported'
  /** Start-Control-Connection-Reply: yes, no, and yes in a version that we do not speak. */
  | 'start-reply'
  | 'start-reply-refused'
  | 'start-reply-unsupported'
  | 'stop-request'
  | 'stop-reply'
  /** Our owner's wish. */
  | 'stop'
  /** Deadlines. */
  | 'start-unanswered'
  | 'stop-unanswered'
  | 'echo-unanswered'
  | 'no-call-in-time'
  | 'malformed'
  | 'tcp-closed';

export type ControlAction =
  | 'send-start-request'
  | 'send-start-reply'
  | 'send-start-exists'
  | 'send-start-unsupported'
  | 'send-stop-request'
  | 'send-stop-reply'
  | 'tell-established'
  | 'end-calls'
  | 'close'
  | 'tell-ended';

type Step = Cell<ControlState, ControlAction> | undefined;

function to(next: ControlState, ...actions: ControlAction[]): Step {
  return { next, actions };
}

/** A row: the cells of the four states in which something can happen; `ended` has none. */
function row(
  idle: Step,
  waitCtlReply: Step,
  established: Step,
  waitStopReply: Step,
): Record<ControlState, Step> {
  return {
    idle,
    'wait-ctl-reply': waitCtlReply,
    established,
    'wait-stop-reply': waitStopReply,
    ended: undefined,
  };
}

const never = undefined;
const request = to('wait-ctl-reply', 'send-start-request');
const reply = to('established', 'send-start-reply', 'tell-established');
// Both began on one connection: each answers, and is established when its own answer comes.
const mutual = to('wait-ctl-reply', 'send-start-reply');
const exists = to('established', 'send-start-exists');
const refuse = to('ended', 'send-start-unsupported', 'end-calls', 'close', 'tell-ended');
const up = to('established', 'tell-established');
const stop = to('wait-stop-reply', 'end-calls', 'send-stop-request');
const stay = to('wait-stop-reply');
const bye = to('ended', 'send-stop-reply', 'end-calls', 'close', 'tell-ended');
const close = to('ended', 'end-calls', 'close', 'tell-ended');
const gone = to('ended', 'end-calls', 'tell-ended');

/** Columns: idle, wait-ctl-reply, established, wait-stop-reply. */
export const controlTable: Table<ControlState, ControlEvent, ControlAction> = {
  open: row(request, never, never, never),
  'start-request': row(reply, mutual, exists, never),
  'start-request-unsupported': row(refuse, refuse, exists, never),
  'start-reply': row(never, up, never, never),
  'start-reply-refused': row(never, close, never, never),
  'start-reply-unsupported': row(never, stop, never, never),
  'stop-request': row(bye, bye, bye, bye),
  'stop-reply': row(never, never, never, close),
  stop: row(close, stop, stop, stay),
  'start-unanswered': row(never, close, never, never),
  'stop-unanswered': row(never, never, never, close),
  'echo-unanswered': row(never, never, close, never),
  'no-call-in-time': row(close, close, stop, never),
  malformed: row(close, close, close, close),
  'tcp-closed': row(gone, gone, gone, gone),
};
