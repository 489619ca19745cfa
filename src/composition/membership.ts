/**
 * This node among the others of its service: what it tells of itself, what they ask of it, and what is asked of them. Joins the
 * registry to the server's sessions, to accounting and to RADIUS; decides nothing itself.
 */

import { readFileSync } from 'node:fs';
import { actOn, type DynamicPorts } from '../aaa/dynamic.ts';
import { dynamicTypeOf, timed } from '../aaa/dynamic-times.ts';
import type { ReadUsage } from '../accounting/accountant.ts';
import { systemClock } from '../base/clock.io.ts';
import { Malformed } from '../base/fault.ts';
import type { Log } from '../base/observe.ts';
import type { Licence } from '../licence/licence.ts';
import { attributeCodec } from '../radius/codec.io.ts';
import type { Answer, DynamicRequest } from '../radius/dynamic.ts';
import { errorCauses } from '../radius/error-cause.ts';
import type { DrainOrder } from '../session/drain.ts';
import type {
  ConflictCause,
  Decide,
  KickCause,
  NodeCommand,
  NodeReply,
  NodeRow,
  NodeStatus,
  Registry,
  RegistryPorts,
  SessionRef,
  SessionRow,
} from '../session/registry/registry.ts';
import type { ServedSession } from '../session/served-session.ts';
import type { Server } from '../session/server.ts';
import type { Accounting } from './accounting.ts';

/** Of this program: nodes of several versions may be one service while it is upgraded. */
export const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as {
  readonly version: string;
};

/** Between two tellings of all counters, in ms: a node that dies leaves counters no older than this to who buries it. */
const tellMs = 60_000;
/** Between two looks at the other nodes, in ms: DNS is led by them. */
const lookMs = 5_000;
/** How long a session that gives way may take to be gone, in ms: its peer is told, and its interface goes. */
const replaceMs = 3_000;

export interface MembershipParts {
  readonly log: Log;
  readonly node: string;
  readonly registry: Registry;
  readonly licence: Licence;
  readonly accounting: Accounting;
  readonly dynamic: DynamicPorts;
  readonly readUsage: ReadUsage;
  server(): Server;
  /** The node's addresses, and whether it takes calls now. */
  status(): Pick<NodeStatus, 'addresses' | 'isReady'>;
  /** The operator has this node drained, from here or from another. */
  drain(order: DrainOrder): void;
  /** Another process is this node now. */
  fenced(): void;
}

export class Membership implements RegistryPorts {
  readonly #parts: MembershipParts;
  readonly #startedAtMs = systemClock.wallMs();
  /** Who waits for a session to be gone. */
  readonly #awaited = new Map<string, (() => void)[]>();
  #nodes: readonly NodeRow[] = [];

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** `joined` when the node is known to the others, or they cannot be reached now. */
  begin(joined: () => void): void {
    this.#parts.registry.begin(this, () => {
      this.#tellCounters();
      joined();
    });
    this.#tellLater();
    this.#look();
  }

  /** The nodes as they were seen last; none while the others cannot be seen. */
  get nodes(): readonly NodeRow[] {
    return this.#parts.registry.isOnline ? this.#nodes : [];
  }

  // ---- what the registry asks

  status(): NodeStatus {
    const { licence, status } = this.#parts;
    const server = this.#server;
    return {
      ...status(),
      version,
      licenceLevel: licence.level,
      licenceLimit: Number.isFinite(licence.limit) ? licence.limit : undefined,
      licenceUsed: licence.used,
      sessions: server.sessions.size,
      isDraining: server.isDraining,
      startedAtMs: this.#startedAtMs,
    };
  }

  perform(command: NodeCommand, reply: (reply: NodeReply) => void): void {
    switch (command.kind) {
      case 'kick':
        return this.#kick(command.sessionIds, command.cause, reply);
      case 'dynamic':
        return this.#actForAnother(command.request, command.attributes, reply);
      case 'drain':
        return this.#drain(command.mode, reply);
    }
  }

  reaped(rows: readonly SessionRow[], kept: (decide: Decide) => void): void {
    const nodes = new Set(rows.map(({ node }) => node));
    const text = `${rows.length} sessions of ${[...nodes].join(', ')} died with their node: they are accounted for here`;
    this.#parts.log('warning', 'system', text);
    this.#parts.accounting.accountant.bury(rows, kept);
  }

  fenced(): void {
    this.#parts.fenced();
  }

  /** A session that was buried has had its Stop: what it has used since nobody is told. */
  conflict(sessionId: string, why: ConflictCause): void {
    const served = this.#find(sessionId);
    if (served === undefined) return;
    if (why === 'reaped') this.#parts.accounting.abandon(sessionId);
    served.session.end('conflict');
  }

  // ---- what is asked of the others

  /** Ends sessions wherever they are; `ended` when they are gone, or after some seconds. */
  replace(victims: readonly SessionRef[], ended: () => void): void {
    let awaited = victims.length;
    const gone = () => {
      awaited -= 1;
      if (awaited === 0) ended();
    };
    for (const { node, sessionId } of victims) {
      if (node === this.#parts.node) this.#end(sessionId, gone);
      else
        this.#parts.registry.command(
          node,
          { kind: 'kick', sessionIds: [sessionId], cause: 'replaced' },
          gone,
        );
    }
  }

  /** A request of RADIUS: acts on the sessions that it names, here and on other nodes, and answers for all. */
  act(request: DynamicRequest, answer: Answer): void {
    const { attributes } = request;
    const search = {
      ...given('sessionId', attributes.first('Acct-Session-Id')),
      ...given('user', attributes.first('User-Name')),
      ...given('address', attributes.first('Framed-IP-Address')),
    };
    const askedAtMs = systemClock.nowMs();
    this.#parts.registry.find(search, (rows) => {
      const elsewhere = new Set(rows.map(({ node }) => node).filter((node) => node !== this.#parts.node));
      const route = elsewhere.size === 0 ? 'here' : 'elsewhere';
      const answered = timed({ type: dynamicTypeOf(request), route }, systemClock, askedAtMs, answer);
      if (route === 'here') actOn(request, this.#parts.dynamic, answered);
      else this.#actTogether(request, [...elsewhere], answered);
    });
  }

  /** Whether a session is here at all does not matter when it is elsewhere. */
  #actTogether(request: DynamicRequest, nodes: readonly string[], answer: Answer): void {
    const { registry, dynamic } = this.#parts;
    const causes: (number | undefined)[] = [];
    const answered = (cause: number | undefined) => {
      causes.push(cause);
      if (causes.length <= nodes.length) return;
      answer(causes.find((each) => each !== undefined));
    };
    actOn(request, dynamic, (cause) => answered(notHere.has(cause) ? undefined : cause));
    const command = {
      kind: 'dynamic',
      request: dynamicTypeOf(request),
      attributes: request.octets,
    } as const;
    for (const node of nodes) {
      registry.command(node, command, (reply) =>
        answered(reply.ok ? reply.errorCause : errorCauses.resourcesUnavailable),
      );
    }
  }

  // ---- what the others ask

  #actForAnother(request: 'coa' | 'disconnect', octets: Uint8Array, reply: (reply: NodeReply) => void): void {
    const attributes = attributeCodec.decode(octets);
    if (attributes instanceof Malformed) return reply({ ok: false, why: 'refused' });
    const kind = request === 'coa' ? 'change' : 'disconnect';
    actOn({ kind, attributes, octets }, this.#parts.dynamic, (errorCause) =>
      reply({ ok: true, ...given('errorCause', errorCause) }),
    );
  }

  /** Answered when they begin to end: a peer that is dead itself takes longer to be given up than a command may. */
  #kick(sessionIds: readonly string[], cause: KickCause, reply: (reply: NodeReply) => void): void {
    const known = sessionIds.map((sessionId) => this.#find(sessionId)).filter((each) => each !== undefined);
    for (const { session } of known) session.end(cause);
    reply(known.length > 0 ? { ok: true } : { ok: false, why: 'unknown-session' });
  }

  #drain(mode: DrainOrder, reply: (reply: NodeReply) => void): void {
    this.#parts.drain(mode);
    reply({ ok: true });
  }

  // ---- sessions of this node

  /** A session is gone: the server has let go of it. */
  sessionEnded(sessionId: string): void {
    for (const gone of this.#awaited.get(sessionId) ?? []) gone();
    this.#awaited.delete(sessionId);
  }

  /** Ends an own session that gives way; `gone` when it is, or is too slow. */
  #end(sessionId: string, gone: () => void): void {
    const served = this.#find(sessionId);
    if (served === undefined) return gone();
    let isAwaited = true;
    const once = () => {
      if (!isAwaited) return;
      isAwaited = false;
      overdue.cancel();
      gone();
    };
    const overdue = systemClock.arm(replaceMs, once);
    this.#awaited.set(sessionId, [...(this.#awaited.get(sessionId) ?? []), once]);
    served.session.end('replaced');
  }

  #look(): void {
    this.#parts.registry.nodes((rows) => {
      this.#nodes = rows;
    });
    systemClock.arm(lookMs, () => this.#look());
  }

  #tellLater(): void {
    systemClock.arm(tellMs, () => {
      this.#tellCounters();
      this.#tellLater();
    });
  }

  #tellCounters(): void {
    const { readUsage, registry } = this.#parts;
    if (this.#server.sessions.size === 0) return;
    readUsage((usageOf) => {
      const atMs = systemClock.wallMs();
      const known = [...this.#server.sessions.values()].flatMap((served) => {
        const { sessionId } = served.identity;
        const usage = usageOf(sessionId);
        if (usage === undefined || served.row === undefined) return [];
        const now = { atMs, uptimeMs: Math.round(served.session.uptimeMs), usage };
        served.counted(now);
        return [{ sessionId, known: now }];
      });
      registry.usage(known);
    });
  }

  #find(sessionId: string): ServedSession | undefined {
    return this.#server.sessionById(sessionId);
  }

  get #server(): Server {
    return this.#parts.server();
  }
}

/** What a node says to which none of the sessions is its own. */
const notHere: ReadonlySet<number | undefined> = new Set([
  undefined,
  errorCauses.sessionContextNotFound,
  errorCauses.nasIdentificationMismatch,
]);

function given<K extends string, V>(key: K, value: V | undefined): { readonly [each in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [each in K]?: V });
}
