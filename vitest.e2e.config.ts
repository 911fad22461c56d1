import { defineConfig } from 'vitest/config';

/** Suites that need a whole system: `local` and `aws` are the same black box, `contract-aws` are adapters of ports. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'local',
          include: ['test/e2e/*.e2e.ts'],
          globalSetup: 'test/e2e/local.setup.ts',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'aws',
          include: ['test/e2e/*.e2e.ts', 'test/e2e/aws/*.e2e.ts'],
          globalSetup: 'test/e2e/aws.setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'contract-aws',
          include: ['test/contract/aws.test.ts'],
          globalSetup: 'test/contract/aws.setup.ts',
          testTimeout: 60_000,
        },
      },
    ],
  },
});
