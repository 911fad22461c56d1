import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { EmailAddress, NewPassword, Password, TotpCode } from '#shared/identity/user';

export const changePassword = route({
  method: 'POST',
  path: '/api/user/password',
  scope: 'session',
  throttle: perMinute(10),
  summary: "Changes the caller's password and ends their other sessions",
  body: z.strictObject({ currentPassword: Password, newPassword: NewPassword, totp: TotpCode.exactOptional() }),
  response: { 204: null },
});

export const requestPasswordReset = route({
  method: 'POST',
  path: '/api/user/password/reset-request',
  scope: 'public',
  throttle: perMinute(10),
  summary: 'Mails a password reset token to the user with this address; answers the same if there is none',
  body: z.strictObject({ email: EmailAddress }),
  response: { 202: null },
});

export const resetPassword = route({
  method: 'POST',
  path: '/api/user/password/reset',
  scope: 'public',
  throttle: perMinute(10),
  summary: "Sets a new password with a mailed token and ends the user's sessions; a second factor is kept",
  body: z.strictObject({ token: z.string().max(200), newPassword: NewPassword }),
  response: { 204: null },
});
