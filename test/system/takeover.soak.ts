/** 1,000 live sessions with traffic: control is killed ten times in a row, and replaced by another release. `TAKEOVER_SESSIONS` is how many. */

import { test } from 'vitest';
import { expectUnnoticed } from './takeover-laws.ts';
import { ride } from './takeover-ride.io.ts';

test('nobody notices', { timeout: 900_000 }, async () => {
  const sessions = Number(process.env.TAKEOVER_SESSIONS ?? 1_000);
  const ridden = await ride({ sessions, kills: 10, everyMs: 1_000, interimSeconds: 10 });
  const { calm, stormy, resumed } = ridden;
  const lostOf = ({ lost }: typeof calm) => Object.values(lost).reduce((sum, each) => sum + each, 0);
  process.stdout.write(
    `${sessions} sessions; calm: ${lostOf(calm)} of ${calm.sent} echoes lost; control gone 12 times: ${lostOf(stormy)} of ${stormy.sent}; resumed ${resumed.join(' ')}\n`,
  );
  expectUnnoticed(ridden);
});
