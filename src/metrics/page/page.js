/**
 * The node's page: asks the node every few seconds how it is, and shows it. Everything shown is text, never markup: users choose
 * their own names.
 */

import Plot from './uplot.js';

const everyMs = 5_000;
const pointsMax = 720;

const find = (id) => document.getElementById(id);
const show = (id, text, kind = '') => {
  const element = find(id);
  element.textContent = text;
  element.className = kind;
};

// ---- figures as people read them

const count = (value) => value.toLocaleString('en');

function scaled(value, unit) {
  const steps = ['', 'k', 'M', 'G', 'T'];
  let at = 0;
  let left = value;
  while (left >= 1000 && at < steps.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${left >= 100 || at === 0 ? Math.round(left) : left.toPrecision(3)} ${steps[at]}${unit}`;
}

const rate = (bps) => scaled(bps, 'bit/s');

function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  return days === 0 ? clock : `${days}d ${clock}`;
}

// ---- tables

/** `cells` are texts, or `[text, class]`. */
function fill(id, rows) {
  const body = find(id);
  body.replaceChildren(...rows.map(rowOf));
  if (rows.length > 0) return;
  const columns = body.parentElement.querySelectorAll('th').length;
  const row = body.insertRow();
  const cell = row.insertCell();
  cell.colSpan = columns;
  cell.textContent = 'none';
  cell.className = 'none';
}

function rowOf(cells) {
  const row = document.createElement('tr');
  for (const content of cells) {
    const [text, kind] = Array.isArray(content) ? content : [content, ''];
    const cell = row.insertCell();
    cell.textContent = text;
    cell.className = kind;
  }
  return row;
}

const stateKinds = { alive: 'good', zombie: 'warn', dead: 'bad' };

// ---- charts

const columns = [[], [], [], [], [], []];
const charts = [];

function chart(id, lines, format) {
  const figure = find(id);
  const style = getComputedStyle(document.body);
  const ink = style.getPropertyValue('color');
  const axis = { stroke: ink, grid: { stroke: 'rgb(128 128 128 / 20%)', width: 1 }, ticks: { show: false } };
  const plot = new Plot(
    {
      width: figure.clientWidth - 28,
      height: 170,
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
      axes: [axis, { ...axis, size: 74, values: (_plot, values) => values.map(format) }],
      series: [
        {},
        ...lines.map(({ label, stroke, fill }) => ({
          label,
          stroke,
          fill,
          width: 1.5,
          points: { show: false },
          value: (_plot, value) => (value === null ? '–' : format(value)),
        })),
      ],
    },
    [columns[0], ...lines.map(({ column }) => columns[column])],
    figure,
  );
  charts.push({ plot, figure, lines });
}

function draw(points) {
  for (const point of points) {
    for (const [at, value] of point.entries()) columns[at].push(at === 0 ? value / 1000 : value);
  }
  for (const column of columns) column.splice(0, Math.max(0, column.length - pointsMax));
  for (const { plot, lines } of charts) {
    plot.setData([columns[0], ...lines.map(({ column }) => columns[column])]);
  }
}

// ---- the node

function tell(status) {
  const { sessions, licence, rates, accounting, unreadiness } = status;
  document.title = `${status.node} · PPTP concentrator`;
  show('node', status.node);
  show('version', `version ${status.version}`);
  show('at', new Date(status.atMs).toLocaleTimeString());
  if (unreadiness.length === 0) show('ready', 'ready', 'good');
  else show('ready', unreadiness.join('; '), status.isDraining ? 'warn' : 'bad');

  const up = sessions.up ?? 0;
  const coming = Object.values(sessions).reduce((sum, each) => sum + each, 0) - up;
  show('up', count(up));
  show('coming', `${count(coming)} coming or going`);
  show('receive', rate(rates.receiveBps));
  show('transmit', rate(rates.transmitBps));
  show('licence', `${count(licence.used)} of ${licence.limit === null ? '∞' : count(licence.limit)}`);
  find('licence-meter').value = licence.limit === null ? 0 : licence.used / licence.limit;
  find('licence-meter').title = licence.level;
  const pendingKind = accounting.isHealthy ? '' : 'bad';
  show('pending', `${count(accounting.pending)} pending`, pendingKind);
  const age = accounting.pending === 0 ? 'all told' : `oldest ${duration(accounting.oldestAgeMs)}`;
  show(
    'journal',
    accounting.isHealthy ? `${age}, journal ${scaled(accounting.journalBytes, 'B')}` : 'the disk fails',
  );

  fill(
    'radius',
    status.radius.map((server) => [
      server.comment === '' ? server.server : `${server.server} (${server.comment})`,
      server.role,
      [server.state, stateKinds[server.state]],
      count(server.requests),
      count(server.rejects),
      [count(server.timeouts), server.timeouts > 0 ? 'warn' : ''],
      count(server.pending),
      server.averageRttMs === null ? '' : `${server.averageRttMs.toFixed(1)} ms`,
    ]),
  );
  fill(
    'fastest',
    status.fastest.map((session) => [
      session.user,
      session.interface,
      session.address,
      session.callerId,
      duration(session.uptimeMs),
      session.encryption,
      rate(session.receiveBps),
      rate(session.transmitBps),
    ]),
  );
  fill(
    'nodes',
    status.nodes.map(({ node, sessions: held, isSuspect, isDraining }) => [
      node,
      count(held),
      isSuspect ? ['not heard of', 'bad'] : isDraining ? ['draining', 'warn'] : ['alive', 'good'],
    ]),
  );
  draw(status.points);
}

async function look() {
  const since = (columns[0].at(-1) ?? 0) * 1000;
  try {
    const response = await fetch(`status.json?since=${since}`);
    if (!response.ok) throw new Error(await response.text());
    tell(await response.json());
  } catch (error) {
    show('ready', `no answer: ${error.message}`, 'bad');
  }
  setTimeout(look, everyMs);
}

chart(
  'chart-sessions',
  [{ label: 'up', column: 1, stroke: '#2f81d8', fill: 'rgb(47 129 216 / 18%)' }],
  count,
);
chart(
  'chart-rates',
  [
    { label: 'from', column: 2, stroke: '#8a63d2' },
    { label: 'to', column: 3, stroke: '#1f9d62' },
  ],
  rate,
);
chart(
  'chart-waiting',
  [
    { label: 'RADIUS', column: 4, stroke: '#d98a1f' },
    { label: 'accounting', column: 5, stroke: '#c2417c' },
  ],
  count,
);
addEventListener('resize', () => {
  for (const { plot, figure } of charts) plot.setSize({ width: figure.clientWidth - 28, height: 170 });
});
look();
