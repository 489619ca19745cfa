import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/*.test.ts', 'test/{unit,contract,sim,native,netns,system}/**/*.test.ts'],
    testTimeout: 30_000,
    // Namespaces, raw sockets and the engine's ports are the machine's: files that use them take turns by name.
    fileParallelism: true,
    // One core waits while the other computes: most of what is tested here waits for others.
    maxWorkers: 2,
  },
});
