import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { instrumented } from '#functions/instrumented';
import { Dispatcher } from '#shared/accounts/sync/dispatch';
import { DispatchStatus } from '#shared/accounts/sync/dispatch-status';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';

/** Enqueues the syncs that are due for the workers of `account-sync`. */
export const createAccountsDispatch = (platform: Platform) => {
  const dispatcher = new Dispatcher(platform);
  const status = new DispatchStatus(platform);
  return instrumented(platform, async (): Promise<void> => {
    platform.metrics.addMetric('AccountSyncsOrdered', MetricUnit.Count, await dispatcher.run());
    await status.ran();
  });
};

export const handler = onLambda(createAccountsDispatch);
