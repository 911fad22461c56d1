import * as z from 'zod';
import { IdParams } from '#functions/http/id-params';
import { perMinute, route } from '#functions/http/route';
import { Password, TotpCode } from '#shared/identity/user';

export const deleteOneself = route({
  method: 'DELETE',
  path: '/api/user',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Deletes the caller and all their data; repeat the request to finish an interrupted deletion',
  body: z.strictObject({ password: Password, totp: TotpCode.exactOptional() }),
  response: { 204: null },
});

export const deleteUser = route({
  method: 'DELETE',
  path: '/api/users/{id}',
  scope: 'users:admin',
  throttle: perMinute(60),
  confirmation: true,
  summary: 'Deletes a user and all their data, or finishes an interrupted deletion',
  params: IdParams,
  response: { 204: null },
});
