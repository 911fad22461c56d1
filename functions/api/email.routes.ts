import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';

export const requestEmailVerification = route({
  method: 'POST',
  path: '/api/user/email/verify-request',
  scope: 'session',
  throttle: perMinute(5),
  summary: "Mails a token that verifies the caller's email address, unless it is verified already",
  response: { 202: null },
});

export const verifyEmail = route({
  method: 'POST',
  path: '/api/user/email/verify',
  scope: 'public',
  throttle: perMinute(10),
  summary: 'Verifies an email address with the token that was mailed to it',
  body: z.strictObject({ token: z.string().max(200) }),
  response: { 204: null },
});
