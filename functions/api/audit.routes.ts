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
    .regex(/^[a-z]+(\.[a-z-]*)?$/, 'must be a prefix of a type, such as "auth." or "auth.login-failed"')
    .exactOptional()
    .describe('Prefix of the type'),
  from: Time.exactOptional().describe('Epoch milliseconds, inclusive'),
  to: Time.exactOptional().describe('Epoch milliseconds, inclusive'),
};

export const listAudit = route({
  method: 'GET',
  path: '/api/system/audit',
  scope: 'system:admin',
  throttle: perMinute(300),
  summary: 'The audit log of all users and of the system, newest first; a short page need not be the last',
  query: z.strictObject({
    ...AuditQuery,
    userId: z.uuid().exactOptional().describe("Only this user's trail"),
  }),
  response: { 200: listOf(AuditEntry) },
});

export const listOwnAudit = route({
  method: 'GET',
  path: '/api/user/audit',
  scope: 'session',
  throttle: perMinute(300),
  summary: "The caller's audit trail, newest first; a short page need not be the last",
  query: z.strictObject(AuditQuery),
  response: { 200: listOf(AuditEntry) },
});
