/** The storm of accounting-crash.test.ts, long enough for what happens once in a thousand kills' moments. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { compare, ride } from './accounting-ride.io.ts';
import { hasFreeRadius } from './freeradius.io.ts';

describe.skipIf(!hasFreeRadius)('accounting over crashes, at length', () => {
  test.each([11, 12])('loses nothing in 6,000 sessions (seed %i)', async (seed) => {
    const directory = mkdtempSync(join(tmpdir(), 'accounting-'));
    try {
      compare(await ride({ directory, sessions: 6_000, ratePerSecond: 400, seed }));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
