/**
 * How long servers wait for what they ask of sessions (RFC 5176): by what they ask, whether other nodes have to be asked, and what they
 * are told. Requests that were refused before anybody looked for a session are not among them (radius/dynamic.ts counts those).
 */

import type { Clock } from '../base/clock.ts';
import { type Distribution, distribution } from '../base/observe.ts';
import type { Answer, DynamicRequest } from '../radius/dynamic.ts';

export const dynamicTypes = ['coa', 'disconnect'] as const;
export const dynamicRoutes = ['here', 'elsewhere'] as const;
export const dynamicResults = ['ack', 'nak'] as const;

export interface DynamicCase {
  readonly type: (typeof dynamicTypes)[number];
  readonly route: (typeof dynamicRoutes)[number];
  readonly result: (typeof dynamicResults)[number];
}

export function dynamicTypeOf({ kind }: Pick<DynamicRequest, 'kind'>): DynamicCase['type'] {
  return kind === 'change' ? 'coa' : 'disconnect';
}

const nameOf = ({ type, route, result }: DynamicCase): string => `${type} ${route} ${result}`;

/** In seconds: this node answers at once, another within half a second; after five a server has asked again and given up. */
const times: ReadonlyMap<string, Distribution> = new Map(
  dynamicTypes.flatMap((type) =>
    dynamicRoutes.flatMap((route) =>
      dynamicResults.map((result) => [nameOf({ type, route, result }), distribution([0.05, 0.5, 5])]),
    ),
  ),
);

export function dynamicSeconds(of: DynamicCase): Distribution {
  const found = times.get(nameOf(of));
  if (found === undefined) throw new Error(`no answer is ${nameOf(of)}`);
  return found;
}

/** `answer` to what was asked at `askedAtMs` of the clock, timed. */
export function timed(
  of: Pick<DynamicCase, 'type' | 'route'>,
  clock: Pick<Clock, 'nowMs'>,
  askedAtMs: number,
  answer: Answer,
): Answer {
  return (errorCause) => {
    const result = errorCause === undefined ? 'ack' : 'nak';
    dynamicSeconds({ ...of, result }).add((clock.nowMs() - askedAtMs) / 1000);
    answer(errorCause);
  };
}
