import * as z from 'zod';
import type { Platform } from '#shared/platform/ports';

const request = { requestId: z.uuid(), requestedAt: z.int().min(0).describe('Epoch milliseconds') };
const source = z.object({ address: z.string(), userAgent: z.string().exactOptional() });

/** Jobs enqueued by earlier versions have the request under other names. */
const upgraded = (job: unknown): unknown => {
  if (typeof job !== 'object' || job === null || !('orderId' in job && 'at' in job)) return job;
  const { orderId: requestId, at: requestedAt, ...others } = job;
  return { requestId, requestedAt, ...others };
};

/** The job of sending a security mail, as it travels through the queue of deliveries. */
export const SecurityMailJob = z.preprocess(
  upgraded,
  z.discriminatedUnion('mail', [
    // The worker looks up whether the address has an owner, so that the time of the answer does not depend on it.
    z.object({ mail: z.literal('password-reset'), ...request, email: z.string(), source }),
    z.object({ mail: z.literal('email-verification'), ...request, userId: z.uuid() }),
    z.object({
      mail: z.enum([
        'password-changed',
        'totp-enabled',
        'totp-disabled',
        'api-key-created',
        'role-changed',
        'webhook-changed',
        'exchange-key-added',
      ]),
      ...request,
      userId: z.uuid(),
      source,
      accountId: z.uuid().exactOptional().describe('Of an exchange key'),
    }),
  ]),
);
export type SecurityMailJob = z.infer<typeof SecurityMailJob>;
export type SecurityNotice = Exclude<SecurityMailJob, { readonly mail: 'password-reset' | 'email-verification' }>;

/**
 * The notice of a change is enqueued before the change is made and handled after the function that makes it has ended, so
 * that there is a notice if and only if there was a change. Longer than the timeout of any function that changes credentials.
 */
const noticeSeconds = 15;
/** The function that stores keys of exchanges has a longer timeout, because it asks the venue first. */
const exchangeNoticeSeconds = 40;

export const enqueueSecurityMail = async (platform: Pick<Platform, 'queue'>, job: SecurityMailJob): Promise<void> =>
  await platform.queue('deliveries').send([{ body: JSON.stringify(job) }]);

/** Enqueues the notice of a change that is about to be made, whose id is the id of the request. */
export const enqueueSecurityNotice = async (platform: Pick<Platform, 'queue'>, job: SecurityNotice): Promise<void> => {
  const delaySeconds = job.mail === 'exchange-key-added' ? exchangeNoticeSeconds : noticeSeconds;
  await platform.queue('deliveries').send([{ body: JSON.stringify(job), delaySeconds }]);
};
