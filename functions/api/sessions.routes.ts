import * as z from 'zod';
import { IdParams } from '#functions/http/id-params';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { Session } from '#shared/auth/session';
import { EmailAddress, Password, TotpCode } from '#shared/identity/user';

const Tokens = z
  .strictObject({
    accessToken: z.string(),
    refreshToken: z.string().describe('Single-use, for POST /api/user/refresh, which issues the next one'),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().describe('Seconds until the access token expires'),
  })
  .meta({ id: 'Tokens' });

export const login = route({
  method: 'POST',
  path: '/api/user/login',
  scope: 'public',
  throttle: perMinute(30),
  summary: 'Opens a session: issues tokens for email address and password, and a code if there is a second factor',
  body: z.strictObject({ email: EmailAddress, password: Password, totp: TotpCode.exactOptional() }),
  response: { 200: Tokens },
});

export const refresh = route({
  method: 'POST',
  path: '/api/user/refresh',
  scope: 'public',
  throttle: perMinute(60),
  summary:
    'Issues new tokens for a refresh token; within 10 s it gets the same answer again, later its reuse ends the session',
  body: z.strictObject({ refreshToken: z.string().max(200) }),
  response: { 200: Tokens },
});

export const confirm = route({
  method: 'POST',
  path: '/api/user/confirm',
  scope: 'session',
  throttle: perMinute(10),
  summary: "Confirms the caller's session with the password, and the code of a second factor, for 10 minutes",
  body: z.strictObject({ password: Password, totp: TotpCode.exactOptional() }),
  response: { 204: null },
});

export const logout = route({
  method: 'POST',
  path: '/api/user/logout',
  scope: 'session',
  throttle: perMinute(30),
  summary: "Ends the caller's session",
  response: { 204: null },
});

export const listSessions = route({
  method: 'GET',
  path: '/api/user/sessions',
  scope: 'session',
  throttle: perMinute(300),
  summary: "The caller's sessions, newest first",
  query: z.strictObject(PageQuery),
  response: { 200: listOf(Session) },
});

export const endSession = route({
  method: 'DELETE',
  path: '/api/user/sessions/{id}',
  scope: 'session',
  throttle: perMinute(60),
  summary: "Ends one of the caller's sessions",
  params: IdParams,
  response: { 204: null },
});

export const endOtherSessions = route({
  method: 'DELETE',
  path: '/api/user/sessions',
  scope: 'session',
  throttle: perMinute(30),
  summary: "Ends the caller's sessions except the one of this request",
  response: { 204: null },
});
