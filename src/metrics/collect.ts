/**
 * Reads the values of the catalogue's metrics at one moment. Enter: the subject and its census. Leave: samples, one for each
 * combination of a metric's labels, also where nothing has happened. Pure; exposition.io.ts makes text of them.
 */

import { dynamicResults, dynamicRoutes, dynamicSeconds, dynamicTypes } from '../aaa/dynamic-times.ts';
import { judgementResults, judgementSeconds, judgementTallies } from '../aaa/judgements.ts';
import { recordKinds, recordTallies } from '../accounting/tally.ts';
import { Malformed } from '../base/fault.ts';
import type { Distribution } from '../base/observe.ts';
import { type ScriptFate, scriptFates } from '../base/redis-scripts.ts';
import { type WorkerRow, workerRow } from '../datapath/contract.ts';
import { licenceLevels } from '../licence/levels.ts';
import { methodsByStrength } from '../ppp/auth/method.ts';
import type { MessageName } from '../pptp/messages.ts';
import { messageTallies } from '../pptp/traffic.ts';
import type { RoleMonitor } from '../radius/counters.ts';
import { incomingEvents } from '../radius/dynamic.ts';
import type { SummedCounter } from '../session/call-sums.ts';
import { roundTripSeconds } from '../session/echoes.ts';
import { setUpPhases } from '../session/set-up.ts';
import {
  endingTally,
  lifetimeSeconds,
  setUpFailureTally,
  setUpPhaseSeconds,
  setUpSeconds,
} from '../session/tally.ts';
import {
  authentications,
  dropReasons,
  encryptions,
  engineDropReasons,
  type MetricName,
  messageTypes,
  nodeStates,
  replyResults,
  serverStates,
  states,
} from './catalogue.ts';
import type { Census } from './census.ts';
import type { PoolState, Subject } from './subject.ts';

/** Those of closed sets are made once, and stay the same objects. */
export type Labels = Readonly<Record<string, string>>;

/** The value of one combination of labels. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number | Distribution;
}

/** A node at a moment. */
export interface Moment {
  readonly subject: Subject;
  readonly census: Census;
  /** As they stand: to count what is used of them goes over all addresses, so it is done once. */
  readonly pools: readonly PoolState[];
}

type Read = (moment: Moment) => readonly Sample[];

export const none: Labels = {};

const one = (read: (moment: Moment) => number | boolean | Distribution): Read => {
  return (moment) => [{ labels: none, value: numeric(read(moment)) }];
};

/** A sample for each value of a label. */
const each = <Value extends string>(
  label: string,
  values: readonly Value[],
  read: (value: Value, moment: Moment) => number | boolean,
): Read => {
  const all = values.map((value) => ({ value, labels: { [label]: value } }));
  return (moment) => all.map(({ value, labels }) => ({ labels, value: numeric(read(value, moment)) }));
};

/** A sample for each combination of several labels' values. */
const every = <const Values extends Readonly<Record<string, readonly string[]>>>(
  values: Values,
  read: (
    labels: { readonly [Label in keyof Values]: Values[Label][number] },
    moment: Moment,
  ) => number | Distribution,
): Read => {
  const all = Object.entries(values).reduce<readonly Labels[]>(
    (some, [label, ofLabel]) =>
      some.flatMap((labels) => ofLabel.map((value) => ({ ...labels, [label]: value }))),
    [{}],
  );
  return (moment) =>
    all.map((labels) => ({ labels, value: read(labels as Parameters<typeof read>[0], moment) }));
};

/** A sample for each server in each of its roles. */
const eachRole = (read: (role: RoleMonitor) => number | Distribution): Read => {
  return (moment) => rolesOf(moment).map(({ labels, role }) => ({ labels, value: read(role) }));
};

const eachRoleAnd = <Value extends string>(
  label: string,
  values: readonly Value[],
  read: (value: Value, role: RoleMonitor) => number | boolean,
): Read => {
  return (moment) =>
    rolesOf(moment).flatMap(({ labels, role }) =>
      values.map((value) => ({ labels: { ...labels, [label]: value }, value: numeric(read(value, role)) })),
    );
};

/** A sample for each worker of the engine, by its number. */
const eachWorker = (read: (worker: WorkerRow) => number): Read => {
  return ({ census }) =>
    workersOf(census.totals.workers).map((row, worker) => ({
      labels: { worker: String(worker) },
      value: read(row),
    }));
};

/** A sample for each script, where they run. All are declared before anybody looks. */
const eachScript = (read: (fate: ScriptFate) => number | Distribution): Read => {
  let all: readonly { readonly labels: Labels; readonly fate: ScriptFate }[] | undefined;
  return ({ subject }) => {
    if (!subject.hasRedis) return [];
    all ??= Array.from(scriptFates, ([script, fate]) => ({ labels: { script }, fate }));
    return all.map(({ labels, fate }) => ({ labels, value: read(fate) }));
  };
};

const eachPool = (read: (pool: PoolState) => number): Read => {
  return ({ pools }) => pools.map((pool) => ({ labels: { pool: pool.name }, value: read(pool) }));
};

const bothWays = (received: SummedCounter, transmitted: SummedCounter): Read => {
  const counters = { receive: received, transmit: transmitted } as const;
  return each('direction', ['receive', 'transmit'], (direction, { census }) =>
    census.readings.sum(counters[direction]),
  );
};

const dropped: Readonly<Record<(typeof dropReasons)[number], SummedCounter>> = {
  duplicate: 'duplicates',
  late: 'late',
  malformed: 'malformed',
  undecryptable: 'undecryptable',
  unencrypted: 'unencrypted',
  shaped: 'shaped',
  'fragment-lost': 'fragmentsLost',
  'fragment-late': 'fragmentsLate',
  'not-taken': 'dropped',
};

const droppedByEngine = {
  'unknown-call': 'unknownCalls',
  malformed: 'malformed',
  'control-away': 'droppedFrames',
  'ring-full': 'ringFull',
} as const;

const replies = { accept: 'accepts', reject: 'rejects', challenge: 'challenges' } as const;

/** How each metric of the catalogue is read. */
export const readers: Readonly<Record<MetricName, Read>> = {
  pptp_build_info: ({ subject: { version, node } }) => [{ labels: { version, identity: node }, value: 1 }],
  pptp_ready: one(({ subject }) => subject.unreadiness.length === 0),
  pptp_draining: one(({ subject }) => subject.isDraining),

  pptp_sessions: each('state', states, (state, { census }) => census.states.get(state) ?? 0),
  pptp_sessions_up: every(
    { authentication: authentications, encryption: encryptions },
    ({ authentication, encryption }, { census }) => census.kinds.get(authentication)?.get(encryption) ?? 0,
  ),
  pptp_session_set_up_seconds: one(() => setUpSeconds),
  pptp_session_set_up_phase_seconds: every({ phase: setUpPhases }, ({ phase }) => setUpPhaseSeconds[phase]),
  pptp_session_lifetime_seconds: one(() => lifetimeSeconds),
  pptp_session_set_up_failures_total: each('cause', causesOf(setUpFailureTally), (cause) =>
    setUpFailureTally.read(cause),
  ),
  pptp_session_ends_total: each('cause', causesOf(endingTally), (cause) => endingTally.read(cause)),

  pptp_authentication_attempts_total: every(
    { method: methodsByStrength, result: judgementResults },
    ({ method, result }) => judgementTallies[method].read(result),
  ),
  pptp_authentication_seconds: every({ result: judgementResults }, ({ result }) => judgementSeconds[result]),
  pptp_lcp_echo_round_trip_seconds: one(() => roundTripSeconds),

  pptp_control_messages_total: every(
    { type: [...messageTypes.keys()], direction: ['receive', 'transmit'] },
    ({ type, direction }) => messageTallies[direction].read(messageTypes.get(type) as MessageName),
  ),
  pptp_control_connections: one(({ census }) => census.totals.connections),
  pptp_engine_calls: one(({ census }) => census.totals.calls),
  pptp_engine_interfaces: one(({ census }) => census.totals.links),
  pptp_engine_datagrams_total: each('direction', ['receive', 'transmit'], (direction, { census }) =>
    Number(census.totals[direction === 'receive' ? 'receivedPackets' : 'transmittedPackets']),
  ),
  pptp_engine_drops_total: each('reason', engineDropReasons, (reason, { census }) =>
    Number(census.totals[droppedByEngine[reason]]),
  ),
  pptp_engine_stale_handles_total: one(({ census }) => Number(census.totals.staleHandles)),
  pptp_engine_worker_seconds_total: eachWorker(({ processorUs }) => Number(processorUs) / 1e6),
  pptp_engine_socket_drops_total: eachWorker(({ socketDrops }) => socketDrops),
  pptp_engine_refused_connections_total: one(({ census }) => Number(census.totals.refusedConnections)),

  pptp_datapath_bytes_total: bothWays('receivedOctets', 'transmittedOctets'),
  pptp_datapath_packets_total: bothWays('receivedPackets', 'transmittedPackets'),
  pptp_datapath_control_frames_total: bothWays('receivedFrames', 'transmittedFrames'),
  pptp_datapath_drops_total: each('reason', dropReasons, (reason, { census }) =>
    census.readings.sum(dropped[reason]),
  ),
  pptp_gre_reordered_packets_total: one(({ census }) => census.readings.sum('reordered')),
  pptp_gre_lost_packets_total: one(({ census }) => census.readings.sum('lost')),

  pptp_licence_info: each('level', licenceLevels, (level, { subject }) => subject.licence.level === level),
  pptp_licence_tunnels: one(({ subject }) => subject.licence.used),
  pptp_licence_tunnels_limit: one(({ subject }) => subject.licence.limit),
  pptp_pool_addresses: eachPool(({ size }) => size),
  pptp_pool_addresses_used: eachPool(({ used }) => used),
  pptp_pool_addresses_leased: eachPool(({ leased }) => leased),
  pptp_pool_refusals_total: eachPool(({ refused }) => refused),

  pptp_radius_requests_total: eachRole(({ requests }) => requests),
  pptp_radius_replies_total: eachRoleAnd('result', replyResults, (result, role) => role[replies[result]]),
  pptp_radius_request_seconds: eachRole(({ replies: times }) => times),
  pptp_radius_resends_total: eachRole(({ resends }) => resends),
  pptp_radius_timeouts_total: eachRole(({ timeouts }) => timeouts),
  pptp_radius_bad_replies_total: eachRole(({ badReplies }) => badReplies),
  pptp_radius_pending: eachRole(({ pending }) => pending),
  pptp_radius_queued: eachRole(({ queued }) => queued),
  pptp_radius_server_state: eachRoleAnd('state', serverStates, (state, role) => role.state === state),
  pptp_radius_incoming_requests_total: one(({ subject }) => subject.radiusIncoming.monitor.requests),
  pptp_radius_incoming_replies_total: each('result', ['ack', 'nak'], (result, { subject }) => {
    const { acks, naks } = subject.radiusIncoming.monitor;
    return result === 'ack' ? acks : naks;
  }),
  pptp_radius_incoming_seconds: every(
    { type: dynamicTypes, route: dynamicRoutes, result: dynamicResults },
    dynamicSeconds,
  ),
  pptp_radius_incoming_events_total: each('event', incomingEvents, (event, { subject }) =>
    subject.radiusIncoming.tally.read(event),
  ),

  pptp_accounting_sessions: one(({ subject }) => subject.accounting.sessions),
  pptp_accounting_records_made_total: every({ type: recordKinds }, ({ type }) =>
    recordTallies.made.read(type),
  ),
  pptp_accounting_records_acknowledged_total: every({ type: recordKinds }, ({ type }) =>
    recordTallies.acknowledged.read(type),
  ),
  pptp_accounting_pending_records: one(({ subject }) => subject.accounting.pending),
  pptp_accounting_oldest_record_age_seconds: one(({ subject: { accounting, clock } }) => {
    const { oldestAtMs } = accounting;
    return oldestAtMs === undefined ? 0 : Math.max(0, clock.wallMs() - oldestAtMs) / 1000;
  }),
  pptp_accounting_full: one(({ subject }) => subject.accounting.isFull),
  pptp_accounting_journal_bytes: one(({ subject }) => subject.accounting.journalBytes),
  pptp_accounting_journal_healthy: one(({ subject }) => subject.accounting.isHealthy),

  pptp_registry_online: one(({ subject }) => subject.isOnline),
  pptp_cluster_nodes: each(
    'state',
    nodeStates,
    (state, { subject }) =>
      subject.nodes.filter(({ isSuspect }) => isSuspect === (state === 'suspect')).length,
  ),
  pptp_redis_command_seconds: eachScript(({ seconds }) => seconds),
  pptp_redis_command_failures_total: eachScript(({ failures }) => failures),

  pptp_configuration_last_reload_successful: one(({ subject }) => subject.lastReload.isSuccessful),
  pptp_configuration_last_reload_success_timestamp_seconds: one(
    ({ subject }) => subject.lastReload.successAtMs / 1000,
  ),
  pptp_clock_seconds: one(({ subject }) => subject.clock.wallMs() / 1000),
};

function workersOf(octets: Uint8Array): readonly WorkerRow[] {
  const { size } = workerRow;
  return Array.from({ length: Math.floor(octets.length / size) }, (_, at) => {
    const row = workerRow.decode(octets.subarray(at * size));
    if (row instanceof Malformed) throw new Error(`a row of a worker that is none: ${row}`);
    return row;
  });
}

function numeric(value: number | boolean | Distribution): number | Distribution {
  return typeof value === 'boolean' ? Number(value) : value;
}

function causesOf<Name extends string>(tally: { readonly help: Readonly<Record<Name, string>> }) {
  return Object.keys(tally.help) as Name[];
}

/** Servers that are configured twice, with other realms, are told apart by their order. */
function rolesOf({ subject }: Moment): readonly { readonly labels: Labels; readonly role: RoleMonitor }[] {
  const seen = new Map<string, number>();
  return subject.radius.flatMap(({ roles }) =>
    roles.map((role) => {
      const key = `${role.server} ${role.role}`;
      const before = seen.get(key) ?? 0;
      seen.set(key, before + 1);
      const server = before === 0 ? role.server : `${role.server}#${before + 1}`;
      return { labels: { server, role: role.role }, role };
    }),
  );
}
