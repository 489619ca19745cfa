/**
 * The states of a call as tables, one for each of the four parts that RFC 2637 sections 3.2.3 and 3.2.4 describe: PAC and PNS of
 * an incoming and of an outgoing call. Who is told to clear a call differs: a PNS asks with Call-Clear-Request and waits, a PAC
 * tells with Call-Disconnect-Notify and is done. Pure data; call.ts steps through it.
 */

import type { Cell, Table } from '../base/machine.ts';
import type { CallKind, Role } from './effects.ts';

/** The RFC's states, and `wait-connection`: placed by us before the control connection was established. */
export type CallState =
  | 'idle'
  | 'wait-connection'
  | 'wait-answer'
  | 'wait-reply'
  | 'wait-connect'
  | 'established'
  | 'wait-disconnect';

export type CallEvent =
  /** The peer's request, and our owner's answer. */
  | 'request'
  | 'accept'
  | 'refuse'
  /** Our owner's call, and the connection that it waits for. */
  | 'place'
  | 'connection-up'
  /** Outgoing-Call-Reply or Incoming-Call-Reply; Incoming-Call-Connected. */
  | 'reply-connected'
  | 'reply-refused'
  | 'connected'
  /** Ends: by our owner, by the peer, by a reply that did not come, with the connection. */
  | 'clear'
  | 'clear-request'
  | 'disconnect-notify'
  | 'unanswered'
  | 'connection-ended';

export type CallAction =
  | 'send-request'
  | 'send-reply'
  | 'send-refusal'
  | 'send-connected'
  | 'send-clear-request'
  | 'send-disconnect-notify'
  | 'learn-peer'
  | 'tell-requested'
  | 'tell-connected'
  | 'tell-end';

function to<const State extends CallState>(next: State, ...actions: CallAction[]): Cell<State, CallAction> {
  return { next, actions };
}

const told = to('idle', 'send-disconnect-notify', 'tell-end');
const over = to('idle', 'tell-end');
const asked = to('wait-disconnect', 'send-clear-request');
const never = undefined;

type Ends = 'clear' | 'clear-request' | 'disconnect-notify' | 'connection-ended';

/** Section 3.2.4.1. wait-answer is the RFC's wait_cs_ans: instead of a line, our owner answers. */
const pacOutgoing: Table<
  'idle' | 'wait-answer' | 'established',
  'request' | 'accept' | 'refuse' | Ends,
  CallAction
> = {
  request: { idle: to('wait-answer', 'tell-requested'), 'wait-answer': never, established: never },
  accept: {
    idle: never,
    'wait-answer': to('established', 'send-reply', 'tell-connected'),
    established: never,
  },
  refuse: { idle: never, 'wait-answer': to('idle', 'send-refusal'), established: never },
  clear: { idle: never, 'wait-answer': never, established: told },
  'clear-request': { idle: never, 'wait-answer': told, established: told },
  'disconnect-notify': { idle: never, 'wait-answer': over, established: over },
  'connection-ended': { idle: never, 'wait-answer': over, established: over },
};

/** Section 3.2.4.2. */
const pnsOutgoing: Table<
  'idle' | 'wait-connection' | 'wait-reply' | 'established' | 'wait-disconnect',
  'place' | 'connection-up' | 'reply-connected' | 'reply-refused' | 'unanswered' | Ends,
  CallAction
> = {
  place: {
    idle: to('wait-connection'),
    'wait-connection': never,
    'wait-reply': never,
    established: never,
    'wait-disconnect': never,
  },
  'connection-up': {
    idle: never,
    'wait-connection': to('wait-reply', 'send-request'),
    'wait-reply': never,
    established: never,
    'wait-disconnect': never,
  },
  'reply-connected': {
    idle: never,
    'wait-connection': never,
    'wait-reply': to('established', 'learn-peer', 'tell-connected'),
    established: never,
    // Our Call-Clear-Request crossed the reply: its Call-Disconnect-Notify will name the call by the id learnt here.
    'wait-disconnect': to('wait-disconnect', 'learn-peer'),
  },
  'reply-refused': {
    idle: never,
    'wait-connection': never,
    'wait-reply': over,
    established: never,
    'wait-disconnect': over,
  },
  unanswered: {
    idle: never,
    'wait-connection': never,
    'wait-reply': asked,
    established: never,
    'wait-disconnect': over,
  },
  clear: {
    idle: never,
    'wait-connection': over,
    'wait-reply': asked,
    established: asked,
    'wait-disconnect': to('wait-disconnect'),
  },
  'clear-request': {
    idle: never,
    'wait-connection': never,
    'wait-reply': told,
    established: told,
    'wait-disconnect': told,
  },
  'disconnect-notify': {
    idle: never,
    'wait-connection': never,
    'wait-reply': over,
    established: over,
    'wait-disconnect': over,
  },
  'connection-ended': {
    idle: never,
    'wait-connection': over,
    'wait-reply': over,
    established: over,
    'wait-disconnect': over,
  },
};

/** Section 3.2.3.1. */
const pacIncoming: Table<
  'idle' | 'wait-connection' | 'wait-reply' | 'established',
  'place' | 'connection-up' | 'reply-connected' | 'reply-refused' | 'unanswered' | Ends,
  CallAction
> = {
  place: { idle: to('wait-connection'), 'wait-connection': never, 'wait-reply': never, established: never },
  'connection-up': {
    idle: never,
    'wait-connection': to('wait-reply', 'send-request'),
    'wait-reply': never,
    established: never,
  },
  'reply-connected': {
    idle: never,
    'wait-connection': never,
    'wait-reply': to('established', 'learn-peer', 'send-connected', 'tell-connected'),
    established: never,
  },
  'reply-refused': { idle: never, 'wait-connection': never, 'wait-reply': over, established: never },
  unanswered: { idle: never, 'wait-connection': never, 'wait-reply': told, established: never },
  clear: { idle: never, 'wait-connection': over, 'wait-reply': told, established: told },
  'clear-request': { idle: never, 'wait-connection': never, 'wait-reply': told, established: told },
  'disconnect-notify': { idle: never, 'wait-connection': never, 'wait-reply': over, established: over },
  'connection-ended': { idle: never, 'wait-connection': over, 'wait-reply': over, established: over },
};

/** Section 3.2.3.2. */
const pnsIncoming: Table<
  'idle' | 'wait-answer' | 'wait-connect' | 'established' | 'wait-disconnect',
  'request' | 'accept' | 'refuse' | 'connected' | 'unanswered' | Ends,
  CallAction
> = {
  request: {
    idle: to('wait-answer', 'tell-requested'),
    'wait-answer': never,
    'wait-connect': never,
    established: never,
    'wait-disconnect': never,
  },
  accept: {
    idle: never,
    'wait-answer': to('wait-connect', 'send-reply'),
    'wait-connect': never,
    established: never,
    'wait-disconnect': never,
  },
  refuse: {
    idle: never,
    'wait-answer': to('idle', 'send-refusal'),
    'wait-connect': never,
    established: never,
    'wait-disconnect': never,
  },
  connected: {
    idle: never,
    'wait-answer': never,
    'wait-connect': to('established', 'learn-peer', 'tell-connected'),
    established: never,
    // Crossed our Call-Clear-Request; the peer will answer that next.
    'wait-disconnect': to('wait-disconnect'),
  },
  unanswered: {
    idle: never,
    'wait-answer': never,
    'wait-connect': asked,
    established: never,
    'wait-disconnect': over,
  },
  clear: {
    idle: never,
    'wait-answer': never,
    'wait-connect': asked,
    established: asked,
    'wait-disconnect': to('wait-disconnect'),
  },
  'clear-request': {
    idle: never,
    'wait-answer': told,
    'wait-connect': told,
    established: told,
    'wait-disconnect': told,
  },
  'disconnect-notify': {
    idle: never,
    'wait-answer': over,
    'wait-connect': over,
    established: over,
    'wait-disconnect': over,
  },
  'connection-ended': {
    idle: never,
    'wait-answer': over,
    'wait-connect': over,
    established: over,
    'wait-disconnect': over,
  },
};

/** A part's table, for whoever does not know which part: what it lacks cannot happen in it. */
export type CallTable = Readonly<
  Partial<Record<CallEvent, Readonly<Partial<Record<CallState, Cell<CallState, CallAction> | undefined>>>>>
>;

export const callTables: Readonly<Record<Role, Readonly<Record<CallKind, CallTable>>>> = {
  PAC: { outgoing: pacOutgoing, incoming: pacIncoming },
  PNS: { outgoing: pnsOutgoing, incoming: pnsIncoming },
};
