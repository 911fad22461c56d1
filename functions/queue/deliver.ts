import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { instrumented } from '#functions/instrumented';
import { Deliveries, DeliveryHeld, DeliveryOrder } from '#shared/alerts/deliveries';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { maxReceives } from './deliver.limits.ts';

/** The first retry comes after this time, each further one after twice the time of the one before. */
const retrySeconds = 2;
const retrySecondsMax = 900;

/** Delivers notifications by mail and webhook. */
export const createDeliver = (platform: Platform) => {
  const deliveries = new Deliveries(platform);

  /** After an attempt that holds the delivery, so that it can't use up the retries; else ever later. */
  const secondsUntilRetry = (error: unknown, receives: number): number => {
    const backOff = Math.min(retrySeconds * 2 ** (receives - 1), retrySecondsMax);
    const jittered = Math.ceil(backOff * (0.5 + platform.random.number() / 2));
    return error instanceof DeliveryHeld ? Math.max(jittered, Math.ceil(error.remainingMs / 1000)) : jittered;
  };

  const deliver = async ({ body, attributes, receiptHandle }: SQSRecord): Promise<void> => {
    const receives = Number(attributes.ApproximateReceiveCount);
    try {
      await deliveries.deliver(DeliveryOrder.parse(JSON.parse(body)), receives >= maxReceives);
    } catch (error) {
      await platform.queue('deliveries').release(receiptHandle, secondsUntilRetry(error, receives));
      platform.logger.warn('A delivery failed', { error: error as Error, receives });
      throw error;
    }
  };

  return instrumented(platform, (event: SQSEvent, context: Context) =>
    processPartialResponse(event, deliver, new BatchProcessor(EventType.SQS), {
      context,
      throwOnFullBatchFailure: false,
    }),
  );
};

export const handler = onLambda(createDeliver);
