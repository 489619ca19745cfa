/**
 * The tallies of the program as metrics: each name of each is one, `pptp_<area>_<name>_total`, and the sentence that it was
 * declared with is its help. A tally that is not here is shown by name in the catalogue; a test finds one that is in neither.
 */

import { sharedTally } from '../accounting/shared-tally.ts';
import { accountingTally } from '../accounting/tally.ts';
import type { Tally } from '../base/observe.ts';
import { servicesTally } from '../console/services/users.ts';
import { kubernetesTally } from '../kubernetes/cordon-watch.ts';
import { licenceTally } from '../licence/licence.ts';
import { lineTally } from '../radius/line.ts';
import { admissionTally } from '../session/admission.ts';
import { controlTally } from '../session/connection.ts';
import { echoTally } from '../session/echoes.ts';
import { nodesTally } from '../session/registry/nodes.ts';
import { registryTally } from '../session/registry/tally.ts';

import { switchboardTally } from '../session/switchboard.ts';
import { pppTally, takeoverTally } from '../session/tally.ts';
import { traceTally } from '../session/trace/tally.ts';
import { metricsTally } from './tally.ts';

/** By the area that their metrics have in their names. */
const tallies: Readonly<Record<string, Tally<string>>> = {
  accounting: accountingTally,
  accounting_redis: sharedTally,
  admission: admissionTally,
  control: controlTally,
  kubernetes: kubernetesTally,
  lcp_echo: echoTally,
  licence: licenceTally,
  metrics: metricsTally,
  nodes: nodesTally,
  ppp: pppTally,
  radius_socket: lineTally,
  registry: registryTally,
  services: servicesTally,
  switchboard: switchboardTally,
  takeover: takeoverTally,
  trace: traceTally,
};

export interface TalliedMetric {
  readonly name: string;
  readonly help: string;
  read(): number;
}

export const talliedMetrics: readonly TalliedMetric[] = metricsOfTallies(tallies);

/** The metrics of tallies that are not the program's but of one of its parts, by the area in their names. */
export function metricsOfTallies(byArea: Readonly<Record<string, Tally<string>>>): readonly TalliedMetric[] {
  return Object.entries(byArea).flatMap(([area, tally]) =>
    Object.entries(tally.help).map(([happening, help]) => ({
      name: `pptp_${area}_${snake(happening)}_total`,
      help: sentence(help),
      read: () => tally.read(happening),
    })),
  );
}

/** `commandsTooMany`, `call-unknown` → `commands_too_many`, `call_unknown`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
