/** Whom an authority lets in, and how long it takes: what is counted of it. */

import { describe, expect, it } from 'vitest';
import {
  type JudgementResult,
  judgementSeconds,
  judgementTallies,
  watched,
} from '../../../src/aaa/judgements.ts';
import type { Question } from '../../../src/aaa/question.ts';
import { type Continued, refused, type Verdict } from '../../../src/aaa/verdict.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import type { Method } from '../../../src/ppp/auth/method.ts';
import { factsOf } from '../accounting/facts.ts';
import { credentials } from './peer.ts';

const accepted = { accept: true } as Verdict;
const continued = { accept: undefined, resume: { state: undefined, server: 'a' } } as unknown as Continued;

const clock = new VirtualClock();

/** Asks about `question`; the verdict takes a while. */
function judge(question: Question, verdict: Verdict, tookMs: number, ask = watched): Verdict | undefined {
  let answered: Verdict | undefined;
  const authority = ask((_, answer) => void clock.arm(tookMs, () => answer(verdict)), clock);
  authority(question, (told) => {
    answered = told;
  });
  clock.advance(tookMs);
  return answered;
}

function questionOf(method: Method): Question {
  const shown = method === 'eap' ? { ...credentials('pap'), method } : credentials(method);
  const { identity } = factsOf(`5f00${method}`);
  return { credentials: shown as Question['credentials'], callerId: '', defaultProfile: '', identity };
}

/** What `act` adds: attempts of the method, and seconds, by result. */
function added(method: Method, result: JudgementResult, act: () => void): readonly [number, number] {
  const before = [judgementTallies[method].read(result), judgementSeconds[result].sum] as const;
  act();
  return [judgementTallies[method].read(result) - before[0], judgementSeconds[result].sum - before[1]];
}

describe('an attempt', () => {
  it.each([
    ['mschap2', 'accept', accepted],
    ['pap', 'reject', refused('wrong-password')],
    ['chap', 'unavailable', refused('radius-silent')],
    ['mschap1', 'unavailable', refused('no-radius-server')],
  ] as const)('by %s that ends with %s is counted, with its time', (method, result, verdict) => {
    let told: Verdict | undefined;

    const [attempts, seconds] = added(method, result, () => {
      told = judge(questionOf(method), verdict, 300);
    });

    expect(told).toBe(verdict);
    expect([attempts, seconds]).toEqual([1, expect.closeTo(0.3)]);
  });

  it('by EAP is one, whose time is what the authority took for all rounds', () => {
    const question = questionOf('eap');
    const verdicts: Verdict[] = [continued, continued, accepted];
    const authority = watched((_, answer) => {
      clock.arm(100, () => answer(verdicts.shift() as Verdict));
    }, clock);
    let resume: Question['resume'];
    const round = () => {
      authority({ ...question, ...(resume && { resume }) }, (verdict) => {
        resume = 'resume' in verdict ? verdict.resume : undefined;
      });
      clock.advance(100);
      // The peer takes its time.
      clock.advance(5_000);
    };

    const [attempts, seconds] = added('eap', 'accept', () => {
      round();
      round();
      round();
    });

    expect([attempts, seconds]).toEqual([1, expect.closeTo(0.3)]);
  });
});
