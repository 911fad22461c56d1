import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Platform } from '#shared/platform/ports';

/** An event handler with the logging and metrics that every function has. Events are never logged: they contain user data. */
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

/** Publishes the metrics of an invocation, if there are any: Powertools warns about an empty set. */
export const publishMetrics = (metrics: Platform['metrics']): void => {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
};
