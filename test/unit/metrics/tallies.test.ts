/** Whatever the program counts is told: a tally that nobody has put into the catalogue is found here. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { everyMetric } from '../../../src/metrics/catalogue.ts';
import { snake } from '../../../src/metrics/tallies.ts';

const root = fileURLToPath(new URL('../../../src/', import.meta.url));

/** Areas whose metrics have another name: one metric with a label for each happening, or the area's own word. */
const renamed: Readonly<Record<string, string>> = {
  pptp: 'pptp_control_malformed_total',
  'pptp-messages': 'pptp_control_messages_total',
  session: 'pptp_session_ends_total',
  'session-set-up': 'pptp_session_set_up_failures_total',
  'radius-incoming': 'pptp_radius_incoming_events_total',
};

/** The areas that tallies are made for, anywhere in the sources. */
function areas(): readonly string[] {
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  return sources.flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/\btally\(\s*'([^']+)'/g)].map(
      ([, area = '']) => area,
    ),
  );
}

it('has every tally of the sources in the catalogue', () => {
  const isTold = (area: string): boolean =>
    everyMetric.has(renamed[area] ?? '') ||
    [...everyMetric.keys()].some((name) => name.startsWith(`pptp_${snake(area)}_`));

  expect(areas().length).toBeGreaterThan(12);
  expect(areas().filter((area) => !isTold(area))).toEqual([]);
});

it('says what each metric is in a sentence', () => {
  for (const [name, { help }] of everyMetric)
    expect([name, help]).toEqual([name, expect.stringMatching(/^.{6,}$/)]);
});
