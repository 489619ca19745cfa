/** Dashboards and rules: what is written is what the sources say, names are those of the catalogue, and each alert fires when it should. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { grafanaJson } from '../../../grafana/dashboard.ts';
import { dashboards } from '../../../grafana/dashboards.ts';
import { alertFile, promtoolTests, recordingFile, runbookFile } from '../../../grafana/rule-files.ts';
import { alerts, healthy, recordings } from '../../../grafana/rules.ts';
import { everyMetric } from '../../../src/metrics/catalogue.ts';
import { sessionSeries } from '../../../src/metrics/session-lines.ts';

const folder = fileURLToPath(new URL('../../../grafana/', import.meta.url));
const recordingPath = join(folder, 'rules/recording.yml');
const alertPath = join(folder, 'rules/alerts.yml');

describe('what is in the folder is what the sources say', () => {
  it.each(dashboards)('dashboard $uid', async (dashboard) => {
    await expect(grafanaJson(dashboard)).toMatchFileSnapshot(
      join(folder, `dashboards/${dashboard.uid}.json`),
    );
  });

  it('rules and runbooks', async () => {
    await expect(recordingFile(recordings)).toMatchFileSnapshot(recordingPath);
    await expect(alertFile(alerts)).toMatchFileSnapshot(alertPath);
    await expect(runbookFile(alerts)).toMatchFileSnapshot(join(folder, 'runbooks.md'));
  });
});

const known = new Set([
  ...everyMetric.keys(),
  ...sessionSeries.map(({ name }) => name),
  ...recordings.map(({ record }) => record),
]);

/** Metrics of ours that an expression names. A histogram is named by its parts. */
function namesIn(expr: string): readonly string[] {
  const names = [...expr.matchAll(/\b(?:[a-z_]+:)?pptp_[\w:]+/g)].map(([name]) => name);
  return names.map((name) => name.replace(/_(bucket|sum|count)$/, ''));
}

const expressions = [
  ...dashboards.flatMap(({ uid, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, lines }) => lines.map(({ expr }) => [`${uid}: ${title}`, expr] as const)),
    ),
  ),
  ...recordings.map(({ record, expr }) => [record, expr] as const),
  ...alerts.map(({ name, expr }) => [name, expr] as const),
];

describe('names', () => {
  it('are those of the catalogue, in every expression', () => {
    const wrong = expressions.flatMap(([where, expr]) =>
      namesIn(expr)
        .filter((name) => !known.has(name))
        .map((name) => `${where}: ${name}`),
    );

    expect(expressions.flatMap(([, expr]) => namesIn(expr)).length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  it('of dashboards and panels are each of their own', () => {
    const titles = dashboards.flatMap(({ uid, rows }) =>
      rows.flatMap(({ title: row, panels }) => panels.map(({ title }) => `${uid}/${row}/${title}`)),
    );

    expect(new Set(titles).size).toBe(titles.length);
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
  });
});

function promtool(...words: readonly string[]): string {
  try {
    return execFileSync('promtool', words, { stdio: 'pipe' }).toString();
  } catch (error) {
    const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer };
    throw new Error(`promtool ${words.join(' ')}: ${stdout}${stderr}`);
  }
}

describe('rules', () => {
  it('are what Prometheus reads', () => {
    expect(promtool('check', 'rules', recordingPath, alertPath)).toContain(`${alerts.length} rules found`);
  });

  it('fire when they should, and say what they are to say', () => {
    const directory = mkdtempSync(join(tmpdir(), 'pptp-rules-'));
    try {
      const file = join(directory, 'tests.yml');
      writeFileSync(file, promtoolTests(alerts, healthy, [recordingPath, alertPath]));

      expect(promtool('test', 'rules', file)).toContain('SUCCESS');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
