import { type Binding, on } from '#functions/http/binding';
import { AuditLog } from '#shared/audit/audit-log';
import { AuditReader } from '#shared/audit/audit-reader';
import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import * as routes from './audit.routes.ts';

/** Reading the audit log. Reading the trails of others is recorded; reading one's own is not. */
export const auditBindings = (platform: Platform): readonly Binding[] => {
  const reader = new AuditReader(platform);
  const audit = new AuditLog(platform);
  return [
    on(routes.listAudit, async ({ caller, query: { userId, ...filter }, page, origin }) => {
      const entries =
        userId === undefined
          ? await reader.everywhere(filter, page.request)
          : await reader.ofUser(userId as UserId, filter, page.request);
      if (userId !== caller.userId) {
        await audit.append({ ...origin, type: 'data.audit-read', ...(userId !== undefined && { target: userId }) });
      }
      return page.of(entries);
    }),
    on(routes.listOwnAudit, async ({ caller, query, page }) =>
      page.of(await reader.ofUser(caller.userId, query, page.request)),
    ),
  ];
};
