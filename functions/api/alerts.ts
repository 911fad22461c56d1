import { api, created, noContent, ok, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import { openCursor, pageOf } from '#functions/http/page';
import { Alerts } from '#shared/alerts/alerts';
import { notificationHistory } from '#shared/notifications/feed';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import * as routes from './alerts.routes.ts';

export const createAlertsApi = (platform: Platform) => {
  const alerts = new Alerts(platform);
  return api(platform, [
    on(routes.createAlert, async ({ caller, body, ...request }) =>
      created(await alerts.add(caller.userId, body, originOf({ ...request, caller }))),
    ),
    on(routes.updateAlert, async ({ caller, body, ...request }) =>
      ok(await alerts.change(caller.userId, body, originOf({ ...request, caller }))),
    ),
    on(routes.deleteAlert, async ({ caller, params: { alertId }, ...request }) => {
      await alerts.remove(caller.userId, alertId, originOf({ ...request, caller }));
      return noContent();
    }),
    on(routes.listAlerts, async ({ caller, query: { limit, cursor, ...filter } }) => {
      const list = `alerts ${caller.userId} ${filter.status} ${filter.symbol}`;
      const page = await alerts.list(caller.userId, filter, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
    on(routes.alertHistory, async ({ caller, query: { limit, cursor } }) => {
      const list = `history ${caller.userId}`;
      const page = await notificationHistory(platform.table, caller.userId, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
  ]);
};

export const handler = onLambda(createAlertsApi);
