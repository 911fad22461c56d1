import * as z from 'zod';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { AuditEntry } from '#shared/audit/entry';

/** The last millisecond of the year 9999. */
const timeMax = 253_402_300_799_999;
const Time = z.coerce.number().int().min(0).max(timeMax);

const AuditQuery = {
  ...PageQuery,
  type: z
    .string()
    .max(60)
    .regex(/^[a-z]+(\.[a-z-]*)?$/, 'must be the beginning of a type, such as "auth." or "auth.login-failed"')
    .exactOptional()
    .describe('What the type begins with'),
  from: Time.exactOptional().describe('Epoch milliseconds, inclusive'),
  to: Time.exactOptional().describe('Epoch milliseconds, inclusive'),
};

export const listAudit = route({
  method: 'GET',
  path: '/api/system/audit',
  scope: 'system:admin',
  throttle: perMinute(300),
  summary: 'The audit log of every user and of the system, newest first; a page may be short and not the last',
  query: z.strictObject({
    ...AuditQuery,
    userId: z.uuid().exactOptional().describe('Only the trail of this user'),
  }),
  response: { 200: listOf(AuditEntry) },
});

export const listOwnAudit = route({
  method: 'GET',
  path: '/api/user/audit',
  scope: 'session',
  throttle: perMinute(300),
  summary: 'What was done to and by the caller, newest first; a page may be short and not the last',
  query: z.strictObject(AuditQuery),
  response: { 200: listOf(AuditEntry) },
});
