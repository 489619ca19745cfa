/**
 * Our client against our server, the whole stack over two fake engines, on a wire that mixes packets up. A run is a seed: settings,
 * wire, accidents and times all come from it. A run that breaks a law prints its seed, its scenario, its log and its frames;
 * `SEED=n` replays it alone.
 */

import { describe, it } from 'vitest';
import { holds, stormUpTo } from './tunnel-scenario.ts';

describe('our client against our server', { timeout: 300_000 }, () => {
  it('agrees, carries packets and gives all back on a wire that reorders and doubles, in 4,000 runs', () => {
    holds(300_000, 4_000, stormUpTo({ jitterMs: 150, duplicateRate: 0.2, splitRate: 1 }));
  });

  it('agrees, carries packets and gives all back on a wire that does all of it, in 6,000 runs', () => {
    holds(400_000, 6_000, stormUpTo({ lossRate: 0.25, jitterMs: 150, duplicateRate: 0.1, splitRate: 1 }));
  });
});
