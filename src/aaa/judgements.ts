/**
 * What becomes of questions, counted: whom an authority lets in and whom not, by the method of their proof, and how long it takes over
 * that. Questions and verdicts pass as they are.
 *
 * An attempt is over when its verdict is: of EAP all rounds are one attempt, and the time of the peer between them is not the authority's.
 */

import type { Clock } from '../base/clock.ts';
import { type Distribution, distribution, type Tally, tally } from '../base/observe.ts';
import { type Method, methodsByStrength } from '../ppp/auth/method.ts';
import type { SessionIdentity } from './identity.ts';
import type { Question } from './question.ts';
import type { RefusalReason, Verdict } from './verdict.ts';

/** Asks an authority, which calls `answer` once. */
export type Judge = (question: Question, answer: (verdict: Verdict) => void) => void;

const results = {
  accept: 'users who were let in',
  reject: 'users who were not',
  unavailable: 'users about whom nobody could be asked',
} as const;
export type JudgementResult = keyof typeof results;
export const judgementResults = Object.keys(results) as readonly JudgementResult[];

const unavailable: ReadonlySet<RefusalReason> = new Set(['no-radius-server', 'radius-silent']);

export const judgementTallies = Object.fromEntries(
  methodsByStrength.map((method) => [method, tally('authentication', results)]),
) as Readonly<Record<Method, Tally<JudgementResult>>>;

/** In seconds, from a local secret to a peer that has given up. */
const boundsOfSeconds = [0.01, 0.05, 0.25, 1, 5, 15];
export const judgementSeconds: Readonly<Record<JudgementResult, Distribution>> = {
  accept: distribution(boundsOfSeconds),
  reject: distribution(boundsOfSeconds),
  unavailable: distribution(boundsOfSeconds),
};

/** `judge`, watched. */
export function watched(judge: Judge, clock: Pick<Clock, 'nowMs'>): Judge {
  /** Of attempts that go on, what the rounds before have taken, in ms. */
  const spentMs = new WeakMap<SessionIdentity, number>();
  return (question, answer) => {
    const { identity, credentials, resume } = question;
    const before = resume === undefined ? 0 : (spentMs.get(identity) ?? 0);
    const askedAtMs = clock.nowMs();
    judge(question, (verdict) => {
      const tookMs = before + clock.nowMs() - askedAtMs;
      const result = resultOf(verdict);
      if (result === undefined) spentMs.set(identity, tookMs);
      else {
        judgementTallies[credentials.method].add(result);
        judgementSeconds[result].add(tookMs / 1000);
      }
      answer(verdict);
    });
  };
}

/** Undefined if the attempt goes on. */
function resultOf(verdict: Verdict): JudgementResult | undefined {
  if (verdict.accept === undefined) return undefined;
  if (verdict.accept) return 'accept';
  return unavailable.has(verdict.reason) ? 'unavailable' : 'reject';
}
