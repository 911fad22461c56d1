import { api } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { created, noContent, ok } from '#functions/http/reply';
import { Alerts } from '#shared/alerts/alerts';
import { notificationHistory } from '#shared/notifications/history';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import * as routes from './alerts.routes.ts';

export const createAlertsApi = (platform: Platform) => {
  const alerts = new Alerts(platform);
  return api(platform, [
    on(routes.createAlert, async ({ caller, body, origin }) => created(await alerts.add(caller.userId, body, origin))),
    on(routes.updateAlert, async ({ caller, body, origin }) => ok(await alerts.change(caller.userId, body, origin))),
    on(routes.deleteAlert, async ({ caller, params, origin }) => {
      await alerts.remove(caller.userId, params.alertId, origin);
      return noContent();
    }),
    on(routes.listAlerts, async ({ caller, query, page }) =>
      page.of(await alerts.list(caller.userId, query, page.request)),
    ),
    on(routes.getAlert, async ({ caller, params }) => ok(await alerts.get(caller.userId, params.alertId))),
    on(routes.alertHistory, async ({ caller, query, page }) =>
      page.of(await notificationHistory(platform.table, caller.userId, page.request, query)),
    ),
  ]);
};

export const handler = onLambda(createAlertsApi);
