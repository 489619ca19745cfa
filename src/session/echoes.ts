/**
 * Whether a silent peer is still there, by LCP's Echo (RFC 1661 section 5.8): how often it is asked, and when it is given up. Enter: the
 * engine's word that nothing has come for a while, and the peer's answers. Leaves: whether to ask once more. Counts both.
 */

import { distribution, tally } from '../base/observe.ts';

export const echoTally = tally('lcp-echo', {
  sent: 'Echo-Requests sent to peers of which nothing had come for the keepalive time.',
  missed: 'Echo-Requests after which nothing came within a second.',
});

/** In seconds, from a neighbour to a satellite. */
export const roundTripSeconds = distribution([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1]);

/** Probes without an answer, a second apart, that end a session (RouterOS). */
const probesMax = 5;

export class Echoes {
  #sentAtMs: number | undefined;

  /** Nothing has come for the `probe`th time: true if the peer is to be asked once more, false if it is given up. */
  silent(probe: number, nowMs: number): boolean {
    if (probe > 1) echoTally.add('missed');
    if (probe > probesMax) return false;
    echoTally.add('sent');
    // Which of several an answer belongs to, nobody can tell (Karn).
    this.#sentAtMs = probe === 1 ? nowMs : undefined;
    return true;
  }

  answered(nowMs: number): void {
    if (this.#sentAtMs !== undefined) roundTripSeconds.add((nowMs - this.#sentAtMs) / 1000);
    this.#sentAtMs = undefined;
  }
}
