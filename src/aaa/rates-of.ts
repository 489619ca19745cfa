/**
 * The rates that RADIUS attributes ask for, in RouterOS's order of precedence, and behind it two forms that accel-ppp takes.
 * Of several forms in one packet the first in the order counts. Pure.
 */

import type { Attributes } from '../radius/attribute.ts';
import type { Rates } from './grant.ts';
import { parseRateLimit, steadyRates } from './rate-limit.ts';
import { Unreadable } from './reading.ts';

type Reader = (attributes: Attributes) => Rates | Unreadable | undefined;

const readers: readonly Reader[] = [mikrotik, ascend, wispr, cisco, filterId];

/** Undefined if nothing is said of rates. */
export function ratesOf(attributes: Attributes): Rates | Unreadable | undefined {
  for (const read of readers) {
    const rates = read(attributes);
    if (rates !== undefined) return rates;
  }
  return undefined;
}

/** RouterOS's grammar; rx is what the user sends. An empty text says nothing. */
function mikrotik(attributes: Attributes): Rates | Unreadable | undefined {
  const text = attributes.first('Mikrotik-Rate-Limit')?.trim() ?? '';
  if (text === '') return undefined;
  return parseRateLimit(text) ?? new Unreadable('Mikrotik-Rate-Limit', text);
}

/**
 * Bits per second. Ascend-Xmit-Rate is to the user, and Ascend-Data-Rate beside it from him. Without it, the first of two
 * Ascend-Data-Rates is to the user and the second from him, and one alone is for both.
 */
function ascend(attributes: Attributes): Rates | undefined {
  const transmit = attributes.first('Ascend-Xmit-Rate');
  const [data, second] = attributes.all('Ascend-Data-Rate');
  if (transmit !== undefined) return steadyRates(data ?? 0, transmit);
  return data === undefined ? undefined : steadyRates(second ?? data, data);
}

/** Bits per second, as the user sees directions. */
function wispr(attributes: Attributes): Rates | undefined {
  const up = attributes.first('WISPr-Bandwidth-Max-Up');
  const down = attributes.first('WISPr-Bandwidth-Max-Down');
  if (up === undefined && down === undefined) return undefined;
  const receive = attributes.first('WISPr-Bandwidth-Min-Up') ?? 0;
  const transmit = attributes.first('WISPr-Bandwidth-Min-Down') ?? 0;
  return {
    ...steadyRates(up ?? 0, down ?? 0),
    ...((receive > 0 || transmit > 0) && { minimum: { receive, transmit } }),
  };
}

/**
 * `lcp:interface-config#1=rate-limit input 512000 96000 192000 conform-action …`: bits per second; `input` is what the user
 * sends. Its burst sizes are for Cisco's way of counting and not used. Other pairs are no rates.
 */
function cisco(attributes: Attributes): Rates | Unreadable | undefined {
  const rates = new Map<string, number>();
  for (const pair of attributes.all('Cisco-AVPair')) {
    const [, line] = /^lcp:interface-config(?:#\d+)?\s*[=*]\s*rate-limit\s+(.*)$/.exec(pair) ?? [];
    if (line === undefined) continue;
    const words = /^(input|output)\s+(?:access-group\s+(?:rate-limit\s+)?\d+\s+)?(\d{1,12})\b/.exec(line);
    if (words === null) return new Unreadable('Cisco-AVPair', pair);
    rates.set(words[1] ?? '', Number(words[2]));
  }
  return rates.size === 0 ? undefined : steadyRates(rates.get('input') ?? 0, rates.get('output') ?? 0);
}

/** accel-ppp's `2048` or `down/up`, in kbit/s. What else Filter-Id says is a filter. */
function filterId(attributes: Attributes): Rates | undefined {
  const text = attributes.all('Filter-Id').findLast(isRate);
  if (text === undefined) return undefined;
  const [down = 0, up = down] = text.split('/').map((digits) => Number(digits) * 1000);
  return steadyRates(up, down);
}

/** No chain has such a name. */
export function isRate(filterId: string): boolean {
  return /^\d{1,9}(\/\d{1,9})?$/.test(filterId);
}
