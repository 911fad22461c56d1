import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Platform } from '#shared/platform/ports';

/** A handler of events with the logs and metrics that every function has. Events are never logged: they hold user data. */
export const instrumented = <Event, Result>(
  { logger, metrics }: Pick<Platform, 'logger' | 'metrics'>,
  handler: (event: Event, context: Context) => Promise<Result>,
) => {
  const publish = () => publishMetrics(metrics);
  return middy<Event, Result>()
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use({ after: publish, onError: publish })
    .handler(handler);
};

/** Writes out what was measured; Powertools would warn about nothing. */
export const publishMetrics = (metrics: Platform['metrics']): void => {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
};
