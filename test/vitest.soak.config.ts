import { defineConfig } from 'vitest/config';

// Minutes of what `npm test` does for seconds.
export default defineConfig({
  test: {
    include: ['test/**/*.soak.ts'],
    testTimeout: 1_200_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
