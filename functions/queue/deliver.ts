import * as z from 'zod';
import { Deliveries, DeliveryHeld, DeliveryJob } from '#shared/notifications/deliveries';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { SecurityMailJob } from '#shared/users/security-mail-job';
import { SecurityMails } from '#shared/users/security-mails';
import { maxReceives } from './deliver.limits.ts';
import { onQueue } from './on-queue.ts';

const retrySecondsMax = 900;

const Order = z.union([DeliveryJob, SecurityMailJob]);

/** Delivers notifications by mail and webhook, and the mails about accounts. */
export const createDeliver = (platform: Platform) => {
  const deliveries = new Deliveries(platform);
  const mails = new SecurityMails(platform);
  return onQueue(platform, {
    queue: 'deliveries',
    retrySecondsMax,
    handle: async (body, receives) => {
      const order = Order.parse(JSON.parse(body));
      if ('mail' in order) await mails.send(order);
      else await deliveries.deliver(order, receives >= maxReceives);
    },
    heldMs: (error) => (error instanceof DeliveryHeld ? error.remainingMs : undefined),
    report: (error, receives) => platform.logger.warn('A delivery failed', { error: error as Error, receives }),
  });
};

export const handler = onLambda(createDeliver);
