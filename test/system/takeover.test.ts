/** Control that comes and goes under live sessions: nobody notices, neither the subscriber nor the RADIUS server. */

import { expect, test } from 'vitest';
import { expectUnnoticed } from './takeover-laws.ts';
import { ride } from './takeover-ride.io.ts';

test('over three kills and two releases 20 sessions lose no packet, and have one Start and one Stop', {
  timeout: 120_000,
}, async () => {
  const ridden = await ride({ sessions: 20, kills: 3, everyMs: 50, interimSeconds: 2 });
  expectUnnoticed(ridden);
  expect(ridden.resumed).toEqual([20, 20, 20, 20, 20]);
});
