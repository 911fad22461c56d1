import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { Password, TotpCode } from '#shared/identity/user';

export const deleteOneself = route({
  method: 'DELETE',
  path: '/api/user',
  scope: 'session',
  throttle: perMinute(10),
  summary: 'Deletes the caller with everything that is theirs; what was cut short is finished by asking again',
  body: z.strictObject({ password: Password, totp: TotpCode.exactOptional() }),
  response: { 204: null },
});

export const deleteUser = route({
  method: 'DELETE',
  path: '/api/users/{id}',
  scope: 'users:admin',
  throttle: perMinute(60),
  summary: 'Deletes a user with everything that is theirs, or finishes that',
  params: z.strictObject({ id: z.uuid() }),
  response: { 204: null },
});
