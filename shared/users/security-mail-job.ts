import * as z from 'zod';
import type { Platform } from '#shared/platform/ports';

const ordered = { orderId: z.uuid(), at: z.int().min(0).describe('Epoch milliseconds') };
const source = z.object({ address: z.string(), userAgent: z.string().exactOptional() });

/** A mail about an account that is to be sent, as it travels through the queue of deliveries. */
export const SecurityMailJob = z.discriminatedUnion('mail', [
  // Whether the address has an owner is found out where nobody waits for an answer.
  z.object({ mail: z.literal('password-reset'), ...ordered, email: z.string(), source }),
  z.object({ mail: z.literal('email-verification'), ...ordered, userId: z.uuid() }),
  z.object({
    mail: z.enum(['password-changed', 'totp-enabled', 'totp-disabled']),
    ...ordered,
    userId: z.uuid(),
    source,
  }),
]);
export type SecurityMailJob = z.infer<typeof SecurityMailJob>;
export type SecurityNotice = Extract<
  SecurityMailJob,
  { readonly mail: 'password-changed' | 'totp-enabled' | 'totp-disabled' }
>;

/**
 * A notice is ordered before its change is made and looked at when the function that makes it has ended, so that there is
 * a notice if and only if there was a change. Longer than the timeout of any function that changes credentials.
 */
const noticeSeconds = 15;

/** Orders a mail. */
export const enqueueSecurityMail = async (platform: Pick<Platform, 'queue'>, order: SecurityMailJob): Promise<void> =>
  await platform.queue('deliveries').send([{ body: JSON.stringify(order) }]);

/** Orders the notice of a change that is made next, under the order's id. */
export const enqueueSecurityNotice = async (platform: Pick<Platform, 'queue'>, order: SecurityNotice): Promise<void> =>
  await platform.queue('deliveries').send([{ body: JSON.stringify(order), delaySeconds: noticeSeconds }]);
