/** The dashboards: what is on them, in which order, and what it means. dashboard.ts makes Grafana's JSON of them. Data only. */

import type { Dashboard, Panel } from './dashboard.ts';

/** Of the nodes that are chosen. */
const on = 'instance=~"$node"';
const every = '$__rate_interval';

type Lines = readonly (readonly [expr: string, legend: string])[];

const panel =
  (kind: Panel['kind']) =>
  (
    title: string,
    unit: Panel['unit'],
    description: string,
    lines: Lines,
    more: Partial<Panel> = {},
  ): Panel => ({
    kind,
    title,
    unit,
    description,
    lines: lines.map(([expr, legend]) => ({ expr, legend })),
    ...more,
  });
const graph = panel('timeseries');
const stat = panel('stat');
const gauge = panel('gauge');
const table = panel('table');

/** A quantile of a histogram. */
const quantile = (share: number, name: string, by = ''): string =>
  `histogram_quantile(${share}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${name}_bucket{${on}}[${every}])))`;
const rateBy = (by: string, name: string, match = on): string =>
  `sum by (${by}) (rate(${name}{${match}}[${every}]))`;

const overview: Dashboard = {
  uid: 'pptp-overview',
  title: 'Overview',
  description: 'The service at a glance: whether subscribers get in, stay, and are served.',
  rows: [
    {
      title: 'Now',
      panels: [
        stat('Sessions', 'short', 'Sessions that are up, on all nodes chosen.', [
          [`sum(pptp_sessions{${on},state="up"})`, 'up'],
        ]),
        stat('Nodes ready', 'short', 'Nodes that want new calls.', [[`sum(pptp_ready{${on}})`, 'ready']]),
        stat('From subscribers', 'bps', 'What subscribers send.', [
          [`sum(rate(pptp_datapath_bytes_total{${on},direction="receive"}[${every}])) * 8`, 'receive'],
        ]),
        stat('To subscribers', 'bps', 'What subscribers get.', [
          [`sum(rate(pptp_datapath_bytes_total{${on},direction="transmit"}[${every}])) * 8`, 'transmit'],
        ]),
        stat(
          'RADIUS servers not alive',
          'short',
          'Servers in a role that do not answer, as the nodes see them.',
          [[`sum(pptp_radius_server_state{${on},state!="alive"})`, 'not alive']],
          { bad: 1 },
        ),
        stat('Records pending', 'short', 'Accounting records that no server has acknowledged.', [
          [`sum(pptp_accounting_pending_records{${on}})`, 'pending'],
        ]),
      ],
    },
    {
      title: 'Sessions',
      panels: [
        graph(
          'Sessions by node',
          'short',
          'A step down is a mass disconnect: look at the causes beside it.',
          [[`sum by (instance) (pptp_sessions{${on},state="up"})`, '{{instance}}']],
        ),
        graph('Coming and going', 'ops', 'Sessions that came up, and that ended, by second.', [
          [`sum(rate(pptp_session_set_up_seconds_count{${on}}[${every}]))`, 'up'],
          [`sum(rate(pptp_session_ends_total{${on}}[${every}]))`, 'ended'],
          [`sum(rate(pptp_session_set_up_failures_total{${on}}[${every}]))`, 'failed'],
        ]),
        graph('Why sessions end', 'ops', 'By the first cause; the log line of each session has it too.', [
          [`topk(8, ${rateBy('cause', 'pptp_session_ends_total')} > 0)`, '{{cause}}'],
        ]),
        graph('Why calls fail', 'ops', 'Calls that ended before they were up, by the first cause.', [
          [`topk(8, ${rateBy('cause', 'pptp_session_set_up_failures_total')} > 0)`, '{{cause}}'],
        ]),
        graph(
          'Time to come up',
          's',
          'From the call to the network, RADIUS included.',
          [
            [quantile(0.5, 'pptp_session_set_up_seconds'), 'half'],
            [quantile(0.99, 'pptp_session_set_up_seconds'), '99 of 100'],
          ],
          { bad: 5 },
        ),
        graph('What they wait for', 's', 'The slowest of twenty, by phase; RADIUS is in `authenticating`.', [
          [quantile(0.95, 'pptp_session_set_up_phase_seconds', 'phase'), '{{phase}}'],
        ]),
        graph('Calls under way', 'short', 'By how far they are: what piles up shows who is slow.', [
          [`sum by (state) (pptp_sessions{${on},state!="up"})`, '{{state}}'],
        ]),
      ],
    },
  ],
};

const node: Dashboard = {
  uid: 'pptp-node',
  title: 'Node',
  description: 'The processes of a node: the event loop, memory, what they hold.',
  rows: [
    {
      title: 'Control',
      panels: [
        graph(
          'Event loop',
          's',
          'How late a timer comes: at the worst since the scrape before. Subscribers feel nothing of it, their packets are the engine’s; calls and RADIUS wait.',
          [
            [`nodejs_eventloop_lag_max_seconds{${on}}`, '{{instance}} worst'],
            [`nodejs_eventloop_lag_p99_seconds{${on}}`, '{{instance}} 99 of 100'],
          ],
          { bad: 0.25 },
        ),
        graph('Processor', 'percentunit', 'Of one core.', [
          [`rate(process_cpu_seconds_total{${on}}[${every}])`, '{{instance}}'],
        ]),
        graph('Memory', 'bytes', 'Of the control process, and of it what JavaScript uses.', [
          [`process_resident_memory_bytes{${on}}`, '{{instance}} resident'],
          [`nodejs_heap_size_used_bytes{${on}}`, '{{instance}} heap'],
        ]),
        graph('Garbage collection', 'percentunit', 'Time that it takes, of all time.', [
          [
            `sum by (instance, kind) (rate(nodejs_gc_duration_seconds_sum{${on}}[${every}]))`,
            '{{instance}} {{kind}}',
          ],
        ]),
        graph('Open files', 'short', 'Sockets and files of the control process.', [
          [`process_open_fds{${on}}`, '{{instance}}'],
        ]),
        graph(
          'Configuration',
          'short',
          '1 while what the files say is in force; else the log says what is wrong.',
          [[`pptp_configuration_last_reload_successful{${on}}`, '{{instance}}']],
        ),
        graph(
          'Clock',
          's',
          'How far the node’s clock is from Prometheus’s. Servers take records of another time for copies.',
          [[`pptp_clock_seconds{${on}} - timestamp(pptp_clock_seconds{${on}})`, '{{instance}}']],
          { bad: 5 },
        ),
        graph('Time since the start', 's', 'Of the control process: sessions outlive it.', [
          [`time() - process_start_time_seconds{${on}}`, '{{instance}}'],
        ]),
      ],
    },
    {
      title: 'Control connections and calls',
      panels: [
        graph('What the engine holds', 'short', 'TCP connections, calls, TUN interfaces.', [
          [`pptp_control_connections{${on}}`, '{{instance}} connections'],
          [`pptp_engine_calls{${on}}`, '{{instance}} calls'],
          [`pptp_engine_interfaces{${on}}`, '{{instance}} interfaces'],
        ]),
        graph(
          'Refused at the door',
          'ops',
          'Connections and calls refused before any work, by what was full.',
          [
            [
              rateBy('instance', 'pptp_admission_connections_refused_total'),
              '{{instance}} connections of the node',
            ],
            [
              rateBy('instance', 'pptp_admission_half_open_refused_total'),
              '{{instance}} half-open of an address',
            ],
            [rateBy('instance', 'pptp_licence_tunnels_refused_total'), '{{instance}} licence'],
          ],
        ),
        graph(
          'PPP notes',
          'ops',
          'Frames that changed nothing: malformed, out of place, of unknown protocols.',
          [
            [rateBy('instance', 'pptp_ppp_malformed_total'), '{{instance}} malformed'],
            [rateBy('instance', 'pptp_ppp_illegal_total'), '{{instance}} out of place'],
            [rateBy('instance', 'pptp_ppp_protocol_rejected_total'), '{{instance}} of unknown protocols'],
            [rateBy('instance', 'pptp_ppp_looped_total'), '{{instance}} our own'],
          ],
        ),
        graph('PPTP messages', 'ops', 'Control messages, both ways; echoes keep connections alive.', [
          [
            `topk(10, ${rateBy('type, direction', 'pptp_control_messages_total')} > 0)`,
            '{{type}} {{direction}}',
          ],
        ]),
        graph('PPTP notes', 'ops', 'Control messages that changed nothing.', [
          [rateBy('instance', 'pptp_control_malformed_total'), '{{instance}} malformed'],
          [rateBy('instance', 'pptp_control_message_out_of_state_total'), '{{instance}} out of place'],
          [rateBy('instance', 'pptp_control_call_unknown_total'), '{{instance}} of unknown calls'],
        ]),
      ],
    },
    {
      title: 'Keepalive',
      panels: [
        graph(
          'Echoes of LCP',
          'ops',
          'Asked of peers that were silent, and what was not answered within a second.',
          [
            [rateBy('instance', 'pptp_lcp_echo_sent_total'), '{{instance}} sent'],
            [rateBy('instance', 'pptp_lcp_echo_missed_total'), '{{instance}} missed'],
          ],
        ),
        graph('There and back', 's', 'From an Echo-Request to its answer: the way to subscribers.', [
          [quantile(0.5, 'pptp_lcp_echo_round_trip_seconds'), 'half'],
          [quantile(0.95, 'pptp_lcp_echo_round_trip_seconds'), '95 of 100'],
        ]),
      ],
    },
    {
      title: 'Service',
      panels: [
        graph('Registry', 'short', '1 while the node can ask the others; it serves without them too.', [
          [`pptp_registry_online{${on}}`, '{{instance}}'],
        ]),
        graph('Nodes seen', 'short', 'The other nodes as this one sees them.', [
          [`sum by (instance, state) (pptp_cluster_nodes{${on}})`, '{{instance}} {{state}}'],
        ]),
        graph('Redis refuses or is late', 'ops', 'Commands that failed, by what they were for.', [
          [rateBy('instance', 'pptp_registry_failures_total'), '{{instance}} registry'],
          [rateBy('instance', 'pptp_nodes_failures_total'), '{{instance}} nodes'],
          [rateBy('instance', 'pptp_accounting_redis_failures_total'), '{{instance}} accounting'],
        ]),
        graph(
          'Time of Redis',
          's',
          'What scripts take on average; a node that stands alone has none.',
          [
            [
              `topk(8, sum by (script) (rate(pptp_redis_command_seconds_sum{${on}}[${every}])) / (sum by (script) (rate(pptp_redis_command_seconds_count{${on}}[${every}])) > 0))`,
              '{{script}}',
            ],
          ],
          { bad: 0.1 },
        ),
        graph('Scripts that failed', 'ops', 'Refused by Redis, or not answered within a second.', [
          [rateBy('script', 'pptp_redis_command_failures_total'), '{{script}}'],
        ]),
        graph(
          'Conflicts',
          'ops',
          'Sessions that had to end because another node had the better claim. Nought is what it should be.',
          [
            [rateBy('instance', 'pptp_registry_address_conflicts_total'), '{{instance}} address'],
            [rateBy('instance', 'pptp_registry_user_conflicts_total'), '{{instance}} user'],
          ],
        ),
      ],
    },
  ],
};

const perServer = '{{server}} {{role}}';

const radius: Dashboard = {
  uid: 'pptp-radius',
  title: 'RADIUS and accounting',
  description: 'Whether servers answer, how fast, and whether every record reaches one.',
  rows: [
    {
      title: 'Verdicts',
      panels: [
        graph(
          'Attempts',
          'ops',
          'Users who showed who they are: let in, not let in, or nobody could be asked.',
          [[rateBy('method, result', 'pptp_authentication_attempts_total'), '{{method}} {{result}}']],
        ),
        graph(
          'Time to the verdict',
          's',
          'Local secrets and RADIUS with all its copies and servers, and a place and an address in the service.',
          [
            [quantile(0.5, 'pptp_authentication_seconds', 'result'), 'half {{result}}'],
            [quantile(0.95, 'pptp_authentication_seconds', 'result'), '95 of 100 {{result}}'],
          ],
          { bad: 2 },
        ),
      ],
    },
    {
      title: 'RADIUS',
      panels: [
        graph('Requests', 'ops', 'Sent for the first time.', [
          [rateBy('server, role', 'pptp_radius_requests_total'), perServer],
        ]),
        graph('Replies', 'ops', 'By what they say. Rejects are users’ matter, unless all are.', [
          [rateBy('role, result', 'pptp_radius_replies_total'), '{{role}} {{result}}'],
        ]),
        graph(
          'Time to reply',
          's',
          'From the first transmission to the reply.',
          [
            [quantile(0.5, 'pptp_radius_request_seconds', 'server, role'), `half ${perServer}`],
            [quantile(0.95, 'pptp_radius_request_seconds', 'server, role'), `95 of 100 ${perServer}`],
          ],
          { bad: 1 },
        ),
        graph('Silence', 'ops', 'Copies sent, and requests that nobody answered.', [
          [rateBy('server, role', 'pptp_radius_resends_total'), `copies ${perServer}`],
          [rateBy('server, role', 'pptp_radius_timeouts_total'), `unanswered ${perServer}`],
          [rateBy('server, role', 'pptp_radius_bad_replies_total'), `bad replies ${perServer}`],
        ]),
        graph('Waiting', 'short', 'Requests under way, and those that wait for a place among them.', [
          [`sum by (server, role) (pptp_radius_pending{${on}})`, `pending ${perServer}`],
          [`sum by (server, role) (pptp_radius_queued{${on}})`, `queued ${perServer}`],
        ]),
        graph('State', 'short', '1 for each node that sees the server so.', [
          [`sum by (server, role, state) (pptp_radius_server_state{${on}})`, `${perServer} {{state}}`],
        ]),
        graph('CoA and Disconnect', 'ops', 'Requests of servers, and what they were told.', [
          [rateBy('result', 'pptp_radius_incoming_replies_total'), '{{result}}'],
          [rateBy('event', 'pptp_radius_incoming_events_total'), '{{event}}'],
        ]),
        graph(
          'Time of CoA and Disconnect',
          's',
          'The slowest of twenty; `elsewhere` is another node’s session.',
          [
            [
              quantile(0.95, 'pptp_radius_incoming_seconds', 'type, route, result'),
              '{{type}} {{route}} {{result}}',
            ],
          ],
        ),
      ],
    },
    {
      title: 'Accounting',
      panels: [
        graph('Records made', 'ops', 'By what they tell.', [
          [rateBy('type', 'pptp_accounting_records_made_total'), '{{type}}'],
        ]),
        graph('Records acknowledged', 'ops', 'What servers have of them, and of those of before.', [
          [rateBy('type', 'pptp_accounting_records_acknowledged_total'), '{{type}}'],
        ]),
        graph(
          'Records delivered',
          'ops',
          'Acknowledged by a server, replaced by a newer one, tried in vain.',
          [
            [rateBy('instance', 'pptp_accounting_delivered_total'), 'delivered {{instance}}'],
            [rateBy('instance', 'pptp_accounting_superseded_total'), 'superseded {{instance}}'],
            [rateBy('instance', 'pptp_accounting_undelivered_total'), 'in vain {{instance}}'],
          ],
        ),
        graph('Pending', 'short', 'Records that no server has acknowledged.', [
          [`pptp_accounting_pending_records{${on}}`, '{{instance}}'],
        ]),
        graph(
          'Oldest record',
          's',
          'Age of the oldest record that is pending. None is ever dropped; an old one is a server that is away.',
          [[`pptp_accounting_oldest_record_age_seconds{${on}}`, '{{instance}}']],
          { bad: 300 },
        ),
        graph('Journal', 'bytes', 'Size of the segment that is written to.', [
          [`pptp_accounting_journal_bytes{${on}}`, '{{instance}}'],
        ]),
        graph('The disk', 'short', '1 while it takes the journal.', [
          [`pptp_accounting_journal_healthy{${on}}`, '{{instance}}'],
        ]),
      ],
    },
  ],
};

const datapath: Dashboard = {
  uid: 'pptp-datapath',
  title: 'Datapath',
  description: 'The engine: packets, what was lost on the way, what was dropped and why.',
  rows: [
    {
      title: 'Traffic',
      panels: [
        graph('Rate', 'bps', 'PPP frames of all calls, as accounting counts them.', [
          [`${rateBy('instance, direction', 'pptp_datapath_bytes_total')} * 8`, '{{instance}} {{direction}}'],
        ]),
        graph('Packets', 'pps', 'Network packets of all calls.', [
          [rateBy('instance, direction', 'pptp_datapath_packets_total'), '{{instance}} {{direction}}'],
        ]),
        graph('GRE datagrams', 'pps', 'On the wire, acknowledgments and strangers included.', [
          [rateBy('instance, direction', 'pptp_engine_datagrams_total'), '{{instance}} {{direction}}'],
        ]),
        graph('Control frames', 'pps', 'LCP, authentication, CCP, IPCP.', [
          [rateBy('instance, direction', 'pptp_datapath_control_frames_total'), '{{instance}} {{direction}}'],
        ]),
      ],
    },
    {
      title: 'Losses',
      panels: [
        graph(
          'Lost on the way',
          'percentunit',
          'GRE packets of subscribers that never came, of all.',
          [
            [
              `sum by (instance) (rate(pptp_gre_lost_packets_total{${on}}[${every}])) / (sum by (instance) (rate(pptp_datapath_packets_total{${on},direction="receive"}[${every}])) > 0)`,
              '{{instance}}',
            ],
          ],
          { bad: 0.02 },
        ),
        graph('Out of order', 'pps', 'Packets that came late but in time.', [
          [rateBy('instance', 'pptp_gre_reordered_packets_total'), '{{instance}}'],
        ]),
        graph(
          'Dropped, by call',
          'pps',
          '`shaped` is what a rate or a quota did not let pass; the others are trouble.',
          [[rateBy('reason', 'pptp_datapath_drops_total'), '{{reason}}']],
        ),
        graph(
          'Dropped, by the engine',
          'pps',
          '`unknown-call` is GRE of calls that are gone, or of strangers.',
          [[rateBy('reason', 'pptp_engine_drops_total'), '{{reason}}']],
        ),
        graph(
          'Thrown away by the kernel',
          'pps',
          'GRE that came faster than a worker of the engine read it. Nought is what it should be.',
          [[rateBy('instance, worker', 'pptp_engine_socket_drops_total'), '{{instance}} worker {{worker}}']],
          { bad: 1 },
        ),
        graph(
          'Workers',
          'percentunit',
          'Of one core each: at 1 a worker is used up, and calls of others may still be fast.',
          [
            [
              rateBy('instance, worker', 'pptp_engine_worker_seconds_total'),
              '{{instance}} worker {{worker}}',
            ],
          ],
          { bad: 0.9 },
        ),
        graph(
          'Reset-Requests',
          'ops',
          'Of stateful encryption: each is a packet that was lost, and some behind it.',
          [
            [rateBy('instance', 'pptp_ppp_reset_requested_total'), '{{instance}} ours'],
            [rateBy('instance', 'pptp_ppp_reset_performed_total'), '{{instance}} of subscribers'],
          ],
        ),
        graph('Stale handles', 'ops', 'Commands that came too late: some are normal, many are a bug.', [
          [rateBy('instance', 'pptp_engine_stale_handles_total'), '{{instance}} engine'],
          [rateBy('instance', 'pptp_switchboard_stray_events_total'), '{{instance}} control'],
        ]),
        graph('Connections refused', 'ops', 'By the engine, because its table was full.', [
          [rateBy('instance', 'pptp_engine_refused_connections_total'), '{{instance}}'],
        ]),
      ],
    },
  ],
};

const capacity: Dashboard = {
  uid: 'pptp-capacity',
  title: 'Capacity and licence',
  description: 'How much room is left: tunnels, addresses, and when it will be used up.',
  rows: [
    {
      title: 'Licence',
      panels: [
        gauge(
          'Used',
          'percentunit',
          'Tunnels in use, of those that the licence allows; nought where it sets no limit.',
          [[`max(pptp_licence_tunnels{${on}} / pptp_licence_tunnels_limit{${on}})`, 'of the fullest node']],
          { bad: 0.9 },
        ),
        graph(
          'Tunnels',
          'short',
          'In use, and allowed.',
          [
            [`pptp_licence_tunnels{${on}}`, '{{instance}} used'],
            [`pptp_licence_tunnels_limit{${on}} < Inf`, '{{instance}} allowed'],
          ],
          { width: 18 },
        ),
        graph('Refused', 'ops', 'Calls refused because the licence was used up.', [
          [rateBy('instance', 'pptp_licence_tunnels_refused_total'), '{{instance}}'],
        ]),
        graph('In a week', 'short', 'Tunnels in a week if it goes on as in the last day.', [
          [`predict_linear(pptp_licence_tunnels{${on}}[1d], 7 * 86400)`, '{{instance}}'],
        ]),
      ],
    },
    {
      title: 'Addresses',
      panels: [
        graph(
          'Pools',
          'percentunit',
          'Addresses in use, of those of the pool on the node.',
          [[`pptp_pool_addresses_used{${on}} / pptp_pool_addresses{${on}}`, '{{instance}} {{pool}}']],
          { bad: 0.9 },
        ),
        graph(
          'Leased',
          'short',
          'Addresses that the nodes of a service have among them, by pool; a node alone has all.',
          [[`pptp_pool_addresses_leased{${on}}`, '{{instance}} {{pool}}']],
        ),
        graph('No address', 'ops', 'Subscribers for whom neither a pool nor those behind it had one.', [
          [rateBy('instance, pool', 'pptp_pool_refusals_total'), '{{instance}} {{pool}}'],
        ]),
        graph('Addresses free', 'short', 'What is left.', [
          [`pptp_pool_addresses{${on}} - pptp_pool_addresses_used{${on}}`, '{{instance}} {{pool}}'],
        ]),
      ],
    },
    {
      title: 'Who is served',
      panels: [
        graph(
          'By authentication',
          'short',
          'How subscribers prove themselves: PAP and MS-CHAPv1 should go.',
          [[`sum by (authentication) (pptp_sessions_up{${on}})`, '{{authentication}}']],
        ),
        graph('By encryption', 'short', 'What encrypts.', [
          [`sum by (encryption) (pptp_sessions_up{${on}})`, '{{encryption}}'],
        ]),
        graph('How long they had stayed', 's', 'Of sessions that ended.', [
          [quantile(0.5, 'pptp_session_lifetime_seconds'), 'half'],
        ]),
      ],
    },
  ],
};

const whom = `${on},user=~"$user"`;

const sessions: Dashboard = {
  uid: 'pptp-sessions',
  title: 'Sessions',
  description: 'Single sessions, from /metrics/sessions: who moves most, and the history of one user.',
  variables: { user: 'label_values(pptp_session_info{instance=~"$node"}, user)' },
  rows: [
    {
      title: 'Top talkers',
      panels: [
        graph('Fastest to the subscriber', 'bps', 'The ten who get most.', [
          [`topk(10, rate(pptp_session_transmit_bytes_total{${on}}[${every}]) * 8)`, '{{user}} {{instance}}'],
        ]),
        graph('Fastest from the subscriber', 'bps', 'The ten who send most.', [
          [`topk(10, rate(pptp_session_receive_bytes_total{${on}}[${every}]) * 8)`, '{{user}} {{instance}}'],
        ]),
        graph('Most lost', 'pps', 'The ten whose way here is worst.', [
          [`topk(10, rate(pptp_session_lost_packets_total{${on}}[${every}]))`, '{{user}} {{instance}}'],
        ]),
        graph('Most shaped', 'pps', 'The ten whose rate is too small for them.', [
          [`topk(10, rate(pptp_session_shaped_packets_total{${on}}[${every}]))`, '{{user}} {{instance}}'],
        ]),
      ],
    },
    {
      title: 'One user',
      panels: [
        graph('Rate', 'bps', 'Of the users chosen.', [
          [`rate(pptp_session_transmit_bytes_total{${whom}}[${every}]) * 8`, 'to {{user}}'],
          [`rate(pptp_session_receive_bytes_total{${whom}}[${every}]) * 8`, 'from {{user}}'],
        ]),
        graph('Limits', 'bps', 'Rates that the users are held to; nothing for those that are not.', [
          [`pptp_session_transmit_limit_bytes_per_second{${whom}} * 8`, 'to {{user}}'],
          [`pptp_session_receive_limit_bytes_per_second{${whom}} * 8`, 'from {{user}}'],
        ]),
        graph('Packets', 'pps', 'Of the users chosen.', [
          [`rate(pptp_session_transmit_packets_total{${whom}}[${every}])`, 'to {{user}}'],
          [`rate(pptp_session_receive_packets_total{${whom}}[${every}])`, 'from {{user}}'],
        ]),
        graph('Uptime', 's', 'A fall to nought is a new call.', [
          [`pptp_session_uptime_seconds{${whom}}`, '{{user}} on {{instance}}'],
        ]),
        table('Sessions', 'short', 'What is known of each.', [[`pptp_session_info{${whom}}`, '']]),
      ],
    },
  ],
};

export const dashboards: readonly Dashboard[] = [overview, node, radius, datapath, capacity, sessions];
