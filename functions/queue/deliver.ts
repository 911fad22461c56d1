import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { instrumented } from '#functions/instrumented';
import { Deliveries, DeliveryOrder } from '#shared/alerts/deliveries';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { maxReceives } from './deliver.limits.ts';

/** The first retry comes after this time, each further one after twice the time of the one before. */
const retrySeconds = 2;
const retrySecondsMax = 900;

/** Delivers notifications by mail and webhook. */
export const createDeliver = (platform: Platform) => {
  const deliveries = new Deliveries(platform);

  const deliver = async ({ body, attributes, receiptHandle }: SQSRecord): Promise<void> => {
    const receives = Number(attributes.ApproximateReceiveCount);
    try {
      await deliveries.deliver(DeliveryOrder.parse(JSON.parse(body)), receives >= maxReceives);
    } catch (error) {
      const backOff = Math.min(retrySeconds * 2 ** (receives - 1), retrySecondsMax);
      const jittered = Math.ceil(backOff * (0.5 + platform.random.number() / 2));
      await platform.queue('deliveries').release(receiptHandle, jittered);
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
