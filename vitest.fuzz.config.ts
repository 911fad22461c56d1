import { defineConfig } from 'vitest/config';

/** What `npm test` sends a few hundred times to each route, 10,000 times. A failure tells the seed; `FUZZ_SEED` repeats it. */
export default defineConfig({
  test: {
    include: ['test/unit/http/fuzz.test.ts'],
    testTimeout: 600_000,
    env: { POWERTOOLS_METRICS_DISABLED: 'true', FUZZ_RUNS: process.env.FUZZ_RUNS ?? '10000' },
  },
});
