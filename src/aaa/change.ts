/**
 * What a live session can be changed to, all of it or nothing (RFC 5176 section 3): what stands in a `Change` replaces what
 * the session had; what is missing stays. Types only.
 */

import type { Limits } from './grant.ts';

export interface Change extends Partial<Limits> {
  /** Values of Class, in order, for later accounting records. */
  readonly classes?: readonly Uint8Array[];
  /** Between two Interim-Updates, in ms; 0: none. */
  readonly interimMs?: number;
}
