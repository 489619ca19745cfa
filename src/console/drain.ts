/**
 * `/system drain`: taking a node out of service, this one or another of the service. `print` tells how far this one has come; the other
 * nodes' sessions are in `/system cluster node print`. What the orders mean is session/drain.ts's. Pure.
 */

import type { Clock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import { duration, optional, text } from '../base/kind.ts';
import { type Kind, menu, type Row } from '../base/setting.ts';
import type { DrainOrder, DrainProgress } from '../session/drain.ts';
import { drainMenu } from '../session/drain-settings.ts';
import { type Command, type Desk, faceAt, type Request } from './desk.ts';
import type { Drainer, Face, Live } from './face.ts';
import { type LivePorts, refusalWords } from './live.ts';
import { count, shown, uptimeKind, word } from './live-menus.ts';
import { readOptions } from './options.ts';
import { ask, done, pause, type Run } from './run.ts';

export const drainViewMenu = menu({
  path: drainMenu.path,
  kind: 'settings',
  help: drainMenu.help,
  rows: {
    ...drainMenu.rows,
    status: shown(word, 'What is done now.'),
    duration: shown(uptimeKind, 'Since when the node is being drained.'),
    sessionsBefore: shown(count, 'Sessions that there were then.'),
    sessionsLeft: shown(count, 'Sessions that there are now.'),
  },
});

function statusOf({ mode, left }: DrainProgress): string {
  if (mode === 'off') return 'not draining';
  if (left === 0) return 'drained';
  return mode === 'soft' ? 'waiting for sessions to end' : 'ending sessions';
}

export function drainInProgress(ports: LivePorts): Live {
  return {
    items(configured, answer) {
      const progress = ports.drain();
      const { mode, forMs, begunWith, left } = progress;
      const now = {
        status: statusOf(progress),
        ...(mode !== 'off' && { duration: forMs, sessionsBefore: begunWith }),
        sessionsLeft: left,
      };
      answer({ items: configured.map((item) => ({ ...item, values: { ...item.values, ...now } })) });
    },
    drain: drainerOf(ports),
  };
}

function drainerOf({ node: here, registry, drain }: LivePorts): Drainer {
  return {
    order: (mode, node = here, answer) =>
      registry.command(node, { kind: 'drain', mode }, (reply) =>
        answer(reply.ok ? undefined : notDrained(node, refusalWords[reply.why])),
      ),
    left(node = here, answer) {
      if (node === here) return answer(drain().left);
      // A beat from before the order says nothing about what is left.
      registry.nodes((rows) => answer(rows.find((row) => row.node === node && row.isDraining)?.sessions));
    },
  };
}

function notDrained(node: string, why: string): Fault {
  return new Fault(
    'CONSOLE_NODE',
    'system',
    `failure: ${node} ${why}`,
    'See /system cluster node print for the nodes and what they are called.',
  );
}

function option<T>(kind: Kind<T>, help: string): Row<T | undefined> {
  return { kind: optional(kind), default: undefined, applies: 'live', help };
}

const node = option(text, 'Another node of the service.');
const wait = option(duration(1_000, 86_400_000), 'How long to wait until no session is left.');

const options = {
  order: menu({ path: drainMenu.path, kind: 'settings', help: '', rows: { node, wait } }),
  cancel: menu({ path: drainMenu.path, kind: 'settings', help: '', rows: { node } }),
} as const;

/** Between two looks at what is left, in ms. */
const lookMs = 1_000;

export const soft = draining('soft', 'Refuses new calls; the users who are connected stay until they leave.');
export const hard = draining(
  'hard',
  'Refuses new calls and ends the sessions that there are, so many a second.',
);

function draining(order: DrainOrder, help: string): Command {
  return {
    help,
    takes: () => ({ arguments: options.order }),
    appliesTo: isHere,
    *run(request, desk) {
      const drainer = drainerAt(request, desk);
      const { values } = readOptions(request.nodes, { words: {}, arguments: options.order });
      yield* done((answer) => drainer.order(order, values.node, answer));
      if (values.wait !== undefined) {
        yield* untilEmpty(drainer, values.node, values.wait, desk.surroundings.clock);
      }
    },
  };
}

export const cancel: Command = {
  help: 'Takes calls again; sessions that have not been ended stay.',
  takes: () => ({ arguments: options.cancel }),
  appliesTo: isHere,
  *run(request, desk) {
    const drainer = drainerAt(request, desk);
    const { values } = readOptions(request.nodes, { words: {}, arguments: options.cancel });
    yield* done((answer) => drainer.order('cancel', values.node, answer));
  },
};

function isHere(face: Face | undefined): boolean {
  return face?.live?.drain !== undefined;
}

function drainerAt(request: Request, desk: Desk): Drainer {
  const drainer = faceAt(request, desk).live?.drain;
  if (drainer === undefined) throw new Error('nothing can be drained here');
  return drainer;
}

/** Throws a fault if sessions are left after `waitMs`. */
function* untilEmpty(drainer: Drainer, name: string | undefined, waitMs: number, clock: Clock): Run {
  const untilMs = clock.nowMs() + waitMs;
  for (;;) {
    const left = yield* ask<number | undefined>((answer) => {
      drainer.left(name, answer);
    });
    if (left === 0) return;
    if (clock.nowMs() >= untilMs) throw overdue(left);
    yield* pause(clock, lookMs);
  }
}

function overdue(left: number | undefined): Fault {
  const text =
    left === undefined ? 'failure: the node is not heard of' : `failure: ${left} sessions are left`;
  return new Fault('CONSOLE_DRAIN', 'operator', text, 'Wait longer, or end them: /system drain hard.');
}
