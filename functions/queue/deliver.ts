import { Deliveries, DeliveryHeld, DeliveryOrder } from '#shared/alerts/deliveries';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { maxReceives } from './deliver.limits.ts';
import { onQueue } from './on-queue.ts';

const retrySecondsMax = 900;

/** Delivers notifications by mail and webhook. */
export const createDeliver = (platform: Platform) => {
  const deliveries = new Deliveries(platform);
  return onQueue(platform, {
    queue: 'deliveries',
    retrySecondsMax,
    handle: (body, receives) => deliveries.deliver(DeliveryOrder.parse(JSON.parse(body)), receives >= maxReceives),
    heldMs: (error) => (error instanceof DeliveryHeld ? error.remainingMs : undefined),
    tell: (error, receives) => platform.logger.warn('A delivery failed', { error: error as Error, receives }),
  });
};

export const handler = onLambda(createDeliver);
