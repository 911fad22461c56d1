import { type Binding, ok, on } from '#functions/http/api';
import { openCursor, pageOf } from '#functions/http/page';
import { type AuditFilter, AuditReader } from '#shared/audit/audit-reader';
import type { Platform } from '#shared/platform/ports';
import type { UserId } from '#shared/users/user';
import * as routes from './audit.routes.ts';

/** The routes that show the audit log. */
export const auditBindings = (platform: Platform): readonly Binding[] => {
  const reader = new AuditReader(platform);
  const nameOf = (userId: string, { type, from, to }: AuditFilter) => `audit ${userId} ${type} ${from} ${to}`;
  return [
    on(routes.listAudit, async ({ query: { limit, cursor, userId, ...filter } }) => {
      const list = nameOf(userId ?? 'all', filter);
      const asked = { limit, ...openCursor(list, cursor) };
      const page =
        userId === undefined
          ? await reader.everywhere(filter, asked)
          : await reader.ofUser(userId as UserId, filter, asked);
      return ok(pageOf(list, page.items, page.cursor));
    }),
    on(routes.listOwnAudit, async ({ caller, query: { limit, cursor, ...filter } }) => {
      const list = nameOf(caller.userId, filter);
      const page = await reader.ofUser(caller.userId, filter, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
  ];
};
