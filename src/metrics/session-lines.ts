/**
 * The series of single sessions in Prometheus's text, in pieces: what makes them is a generator, because fifty thousand sessions
 * are ten megabytes, and nobody may wait that long. Enter: a census and who of it is wanted. Leaves: text, metric by metric, as
 * the format asks. Pure.
 *
 * The labels of a series that grows are the user and the interface, so that a subscriber who redials continues it: a label that
 * changes with each call would double what Prometheus holds with each outage. What else is known of the call is in
 * `pptp_session_info`.
 */

import { formatIpv4 } from '../base/ip.ts';
import { callIdMax, callIdOf } from '../session/call-ids.ts';
import type { ServedSession } from '../session/served-session.ts';
import { type Census, encryptionOf } from './census.ts';
import type { ToldCounter } from './readings.ts';

/** Sessions in one piece: two hundred microseconds. */
const pieceSessions = 250;
/** Octets of a label's value: RADIUS lets users be called more than any dashboard shows. */
const labelOctetsMax = 64;

interface Series {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

interface CountedSeries extends Series {
  readonly counter: ToldCounter;
}

const counted = (name: string, counter: ToldCounter, help: string): CountedSeries => ({
  name,
  type: 'counter',
  help,
  counter,
});

const counters: readonly CountedSeries[] = [
  counted('pptp_session_receive_bytes_total', 'receivedOctets', 'Octets from the subscriber.'),
  counted('pptp_session_transmit_bytes_total', 'transmittedOctets', 'Octets to the subscriber.'),
  counted('pptp_session_receive_packets_total', 'receivedPackets', 'Packets from the subscriber.'),
  counted('pptp_session_transmit_packets_total', 'transmittedPackets', 'Packets to the subscriber.'),
  counted('pptp_session_shaped_packets_total', 'shaped', 'Packets that a rate or a quota did not let pass.'),
  counted('pptp_session_lost_packets_total', 'lost', 'GRE packets of the subscriber that never came.'),
];

/** Undefined: no line. */
type Read = (served: ServedSession) => number | undefined;
type More = (served: ServedSession) => string;

interface ReadSeries extends Series {
  readonly read: Read;
}

const limit = (served: ServedSession, half: 'receive' | 'transmit'): number | undefined => {
  const bits = served.session.limits?.rates?.[half].limit ?? 0;
  return bits === 0 ? undefined : bits / 8;
};

const gauges: readonly ReadSeries[] = [
  {
    name: 'pptp_session_uptime_seconds',
    type: 'gauge',
    help: 'Since the session came up.',
    read: ({ session }) => Math.round(session.uptimeMs) / 1000,
  },
  {
    name: 'pptp_session_receive_limit_bytes_per_second',
    type: 'gauge',
    help: 'Rate that the subscriber may send at; no series if there is no limit.',
    read: (served) => limit(served, 'receive'),
  },
  {
    name: 'pptp_session_transmit_limit_bytes_per_second',
    type: 'gauge',
    help: 'Rate that the subscriber may receive at; no series if there is no limit.',
    read: (served) => limit(served, 'transmit'),
  },
];

const info: Series = {
  name: 'pptp_session_info',
  type: 'gauge',
  help: 'What else is known of a session: always 1.',
};

/** Names of all series, for dashboards and their tests. */
export const sessionSeries: readonly Series[] = [...counters, ...gauges, info];

export class SessionLines {
  /**
   * By Call ID. Labels do not change while a session lives; made anew for each reader they would be tens of thousands of texts that
   * live as long as the reading does, and the collector of garbage would stop everybody for milliseconds to move them about.
   */
  readonly #labels: string[] = new Array(callIdMax + 1).fill('');
  /** The calls that those are of. */
  readonly #calls = new Uint32Array(callIdMax + 1);

  /** The text of these sessions, piece by piece. */
  *text({ readings }: Census, wanted: readonly ServedSession[]): Generator<string> {
    const lines = (series: Series, read: Read, more?: More) =>
      linesOf(series, wanted, (served) => this.#labelsOf(served), read, more);
    for (const series of counters)
      yield* lines(series, ({ session }) => readings.read(session.place.call, series.counter));
    for (const series of gauges) yield* lines(series, series.read);
    yield* lines(
      info,
      () => 1,
      (served) => `,${factsOf(served)}`,
    );
  }

  #labelsOf(served: ServedSession): string {
    const { call } = served.session.place;
    const id = callIdOf(call);
    if (this.#calls[id] !== call) {
      this.#calls[id] = call;
      this.#labels[id] = labelsOf(served);
    }
    return this.#labels[id] ?? '';
  }
}

/** A line for each session that has a value. */
function* linesOf(
  { name, type, help }: Series,
  wanted: readonly ServedSession[],
  labels: (served: ServedSession) => string,
  read: Read,
  more: More = () => '',
): Generator<string> {
  yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (let from = 0; from < wanted.length; from += pieceSessions) {
    const lines = wanted.slice(from, from + pieceSessions).map((served) => {
      const value = read(served);
      return value === undefined ? '' : `${name}{${labels(served)}${more(served)}} ${value}\n`;
    });
    yield lines.join('');
  }
}

/** Joined, not put together by a template: V8 keeps what a template makes as a tree of its parts, which every reader would walk. */
function labelsOf({ user, session }: ServedSession): string {
  return ['user="', quoted(user), '",interface="', quoted(session.name), '"'].join('');
}

function factsOf(served: ServedSession): string {
  const { identity, row, method } = served;
  const address = row === undefined ? '' : formatIpv4(row.framedAddress);
  return [
    `session_id="${quoted(identity.sessionId)}"`,
    `address="${address}"`,
    `caller_id="${formatIpv4(identity.peerAddress)}"`,
    `authentication="${method ?? 'none'}"`,
    `encryption="${encryptionOf(served)}"`,
  ].join(',');
}

/** As the format wants a label's value. */
function quoted(text: string): string {
  const short = text.length > labelOctetsMax ? text.slice(0, labelOctetsMax) : text;
  return /[\\"\n]/.test(short)
    ? short.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : short;
}
