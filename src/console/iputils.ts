/**
 * What the system's `ping` (iputils) prints, as events: a line enters, what it tells of a request leaves. It counts from 1 and
 * RouterOS from 0; its sizes are without the IP header. Pure.
 */

import { formatIpv4 } from '../base/ip.ts';
import type { EchoAnswer, EchoRequest } from './echo.ts';

const ipHeader = 20;
const icmpHeader = 8;

const replyLine = /^(\d+) bytes from ([^\s:]+): icmp_seq=(\d+) ttl=(\d+) time=([\d.]+) ms/;
const lateLine = /^no answer yet for icmp_seq=(\d+)/;
const refusedLine = /^From ([^\s:]+):? icmp_seq=(\d+) (.+)$/;
/** An interface of this node cannot send it whole: nobody else has said so, and it has no number. */
const tooLargeLine = /^ping: local error: message too long/i;

/** RouterOS's words for those of ping; others are shown as they are, in lower case. */
const statuses: readonly (readonly [pattern: RegExp, status: string])[] = [
  [/^Time to live exceeded/, 'TTL exceeded'],
  [/^Destination Host Unreachable/, 'host unreachable'],
  [/^Destination Net Unreachable/, 'net unreachable'],
  [/^Destination Port Unreachable/, 'port unreachable'],
  [/^Packet filtered/, 'filtered'],
  [/^Frag needed/, 'fragmentation needed and DF set'],
];

/** What `ping` is to be called with. */
export function argumentsFor(request: EchoRequest): readonly string[] {
  const { target, count, intervalMs, size, source, doNotFragment } = request;
  return [
    ...['-n', '-O', '-4', '-W', String(Math.max(1, intervalMs / 1000)), '-i', String(intervalMs / 1000)],
    ...['-s', String(size - ipHeader - icmpHeader)],
    ...(count === undefined ? [] : ['-c', String(count)]),
    ...(source === undefined ? [] : ['-I', formatIpv4(source)]),
    ...(doNotFragment ? ['-M', 'do'] : []),
    target,
  ];
}

/** The lines of one run, in order. */
export class PingReader {
  readonly #target: string;
  /** Requests before this one have been answered or given up. */
  #next = 0;

  constructor(target: string) {
    this.#target = target;
  }

  /** What `line` tells of a request that nothing was told of before. */
  read(line: string): EchoAnswer | undefined {
    const [, octets, host = '', reply, ttl, timeMs] = replyLine.exec(line) ?? [];
    if (reply !== undefined) {
      const numbers = { size: Number(octets) + ipHeader, ttl: Number(ttl), timeMs: Number(timeMs) };
      return this.#tell(Number(reply), (sequence) => ({ event: 'reply', sequence, host, ...numbers }));
    }
    const [, late] = lateLine.exec(line) ?? [];
    if (late !== undefined) return this.#fail(Number(late), this.#target, 'timeout');
    const [, who = '', refused, words = ''] = refusedLine.exec(line) ?? [];
    if (refused !== undefined) return this.#fail(Number(refused), who, statusOf(words));
    return tooLargeLine.test(line)
      ? this.#fail(this.#next + 1, this.#target, 'packet too large and cannot be fragmented')
      : undefined;
  }

  /** The requests up to `count` of which nothing was heard. */
  rest(count: number): readonly EchoAnswer[] {
    const lost: EchoAnswer[] = [];
    for (let number = this.#next + 1; number <= count; number += 1) {
      lost.push({ event: 'failure', sequence: number - 1, host: this.#target, status: 'timeout' });
    }
    return lost;
  }

  #fail(number: number, host: string, status: string): EchoAnswer | undefined {
    return this.#tell(number, (sequence) => ({ event: 'failure', sequence, host, status }));
  }

  #tell(number: number, answer: (sequence: number) => EchoAnswer): EchoAnswer | undefined {
    if (number <= this.#next) return undefined;
    this.#next = number;
    return answer(number - 1);
  }
}

function statusOf(words: string): string {
  return statuses.find(([pattern]) => pattern.test(words))?.[1] ?? words.toLowerCase();
}
