import { defineConfig } from 'vitest/config';

/** The fleet of accounts, and the model tests of `npm test` with five times as many random runs and another seed each time; a failure prints the seed. */
export default defineConfig({
  test: {
    include: ['test/{unit,integration}/**/*.model.test.ts', 'test/integration/account-fleet.test.ts'],
    testTimeout: 900_000,
    maxWorkers: 2,
    env: { POWERTOOLS_METRICS_DISABLED: 'true', MODEL_FACTOR: process.env.MODEL_FACTOR ?? '5' },
  },
});
