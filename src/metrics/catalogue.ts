/**
 * The catalogue: every metric that the node tells at `/metrics`, but for those of Node.js itself (`process_`, `nodejs_`). Names
 * have base units and stay: dashboards and alerts of others rest on them. A label's values are a closed set and all present
 * from the start, so that a rate sees the first event; those of `configured` are what the operator has configured.
 *
 * collect.ts reads the values. The series of single sessions are session-lines.ts's.
 */

import { dynamicResults, dynamicRoutes, dynamicTypes } from '../aaa/dynamic-times.ts';
import { judgementResults } from '../aaa/judgements.ts';
import { recordKinds } from '../accounting/tally.ts';
import { hyphened } from '../base/readable.ts';
import { publisherTally } from '../dns/publisher.ts';
import { responderTally } from '../dns/responder.ts';
import { licenceLevels } from '../licence/levels.ts';
import { methodsByStrength } from '../ppp/auth/method.ts';
import type { MppeBits } from '../ppp/auth/mppe-keys.ts';
import { mppeBits } from '../ppp/ccp/options.ts';
import { type MessageName, messageNames } from '../pptp/messages.ts';
import { incomingEvents } from '../radius/dynamic.ts';
import { setUpPhases } from '../session/set-up.ts';
import { endingTally } from '../session/tally.ts';
import { metricsOfTallies, talliedMetrics } from './tallies.ts';

/** A label's values. */
export type Values = readonly string[] | 'configured';

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: Readonly<Record<string, Values>>;
}

const gauge = (help: string, labels: MetricRow['labels'] = {}): MetricRow => ({
  type: 'gauge',
  help,
  labels,
});
const counter = (help: string, labels: MetricRow['labels'] = {}): MetricRow => ({
  type: 'counter',
  help,
  labels,
});
const histogram = (help: string, labels: MetricRow['labels'] = {}): MetricRow => ({
  type: 'histogram',
  help,
  labels,
});

const direction = ['receive', 'transmit'] as const;
const script = { script: 'configured' } as const;
const causes = Object.keys(endingTally.help);
const server = { server: 'configured', role: ['authentication', 'accounting'] } as const;

export const states = [
  'ringing',
  'linking',
  'authenticating',
  'preparing',
  'networking',
  'up',
  'ending',
] as const;
export const authentications = [...methodsByStrength, 'none'] as const;
/** By the bits of MPPE. Texts that are made once: each session is asked for its own. */
export const mppeNames: ReadonlyMap<MppeBits, string> = new Map(
  mppeBits.map((bits) => [bits, `mppe${bits}`]),
);
export const encryptions = ['none', ...mppeNames.values()];
export const dropReasons = [
  'duplicate',
  'late',
  'malformed',
  'undecryptable',
  'unencrypted',
  'shaped',
  'fragment-lost',
  'fragment-late',
  'not-taken',
] as const;
export const engineDropReasons = ['unknown-call', 'malformed', 'control-away', 'ring-full'] as const;
export const replyResults = ['accept', 'reject', 'challenge'] as const;
export const serverStates = ['alive', 'zombie', 'dead'] as const;
export const incomingResults = ['ack', 'nak'] as const;
export const messageTypes: ReadonlyMap<string, MessageName> = new Map(
  messageNames.map((name) => [hyphened(name), name]),
);
export const nodeStates = ['alive', 'suspect'] as const;

const rows = {
  pptp_build_info: gauge('The program: always 1.', { version: 'configured', identity: 'configured' }),
  pptp_ready: gauge('1 if the node wants new calls, as /readyz says.'),
  pptp_draining: gauge('1 if the node is being drained, by the operator or by a cordon.'),

  pptp_sessions: gauge('Calls of subscribers, by how far they are.', { state: states }),
  pptp_sessions_up: gauge('Sessions that are up, by how the subscriber proved himself and what encrypts.', {
    authentication: authentications,
    encryption: encryptions,
  }),
  pptp_session_set_up_seconds: histogram('From a call to its network being up, RADIUS included.'),
  pptp_session_set_up_phase_seconds: histogram(
    'Of those that came up, how long each phase took; authenticating has RADIUS in it, the others have not.',
    { phase: setUpPhases },
  ),
  pptp_session_lifetime_seconds: histogram('How long sessions that have ended had been up.'),
  pptp_session_set_up_failures_total: counter('Calls that ended before they were up, by the first cause.', {
    cause: causes,
  }),
  pptp_session_ends_total: counter('Sessions that had been up and ended, by the first cause.', {
    cause: causes,
  }),

  pptp_authentication_attempts_total: counter('Users who have shown who they are, and what became of them.', {
    method: methodsByStrength,
    result: judgementResults,
  }),
  pptp_authentication_seconds: histogram('From the proof to the verdict, of EAP over all rounds.', {
    result: judgementResults,
  }),
  pptp_lcp_echo_round_trip_seconds: histogram('From an Echo-Request to its answer.'),

  pptp_control_messages_total: counter('PPTP control messages that could be read, and those sent.', {
    type: [...messageTypes.keys()],
    direction,
  }),
  pptp_control_connections: gauge('PPTP control connections that the engine holds, both ways.'),
  pptp_engine_calls: gauge('Calls that the engine holds.'),
  pptp_engine_interfaces: gauge('TUN interfaces that the engine holds.'),
  pptp_engine_datagrams_total: counter('GRE datagrams on the wire.', { direction }),
  pptp_engine_drops_total: counter('What the engine dropped and no call can be charged with.', {
    reason: engineDropReasons,
  }),
  pptp_engine_stale_handles_total: counter('Commands for a call, a link or a connection that was gone.'),
  pptp_engine_worker_seconds_total: counter(
    'Processor time of a worker of the engine: at 1 a second its core is used up.',
    { worker: 'configured' },
  ),
  pptp_engine_socket_drops_total: counter(
    'GRE datagrams that the kernel threw away because a worker had not read in time.',
    { worker: 'configured' },
  ),
  pptp_engine_refused_connections_total: counter('Connections refused because the engine had no room.'),

  pptp_datapath_bytes_total: counter('Octets of PPP frames of all calls, as accounting counts them.', {
    direction,
  }),
  pptp_datapath_packets_total: counter('Network packets of all calls.', { direction }),
  pptp_datapath_control_frames_total: counter('PPP frames for control, of all calls.', { direction }),
  pptp_datapath_drops_total: counter('Packets of calls that were dropped.', { reason: dropReasons }),
  pptp_gre_reordered_packets_total: counter('GRE packets that came out of order, but in time.'),
  pptp_gre_lost_packets_total: counter('GRE packets that never came.'),

  pptp_licence_info: gauge('1 for the level of the licence, 0 for the others.', { level: licenceLevels }),
  pptp_licence_tunnels: gauge('Tunnels that are counted against the licence.'),
  pptp_licence_tunnels_limit: gauge('Tunnels that the licence allows; +Inf if it sets no limit.'),
  pptp_pool_addresses: gauge('Addresses of a pool.', { pool: 'configured' }),
  pptp_pool_addresses_used: gauge('Addresses of a pool that are in use.', { pool: 'configured' }),

  pptp_pool_addresses_leased: gauge('Addresses of a pool that this node may give: all, if it stands alone.', {
    pool: 'configured',
  }),
  pptp_pool_refusals_total: counter(
    'Times that neither a pool nor those that follow it had an address for somebody.',
    { pool: 'configured' },
  ),

  pptp_radius_requests_total: counter('Requests sent for the first time.', server),
  pptp_radius_replies_total: counter('Valid replies.', { ...server, result: replyResults }),
  pptp_radius_request_seconds: histogram('From the first transmission of a request to its reply.', server),
  pptp_radius_resends_total: counter('Copies of requests sent.', server),
  pptp_radius_timeouts_total: counter('Requests that no transmission brought a reply to.', server),
  pptp_radius_bad_replies_total: counter('Packets that answer nothing or lack a proof; discarded.', server),
  pptp_radius_pending: gauge('Requests without a reply yet.', server),
  pptp_radius_queued: gauge('Requests that wait for a place among those.', server),
  pptp_radius_server_state: gauge('1 for the state of the server, 0 for the others.', {
    ...server,
    state: serverStates,
  }),
  pptp_radius_incoming_requests_total: counter('CoA- and Disconnect-Requests that were acted on.'),
  pptp_radius_incoming_replies_total: counter('Replies to them.', { result: incomingResults }),
  pptp_radius_incoming_seconds: histogram('From a request that can be acted on to its reply.', {
    type: dynamicTypes,
    route: dynamicRoutes,
    result: dynamicResults,
  }),
  pptp_radius_incoming_events_total: counter('What else came to the port for them.', {
    event: incomingEvents,
  }),

  pptp_accounting_sessions: gauge('Sessions that are accounted for.'),
  pptp_accounting_records_made_total: counter('Records that are this node’s to tell.', { type: recordKinds }),
  pptp_accounting_records_acknowledged_total: counter(
    'Records that servers have acknowledged to this node, also of processes and nodes before.',
    { type: recordKinds },
  ),
  pptp_accounting_pending_records: gauge('Records that no server has acknowledged.'),
  pptp_accounting_oldest_record_age_seconds: gauge('Age of the oldest of them; 0 if there is none.'),
  pptp_accounting_full: gauge('1 if new calls are refused because there is hardly room left for records.'),
  pptp_accounting_journal_bytes: gauge('Size of the newest segment of the journal.'),
  pptp_accounting_journal_healthy: gauge('0 while the disk does not take the journal.'),

  pptp_registry_online: gauge('1 if this node can ask the others of its service, or stands alone.'),
  pptp_cluster_nodes: gauge('Nodes of the service as this node sees them.', { state: nodeStates }),
  pptp_redis_command_seconds: histogram(
    'From a command to its answer; none where there is no Redis.',
    script,
  ),
  pptp_redis_command_failures_total: counter('Commands that Redis refused or did not answer.', script),

  pptp_configuration_last_reload_successful: gauge('0 while the files are not what is in force.'),
  pptp_configuration_last_reload_success_timestamp_seconds: gauge('When they were so last, since 1970.'),
  pptp_clock_seconds: gauge('The time of the node, since 1970.'),
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof rows;

/** Those that are read from the program's state; the tallies are the others. */
export const catalogue: Readonly<Record<MetricName, MetricRow>> = rows;

/** Of the node's presence in DNS, which has counts of its own. */
const dnsTallies = (): Parameters<typeof metricsOfTallies>[0] => ({
  dns_publisher: publisherTally(),
  dns_responder: responderTally(),
});

/** All of them. */
export const everyMetric: ReadonlyMap<string, MetricRow> = new Map([
  ...Object.entries(catalogue),
  ...[...talliedMetrics, ...metricsOfTallies(dnsTallies())].map(
    ({ name, help }) => [name, counter(help)] as const,
  ),
]);
