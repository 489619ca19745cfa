/**
 * Our client against our server, the whole stack over two fake engines, on a wire that loses packets. A run is a seed: settings,
 * wire, accidents and times all come from it. A run that breaks a law prints its seed, its scenario, its log and its frames;
 * `SEED=n` replays it alone. Runs where they come in disorder are tunnel-disorder.test.ts: the two share the cores.
 */

import { describe, it } from 'vitest';
import { holds, stormUpTo } from './tunnel-scenario.ts';

describe('our client against our server', { timeout: 300_000 }, () => {
  it('agrees, carries packets and gives all back on a whole wire, in 4,000 runs', () => {
    holds(100_000, 4_000, stormUpTo({}));
  });

  it('agrees, carries packets and gives all back on a lossy wire, in 6,000 runs', () => {
    holds(200_000, 6_000, stormUpTo({ lossRate: 0.3 }));
  });
});
