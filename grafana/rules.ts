/**
 * Recording and alerting rules, each alert with its runbook and with the series that make it fire, which a test replays. Enter:
 * nothing. Leave: what rules/*.yml and runbooks.md are written from. Data only.
 *
 * Bounds here are those that the dashboards draw. What is normal in a night of updates or at a region's power cut does not wake
 * anybody: that is what the minutes are for.
 */

export interface Recording {
  readonly record: string;
  readonly expr: string;
}

/** Series of a test, each with its samples a minute apart, in promtool's notation: `0+10x30`. */
export type Series = Readonly<Record<string, string>>;

export interface Alert {
  readonly name: string;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly expr: string;
  /** How long it must be so before anybody is told, in minutes. */
  readonly minutes: number;
  /** One sentence; `{{ $labels.instance }}` and other labels may be in it. */
  readonly summary: string;
  readonly runbook: Runbook;
  /** Fires after half an hour of these, with these labels. */
  readonly fires: { readonly series: Series; readonly labels: Readonly<Record<string, string>> };
}

export interface Runbook {
  readonly meaning: string;
  readonly impact: string;
  readonly look: string;
  readonly act: string;
}

/** What subscribers do to themselves is not the service's failure. */
const notTheirs =
  'pptp_session_set_up_failures_total{cause!~"authentication-failed|peer-terminated|peer-cleared|peer-disconnected|peer-stopped|password-change"}';

export const recordings: readonly Recording[] = [
  {
    record: 'instance:pptp_set_ups:rate5m',
    expr: 'sum by (instance) (rate(pptp_session_set_up_seconds_count[5m]))',
  },
  {
    record: 'instance:pptp_set_up_failures:rate5m',
    expr: `sum by (instance) (rate(${notTheirs}[5m]))`,
  },
  {
    record: 'instance:pptp_set_up_failures:ratio5m',
    expr: 'instance:pptp_set_up_failures:rate5m / (instance:pptp_set_ups:rate5m + instance:pptp_set_up_failures:rate5m > 0)',
  },
  // Windows for the budget of failed set-ups: long ones for the damage, short ones for its being over. Of less than 36 calls an hour
  // one that fails says nothing.
  ...['30m', '1h', '6h'].map((window) => ({
    record: `instance:pptp_set_up_failures:ratio${window}`,
    expr: `sum by (instance) (rate(${notTheirs}[${window}])) / (sum by (instance) (rate(pptp_session_set_up_seconds_count[${window}])) + sum by (instance) (rate(${notTheirs}[${window}])) > 0.01)`,
  })),
  {
    record: 'instance_role:pptp_radius_request_seconds:p95_5m',
    expr: 'histogram_quantile(0.95, sum by (instance, server, role, le) (rate(pptp_radius_request_seconds_bucket[5m])))',
  },
  {
    record: 'instance:pptp_gre_lost:ratio5m',
    expr: 'sum by (instance) (rate(pptp_gre_lost_packets_total[5m])) / (sum by (instance) (rate(pptp_datapath_packets_total{direction="receive"}[5m])) > 100)',
  },
  {
    record: 'instance:pptp_datapath_bits:rate5m',
    expr: 'sum by (instance, direction) (rate(pptp_datapath_bytes_total[5m])) * 8',
  },
];

const onNode = { instance: 'node1:9723' } as const;
const server = { ...onNode, server: '192.0.2.1:1812', role: 'authentication' } as const;

const alive = (state: string, samples: string): Series => ({
  [`pptp_radius_server_state{instance="node1:9723",server="192.0.2.1:1812",role="authentication",state="${state}"}`]:
    samples,
});

export const alerts: readonly Alert[] = [
  {
    name: 'PptpNodeDown',
    severity: 'critical',
    expr: 'up{job=~".*pptp.*"} == 0',
    minutes: 2,
    summary: '{{ $labels.instance }} does not answer: control is down or hangs.',
    runbook: {
      meaning: 'Prometheus cannot read the node’s metrics.',
      impact:
        'The engine keeps sessions and their traffic; nobody new gets in, no record is made, keepalives are answered by the engine for a while.',
      look: '`systemctl status pptp-concentrator`, or the pod; the last lines of its log; `/livez` on the node itself. If the node answers there, it is the network or the address of `/system metrics`.',
      act: 'Restart control: sessions outlive it. If the engine has ended too, all sessions of the node have, and clients redial.',
    },
    fires: { series: { 'up{job="pptp",instance="node1:9723"}': '0x60' }, labels: { ...onNode, job: 'pptp' } },
  },
  {
    name: 'PptpNodeNotReady',
    severity: 'warning',
    expr: 'pptp_ready == 0 and pptp_draining == 0',
    minutes: 5,
    summary: '{{ $labels.instance }} refuses new calls, and nobody is draining it.',
    runbook: {
      meaning: '`/readyz` answers 503.',
      impact: 'Sessions stay; new calls go to other nodes, or nowhere if there is none.',
      look: '`/readyz` says why, a reason a line: the licence is used up, accounting has no room left, the server is disabled.',
      act: 'Follow the reason: see PptpLicenceRefusing, PptpAccountingFull.',
    },
    fires: {
      series: { 'pptp_ready{instance="node1:9723"}': '0x60', 'pptp_draining{instance="node1:9723"}': '0x60' },
      labels: onNode,
    },
  },
  {
    name: 'PptpSetUpsFail',
    severity: 'critical',
    expr: 'instance:pptp_set_up_failures:ratio5m > 0.2 and instance:pptp_set_up_failures:rate5m > 0.05',
    minutes: 10,
    summary: 'More than a fifth of the calls to {{ $labels.instance }} fail, not counting wrong passwords.',
    runbook: {
      meaning: 'Calls end before they are up for reasons that are not the user’s.',
      impact: 'Subscribers cannot connect, and redial: it gets worse by itself.',
      look: 'Overview, “Why calls fail”. `lcp-timeout`: GRE is filtered on the way. `authentication-timeout`: RADIUS. `no-address`: a pool. `interface-failed`: the line before in the log has the kernel’s answer.',
      act: 'Mend what the cause names. One cause on one node only: drain it and look in peace.',
    },
    fires: {
      series: {
        'pptp_session_set_up_failures_total{instance="node1:9723",cause="lcp-timeout"}': '0+60x60',
        'pptp_session_set_up_seconds_count{instance="node1:9723"}': '0+60x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpSetUpBudgetBurns',
    severity: 'warning',
    expr: '(instance:pptp_set_up_failures:ratio1h > 0.144 and instance:pptp_set_up_failures:ratio5m > 0.144) or (instance:pptp_set_up_failures:ratio6h > 0.06 and instance:pptp_set_up_failures:ratio30m > 0.06)',
    minutes: 5,
    summary:
      'Calls to {{ $labels.instance }} fail so often that a month’s one in a hundred is used up in days.',
    runbook: {
      meaning:
        'Of a hundred calls a month one may fail for reasons that are not the user’s. At this pace that is used up in two days (14.4 of a hundred, over an hour) or five (6 of a hundred, over six).',
      impact:
        'Some subscribers need several attempts. It is slower than what PptpSetUpsFail tells, and lasts longer.',
      look: 'Overview, “Why calls fail” and “What they wait for”, over a day: since when, and what changed then.',
      act: 'As PptpSetUpsFail. A cause that is one subscriber’s own network, again and again: his router redials without a pause.',
    },
    fires: {
      series: {
        'pptp_session_set_up_failures_total{instance="node1:9723",cause="lcp-timeout"}': '0+12x60',
        'pptp_session_set_up_seconds_count{instance="node1:9723"}': '0+60x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpKeepaliveMissed',
    severity: 'warning',
    expr: 'sum by (instance) (increase(pptp_lcp_echo_missed_total[5m])) > 50 and sum by (instance) (increase(pptp_lcp_echo_missed_total[5m])) > 0.5 * max by (instance) (max_over_time(pptp_sessions{state="up"}[10m]))',
    minutes: 2,
    summary: 'Subscribers of {{ $labels.instance }} do not answer keepalives.',
    runbook: {
      meaning:
        'In five minutes more Echo-Requests were missed than half of the sessions. Who misses five in a row is ended.',
      impact: 'Sessions are about to end, or the way to them loses much.',
      look: 'Node, “There and back”: longer ways, or none? Sessions, “Most lost”: which subscribers; one region, or all?',
      act: 'Mend the way. A longer keepalive-timeout only hides it.',
    },
    fires: {
      series: {
        'pptp_lcp_echo_missed_total{instance="node1:9723"}': '0+200x60',
        'pptp_sessions{instance="node1:9723",state="up"}': '1000x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpMassDisconnect',
    severity: 'critical',
    expr: 'sum by (instance) (increase(pptp_session_ends_total{cause!~"shut-down|admin-reset|server-disabled|replaced"}[5m])) > 20 and sum by (instance) (increase(pptp_session_ends_total{cause!~"shut-down|admin-reset|server-disabled|replaced"}[5m])) > 0.2 * max by (instance) (max_over_time(pptp_sessions{state="up"}[10m]))',
    minutes: 1,
    summary: 'A fifth of the sessions of {{ $labels.instance }} ended within five minutes.',
    runbook: {
      meaning: 'Many sessions ended at once, and no operator asked for it.',
      impact: 'They redial together: expect a storm at RADIUS.',
      look: 'Overview, “Why sessions end”. `echo-lost` or `tcp-closed`: the way to these subscribers broke. `peer-terminated` from everybody: an update of their routers.',
      act: 'Nothing on the node if the way broke. The node admits the storm at the pace that it can.',
    },
    fires: {
      series: {
        'pptp_session_ends_total{instance="node1:9723",cause="echo-lost"}': '0+100x60',
        'pptp_sessions{instance="node1:9723",state="up"}': '1000x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpRadiusServerDead',
    severity: 'warning',
    expr: 'pptp_radius_server_state{state="dead"} == 1',
    minutes: 2,
    summary:
      'RADIUS server {{ $labels.server }} answers {{ $labels.instance }} nothing ({{ $labels.role }}).',
    runbook: {
      meaning: 'It was asked several times, then for its status, and said nothing.',
      impact: 'None while another server of the role lives; its share of requests goes there.',
      look: '`/radius monitor` on the node; the server’s own log; a firewall between them. Bad replies beside it mean that the secret differs.',
      act: 'Mend the server or the way. It is used again with its first answer.',
    },
    fires: { series: alive('dead', '1x60'), labels: { ...server, state: 'dead' } },
  },
  {
    name: 'PptpRadiusAllDead',
    severity: 'critical',
    expr: 'sum by (instance, role) (pptp_radius_server_state{state="alive"}) == 0',
    minutes: 1,
    summary: 'No RADIUS server answers {{ $labels.instance }} ({{ $labels.role }}).',
    runbook: {
      meaning: 'All servers of the role are silent.',
      impact:
        'authentication: nobody gets in who is not a local secret. accounting: nothing is lost; records wait in the journal, and new calls are refused only when it holds half a million.',
      look: 'As with PptpRadiusServerDead; that all are silent is most often the network, or a database behind all of them.',
      act: 'Mend it. Records are delivered by themselves when a server is back.',
    },
    fires: { series: alive('alive', '0x60'), labels: { ...onNode, role: 'authentication' } },
  },
  {
    name: 'PptpRadiusSlow',
    severity: 'warning',
    expr: 'instance_role:pptp_radius_request_seconds:p95_5m > 1',
    minutes: 10,
    summary:
      'RADIUS server {{ $labels.server }} takes more than a second for {{ $labels.instance }} ({{ $labels.role }}).',
    runbook: {
      meaning: 'Of twenty requests, one or more takes longer than a second to be answered.',
      impact: 'Subscribers wait; beyond some seconds clients give up and redial.',
      look: 'RADIUS and accounting, “Waiting”: a queue there is a server that cannot keep up. Its database is the usual suspect.',
      act: 'Help the server: indices, another server, a longer interim interval.',
    },
    fires: {
      series: {
        'pptp_radius_request_seconds_bucket{instance="node1:9723",server="192.0.2.1:1812",role="authentication",le="1"}':
          '0x60',
        'pptp_radius_request_seconds_bucket{instance="node1:9723",server="192.0.2.1:1812",role="authentication",le="2.5"}':
          '0+60x60',
        'pptp_radius_request_seconds_bucket{instance="node1:9723",server="192.0.2.1:1812",role="authentication",le="+Inf"}':
          '0+60x60',
      },
      labels: server,
    },
  },
  {
    name: 'PptpRadiusBadReplies',
    severity: 'warning',
    expr: 'rate(pptp_radius_bad_replies_total[5m]) > 0.1',
    minutes: 5,
    summary: 'Replies of {{ $labels.server }} to {{ $labels.instance }} lack a proof ({{ $labels.role }}).',
    runbook: {
      meaning: 'Packets come from the server’s address that answer nothing, or whose authenticator is wrong.',
      impact: 'They are discarded; requests time out.',
      look: 'The log names what is wrong: the secret differs, or the server does not sign and `require-message-auth` asks for it. Otherwise somebody forges.',
      act: 'Make the secrets equal on both sides.',
    },
    fires: {
      series: {
        'pptp_radius_bad_replies_total{instance="node1:9723",server="192.0.2.1:1812",role="authentication"}':
          '0+60x60',
      },
      labels: server,
    },
  },
  {
    name: 'PptpAuthenticationSlow',
    severity: 'warning',
    expr: 'histogram_quantile(0.95, sum by (instance, le) (rate(pptp_authentication_seconds_bucket[5m]))) > 2',
    minutes: 10,
    summary: 'Subscribers of {{ $labels.instance }} wait for more than two seconds to be let in.',
    runbook: {
      meaning:
        'Of twenty verdicts, one or more takes longer than two seconds: RADIUS with all its copies, and a place in the service.',
      impact: 'Beyond some seconds clients give up and redial, and ask again.',
      look: 'RADIUS and accounting, “Time to reply”: one server, or all. If servers are fast: “Silence” (copies are sent), Node, “Time of Redis”.',
      act: 'As PptpRadiusSlow; a server that never answers is best taken out of /radius.',
    },
    fires: {
      series: {
        'pptp_authentication_seconds_bucket{instance="node1:9723",result="accept",le="1"}': '0x60',
        'pptp_authentication_seconds_bucket{instance="node1:9723",result="accept",le="5"}': '0+60x60',
        'pptp_authentication_seconds_bucket{instance="node1:9723",result="accept",le="+Inf"}': '0+60x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpAccountingBacklogOld',
    severity: 'warning',
    expr: 'pptp_accounting_oldest_record_age_seconds > 300',
    minutes: 2,
    summary: 'An accounting record of {{ $labels.instance }} has waited for more than five minutes.',
    runbook: {
      meaning: 'A record was made and no server has acknowledged it since.',
      impact: 'Bills are late; nothing is lost.',
      look: 'RADIUS and accounting: is a server alive? Is it one stream that a server cannot stomach? The log names the session.',
      act: 'Mend the server. A single record that is refused again and again: look at its session in the server’s log.',
    },
    fires: {
      series: { 'pptp_accounting_oldest_record_age_seconds{instance="node1:9723"}': '0+60x60' },
      labels: onNode,
    },
  },
  {
    name: 'PptpAccountingBacklogStuck',
    severity: 'critical',
    expr: 'pptp_accounting_oldest_record_age_seconds > 1800',
    minutes: 2,
    summary: 'An accounting record of {{ $labels.instance }} has waited for more than half an hour.',
    runbook: {
      meaning: 'As PptpAccountingBacklogOld, for longer.',
      impact: 'The journal grows; at 450,000 records new calls are refused.',
      look: 'As there.',
      act: 'As there; see that the disk has room.',
    },
    fires: {
      series: { 'pptp_accounting_oldest_record_age_seconds{instance="node1:9723"}': '1700+60x60' },
      labels: onNode,
    },
  },
  {
    name: 'PptpAccountingFull',
    severity: 'critical',
    expr: 'pptp_accounting_full == 1',
    minutes: 0,
    summary: '{{ $labels.instance }} refuses calls because accounting has no room left.',
    runbook: {
      meaning: 'More than 450,000 records are pending.',
      impact: 'Nobody new gets in on this node; sessions stay and are accounted for.',
      look: 'As PptpAccountingBacklogOld.',
      act: 'Bring an accounting server back. If that takes long, set accounting=no in /ppp aaa, knowingly.',
    },
    fires: { series: { 'pptp_accounting_full{instance="node1:9723"}': '1x60' }, labels: onNode },
  },
  {
    name: 'PptpAccountingDisk',
    severity: 'critical',
    expr: 'pptp_accounting_journal_healthy == 0',
    minutes: 0,
    summary: 'The disk of {{ $labels.instance }} does not take the accounting journal.',
    runbook: {
      meaning: 'A write or a sync failed, and each second since.',
      impact: 'Accounting goes on from memory; a crash now would lose what has happened since.',
      look: '`df` on the state directory, `dmesg` for the disk; the log has the error.',
      act: 'Make room or mend the disk. Nothing has to be restarted: a whole new segment is written as soon as it can be.',
    },
    fires: { series: { 'pptp_accounting_journal_healthy{instance="node1:9723"}': '0x60' }, labels: onNode },
  },
  {
    name: 'PptpLicenceNearLimit',
    severity: 'warning',
    expr: 'pptp_licence_tunnels / pptp_licence_tunnels_limit > 0.9',
    minutes: 10,
    summary: 'Nine tenths of the tunnels that the licence of {{ $labels.instance }} allows are in use.',
    runbook: {
      meaning: 'level3 and level4 allow 200 tunnels on a node.',
      impact: 'None yet.',
      look: 'Capacity and licence: how fast it grows.',
      act: 'A higher level, or another node.',
    },
    fires: {
      series: {
        'pptp_licence_tunnels{instance="node1:9723"}': '190x60',
        'pptp_licence_tunnels_limit{instance="node1:9723"}': '200x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpLicenceRefusing',
    severity: 'critical',
    expr: 'increase(pptp_licence_tunnels_refused_total[5m]) > 0',
    minutes: 2,
    summary: '{{ $labels.instance }} refuses calls because its licence is used up.',
    runbook: {
      meaning: 'Calls came when all tunnels that the licence allows were in use.',
      impact: 'These subscribers do not get in here.',
      look: 'Is another node free? Then why do clients not go there: DNS, or an address written into routers.',
      act: 'A higher level in /system license takes effect at once.',
    },
    fires: {
      series: { 'pptp_licence_tunnels_refused_total{instance="node1:9723"}': '0+5x60' },
      labels: onNode,
    },
  },
  {
    name: 'PptpPoolNearlyEmpty',
    severity: 'warning',
    expr: 'pptp_pool_addresses_used / pptp_pool_addresses > 0.9',
    minutes: 5,
    summary: 'Nine tenths of pool {{ $labels.pool }} of {{ $labels.instance }} are in use.',
    runbook: {
      meaning: 'The pool is nearly used up.',
      impact: 'When it is, sessions end with `no-address`, unless next-pool names another.',
      look: '/ip pool used print.',
      act: 'Enlarge the pool, or name a next-pool: it takes effect at once.',
    },
    fires: {
      series: {
        'pptp_pool_addresses_used{instance="node1:9723",pool="all"}': '95x60',
        'pptp_pool_addresses{instance="node1:9723",pool="all"}': '100x60',
      },
      labels: { ...onNode, pool: 'all' },
    },
  },
  {
    name: 'PptpSharedPoolNearlyEmpty',
    severity: 'warning',
    expr: 'sum by (pool) (pptp_pool_addresses_used and pptp_pool_addresses_leased < pptp_pool_addresses) / max by (pool) (pptp_pool_addresses) > 0.9',
    minutes: 5,
    summary: 'Nine tenths of pool {{ $labels.pool }}, which nodes share, are in use.',
    runbook: {
      meaning: 'The sessions of all nodes together have nearly all of its addresses.',
      impact: 'Soon a node finds none, although it may have few sessions itself: `no-address`.',
      look: 'Capacity and licence, “Leased”: does one node hold far more than it uses? It gives back what is empty after ten minutes.',
      act: 'Enlarge the pool on all nodes, or name a next-pool.',
    },
    fires: {
      series: {
        'pptp_pool_addresses_used{instance="node1:9723",pool="all"}': '50x60',
        'pptp_pool_addresses_leased{instance="node1:9723",pool="all"}': '52x60',
        'pptp_pool_addresses{instance="node1:9723",pool="all"}': '100x60',
        'pptp_pool_addresses_used{instance="node2:9723",pool="all"}': '45x60',
        'pptp_pool_addresses_leased{instance="node2:9723",pool="all"}': '48x60',
        'pptp_pool_addresses{instance="node2:9723",pool="all"}': '100x60',
      },
      labels: { pool: 'all' },
    },
  },
  {
    name: 'PptpPoolRefusing',
    severity: 'critical',
    expr: 'increase(pptp_pool_refusals_total[5m]) > 0',
    minutes: 2,
    summary: 'Pool {{ $labels.pool }} of {{ $labels.instance }} has no address for subscribers.',
    runbook: {
      meaning:
        'Neither the pool nor those that follow it had a free address, or, in a service, none that is leased to this node.',
      impact: 'These subscribers do not get in here: `no-address`.',
      look: 'Capacity and licence, “Pools” and “Leased”. A service whose Redis is away gives only what each node has leased: PptpRegistryOffline.',
      act: 'Enlarge the pool, or name a next-pool: it takes effect at once.',
    },
    fires: {
      series: { 'pptp_pool_refusals_total{instance="node1:9723",pool="all"}': '0+5x60' },
      labels: { ...onNode, pool: 'all' },
    },
  },
  {
    name: 'PptpRedisSlow',
    severity: 'warning',
    expr: '1 - sum by (instance) (rate(pptp_redis_command_seconds_bucket{le="0.1"}[5m])) / (sum by (instance) (rate(pptp_redis_command_seconds_count[5m])) > 0) > 0.05',
    minutes: 10,
    summary: 'One of twenty commands of {{ $labels.instance }} takes Redis longer than a tenth of a second.',
    runbook: {
      meaning:
        'Scripts take less than a hundredth where Redis is well. After a second a command is given up.',
      impact:
        'Set-ups wait for their place and their address; soon nodes take Redis for gone and decide alone.',
      look: 'Node, “Time of Redis”: one script, or all? `redis-cli --latency` and SLOWLOG; its disk, if it syncs each write; who else uses it.',
      act: 'Give it a core and a server of its own.',
    },
    fires: {
      series: {
        'pptp_redis_command_seconds_bucket{instance="node1:9723",script="registryAssert",le="0.1"}':
          '0+30x60',
        'pptp_redis_command_seconds_count{instance="node1:9723",script="registryAssert"}': '0+60x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpRegistryOffline',
    severity: 'warning',
    expr: 'pptp_registry_online == 0',
    minutes: 2,
    summary: '{{ $labels.instance }} cannot reach Redis: it decides alone.',
    runbook: {
      meaning: 'The shared registry does not answer.',
      impact:
        'Sessions go on, new ones come up out of the addresses that the node holds; a user’s limit of sessions is counted on this node only.',
      look: 'Redis itself; `redis-cli -h … ping` from the node.',
      act: 'Bring it back: nodes write all that they know again by themselves.',
    },
    fires: { series: { 'pptp_registry_online{instance="node1:9723"}': '0x60' }, labels: onNode },
  },
  {
    name: 'PptpAddressConflict',
    severity: 'critical',
    expr: 'increase(pptp_registry_address_conflicts_total[10m]) > 0',
    minutes: 0,
    summary: 'A session of {{ $labels.instance }} had to end: another node had its address too.',
    runbook: {
      meaning: 'Two nodes gave one address while they could not see each other.',
      impact: 'One of the two subscribers was cut off and redials.',
      look: 'RADIUS that names one Framed-IP-Address for two users; pools of two services that overlap.',
      act: 'Mend the source of the address. If it is a pool of one service, this is a bug: report it with both logs.',
    },
    fires: {
      series: { 'pptp_registry_address_conflicts_total{instance="node1:9723"}': '0+1x60' },
      labels: onNode,
    },
  },
  {
    name: 'PptpPacketsLost',
    severity: 'warning',
    expr: 'instance:pptp_gre_lost:ratio5m > 0.02',
    minutes: 10,
    summary: 'More than two of a hundred packets to {{ $labels.instance }} are lost on the way.',
    runbook: {
      meaning: 'GRE sequence numbers of subscribers have gaps that were never filled.',
      impact: 'TCP of subscribers is slow; stateful encryption stalls with each gap.',
      look: 'Sessions, “Most lost”: a few subscribers, or all of them? All: the uplink, or socket buffers of the node (`nstat -az | grep Drop`).',
      act: 'Mend the way.',
    },
    fires: {
      series: {
        'pptp_gre_lost_packets_total{instance="node1:9723"}': '0+6000x60',
        'pptp_datapath_packets_total{instance="node1:9723",direction="receive"}': '0+60000x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpSocketDrops',
    severity: 'warning',
    expr: 'sum by (instance) (rate(pptp_engine_socket_drops_total[5m])) > 1',
    minutes: 5,
    summary:
      'The kernel of {{ $labels.instance }} throws subscribers’ packets away before the engine reads them.',
    runbook: {
      meaning:
        'A GRE socket of the engine was full: its worker did not read for longer than the buffer lasts, 30 ms at 1 Gbit/s.',
      impact: 'Packets from subscribers are lost on the node itself; their TCP is slow.',
      look: 'Datapath, “Workers”: at 1 the worker’s core is used up. If not, something else takes the core: `top`, steal time of a virtual machine.',
      act: 'More cores with more workers, fewer sessions on the node, or a faster machine.',
    },
    fires: {
      series: { 'pptp_engine_socket_drops_total{instance="node1:9723",worker="0"}': '0+600x60' },
      labels: onNode,
    },
  },
  {
    name: 'PptpWorkerBusy',
    severity: 'warning',
    expr: 'rate(pptp_engine_worker_seconds_total[5m]) > 0.9',
    minutes: 10,
    summary: 'Worker {{ $labels.worker }} of the engine of {{ $labels.instance }} has used up its core.',
    runbook: {
      meaning: 'One thread carries all packets of its calls, and has nothing left.',
      impact:
        'Calls of this worker are as fast as one core is, and no faster; next their packets are thrown away: PptpSocketDrops.',
      look: 'Datapath, “Workers”: one of them, then one subscriber moves very much (Sessions, “Fastest”); all, then the node is full.',
      act: 'A rate for that subscriber; or more cores, and another node.',
    },
    fires: {
      series: { 'pptp_engine_worker_seconds_total{instance="node1:9723",worker="0"}': '0+58x60' },
      labels: { ...onNode, worker: '0' },
    },
  },
  {
    name: 'PptpEncryptionResets',
    severity: 'warning',
    expr: 'sum by (instance) (rate(pptp_ppp_reset_requested_total[5m]) + rate(pptp_ppp_reset_performed_total[5m])) > 1 and sum by (instance) (rate(pptp_ppp_reset_requested_total[5m]) + rate(pptp_ppp_reset_performed_total[5m])) > 0.05 * sum by (instance) (pptp_sessions{state="up"})',
    minutes: 10,
    summary: 'Encryption of {{ $labels.instance }}’s sessions is begun anew all the time.',
    runbook: {
      meaning:
        'Stateful MPPE has to be synchronised after each lost packet; on average each session does so every twenty seconds or more often.',
      impact: 'With each reset a round trip of packets is lost too: traffic stutters.',
      look: 'PptpPacketsLost beside it: then it is the way. Which clients negotiate stateful encryption: `using encoding` in the log.',
      act: 'Mend the way; have clients offer stateless encryption, which this server prefers.',
    },
    fires: {
      series: {
        'pptp_ppp_reset_requested_total{instance="node1:9723"}': '0+300x60',
        'pptp_ppp_reset_performed_total{instance="node1:9723"}': '0+60x60',
        'pptp_sessions{instance="node1:9723",state="up"}': '100x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpEngineDropping',
    severity: 'warning',
    expr: 'rate(pptp_engine_drops_total{reason=~"ring-full|control-away"}[5m]) > 1',
    minutes: 5,
    summary: 'The engine of {{ $labels.instance }} drops what control should get ({{ $labels.reason }}).',
    runbook: {
      meaning:
        'A ring between the engine’s threads was full, or control did not take its frames for too long.',
      impact: 'Negotiations are slow or fail; traffic of sessions that are up is not touched.',
      look: 'Node, “Event loop” and “Processor”: control cannot keep up, or is stopped.',
      act: 'More processor time; fewer sessions on the node.',
    },
    fires: {
      series: { 'pptp_engine_drops_total{instance="node1:9723",reason="ring-full"}': '0+600x60' },
      labels: { ...onNode, reason: 'ring-full' },
    },
  },
  {
    name: 'PptpEventLoopStalls',
    severity: 'warning',
    expr: 'nodejs_eventloop_lag_max_seconds > 0.25 and on (instance) pptp_build_info',
    minutes: 5,
    summary: 'Control of {{ $labels.instance }} stands still for more than a quarter of a second at a time.',
    runbook: {
      meaning: 'Something keeps the event loop from everybody else.',
      impact: 'Calls, RADIUS and keepalives wait; packets do not.',
      look: 'Node: is it the processor, or garbage? Is somebody reading /metrics/sessions each second?',
      act: 'Give it a core of its own; report it with the time and the log.',
    },
    fires: {
      series: {
        'nodejs_eventloop_lag_max_seconds{instance="node1:9723"}': '0.5x60',
        'pptp_build_info{instance="node1:9723",version="1.0.0"}': '1x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpConfigurationNotInForce',
    severity: 'warning',
    expr: 'pptp_configuration_last_reload_successful == 0',
    minutes: 5,
    summary: 'The configuration files of {{ $labels.instance }} are not what is in force.',
    runbook: {
      meaning:
        'They were changed and could not be read, or have a mistake. What was in force before still is.',
      impact: 'None yet; a restart of control would fail.',
      look: 'The line “configuration not changed” in the log: file, line, column, and what is wrong there.',
      act: 'Mend the file: it is read by itself within a second.',
    },
    fires: {
      series: { 'pptp_configuration_last_reload_successful{instance="node1:9723"}': '0x60' },
      labels: onNode,
    },
  },
  {
    name: 'PptpClockWrong',
    severity: 'warning',
    expr: 'abs(pptp_clock_seconds - timestamp(pptp_clock_seconds)) > 5',
    minutes: 5,
    summary: 'The clock of {{ $labels.instance }} differs from Prometheus’s by more than five seconds.',
    runbook: {
      meaning: 'One of the two is wrong.',
      impact:
        'Times in accounting are wrong; five minutes off, CoA and Disconnect of servers are taken for stale and dropped.',
      look: '`chronyc tracking` or `timedatectl` on the node. All nodes at once: it is Prometheus’s machine.',
      act: 'Start time synchronisation; sessions and leases are timed by another clock and do not mind.',
    },
    fires: { series: { 'pptp_clock_seconds{instance="node1:9723"}': '100+60x60' }, labels: onNode },
  },
  {
    name: 'PptpControlRestarts',
    severity: 'warning',
    expr: 'changes(process_start_time_seconds[30m]) > 2 and on (instance) pptp_build_info',
    minutes: 0,
    summary: 'Control of {{ $labels.instance }} restarts again and again.',
    runbook: {
      meaning: 'Three starts within half an hour.',
      impact: 'Sessions stay; who dials at the wrong moment dials again.',
      look: 'The last lines before each start: a fault names what to change, a stack is a bug of ours.',
      act: 'Follow the hint of the fault; report the stack.',
    },
    fires: {
      series: {
        'process_start_time_seconds{instance="node1:9723"}': '0+60x60',
        'pptp_build_info{instance="node1:9723",version="1.0.0"}': '1x60',
      },
      labels: onNode,
    },
  },
  {
    name: 'PptpVersionSkew',
    severity: 'info',
    expr: 'count(count by (version) (pptp_build_info)) > 1',
    minutes: 60,
    summary: 'Nodes of the service run different versions.',
    runbook: {
      meaning: 'An upgrade has been under way for more than an hour.',
      impact: 'None: versions next to each other understand each other.',
      look: '/system cluster print shows who runs what.',
      act: 'Finish the upgrade, or take it back.',
    },
    fires: {
      series: {
        'pptp_build_info{instance="node1:9723",version="1.0.0"}': '1x90',
        'pptp_build_info{instance="node2:9723",version="1.1.0"}': '1x90',
      },
      labels: {},
    },
  },
  {
    name: 'PptpDrainLong',
    severity: 'info',
    expr: 'pptp_draining == 1 and on (instance) sum by (instance) (pptp_sessions{state="up"}) > 0',
    minutes: 60,
    summary: '{{ $labels.instance }} has been draining for an hour, and has sessions still.',
    runbook: {
      meaning: 'A soft drain waits for sessions to end by themselves.',
      impact: 'None.',
      look: '/ppp active print where node is this one.',
      act: 'End it with a hard drain, or cancel it.',
    },
    fires: {
      series: {
        'pptp_draining{instance="node1:9723"}': '1x90',
        'pptp_sessions{instance="node1:9723",state="up"}': '3x90',
      },
      labels: onNode,
    },
  },
];

/** A node on which all is well, busy, and with nine days behind it: no alert has anything to say of it. */
export const healthy: Series = Object.fromEntries(
  Object.entries({
    'up{job="pptp"}': '1x90',
    'pptp_build_info{version="1.0.0"}': '1x90',
    'process_start_time_seconds{}': '1000x90',
    'nodejs_eventloop_lag_max_seconds{}': '0.02x90',
    'pptp_ready{}': '1x90',
    'pptp_draining{}': '0x90',
    'pptp_sessions{state="up"}': '1000x90',
    'pptp_session_set_up_seconds_count{}': '0+60x90',
    'pptp_session_set_up_failures_total{cause="authentication-failed"}': '0+600x90',
    'pptp_session_set_up_failures_total{cause="lcp-timeout"}': '0+2x90',
    'pptp_lcp_echo_missed_total{}': '0+20x90',
    'pptp_authentication_seconds_bucket{result="accept",le="0.25"}': '0+60x90',
    'pptp_authentication_seconds_bucket{result="accept",le="+Inf"}': '0+60x90',
    'pptp_session_ends_total{cause="echo-lost"}': '0+10x90',
    'pptp_session_ends_total{cause="shut-down"}': '0+500x90',
    ...alive('alive', '1x90'),
    'pptp_radius_server_state{server="192.0.2.1:1812",role="authentication",state="dead"}': '0x90',
    'pptp_radius_request_seconds_bucket{server="a",role="authentication",le="0.1"}': '0+60x90',
    'pptp_radius_request_seconds_bucket{server="a",role="authentication",le="+Inf"}': '0+60x90',
    'pptp_radius_bad_replies_total{server="a",role="authentication"}': '0+1x90',
    'pptp_accounting_oldest_record_age_seconds{}': '2x90',
    'pptp_accounting_full{}': '0x90',
    'pptp_accounting_journal_healthy{}': '1x90',
    'pptp_licence_tunnels{}': '1000x90',
    'pptp_licence_tunnels_limit{}': '1000000x90',
    'pptp_licence_tunnels_refused_total{}': '0x90',
    'pptp_pool_addresses{pool="all"}': '65536x90',
    'pptp_pool_addresses_used{pool="all"}': '1000x90',
    'pptp_pool_addresses_leased{pool="all"}': '2048x90',
    'pptp_pool_refusals_total{pool="all"}': '3x90',
    'pptp_redis_command_seconds_bucket{script="nodeBeat",le="0.1"}': '0+60x90',
    'pptp_redis_command_seconds_count{script="nodeBeat"}': '0+60x90',
    'pptp_registry_online{}': '1x90',
    'pptp_registry_address_conflicts_total{}': '0x90',
    'pptp_gre_lost_packets_total{}': '0+60x90',
    'pptp_datapath_packets_total{direction="receive"}': '0+60000x90',
    'pptp_engine_drops_total{reason="unknown-call"}': '0+6000x90',
    'pptp_engine_socket_drops_total{worker="0"}': '12x90',
    'pptp_engine_worker_seconds_total{worker="0"}': '0+30x90',
    'pptp_ppp_reset_requested_total{}': '0+120x90',
    'pptp_ppp_reset_performed_total{}': '0+60x90',
    'pptp_configuration_last_reload_successful{}': '1x90',
    'pptp_clock_seconds{}': '0.4+60x90',
    'pptp_engine_drops_total{reason="ring-full"}': '0x90',
  }).map(([series, samples]) => [ofNode(series), samples]),
);

function ofNode(series: string): string {
  if (series.includes('instance=')) return series;
  return series.replace('{', '{instance="node1:9723",').replace(',}', '}');
}
