/**
 * `/ppp trace`, `/ppp active trace`: the protocol of one subscriber as it happens, each packet a line, in the form of RouterOS's log with its topics
 * `pptp,ppp,radius,debug,packet`. Goes on until the operator has seen enough, or for `duration`. Who looks is a port. Pure.
 */

import { Fault } from '../base/fault.ts';
import { formatIpv4 } from '../base/ip.ts';
import { duration, ipv4, optional, text } from '../base/kind.ts';
import { type Kind, menu, type Row } from '../base/setting.ts';
import type { Trace, TraceLine } from '../session/trace/trace.ts';
import type { Wanted } from '../session/trace/wanted.ts';
import { oneItem } from './ask.ts';
import { visible } from './block.ts';
import { type Command, type Desk, faceAt, type Request } from './desk.ts';
import { documentOf } from './json.ts';
import { missing, readOptions } from './options.ts';
import { ask, type Run } from './run.ts';

export interface Tracing {
  /** Throws a `Fault` if too many traces are running; whoever begins one closes it. */
  begin(wanted: Wanted): Trace;
  /** Other nodes that have a session of whom is wanted. */
  elsewhere(wanted: Wanted, answer: (nodes: readonly string[]) => void): void;
}

function option<T>(kind: Kind<T>, help: string): Row<T | undefined> {
  return { kind: optional(kind), default: undefined, applies: 'live', help };
}

const time = {
  duration: option(duration(1000, 86_400_000), 'How long; without it, until interrupted.'),
};
const ofSession = menu({ path: '/ppp active trace', kind: 'settings', help: '', rows: time });
const ofAnybody = menu({
  path: '/ppp trace',
  kind: 'settings',
  help: '',
  rows: {
    user: option(text, 'Name that he says, with or without domain; also before he has called.'),
    callerId: option(ipv4, 'Address that he calls from: for who never gets as far as saying his name.'),
    interface: option(text, 'Interface of his, or of a tunnel that this node dials.'),
    ...time,
  },
});

export const trace: Command = {
  help: 'Shows the protocol of one user as it happens: PPTP, PPP and RADIUS, without secrets.',
  takes: (face) => (face === undefined ? { arguments: ofAnybody } : { items: true, arguments: ofSession }),
  appliesTo: (_, { words }) => ['ppp', 'ppp active'].includes(words.join(' ')),
  *run(request, desk) {
    const { wanted, durationMs } =
      request.place.menu === undefined ? anybody(request) : yield* session(request, desk);
    const { clock } = desk.surroundings;
    yield* traced(wanted, durationMs === undefined ? undefined : clock.nowMs() + durationMs, desk);
  },
};

interface Asked {
  readonly wanted: Wanted;
  readonly durationMs: number | undefined;
}

/** In `/ppp`: whoever is named, whether he is there or not. */
function anybody({ nodes, end }: Request): Asked {
  const { values } = readOptions(nodes, { words: {}, arguments: ofAnybody, unnamed: 'user' });
  const { user, callerId, interface: name, duration: durationMs } = values;
  const caller = callerId === undefined ? undefined : formatIpv4(callerId);
  const wanted = { user, callerId: caller, interface: name };
  if (wordsOf(wanted) === '')
    throw missing('user', end, 'Say whom to trace: a user, caller-id= or interface=.');
  return { wanted, durationMs };
}

/** In `/ppp active`: who is there. */
function* session(request: Request, desk: Desk): Run<Asked> {
  const [{ values: shown }, nodes] = yield* oneItem(request, faceAt(request, desk), desk);
  const { values } = readOptions(nodes, { words: {}, arguments: ofSession });
  const { name, callerId, interface: interfaceName, node } = shown;
  if (node !== desk.surroundings.identity) {
    const hint = `Trace on that node: /ppp trace ${name}`;
    throw new Fault('CONSOLE_NODE', 'operator', `failure: ${name} is connected to ${node}`, hint);
  }
  const wanted = { user: String(name), callerId: String(callerId), interface: String(interfaceName) };
  return { wanted, durationMs: values.duration };
}

/** `user=bob`. */
function wordsOf({ user, callerId, interface: name }: Wanted): string {
  const words = { user, 'caller-id': callerId, interface: name };
  const said = Object.entries(words).filter(([, value]) => value !== undefined && value !== '');
  return said.map(([word, value]) => `${word}=${visible(String(value))}`).join(' ');
}

function* traced(wanted: Wanted, untilMs: number | undefined, desk: Desk): Run {
  const { tracing, clock } = desk.surroundings;
  const remark = desk.form.json ? () => '' : (words: string) => `;;; ${words}\n`;
  const trace = tracing.begin(wanted);
  try {
    yield remark(`tracing ${wordsOf(wanted)}`);
    const nodes = yield* ask<readonly string[]>((answer) => tracing.elsewhere(wanted, answer));
    if (nodes.length > 0) yield remark(`connected to ${nodes.join(', ')}: trace there what happens there`);
    while (untilMs === undefined || clock.nowMs() < untilMs) {
      yield* there(trace, untilMs, desk);
      for (const line of trace.take()) yield desk.form.json ? inJson(line) : inText(line);
    }
  } finally {
    trace.close();
  }
}

/** Waits until there are lines, or the time is over. */
function* there(trace: Trace, untilMs: number | undefined, { surroundings: { clock } }: Desk): Run {
  yield* ask<void>((resume) => {
    const timer = untilMs === undefined ? undefined : clock.arm(untilMs - clock.nowMs(), resume);
    const stop = trace.awaitLines(() => {
      timer?.cancel();
      resume();
    });
    return () => {
      timer?.cancel();
      stop();
    };
  });
}

/** To the millisecond: how long somebody took to answer is often the point. */
function inText({ atMs, topics, message }: TraceLine): string {
  return `${new Date(atMs).toISOString().slice(11, 23)} ${topics} ${visible(message)}\n`;
}

function inJson({ atMs, topics, message }: TraceLine): string {
  return documentOf({ time: new Date(atMs).toISOString(), topics, message });
}
