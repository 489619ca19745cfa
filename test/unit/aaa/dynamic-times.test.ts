/** How long servers wait for what they ask of sessions. */

import { expect, it } from 'vitest';
import { dynamicSeconds, timed } from '../../../src/aaa/dynamic-times.ts';
import { VirtualClock } from '../../../src/base/clock.ts';

it('is told by what was asked, of whom, and what came of it; the answer passes as it is', () => {
  const clock = new VirtualClock();
  const of = { type: 'coa', route: 'elsewhere' } as const;
  const answers: (number | undefined)[] = [];
  const askedAtMs = clock.nowMs();
  const answer = timed(of, clock, askedAtMs, (cause) => answers.push(cause));

  clock.advance(400);
  answer();
  clock.advance(600);
  answer(503);

  expect(answers).toEqual([undefined, 503]);
  expect(dynamicSeconds({ ...of, result: 'ack' })).toMatchObject({ counts: [0, 1, 0, 0], sum: 0.4 });
  expect(dynamicSeconds({ ...of, result: 'nak' })).toMatchObject({ counts: [0, 0, 1, 0], sum: 1 });
});
