import * as z from 'zod';
import { SecurityMailJob } from '#shared/auth/security-mail-job';
import { Deliveries, DeliveryClaimed, DeliveryJob } from '#shared/notifications/deliveries';
import { onLambda } from '#shared/platform/aws/on-lambda';
import { InvalidInput } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { SecurityMails } from '#shared/users/security-mails';
import { maxReceives } from './deliver.limits.ts';
import { onQueue } from './on-queue.ts';

const retrySecondsMax = 900;

const Job = z.union([DeliveryJob, SecurityMailJob]);

/** Delivers notifications over the queued channels, and sends security mails. */
export const createDeliver = (platform: Platform) => {
  const deliveries = new Deliveries(platform);
  const mails = new SecurityMails(platform);
  /** A mail that is refused for good would only be refused again. */
  const dropRefused = (error: unknown, { mail }: SecurityMailJob): void => {
    if (!(error instanceof InvalidInput)) throw error;
    platform.logger.error('A security mail was refused for good', { mail, error });
  };
  return onQueue(platform, {
    queue: 'deliveries',
    retrySecondsMax,
    handle: async (body, receives) => {
      const job = Job.parse(JSON.parse(body));
      if ('mail' in job) await mails.send(job).catch((error) => dropRefused(error, job));
      else await deliveries.deliver(job, receives >= maxReceives);
    },
    heldMs: (error) => (error instanceof DeliveryClaimed ? error.remainingMs : undefined),
    report: (error, receives) => platform.logger.warn('A delivery failed', { error: error as Error, receives }),
  });
};

export const handler = onLambda(createDeliver);
