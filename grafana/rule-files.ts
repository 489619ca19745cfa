/** The texts that rules.ts becomes: Prometheus's rule files, the runbooks, and what promtool is to replay. Pure. */

import type { Alert, Recording, Series } from './rules.ts';

const note = '# Written from grafana/rules.ts by the tests (npx vitest -u): change it there.\n';

/** A text as YAML takes it on one line. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export function recordingFile(recordings: readonly Recording[]): string {
  const rules = recordings.map(
    ({ record, expr }) => `      - record: ${record}\n        expr: ${quoted(expr)}\n`,
  );
  return `${note}groups:\n  - name: pptp-recordings\n    rules:\n${rules.join('')}`;
}

export function alertFile(alerts: readonly Alert[]): string {
  const rules = alerts.map(
    ({ name, expr, minutes, severity, summary }) => `      - alert: ${name}
        expr: ${quoted(expr)}
        for: ${minutes}m
        labels:
          severity: ${severity}
        annotations:
          summary: ${quoted(summary)}
          runbook: ${quoted(`grafana/runbooks.md#${name.toLowerCase()}`)}
`,
  );
  return `${note}groups:\n  - name: pptp-alerts\n    rules:\n${rules.join('')}`;
}

export function runbookFile(alerts: readonly Alert[]): string {
  const chapters = alerts.map(
    ({ name, severity, minutes, summary, runbook: { meaning, impact, look, act } }) => `
## ${name}

${severity}${minutes === 0 ? '' : `, after ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`} · ${summary.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, '*$1*')}

- **Meaning**: ${meaning}
- **Impact**: ${impact}
- **Look**: ${look}
- **Act**: ${act}
`,
  );
  return `# Runbooks\n\nOne for each alert of \`rules/alerts.yml\`. Written from \`rules.ts\`: change them there.\n${chapters.join('')}`;
}

/** A file for `promtool test rules`: each alert fires with its series and says what it is to say, and all are silent where all is well. */
export function promtoolTests(
  alerts: readonly Alert[],
  healthy: Series,
  ruleFiles: readonly string[],
): string {
  const inputOf = (series: Series) =>
    Object.entries(series).map(([name, values]) => ({ series: name, values }));
  const silence = {
    name: 'all is well',
    interval: '1m',
    input_series: inputOf(healthy),
    alert_rule_test: alerts.flatMap(({ name }) =>
      [15, 30, 85].map((minute) => ({ eval_time: `${minute}m`, alertname: name, exp_alerts: [] })),
    ),
  };
  const firing = alerts.map(({ name, severity, minutes, summary, fires }) => ({
    name: `${name} fires`,
    interval: '1m',
    input_series: inputOf(fires.series),
    alert_rule_test: [
      {
        eval_time: `${Math.max(30, minutes + 20)}m`,
        alertname: name,
        exp_alerts: [
          {
            exp_labels: { severity, ...fires.labels },
            exp_annotations: {
              summary: summary.replaceAll(
                /\{\{ \$labels\.(\w+) \}\}/g,
                (_, label) => fires.labels[label] ?? '',
              ),
              runbook: `grafana/runbooks.md#${name.toLowerCase()}`,
            },
          },
        ],
      },
    ],
  }));
  return JSON.stringify({ rule_files: ruleFiles, evaluation_interval: '1m', tests: [silence, ...firing] });
}
