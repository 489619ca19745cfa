/**
 * What runs, as items of menus: sessions of all nodes, interfaces of this node, its licence, the nodes, the RADIUS servers.
 * Enter: rows of the ports below, which the program gives. Leave: items for `print`, and what `remove` and `monitor` do. Pure.
 */

import { Fault } from '../base/fault.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { ServerMonitor } from '../radius/counters.ts';
import type { DrainProgress } from '../session/drain.ts';
import type { NodeReply, NodeRow, Registry, SessionRow } from '../session/registry/registry.ts';
import type { Live, Shown } from './face.ts';
import type { HostPorts } from './live-host.ts';
import { clientMonitorMenu, radiusMonitorMenu, serverMonitorMenu } from './live-menus.ts';

/** A session of this node's server that has an interface. */
export interface ServerInterface {
  readonly sessionId: string;
  readonly name: string;
  readonly user: string;
  /** Undefined while it is not known. */
  readonly mtu: number | undefined;
  readonly clientAddress: Ipv4;
  readonly uptimeMs: number;
  readonly encoding: string;
}

/** A tunnel that this node dials. */
export interface ClientInterface {
  readonly name: string;
  /** RouterOS's words, such as `Verifying password...`. */
  readonly status: string;
  readonly isRunning: boolean;
  readonly uptimeMs: number;
  readonly encoding: string;
}

export interface LivePorts extends HostPorts {
  /** This node's identity. */
  readonly node: string;
  /** Since 1970. */
  wallMs(): number;
  readonly registry: Pick<Registry, 'list' | 'nodes' | 'command' | 'isOnline'>;
  serverInterfaces(): Iterable<ServerInterface>;
  clientInterfaces(): Iterable<ClientInterface>;
  /** `limit` is Infinity where there is none. */
  licence(): { readonly used: number; readonly limit: number };
  drain(): DrainProgress;
  /** In the operator's order. */
  radius(): readonly ServerMonitor[];
}

const idOfSession = (sessionId: string): string => `*${sessionId.toUpperCase()}`;

const onlyOwn = 'redis is away: only the sessions of this node are shown';

/** `/ppp active`: `remove` ends the session, on whichever node it is. A node that is alone is not named in the table. */
export function activeSessions({ registry, wallMs }: LivePorts): Live {
  return {
    items: (_, answer) =>
      registry.nodes((known) => {
        registry.list((rows) => {
          const nowMs = wallMs();
          const items = lazily(rows, (row) => activeSession(row, nowMs));
          const remark = registry.isOnline ? undefined : onlyOwn;
          answer({ items, hidden: known.length > 1 ? [] : ['node'], remark });
        });
      }),
    remove: (items, answer) => disconnect(registry, items.map(refOf), answer),
  };
}

function activeSession(row: SessionRow, nowMs: number): Shown {
  const { sessionId, user, callerId, framedAddress, startedAtMs, encoding, interfaceName, node, facts } = row;
  return {
    id: idOfSession(sessionId),
    flags: facts.authentic === 'radius' ? 'R' : '',
    values: {
      name: user,
      service: 'pptp',
      callerId,
      address: framedAddress,
      uptime: Math.max(0, nowMs - startedAtMs),
      encoding,
      sessionId,
      interface: interfaceName,
      node,
    },
    isConfigured: false,
  };
}

function refOf({ values }: Shown): Ref {
  return { node: String(values.node), sessionId: String(values.sessionId) };
}

/** `/interface pptp-server`: the static entries, running while their users are connected, and the interfaces of all others. */
export function serverInterfaces(ports: LivePorts): Live {
  const find = (name: unknown): ServerInterface | undefined => {
    for (const each of ports.serverInterfaces()) if (each.name === name) return each;
    return undefined;
  };
  return {
    items(configured, answer) {
      const running = new Map(Array.from(ports.serverInterfaces(), (each) => [each.name, each]));
      const statics = configured.map((item) => runningStatic(item, running.get(String(item.values.name))));
      for (const { values } of configured) running.delete(String(values.name));
      answer({ items: chain(lazily(running.values(), dynamicInterface), statics) });
    },
    remove: (items, answer) => {
      const refs = items.flatMap(({ values }) => {
        const sessionId = find(values.name)?.sessionId;
        return sessionId === undefined ? [] : [{ node: ports.node, sessionId }];
      });
      disconnect(ports.registry, refs, answer);
    },
    monitor: {
      menu: serverMonitorMenu,
      of({ values: { name, user } }) {
        const session = find(name);
        if (session === undefined) return { status: 'waiting for call...', user };
        const { uptimeMs, clientAddress, encoding, mtu } = session;
        const callerId = formatIpv4(clientAddress);
        return { status: 'connected', uptime: uptimeMs, user: session.user, callerId, encoding, mtu };
      },
    },
  };
}

function runningStatic(item: Shown, session: ServerInterface | undefined): Shown {
  if (session === undefined) return item;
  return { ...item, flags: `${item.flags}R`, values: { ...item.values, ...valuesOf(session) } };
}

function dynamicInterface(session: ServerInterface): Shown {
  return { id: idOfSession(session.sessionId), flags: 'DR', values: valuesOf(session), isConfigured: false };
}

function valuesOf({ name, user, mtu, clientAddress, uptimeMs, encoding }: ServerInterface) {
  return { name, user, mtu, clientAddress, uptime: uptimeMs, encoding: encoding || 'none' };
}

/** `/interface pptp-client`: what is configured, with its state. */
export function clientInterfaces(ports: LivePorts): Live {
  return {
    items(configured, answer) {
      const running = new Set<unknown>();
      for (const { name, isRunning } of ports.clientInterfaces()) if (isRunning) running.add(name);
      const items = lazily(configured, (item) =>
        running.has(item.values.name) ? { ...item, flags: `${item.flags}R` } : item,
      );
      answer({ items });
    },
    monitor: {
      menu: clientMonitorMenu,
      of({ values: { name } }) {
        const client = [...ports.clientInterfaces()].find((each) => each.name === name);
        if (client === undefined) return { status: 'Terminated' };
        const { status, isRunning, uptimeMs, encoding } = client;
        return isRunning ? { uptime: uptimeMs, encoding: encoding || 'none', status } : { status };
      },
    },
  };
}

const tunnels = (limit: number | undefined): string => (Number.isFinite(limit) ? String(limit) : 'unlimited');

/** `/system license`: the level, and what it is worth now. */
export function licenceInUse({ licence }: LivePorts): Live {
  return {
    items(configured, answer) {
      const { used, limit } = licence();
      const now = { tunnelsUsed: used, tunnelsMax: tunnels(limit) };
      answer({ items: configured.map((item) => ({ ...item, values: { ...item.values, ...now } })) });
    },
  };
}

/** `/radius`: `monitor` counts what was asked. */
export function radiusServers({ radius }: LivePorts): Live {
  return {
    items: (configured, answer) => answer({ items: configured }),
    monitor: {
      menu: radiusMonitorMenu,
      of({ values: { address, comment } }) {
        const server = radius().find((each) => each.address === address && each.comment === comment);
        return server && { ...server, lastRequestRtt: server.lastRequestRttMs };
      },
    },
  };
}

/** `/system cluster node`. */
export function nodes({ registry, wallMs }: LivePorts): Live {
  return {
    items: (_, answer) =>
      registry.nodes((rows) => {
        const nowMs = wallMs();
        answer({ items: lazily(rows, (row) => nodeItem(row, nowMs)) });
      }),
  };
}

function nodeItem(row: NodeRow, nowMs: number): Shown {
  return {
    id: `*${row.bootId.replace(/[^\da-f]/gi, '').toUpperCase()}`,
    flags: (row.isReady ? 'R' : '') + (row.isDraining ? 'D' : '') + (row.isSuspect ? 'S' : ''),
    values: {
      name: row.node,
      addresses: row.addresses,
      level: row.licenceLevel,
      tunnelsUsed: row.licenceUsed,
      tunnelsMax: tunnels(row.licenceLimit),
      sessions: row.sessions,
      uptime: Math.max(0, nowMs - row.startedAtMs),
      version: row.version,
      lastSeen: Math.max(0, nowMs - row.atMs),
    },
    isConfigured: false,
  };
}

interface Ref {
  readonly node: string;
  readonly sessionId: string;
}

/** Sessions that one command ends: what nodes send each other is bounded. */
const sessionsPerCommand = 250;

/** Tells each node which of its sessions to end. All are waited for; the fault names those that did not do it. */
function disconnect(
  registry: LivePorts['registry'],
  refs: readonly Ref[],
  answer: (fault: Fault | undefined) => void,
): void {
  const orders = ordersOf(refs);
  const refusals = new Set<string>();
  let waiting = orders.length;
  if (waiting === 0) return answer(undefined);
  for (const { node, sessionIds } of orders) {
    registry.command(node, { kind: 'kick', sessionIds, cause: 'admin-reset' }, (reply) => {
      if (!reply.ok && reply.why !== 'unknown-session') refusals.add(`${node} ${refusalWords[reply.why]}`);
      waiting -= 1;
      if (waiting === 0) answer(refusals.size === 0 ? undefined : notDisconnected([...refusals]));
    });
  }
}

function ordersOf(refs: readonly Ref[]): readonly { node: string; sessionIds: readonly string[] }[] {
  const last = new Map<string, string[]>();
  const orders: { node: string; sessionIds: string[] }[] = [];
  for (const { node, sessionId } of refs) {
    const sessionIds = last.get(node);
    if (sessionIds !== undefined && sessionIds.length < sessionsPerCommand) {
      sessionIds.push(sessionId);
      continue;
    }
    const started = [sessionId];
    last.set(node, started);
    orders.push({ node, sessionIds: started });
  }
  return orders;
}

/** A session that is not known any more has ended: that is what was asked for. */
export const refusalWords: Readonly<Record<Exclude<NodeReply, { ok: true }>['why'], string>> = {
  unreachable: 'does not answer',
  refused: 'refuses',
  'unknown-session': 'does not know the session',
};

function notDisconnected(refusals: readonly string[]): Fault {
  const hint = 'See /system cluster node print; a node that has died is buried by another within its time.';
  return new Fault('CONSOLE_NODE', 'system', `failure: not disconnected: ${refusals.join(', ')}`, hint);
}

function* lazily<T>(rows: Iterable<T>, itemOf: (row: T) => Shown): Iterable<Shown> {
  for (const row of rows) yield itemOf(row);
}

function* chain(...parts: readonly Iterable<Shown>[]): Iterable<Shown> {
  for (const part of parts) yield* part;
}
