import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,integration}/**/*.test.ts'],
    // They need an emulator of AWS (vitest.e2e.config.ts) and DynamoDB Local (vitest.dynamodb.config.ts).
    exclude: ['test/contract/aws.test.ts', 'test/contract/dynamodb-local.test.ts'],
    testTimeout: 20_000,
    // Much of the time is waiting for processes and throttles, so that a third worker pays on two cores.
    maxWorkers: 3,
    // The tests say what they measured themselves; what Powertools says of it belongs to the log of a function.
    env: { POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
