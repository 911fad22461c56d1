import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { EmailAddress, NewPassword, Password, TotpCode } from '#shared/identity/user';

export const changePassword = route({
  method: 'POST',
  path: '/api/user/password',
  scope: 'session',
  throttle: perMinute(10),
  summary: "Changes the caller's password, ends their other sessions, and deletes their API keys unless keepApiKeys",
  body: z.strictObject({
    currentPassword: Password,
    newPassword: NewPassword,
    totp: TotpCode.exactOptional(),
    keepApiKeys: z.boolean().exactOptional().describe('Whether the API keys remain valid; default: false'),
  }),
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
  summary:
    "Sets a new password with a mailed token, ends the user's sessions and deletes their API keys; a second factor is kept",
  body: z.strictObject({ token: z.string().max(200), newPassword: NewPassword }),
  response: { 204: null },
});
