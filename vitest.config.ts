import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,integration}/**/*.test.ts'],
    // They need an emulator of AWS (vitest.e2e.config.ts), DynamoDB Local (vitest.dynamodb.config.ts), or longer (vitest.models.config.ts).
    exclude: [
      'test/contract/aws.test.ts',
      'test/contract/dynamodb-local.test.ts',
      'test/integration/account-fleet.test.ts',
    ],
    // Far above what any takes, also where many others are at work: a test that hangs still ends.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Modules hold no state, so that files may share them; a worker for each file would load them again each time.
    isolate: false,
    // Much of the time is waiting for processes and throttles, so that a third worker pays on two cores.
    maxWorkers: 3,
    // The tests say what they measured themselves; what Powertools says of it belongs to the log of a function.
    env: {
      POWERTOOLS_METRICS_DISABLED: 'true',
      // Commands and servers that tests start share what Node compiles; half of a start is compiling.
      NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled'),
    },
  },
});
