/**
 * Crashes of control while hundreds of sessions a second come and go, against a real FreeRADIUS: what its detail file says in the
 * end must be what happened.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'vitest';
import { compare, outages, ride } from './accounting-ride.io.ts';
import { hasFreeRadius } from './freeradius.io.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'accounting-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!hasFreeRadius)('accounting loses nothing, disorders nothing and makes no end twice', () => {
  test('over crashes of control', { timeout: 120_000 }, async () => {
    compare(await ride({ directory, sessions: 1_000, ratePerSecond: 300, seed: 1 }));
  });

  test('over outages of the server', { timeout: 120_000 }, async () => {
    compare(await outages({ directory, sessions: 1_200, ratePerSecond: 300, seed: 2 }));
  });
});
