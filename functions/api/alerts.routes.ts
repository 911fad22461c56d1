import * as z from 'zod';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { Alert, AlertId, AlertNotification, AlertStatus, AlertUpdate, NewAlert } from '#shared/alerts/alert';
import { MarketSymbol } from '#shared/model/symbols';

const Time = z.coerce.number().int().min(0).max(8.64e15);

export const listAlerts = route({
  method: 'GET',
  path: '/api/alerts/list',
  scope: 'alerts:read',
  throttle: perMinute(1200),
  summary: "The caller's alerts, newest first",
  query: z.strictObject({ status: AlertStatus.exactOptional(), symbol: MarketSymbol.exactOptional(), ...PageQuery }),
  response: { 200: listOf(Alert) },
});

export const getAlert = route({
  method: 'GET',
  path: '/api/alerts/{alertId}',
  scope: 'alerts:read',
  throttle: perMinute(1200),
  summary: 'One alert',
  params: z.strictObject({ alertId: AlertId }),
  response: { 200: Alert },
});

export const createAlert = route({
  method: 'POST',
  path: '/api/alerts/create',
  scope: 'alerts:write',
  throttle: perMinute(300),
  summary: 'Creates an alert',
  body: NewAlert,
  response: { 201: Alert },
  idempotent: true,
});

export const updateAlert = route({
  method: 'PUT',
  path: '/api/alerts/update',
  scope: 'alerts:write',
  throttle: perMinute(300),
  summary: 'Changes fields of an alert; a new condition, repeat or expiry re-arms it',
  body: AlertUpdate,
  response: { 200: Alert },
});

export const deleteAlert = route({
  method: 'DELETE',
  path: '/api/alerts/{alertId}',
  scope: 'alerts:write',
  throttle: perMinute(300),
  summary: 'Deletes an alert; its history is kept',
  params: z.strictObject({ alertId: AlertId }),
  response: { 204: null },
});

export const alertHistory = route({
  method: 'GET',
  path: '/api/alerts/history',
  scope: 'alerts:read',
  throttle: perMinute(1200),
  summary: "The firings of the caller's alerts, newest first",
  query: z.strictObject({
    alertId: AlertId.exactOptional(),
    from: Time.exactOptional().describe('Of `firedAt`: epoch milliseconds, inclusive'),
    to: Time.exactOptional().describe('Of `firedAt`: epoch milliseconds, inclusive'),
    ...PageQuery,
  }),
  response: { 200: listOf(AlertNotification) },
});
