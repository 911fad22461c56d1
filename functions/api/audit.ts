import { type Binding, ok, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import { openCursor, pageOf } from '#functions/http/page';
import { AuditLog } from '#shared/audit/audit-log';
import { type AuditFilter, AuditReader } from '#shared/audit/audit-reader';
import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import * as routes from './audit.routes.ts';

/** The routes that show the audit log. Who is shown what others did is in it as well; one's own trail is no secret to oneself. */
export const auditBindings = (platform: Platform): readonly Binding[] => {
  const reader = new AuditReader(platform);
  const audit = new AuditLog(platform);
  const nameOf = (userId: string, { type, from, to }: AuditFilter) => `audit ${userId} ${type} ${from} ${to}`;
  return [
    on(routes.listAudit, async ({ caller, query: { limit, cursor, userId, ...filter }, ...request }) => {
      const list = nameOf(userId ?? 'all', filter);
      const asked = { limit, ...openCursor(list, cursor) };
      const page =
        userId === undefined
          ? await reader.everywhere(filter, asked)
          : await reader.ofUser(userId as UserId, filter, asked);
      if (userId !== caller.userId) {
        const whose = userId === undefined ? {} : { target: userId };
        await audit.append({ ...originOf({ ...request, caller }), type: 'data.audit-read', ...whose });
      }
      return ok(pageOf(list, page.items, page.cursor));
    }),
    on(routes.listOwnAudit, async ({ caller, query: { limit, cursor, ...filter } }) => {
      const list = nameOf(caller.userId, filter);
      const page = await reader.ofUser(caller.userId, filter, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
  ];
};
