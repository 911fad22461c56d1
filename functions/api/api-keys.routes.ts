import * as z from 'zod';
import { IdParams } from '#functions/http/id-params';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { ApiKey, CreatedApiKey, NewApiKey } from '#shared/auth/api-key';

/** Not idempotent: replaying its answer would require storing the key. */
export const createApiKey = route({
  method: 'POST',
  path: '/api/user/api-keys',
  scope: 'session',
  throttle: perMinute(30),
  confirmation: true,
  summary: 'Creates an API key; the key itself is shown only in this answer',
  body: NewApiKey,
  response: { 201: CreatedApiKey },
});

export const listApiKeys = route({
  method: 'GET',
  path: '/api/user/api-keys',
  scope: 'session',
  throttle: perMinute(300),
  summary: "The caller's API keys, newest first",
  query: z.strictObject(PageQuery),
  response: { 200: listOf(ApiKey) },
});

export const revokeApiKey = route({
  method: 'DELETE',
  path: '/api/user/api-keys/{id}',
  scope: 'session',
  throttle: perMinute(60),
  summary: "Deletes one of the caller's API keys",
  params: IdParams,
  response: { 204: null },
});
