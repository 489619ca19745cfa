import { defineConfig } from 'vitest/config';

// Benches claim ratios within one run and print them; nothing is asserted about speed.
export default defineConfig({
  test: {
    include: ['test/bench/**/*.bench.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
