import { defineConfig } from 'vitest/config';

/** The contract of the table against DynamoDB Local, which needs Java. */
export default defineConfig({
  test: {
    include: ['test/contract/dynamodb-local.test.ts'],
    globalSetup: 'test/contract/dynamodb-local.setup.ts',
    testTimeout: 60_000,
  },
});
