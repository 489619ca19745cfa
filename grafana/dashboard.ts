/**
 * What a dashboard is here, and Grafana's JSON of it. Enter: titles, sentences, expressions. Leaves: a value that Grafana 9 and
 * later imports as it is, from a file, a ConfigMap or by hand: without ids, with its source of data as a variable.
 */

export type Unit = 'short' | 'bps' | 'pps' | 's' | 'bytes' | 'percentunit' | 'ops' | 'cps';

export interface Line {
  readonly expr: string;
  /** With Grafana's braces: `{{instance}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly kind: 'timeseries' | 'stat' | 'table' | 'gauge';
  readonly title: string;
  /** What it means, and what to think of it. */
  readonly description: string;
  readonly unit: Unit;
  readonly lines: readonly Line[];
  /** From which value on it is bad: that of the alert. */
  readonly bad?: number;
  /** Of 24. */
  readonly width?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
  /** Further variables by name, each with the query that finds its values. */
  readonly variables?: Readonly<Record<string, string>>;
}

const source = { type: 'prometheus', uid: '$datasource' } as const;

/** The JSON of `dashboard`, with a line feed at its end. */
export function grafanaJson(dashboard: Dashboard): string {
  const { uid, title, description, variables = {} } = dashboard;
  const model = {
    uid,
    title: `PPTP / ${title}`,
    description,
    tags: ['pptp'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        tags: ['pptp'],
        title: 'PPTP',
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    templating: { list: [datasourceVariable, ...queryVariables({ node: nodes, ...variables })] },
    annotations: { list: [restarts] },
    panels: panelsOf(dashboard.rows),
  };
  return `${JSON.stringify(model, undefined, 2)}\n`;
}

const nodes = 'label_values(pptp_build_info, instance)';

const datasourceVariable = { name: 'datasource', label: 'Source', type: 'datasource', query: 'prometheus' };

function queryVariables(queries: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(queries).map(([name, query]) => ({
    name,
    label: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    type: 'query',
    datasource: source,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  }));
}

const restarts = {
  name: 'Control restarted',
  datasource: source,
  enable: true,
  iconColor: 'orange',
  expr: 'changes(process_start_time_seconds{instance=~"$node"}[2m]) > 0',
  titleFormat: 'control of {{instance}} restarted',
};

const heights: Readonly<Record<Panel['kind'], number>> = { timeseries: 8, stat: 4, gauge: 6, table: 9 };
const widths: Readonly<Record<Panel['kind'], number>> = { timeseries: 12, stat: 4, gauge: 6, table: 24 };

/** Panels from left to right, and rows under each other. */
function panelsOf(rows: readonly Row[]): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: inRow } of rows) {
    panels.push({ type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of inRow) {
      const w = panel.width ?? widths[panel.kind];
      if (x + w > 24) {
        x = 0;
        y += height;
        height = 0;
      }
      const h = heights[panel.kind];
      panels.push(grafanaPanel(panel, { x, y, w, h }));
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

function grafanaPanel(
  { kind, title, description, unit, lines, bad }: Panel,
  gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>,
): object {
  const steps = [
    { color: 'green', value: null },
    ...(bad === undefined ? [] : [{ color: 'red', value: bad }]),
  ];
  return {
    type: kind,
    title,
    description,
    datasource: source,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        thresholds: { mode: 'absolute', steps },
        ...(kind === 'timeseries' && {
          custom: {
            lineWidth: 1,
            fillOpacity: 8,
            showPoints: 'never',
            thresholdsStyle: { mode: bad === undefined ? 'off' : 'line' },
          },
        }),
      },
      overrides: [],
    },
    options: options[kind],
    targets: lines.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + at),
      datasource: source,
      expr,
      legendFormat: legend,
      ...(kind === 'table' && { format: 'table', instant: true }),
    })),
  };
}

const lastValue = { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } };

const options: Readonly<Record<Panel['kind'], object>> = {
  timeseries: {
    legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'], showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: { ...lastValue, colorMode: 'value', graphMode: 'area' },
  gauge: { ...lastValue, showThresholdMarkers: true },
  table: { showHeader: true },
};
