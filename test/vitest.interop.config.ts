import { defineConfig } from 'vitest/config';

// Real clients in the lab's guests: the first run builds the lab, which takes minutes.
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 1_200_000,
    fileParallelism: false,
  },
});
