/** The command line and the environment, as values. The only file that reads either. */

import { hostname } from 'node:os';
import { parseArgs } from 'node:util';

export const usage = `usage: pptp-concentrator [options]
  --config FILE     a RouterOS script with the configuration; may be given several times
  --state DIR       where the node keeps its own configuration and the accounting journal (default: /var/lib/pptp-concentrator)
  --run DIR         where the engine's socket and log are (default: /run/pptp-concentrator)
  --join-engine     join the engine that listens there; it is neither started nor ended
  --identity NAME   how this node calls itself (default: NODE_NAME, or the host's name)
  --watch-cordon    in a pod of Kubernetes: drain softly while its node is cordoned
  --log LEVEL       debug, info (default), warning or error
`;

/** What Kubernetes tells a pod of itself. */
export interface Pod {
  /** The name of its Node object. */
  readonly node: string;
  readonly apiServer: { readonly host: string; readonly port: number };
}

export interface Options {
  readonly config: readonly string[];
  readonly state: string;
  readonly run: string;
  readonly joinEngine: boolean;
  readonly identity: string;
  readonly watchCordon: boolean;
  /** Undefined if this is none. */
  readonly pod: Pod | undefined;
  readonly log: 'debug' | 'info' | 'warning' | 'error';
}

const levels = ['debug', 'info', 'warning', 'error'] as const;

/** What `words` ask for. Throws a TypeError that says what is wrong with them. */
export function readOptions(words: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...words],
    options: {
      config: { type: 'string', multiple: true, default: [] },
      state: { type: 'string', default: '/var/lib/pptp-concentrator' },
      run: { type: 'string', default: '/run/pptp-concentrator' },
      'join-engine': { type: 'boolean', default: false },
      identity: { type: 'string', default: process.env.NODE_NAME ?? hostname() },
      'watch-cordon': { type: 'boolean', default: false },
      log: { type: 'string', default: 'info' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const log = levels.find((level) => level === values.log);
  if (log === undefined) throw new TypeError(`--log ${values.log}: it is one of ${levels.join(', ')}`);
  const { config, state, run, identity, 'join-engine': joinEngine, 'watch-cordon': watchCordon } = values;
  return { config, state, run, joinEngine, identity, watchCordon, pod: podOf(process.env), log };
}

function podOf({ NODE_NAME, KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT }: NodeJS.ProcessEnv) {
  if (!NODE_NAME || !KUBERNETES_SERVICE_HOST) return undefined;
  const apiServer = { host: KUBERNETES_SERVICE_HOST, port: Number(KUBERNETES_SERVICE_PORT ?? 443) };
  return { node: NODE_NAME, apiServer };
}
