/**
 * The nodes of a service in Redis: who lives, who has died, who buries whom. Here are the words: where it is kept, for how long, and
 * in what form. nodes-board.ts asks Redis, nodes-inbox.ts carries commands, nodes.io.ts lives by them. Layout, beside that of keys.ts,
 * within the same braces:
 *
 *     nodes:beats        hash of owner to its status, for the owners in `owners`; there the score is the time of the last beat
 *     nodes:boots        hash of node to `GENERATION OWNER`, the boot that counts; a boot of a lower generation is fenced
 *     nodes:marker       hash of id, replication and time: another id tells that Redis may have lost something
 *     nodes:reaped       sorted set of sessions that were given up with their node, by time
 *     nodes:quarantine   hash of address to `UNTIL USER`: a dead node may serve it still, so that nobody else may have it yet
 *     nodes:graves       hash of grave to the owner who buries it
 *     nodes:grave:N      list of session, row, counters, …: what is left to bury
 *     nodes:stones:N     hash of session to the owner who has buried it, and those that came with it
 *     nodes:inbox:OWNER  stream of commands to this owner, and of replies to it
 *
 * A node's life: its first beat fences the boot before, whose sessions its own journal has. Without a beat for `suspectAfterMs` it is
 * suspect, for `deadAfterMs` it is dead: one script of whichever survivor is first makes it no owner, frees what it held and puts its
 * sessions into a grave. The survivor takes some at a time into its journal, strikes them off the grave, and then tells their Stops;
 * should it die or be cut off before, another goes on, and what the first has is forgotten (nodes-burials.ts). Only who has watched for `deadAfterMs` itself may say that another is dead: after an absence of Redis all
 * beats are old.
 *
 * A session that was reaped while its node lived on ends there, without a second Stop: for the RADIUS server it is over, its place
 * among the user's sessions and its address may be another's already, and CoA no longer finds it. To go on under a new name it would
 * have to split counters, Session-Timeout and quota between two sessions, of which the user notices no less. Pure.
 */

import {
  type Form,
  flag,
  type Json,
  listOf,
  maybe,
  objectOf,
  octets,
  text,
  unionOf,
  whole,
  word,
} from '../../accounting/form.ts';
import { type Tally, tally } from '../../base/observe.ts';
import type { NodeCommand, NodeReply, NodeStatus } from './registry.ts';

export interface NodeKeys {
  readonly beats: string;
  readonly boots: string;
  readonly marker: string;
  readonly reaped: string;
  readonly quarantine: string;
  readonly graves: string;
  grave(number: string): string;
  stones(number: string): string;
  inbox(owner: string): string;
}

export function nodeKeysOf(service: string): NodeKeys {
  const prefix = `{pptp:${service}}:nodes:`;
  return {
    beats: `${prefix}beats`,
    boots: `${prefix}boots`,
    marker: `${prefix}marker`,
    reaped: `${prefix}reaped`,
    quarantine: `${prefix}quarantine`,
    graves: `${prefix}graves`,
    grave: (number) => `${prefix}grave:${number}`,
    stones: (number) => `${prefix}stones:${number}`,
    inbox: (owner) => `${prefix}inbox:${owner}`,
  };
}

/** In ms. All nodes of a service should have the same. */
export interface Pace {
  /** Between two signs of life. */
  readonly beatMs: number;
  /** Without a sign of life a node is suspect: it is sent no commands. Three beats. */
  readonly suspectAfterMs: number;
  /** Without a sign of life a node is dead. */
  readonly deadAfterMs: number;
  /** After Redis was found empty or older, until all nodes that live have been back to write everything again. */
  readonly settleMs: number;
  /** How long an address that a dead node had claimed is kept from other users: it may serve it still, cut off from Redis only. */
  readonly quarantineMs: number;
}

export const customaryPace: Pace = {
  beatMs: 5_000,
  suspectAfterMs: 15_000,
  deadAfterMs: 120_000,
  settleMs: 30_000,
  quarantineMs: 600_000,
};

/** The way back to Redis, in ms: a connection that broke is tried again every two seconds, and the attempt before may be under way. */
const settleLeastMs = 4_000;

/** For a service that takes its nodes for dead sooner, all is quicker; one that waits longer hears of its nodes no less often. */
export function paceOf(deadAfterMs: number): Pace {
  const share = Math.min(1, deadAfterMs / customaryPace.deadAfterMs);
  return {
    ...customaryPace,
    beatMs: Math.round(customaryPace.beatMs * share),
    suspectAfterMs: Math.round(customaryPace.suspectAfterMs * share),
    settleMs: Math.max(settleLeastMs, Math.round(customaryPace.settleMs * share)),
    deadAfterMs,
  };
}

/** Rows that are handed over to be buried at a time: one grouped write of the accounting journal. */
export const burialRowsMax = 200;
/** How long it is remembered that a session was reaped, in s: a node under repair is back within a month. */
export const reapedSeconds = 30 * 86_400;
/** Sessions buried by this node that it can tell Redis of once more when Redis has forgotten: the largest node, dead five times. */
export const buriedMax = 100_000;
/** Names of sessions in one question: Lua's stack takes 8,000 arguments. */
export const namesMax = 1_000;

const statusForm: Form<NodeStatus> = objectOf<NodeStatus>({
  version: text,
  addresses: listOf(whole),
  licenceLevel: text,
  licenceLimit: maybe(whole),
  licenceUsed: whole,
  sessions: whole,
  isReady: flag,
  isDraining: flag,
  startedAtMs: whole,
});

const commandForm = unionOf<'kind', NodeCommand>('kind', {
  kick: objectOf({ sessionIds: listOf(text), cause: word('replaced', 'admin-reset') }),
  dynamic: objectOf({ request: word('coa', 'disconnect'), attributes: octets }),
  drain: objectOf({ mode: word('soft', 'hard', 'cancel') }),
});

/** `ok` is a boolean, by which `unionOf` cannot tell forms apart. */
const replyForm: Form<NodeReply> = {
  write: (reply) =>
    reply.ok ? { ok: true, errorCause: reply.errorCause ?? null } : { ok: false, why: reply.why },
  read(json) {
    const { ok } = flagOfReply.read(json) ?? {};
    if (ok === undefined) return undefined;
    if (!ok) {
      const refused = refusalForm.read(json);
      return refused && { ok, why: refused.why };
    }
    const { errorCause } = acceptedForm.read(json) ?? {};
    return errorCause === undefined ? { ok } : { ok, errorCause };
  },
};
const flagOfReply = objectOf<{ ok: boolean }>({ ok: flag });
const acceptedForm = objectOf<{ errorCause: number | undefined }>({ errorCause: maybe(whole) });
const refusalForm = objectOf<{ why: Extract<NodeReply, { ok: false }>['why'] }>({
  why: word('unreachable', 'unknown-session', 'refused'),
});

/** A form as text. What does not fit the form, or is no JSON, is undefined: another release has written it. */
export interface Text<T> {
  write(value: T): string;
  read(written: string): T | undefined;
}

function textOf<T>(form: Form<T>): Text<T> {
  return {
    write: (value) => JSON.stringify(form.write(value)),
    read(written) {
      let json: Json;
      try {
        json = JSON.parse(written) as Json;
      } catch {
        return undefined;
      }
      return form.read(json);
    },
  };
}

export const statusText = textOf(statusForm);
export const commandText = textOf(commandForm);
export const replyText = textOf(replyForm);

const happenings = {
  beats: 'Signs of life that Redis took.',
  failures: 'Times that Redis did not answer the part that knows nodes, broke off or refused.',
  rejoined:
    'Times that this node was found given up by the others, or forgotten by Redis, and wrote everything again.',
  emptied: 'Times that Redis was found empty, older, or another one.',
  fenced: 'Times that another boot of this node has taken over.',
  reaped: 'Dead nodes of which this one took what they held.',
  reapedAlive: 'Sessions of this node that others had ended in accounting while it could not be heard.',
  adopted: 'Burials taken over from a node that died at it.',
  buried: 'Sessions of dead nodes whose Accounting-Stop this node has taken on.',
  buriedElsewhere: 'Sessions of dead nodes whose Accounting-Stop this node had, and another has taken on.',
  unreadable: 'Rows, states and commands of another release that could not be read.',
  commandsSent: 'Commands sent to other nodes.',
  commandsUnanswered: 'Commands to which no answer came in time, or whose node does not live.',
  commandsTooMany: 'Commands not sent because too many wait for an answer, or because they are too large.',
  commandsPerformed: 'Commands of other nodes carried out.',
  commandsExpired: 'Commands of other nodes dropped: they came after their time.',
  commandsRepeated: 'Commands of other nodes dropped: they came twice.',
} as const;

export const nodesTally: Tally<keyof typeof happenings> = tally('nodes', happenings);
