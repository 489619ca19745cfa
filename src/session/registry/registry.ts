/**
 * The registry: what the nodes of one service know of each other and of each other's sessions. A node's memory is the truth for its
 * own sessions; the registry is told of them, counts a user's sessions over all nodes, sees to it that no address is claimed twice,
 * finds a session wherever it is, and carries commands to its node. memory.ts is a node alone, redis.io.ts a service of many; both
 * pass test/conformance/registry.ts.
 *
 * Every question is answered once, within a second or two, whatever has become of the others. A registry that cannot ask them answers
 * from what this node knows. Types only.
 */

import type { SessionFacts, Usage } from '../../accounting/record.ts';
import type { Ipv4 } from '../../base/ip.ts';

/** Who a process is to the others. A new boot of a node fences the one before: what that one held counts no more. */
export interface Owner {
  /** The system identity, unique in the service. */
  readonly node: string;
  /** Random, of this process. */
  readonly bootId: string;
}

/** Counters of a session as they were at `atMs`, since 1970. */
export interface Known {
  readonly atMs: number;
  readonly uptimeMs: number;
  readonly usage: Usage;
}

/** A session that is up, as all nodes see it. */
export interface SessionRow extends Owner {
  /** Acct-Session-Id: unique over nodes and restarts. */
  readonly sessionId: string;
  readonly user: string;
  readonly framedAddress: Ipv4;
  /** Outer address of the client, as text. */
  readonly callerId: string;
  readonly interfaceName: string;
  /** RouterOS's words for what CCP agreed, such as `MPPE128 stateless`; empty for nothing. */
  readonly encoding: string;
  /** Since 1970. */
  readonly startedAtMs: number;
  /** What its Accounting-Stop would say, if its node cannot any more. */
  readonly facts: SessionFacts;
  readonly known: Known;
}

/** A session, and where it is. */
export interface SessionRef {
  readonly node: string;
  readonly sessionId: string;
}

/** What a node tells of itself with each beat. */
export interface NodeStatus {
  /** Of the program. */
  readonly version: string;
  /** Where clients reach it. */
  readonly addresses: readonly Ipv4[];
  readonly licenceLevel: string;
  /** Tunnels; undefined: unlimited. */
  readonly licenceLimit: number | undefined;
  readonly licenceUsed: number;
  readonly sessions: number;
  readonly isReady: boolean;
  readonly isDraining: boolean;
  readonly startedAtMs: number;
}

/** A node as the others see it. */
export interface NodeRow extends Owner, NodeStatus {
  /** Of its last beat, since 1970. */
  readonly atMs: number;
  /** It has missed beats: no command is sent to it. It is dead when it has missed them for long. */
  readonly isSuspect: boolean;
}

/** A place among the sessions of a user. */
export interface UserClaim {
  readonly user: string;
  readonly sessionId: string;
  /** Sessions that the user may have at once, this one included; undefined: any number. */
  readonly limit: number | undefined;
  /** Over the limit: this session is refused, or the user's oldest ones give way. */
  readonly policy: 'reject' | 'replace';
}

/** The address of a session that is about to be. */
export interface AddressClaim {
  readonly address: Ipv4;
  readonly sessionId: string;
  readonly user: string;
  /** If another session has it: this one is refused; or gets it all the same if the other is of the same user. */
  readonly policy: 'reject' | 'replace';
  /** Out of this node's own blocks: what a dead node may serve still is not in them. Else RADIUS gave it, or a secret names it. */
  readonly isDrawn?: boolean;
}

/** Victims are sessions that the claim is granted at the cost of: who claims ends them, with `command`. */
export type ClaimOutcome =
  | { readonly granted: true; readonly victims: readonly SessionRef[] }
  | { readonly granted: false };

/** What is looked for: sessions to which all that is given applies. */
export interface Search {
  readonly sessionId?: string;
  readonly user?: string;
  readonly address?: Ipv4;
}

/** Why sessions are kicked: a newer one of the same user, or an operator's word. */
export type KickCause = 'replaced' | 'admin-reset';

export type NodeCommand =
  | { readonly kind: 'kick'; readonly sessionIds: readonly string[]; readonly cause: KickCause }
  /** A CoA- or Disconnect-Request of RADIUS, as the other node received and verified it. */
  | { readonly kind: 'dynamic'; readonly request: 'coa' | 'disconnect'; readonly attributes: Uint8Array }
  | { readonly kind: 'drain'; readonly mode: 'soft' | 'hard' | 'cancel' };

export type NodeReply =
  /** `errorCause` of RFC 5176 section 3.5, for `dynamic` that was refused. */
  | { readonly ok: true; readonly errorCause?: number }
  | { readonly ok: false; readonly why: 'unreachable' | 'unknown-session' | 'refused' };

/**
 * Why a session that is up must end: another one, here or elsewhere, has the better claim; or the node was given up as dead, and
 * another has sent the session's Accounting-Stop (`reaped`): it ends without a second one.
 */
export type ConflictCause = 'address' | 'user-limit' | 'reaped';

/** Whether this node tells what it has kept; called once, when Redis has said so. */
export type Decide = (isOurs: boolean) => void;

/** What the registry asks of its node. */
export interface RegistryPorts {
  status(): NodeStatus;
  /** Another node asks for it. `reply` is called once, within the command's time. */
  perform(command: NodeCommand, reply: (reply: NodeReply) => void): void;
  /**
   * These sessions died with their node, and it falls to this node to bury them. `kept` is called when their Stops are safe in this
   * node's journal, with how it is told who tells them: only then they are told or, if another does, forgotten.
   */
  reaped(rows: readonly SessionRow[], kept: (decide: Decide) => void): void;
  /** Another process is this node now: nothing that this one does counts any more. */
  fenced(): void;
  /** A session of this node must end here. */
  conflict(sessionId: string, why: ConflictCause): void;
}

/** How long a command of one node to another may take, in ms, until it is answered as unreachable. */
export const commandMs = 1_500;

export interface Registry {
  /** Asks for a place among the user's sessions, before the session is up. */
  claimUser(claim: UserClaim, answer: (outcome: ClaimOutcome) => void): void;
  claimAddress(claim: AddressClaim, answer: (outcome: ClaimOutcome) => void): void;
  /** The session is up, or what its row says has changed. */
  up(row: SessionRow): void;
  /** The session is up since a process before this one, as one of the `limit` that its user may have; undefined: any number. */
  resume(row: SessionRow, limit: number | undefined): void;
  /** Newer counters of sessions that are up. */
  usage(rows: readonly { readonly sessionId: string; readonly known: Known }[]): void;
  /** The session is over, or never came up: all that it claimed is free. Harmless for one that is not known. */
  ended(sessionId: string): void;

  /** Rows of all nodes, in no order. A search without words finds nothing. */
  find(by: Search, answer: (rows: readonly SessionRow[]) => void): void;
  list(answer: (rows: readonly SessionRow[]) => void): void;
  nodes(answer: (rows: readonly NodeRow[]) => void): void;
  command(node: string, command: NodeCommand, answer: (reply: NodeReply) => void): void;
  /** Which of these sessions another node has buried: a node that starts asks before it makes Stops of its former self. */
  wasReaped(sessionIds: readonly string[], answer: (ids: ReadonlySet<string>) => void): void;

  /** Before all others; `done` when the node is known to the others, or they cannot be reached now. */
  begin(ports: RegistryPorts, done: () => void): void;
  /** Whether answers come from all nodes. */
  readonly isOnline: boolean;
  /** Leaves the service. What waits for an answer is answered. */
  close(done: () => void): void;
}
