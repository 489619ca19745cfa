/**
 * RouterOS's rate limits: `rx[/tx] [rx-burst[/tx-burst] [rx-threshold[/tx-threshold] [rx-time[/tx-time] [priority
 * [rx-min[/tx-min]]]]]]`, as `/ppp profile` and Mikrotik-Rate-Limit write them; rx is what the user sends. Text in, `Rates`
 * out, and back. Pure.
 */

import { formatDuration, parseDuration } from '../base/duration.ts';
import { type Kind, type Refusal, refuse } from '../base/setting.ts';
import type { Rate, Rates } from './grant.ts';

/** A value for each direction. */
interface Pair {
  readonly receive: number;
  readonly transmit: number;
}

/** In bits per second: ten times the fastest port there is; products with times stay exact below it. */
const highestRate = 1e12;
/** An average over more than an hour is a quota, not a burst. */
const longestBurstMs = 3_600_000;
const usualBurstMs = 1000;

const multipliers: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** Bits per second. Small and capital letters mean the same, since billing systems write `10m` as well as `10M`. */
function parseRate(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,13})([kmg]?)$/i.exec(text) ?? [];
  const multiplier = multipliers[unit] ?? multipliers[unit.toUpperCase()] ?? multipliers[unit.toLowerCase()];
  const rate = digits === '' || multiplier === undefined ? Number.NaN : Number(digits) * multiplier;
  return rate <= highestRate ? rate : undefined;
}

function parseBurstTime(text: string): number | undefined {
  const timeMs = parseDuration(text);
  return timeMs !== undefined && timeMs <= longestBurstMs ? timeMs : undefined;
}

/** `one[/other]`: what is not said of the other direction is as for the first. Undefined if either cannot be read. */
function parsePair(word: string, parse: (text: string) => number | undefined): Pair | undefined {
  const [receiveText = '', transmitText = receiveText, ...more] = word.split('/');
  const [receive, transmit] = [parse(receiveText), parse(transmitText)];
  if (receive === undefined || transmit === undefined || more.length > 0) return undefined;
  return { receive, transmit };
}

/** The rates that `text` asks for; undefined if it follows no such form. */
export function parseRateLimit(text: string): Rates | undefined {
  const [limitWord = '', burstWord = '0', thresholdWord = '0', timeWord = '0', ...rest] = text
    .trim()
    .split(/\s+/);
  // Departs from the manual, by which a priority stands before the minimum: billing systems leave it out, and RouterOS takes it.
  const isPriority = !rest[0]?.includes('/');
  const [priorityWord = '0', minimumWord = '0', ...more] = isPriority ? rest : ['0', ...rest];
  const limits = parsePair(limitWord, parseRate);
  const bursts = parsePair(burstWord, parseRate);
  const thresholds = parsePair(thresholdWord, parseRate);
  const timesMs = parsePair(timeWord, parseBurstTime);
  const minimum = parsePair(minimumWord, parseRate);
  if (limits === undefined || bursts === undefined || thresholds === undefined) return undefined;
  if (timesMs === undefined || minimum === undefined || more.length > 0) return undefined;
  if (!/^[0-8]$/.test(priorityWord)) return undefined;
  if (exceeds(minimum.receive, limits.receive) || exceeds(minimum.transmit, limits.transmit))
    return undefined;

  const rate = (way: keyof Pair): Rate => rateOf(limits[way], bursts[way], thresholds[way], timesMs[way]);
  return {
    receive: rate('receive'),
    transmit: rate('transmit'),
    // Zeros are how billing systems skip a place.
    ...(priorityWord !== '0' && { priority: Number(priorityWord) }),
    ...((minimum.receive > 0 || minimum.transmit > 0) && { minimum }),
  };
}

function exceeds(minimum: number, limit: number): boolean {
  return limit > 0 && minimum > limit;
}

/** One direction; zeros are what was not said. A burst that is not above the limit is none. */
function rateOf(limit: number, burst: number, threshold: number, burstTimeMs: number): Rate {
  if (limit === 0 || burst <= limit) return steadyRate(limit);
  return {
    limit,
    burst,
    threshold: threshold === 0 ? limit : threshold,
    burstTimeMs: burstTimeMs === 0 ? usualBurstMs : burstTimeMs,
  };
}

/** A rate without bursts; 0: no limit. */
export function steadyRate(limit: number): Rate {
  return { limit, burst: limit, threshold: limit, burstTimeMs: usualBurstMs };
}

/** Both directions without bursts. */
export function steadyRates(receive: number, transmit: number): Rates {
  return { receive: steadyRate(receive), transmit: steadyRate(transmit) };
}

/** The shortest form that means `rates`, with both directions always written out. */
export function formatRateLimit({ receive, transmit, priority = 0, minimum }: Rates): string {
  const pair = (one: string, other: string): string => `${one}/${other}`;
  const word = (of: (rate: Rate) => string): string => pair(of(receive), of(transmit));
  const bursty = (of: (rate: Rate) => string) => word((rate) => (rate.burst > rate.limit ? of(rate) : '0'));
  const words = [
    word(({ limit }) => formatRate(limit)),
    bursty(({ burst }) => formatRate(burst)),
    bursty(({ threshold, limit }) => formatRate(threshold === limit ? 0 : threshold)),
    bursty(({ burstTimeMs }) => formatBurstTime(burstTimeMs)),
    String(priority),
    pair(formatRate(minimum?.receive ?? 0), formatRate(minimum?.transmit ?? 0)),
  ];
  // What says nothing at the end need not be said.
  while (words.length > 1 && /^0(\/0)?$/.test(words.at(-1) ?? '')) words.pop();
  return words.join(' ');
}

function formatRate(rate: number): string {
  const [unit = '', multiplier = 1] =
    Object.entries(multipliers).findLast(([, each]) => rate > 0 && rate % each === 0) ?? [];
  return `${rate / multiplier}${unit}`;
}

function formatBurstTime(timeMs: number): string {
  if (timeMs === usualBurstMs) return '0';
  return timeMs % 1000 === 0 ? String(timeMs / 1000) : formatDuration(timeMs);
}

/** A property that is a rate limit. The empty text is none: the next level is asked. */
export const rateLimitKind: Kind<Rates | undefined> = {
  label: 'rx[/tx] [burst [threshold [time [priority [min]]]]]',
  quoted: true,
  optional: true,
  parse(typed): Rates | undefined | Refusal {
    if (typed.trim() === '') return undefined;
    return parseRateLimit(typed) ?? refuse.invalid();
  },
  format: (rates) => (rates === undefined ? '' : formatRateLimit(rates)),
};
