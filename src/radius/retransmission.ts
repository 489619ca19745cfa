/**
 * When a request is sent again: RFC 5080 section 2.2.1, whose names the constants bear. Pure.
 *
 *     timeout of the first transmission   IRT ± 10 %
 *     of each that follows                twice the one before ± 10 %, at most MRT ± 10 %
 *
 * Departs from its default IRT of 2 s: the server's `timeout` is the IRT. Its MRC of 5 counts transmissions to one server; here
 * three make a round, so that another server is asked while the subscriber still waits, and MRD bounds all rounds together.
 */

import { below, type Random } from '../base/random.ts';

/** MRT: no timeout is longer, but for its ± 10 %. */
export const maximumTimeoutMs = 16_000;

/** MRD of authentication: subscribers' PPP gives up after about as long. Accounting has none. */
export const maximumDurationMs = 30_000;

/** Transmissions to one server before another is asked. */
export const transmissionsPerRound = 3;

/** How long the next transmission waits. `previousMs` is what the one before waited, undefined for the first. */
export function timeoutOf(initialMs: number, previousMs: number | undefined, random: Random): number {
  const baseMs = previousMs ?? initialMs;
  const timeoutMs = (previousMs === undefined ? baseMs : 2 * baseMs) + jitter(random) * baseMs;
  return timeoutMs <= maximumTimeoutMs ? timeoutMs : maximumTimeoutMs * (1 + jitter(random));
}

const steps = 2 ** 16;

/** RAND: from -0.1 to 0.1, evenly. */
export function jitter(random: Random): number {
  return (below(random, steps + 1) / steps - 0.5) * 0.2;
}
