import { defineConfig } from 'vitest/config';

/** What the pages of docs/ show is applied to a copy of the sources; that needs git. */
export default defineConfig({
  test: { include: ['test/docs/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 },
});
