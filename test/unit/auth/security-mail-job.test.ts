import { describe, expect, it } from 'vitest';
import { SecurityMailJob } from '#shared/auth/security-mail-job';

const id = '01890000-0000-7000-8000-0000000000aa';
const userId = '01890000-0000-7000-8000-0000000000ad';

describe('the job of a security mail', () => {
  const job = { mail: 'email-verification', requestId: id, requestedAt: 1_767_225_600_000, userId };

  it('is read as it was enqueued', () => {
    expect(SecurityMailJob.parse(job)).toEqual(job);
  });

  it('that an earlier version enqueued is read as well', () => {
    const { requestId: orderId, requestedAt: at, ...others } = job;
    expect(SecurityMailJob.parse({ ...others, orderId, at })).toEqual(job);
  });

  it.each([[null], ['text'], [{ ...job, mail: 'greeting' }], [{ ...job, requestedAt: -1 }]])('is not %j', (other) => {
    expect(SecurityMailJob.safeParse(other).success).toBe(false);
  });
});
