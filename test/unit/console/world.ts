/** A console without a daemon: the real store and menus, a registry of fixed rows, and a driver that takes all text at once. */

import { VirtualClock } from '../../../src/base/clock.ts';
import { Fault } from '../../../src/base/fault.ts';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { tracingOf } from '../../../src/composition/tracing.ts';
import { menus } from '../../../src/config/configuration.ts';
import { ScriptFault } from '../../../src/config/fault.ts';
import { Store } from '../../../src/config/store.ts';
import { settingsOf } from '../../../src/config/tree.ts';
import type { Form, Scripts } from '../../../src/console/desk.ts';
import { facesOf } from '../../../src/console/faces.ts';
import type { ClientInterface, LivePorts, ServerInterface } from '../../../src/console/live.ts';
import { LogRing, logFace } from '../../../src/console/log.ts';
import { systemPing } from '../../../src/console/ping.io.ts';
import { Interrupted, type Run, type Wait } from '../../../src/console/run.ts';
import { SafeMode } from '../../../src/console/safe-mode.ts';
import { Shell, type ShellServices } from '../../../src/console/shell.ts';
import { tunnelsOf } from '../../../src/licence/levels.ts';
import { licenceMenu } from '../../../src/licence/settings.ts';
import { metricsMenu } from '../../../src/metrics/settings.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import type { DrainProgress } from '../../../src/session/drain.ts';
import type { NodeRow, SessionRow } from '../../../src/session/registry/registry.ts';
import { Traces } from '../../../src/session/trace/traces.ts';

export const nowMs = Date.UTC(2026, 10, 21);
const second = 1000;
const minute = 60 * second;

export const plain: Form = { width: undefined, json: false };

export function ip(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

/** A session that has been up for `uptimeMs`, counted `at` in the service. */
export function sessionRow(
  at: number,
  user: string,
  node: string,
  more: Partial<{
    callerId: string;
    address: string;
    uptimeMs: number;
    encoding: string;
    radius: boolean;
  }> = {},
): SessionRow {
  const { callerId = '192.0.2.9', address = '10.0.0.5', uptimeMs = 51 * second, encoding = '' } = more;
  const sessionId = `5f0e2c6742ffd1${at.toString(16).padStart(8, '0')}`;
  const framedAddress = ip(address);
  return {
    sessionId,
    node,
    bootId: `${node}-boot`,
    user,
    framedAddress,
    callerId,
    interfaceName: `<pptp-${user}>`,
    encoding,
    startedAtMs: nowMs - uptimeMs,
    facts: {
      user,
      framedAddress,
      classes: [],
      authentic: more.radius ? 'radius' : 'local',
    } as unknown as SessionRow['facts'],
    known: { atMs: nowMs, uptimeMs, usage: {} as SessionRow['known']['usage'] },
  };
}

function nodeRow(node: string, bootId: string, sessions: number, more: Partial<NodeRow> = {}): NodeRow {
  return {
    node,
    bootId,
    addresses: [ip('192.0.2.1')],
    licenceLevel: 'level3',
    licenceLimit: 200,
    licenceUsed: sessions,
    sessions,
    isReady: true,
    isDraining: false,
    startedAtMs: nowMs - 26 * 60 * minute,
    atMs: nowMs - second,
    version: '0.1.0',
    isSuspect: false,
    ...more,
  };
}

const threeSessions: readonly SessionRow[] = [
  sessionRow(1, 'alice', 'north', {
    callerId: '192.168.51.3',
    address: '10.0.0.5',
    uptimeMs: 44 * minute + 8 * second,
    encoding: 'MPPE128 stateless',
    radius: true,
  }),
  sessionRow(2, 'bob', 'south', {
    callerId: '192.168.51.4',
    address: '10.0.0.6',
    uptimeMs: 4 * 60 * minute + 35 * second,
  }),
  sessionRow(3, 'alice', 'south', {
    callerId: '192.168.51.5',
    address: '10.0.0.7',
    uptimeMs: 6 * minute + 32 * second,
    encoding: 'MPPE40 stateful',
    radius: true,
  }),
];

const server: readonly ServerInterface[] = [
  {
    sessionId: threeSessions[0]?.sessionId ?? '',
    name: '<pptp-MT-User>',
    user: 'MT-User',
    mtu: 1450,
    clientAddress: ip('192.168.51.3'),
    uptimeMs: 44 * minute + 8 * second + 345,
    encoding: 'MPPE128 stateless',
  },
];

const clients: readonly ClientInterface[] = [
  {
    name: 'out1',
    status: 'Connected',
    isRunning: true,
    uptimeMs: 4 * 60 * minute + 35 * second,
    encoding: 'MPPE128 stateless',
  },
  { name: 'out2', status: 'Dialing', isRunning: false, uptimeMs: 0, encoding: '' },
];

export class World {
  readonly store: Store;
  readonly services: ShellServices;
  /** What nodes were told, as `node: ids`. */
  readonly kicked: string[] = [];
  /** Likewise, as `node: order`. */
  readonly drained: string[] = [];
  drain: DrainProgress = { mode: 'off', forMs: 0, begunWith: 0, left: 3 };
  isOnline = true;
  sessions: readonly SessionRow[] = threeSessions;
  nodes: readonly NodeRow[] = [
    nodeRow('north', 'a1', 1),
    nodeRow('south', 'b2', 2, {
      isReady: false,
      isSuspect: true,
      isDraining: true,
      licenceLimit: undefined,
      licenceLevel: 'level6',
    }),
  ];
  serverInterfaces: readonly ServerInterface[] = server;
  clientInterfaces: readonly ClientInterface[] = clients;
  /** The files that `export` writes and `import` reads. */
  readonly files = new Map<string, string>();
  readonly clock = new VirtualClock(nowMs);
  readonly logRing = new LogRing(() => this.clock.wallMs());
  readonly traces = new Traces({ clock: this.clock, codec: attributeCodec });
  /** The next commits are refused with these. */
  refusals: Fault[] = [];
  /** Set: every commit is refused with it. */
  refusal: Fault | undefined;

  constructor() {
    const all = [...new Set([...menus, licenceMenu, metricsMenu])];
    this.store = new Store(all);
    const isOnline = () => this.isOnline;
    const ports: LivePorts = {
      node: 'north',
      wallMs: () => nowMs,
      drain: () => this.drain,
      registry: {
        get isOnline() {
          return isOnline();
        },
        list: (answer) => answer(this.sessions),
        nodes: (answer) => answer(this.nodes),
        command: (node, command, answer) => {
          if (!this.nodes.some((each) => each.node === node))
            return answer({ ok: false, why: 'unreachable' });
          if (command.kind === 'drain') {
            this.drained.push(`${node}: ${command.mode}`);
            return answer({ ok: true });
          }
          if (command.kind !== 'kick') throw new Error(`nobody asks for ${command.kind}`);
          this.kicked.push(`${node}: ${command.sessionIds.join(' ')}`);
          this.sessions = this.sessions.filter(({ sessionId }) => !command.sessionIds.includes(sessionId));
          this.serverInterfaces = this.serverInterfaces.filter(
            ({ sessionId }) => !command.sessionIds.includes(sessionId),
          );
          answer({ ok: true });
        },
      },
      serverInterfaces: () => this.serverInterfaces,
      clientInterfaces: () => this.clientInterfaces,
      tunnels: () => [],
      hostInterfaces: (answer) => answer([]),
      hostAddresses: (answer) => answer([]),
      hostRoutes: (answer) => answer([]),
      licence: () => ({ used: 3, limit: tunnelsOf[settingsOf(this.store.current.tree, licenceMenu).level] }),
      radius: () => [
        {
          address: '192.0.2.7',
          comment: '',
          state: 'alive',
          pending: 1,
          queued: 0,
          requests: 70,
          accepts: 60,
          rejects: 7,
          challenges: 0,
          resends: 4,
          timeouts: 2,
          badReplies: 1,
          lastRequestRttMs: 12.4,
          roles: [],
        },
      ],
    };
    const commit: ShellServices['commit'] = (candidate, answer) => {
      const refusal = this.refusals.shift() ?? this.refusal;
      if (refusal === undefined) this.store.commit(candidate);
      answer(refusal);
    };
    this.services = {
      faces: [...facesOf(all, ports), logFace(this.logRing)],
      store: this.store,
      commit,
      surroundings: {
        clock: this.clock,
        identity: 'north',
        version: '1.2.3',
        scripts: this.#scripts(),
        echo: systemPing,
        safeMode: new SafeMode({ store: this.store, commit }),
        tracing: tracingOf('north', this.traces, { list: (answer) => answer(this.sessions) }),
      },
    };
  }

  /** Loads a configuration, as a file would. */
  configure(text: string): void {
    this.store.commit(this.store.proposeWhole([{ file: 'start', text }]));
  }

  #scripts(): Scripts {
    return {
      read: (name, answer) => {
        const text = this.files.get(name);
        answer(text === undefined ? noSuchFile(name) : { file: name, text });
      },
      write: (name, text, answer) => {
        this.files.set(name, text);
        answer(undefined);
      },
    };
  }

  shell(): Shell {
    return new Shell(this.services);
  }
}

function noSuchFile(name: string): Fault {
  return new Fault(
    'CONFIG_UNREADABLE',
    'system',
    `cannot read the configuration ${name}: ENOENT`,
    'Is it there?',
  );
}

/**
 * All text of `run`; a fault's words after it, as `! words`. One that would go on until it is interrupted is, as soon as it waits
 * for something that does not come at once.
 */
export async function transcriptOf(run: Run): Promise<string> {
  const pieces: string[] = [];
  try {
    let step = run.next();
    while (!step.done) {
      const { value } = step;
      if (typeof value === 'string') {
        pieces.push(value);
        step = run.next();
        continue;
      }
      const answer = await answerTo(value);
      step = answer instanceof Interrupted ? run.throw(answer) : run.next(answer);
    }
  } catch (error) {
    if (error instanceof Interrupted) pieces.push('^C\n');
    else if (error instanceof Fault)
      pieces.push(`! ${error instanceof ScriptFault ? error.wording : error.message}\n`);
    else throw error;
  }
  return pieces.join('');
}

function answerTo({ begin }: Wait): Promise<unknown> {
  return new Promise((resume) => {
    const stop = begin(resume);
    if (stop === undefined) return;
    stop();
    resume(new Interrupted());
  });
}
