/**
 * `/ping`: RouterOS's table of echo requests (RFC 792) and their replies. Who sends them is a port: control has no right to
 * raw sockets. Pure.
 */

import type { Fault } from '../base/fault.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import { duration, host, integer, ipv4, optional, yesNo } from '../base/kind.ts';
import { type Kind, menu, type Row } from '../base/setting.ts';
import { visible } from './block.ts';
import { atRoot, type Command } from './desk.ts';
import { Inbox } from './inbox.ts';
import { documentOf } from './json.ts';
import { missing, readOptions } from './options.ts';
import { Interrupted, type Run } from './run.ts';

export interface EchoRequest {
  /** An address, or a name to be resolved. */
  readonly target: string;
  /** Undefined: until it is stopped. */
  readonly count: number | undefined;
  readonly intervalMs: number;
  /** Octets of the IP packet. */
  readonly size: number;
  readonly source: Ipv4 | undefined;
  readonly doNotFragment: boolean;
}

/** What became of one request. */
export type EchoAnswer =
  | {
      readonly event: 'reply';
      readonly sequence: number;
      readonly host: string;
      readonly size: number;
      readonly ttl: number;
      readonly timeMs: number;
    }
  /** No reply in time; `host` is who said why, if anybody did. */
  | { readonly event: 'failure'; readonly sequence: number; readonly host: string; readonly status: string };

/** `end` is the last thing told. */
export type EchoEvent = EchoAnswer | { readonly event: 'end'; readonly fault: Fault | undefined };

export interface Echo {
  /** Sends, and tells what comes; gives back how to stop. */
  send(request: EchoRequest, tell: (event: EchoEvent) => void): () => void;
}

/** Events that may wait for a slow reader. */
const eventsMax = 1000;

function option<T>(kind: Kind<T>, help: string): Row<T | undefined> {
  return { kind: optional(kind), default: undefined, applies: 'live', help };
}

const rows = menu({
  path: '/ping',
  kind: 'settings',
  help: '',
  rows: {
    address: option(host, 'Who is to answer.'),
    count: option(integer(1, 1_000_000), 'How many requests; without it, until interrupted.'),
    interval: option(duration(10, 5000), 'Time between two requests.'),
    size: option(integer(28, 65_535), 'Octets of a packet, its IP header counted.'),
    srcAddress: option(ipv4, 'Address that it is sent from.'),
    doNotFragment: option(yesNo, 'Whether routers must not cut it in pieces.'),
  },
});

const defaults = { intervalMs: 1000, size: 56 } as const;

export const ping: Command = {
  help: 'Sends echo requests.',
  takes: () => ({ arguments: rows }),
  appliesTo: atRoot,
  *run({ nodes, end }, { form, surroundings }) {
    const { values } = readOptions(nodes, { words: {}, arguments: rows, unnamed: 'address' });
    const { address, count } = values;
    if (address === undefined) throw missing('address', end, 'Say who is to answer.');
    if (count === undefined && form.width === undefined) {
      throw missing('count', end, 'Without a terminal nobody could stop it.');
    }
    const request = {
      target: 'address' in address ? formatIpv4(address.address) : address.hostName,
      count,
      intervalMs: values.interval ?? defaults.intervalMs,
      size: values.size ?? defaults.size,
      source: values.srcAddress,
      doNotFragment: values.doNotFragment ?? false,
    };
    const tell = form.json ? inJson : inTable;
    yield tell.heading;
    const sums = new Sums();
    yield* heard(request, surroundings.echo, (event) => {
      sums.count(event);
      return tell.line(event);
    });
    yield tell.summary(sums);
  },
};

/** Gives the line of each event, until the last or until the operator has seen enough. Throws the fault of the sender. */
function* heard(request: EchoRequest, echo: Echo, lineOf: (event: EchoAnswer) => string): Run {
  const inbox = new Inbox<EchoEvent>(eventsMax);
  const stop = echo.send(request, (event) => inbox.put(event));
  try {
    for (;;) {
      for (const event of yield* inbox.take()) {
        if (event.event !== 'end') yield lineOf(event);
        else if (event.fault === undefined) return;
        else throw event.fault;
      }
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    stop();
  }
}

/** Sums over all requests; times are milliseconds. */
class Sums {
  #sent = 0;
  #received = 0;
  #leastMs = Number.POSITIVE_INFINITY;
  #mostMs = 0;
  #totalMs = 0;

  count(event: EchoAnswer): void {
    this.#sent += 1;
    if (event.event === 'failure') return;
    this.#received += 1;
    this.#leastMs = Math.min(this.#leastMs, event.timeMs);
    this.#mostMs = Math.max(this.#mostMs, event.timeMs);
    this.#totalMs += event.timeMs;
  }

  /** RouterOS's names and forms. */
  get values(): Readonly<Record<string, string>> {
    const lost = this.#sent === 0 ? 0 : Math.round(((this.#sent - this.#received) * 100) / this.#sent);
    const sums = { sent: `${this.#sent}`, received: `${this.#received}`, 'packet-loss': `${lost}%` };
    if (this.#received === 0) return sums;
    return {
      ...sums,
      'min-rtt': formatRoundTrip(this.#leastMs),
      'avg-rtt': formatRoundTrip(this.#totalMs / this.#received),
      'max-rtt': formatRoundTrip(this.#mostMs),
    };
  }
}

/** `1ms254us`, `344us`. */
function formatRoundTrip(timeMs: number): string {
  const timeUs = Math.round(timeMs * 1000);
  const [whole, rest] = [Math.floor(timeUs / 1000), timeUs % 1000];
  return `${whole > 0 ? `${whole}ms` : ''}${rest > 0 || whole === 0 ? `${rest}us` : ''}`;
}

/** Columns of the table; their widths are RouterOS's. */
function row(sequence: string, who: string, size: string, ttl: string, time: string, status: string): string {
  const left = `${sequence.padStart(5)} ${visible(who).padEnd(40)}${size.padStart(5)} ${ttl.padStart(3)}`;
  return `${`${left} ${time.padEnd(10)} ${status}`.trimEnd()}\n`;
}

const inTable = {
  heading: row('SEQ', 'HOST', 'SIZE', 'TTL', 'TIME', 'STATUS'),
  line(event: EchoAnswer): string {
    const { sequence, host: who } = event;
    if (event.event === 'failure') return row(String(sequence), who, '', '', '', event.status);
    const { size, ttl, timeMs } = event;
    return row(String(sequence), who, String(size), String(ttl), formatRoundTrip(timeMs), '');
  },
  summary: ({ values }: Sums): string =>
    `    ${Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}\n`,
} as const;

const inJson = {
  heading: '',
  line(event: EchoAnswer): string {
    const { sequence, host: who } = event;
    if (event.event === 'failure')
      return documentOf({ seq: String(sequence), host: who, status: event.status });
    const { size, ttl, timeMs } = event;
    const numbers = { size: String(size), ttl: String(ttl), time: formatRoundTrip(timeMs) };
    return documentOf({ seq: String(sequence), host: who, ...numbers });
  },
  summary: ({ values }: Sums): string => documentOf(values),
} as const;
