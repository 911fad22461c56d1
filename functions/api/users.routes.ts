import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { EmailAddress, NewUser, Password, Profile, Settings } from '#shared/users/user';

export const register = route({
  method: 'POST',
  path: '/api/user/register',
  scope: 'public',
  throttle: perMinute(10),
  summary: 'Creates a user; the first one is admin',
  body: NewUser,
  response: { 201: Profile },
});

export const login = route({
  method: 'POST',
  path: '/api/user/login',
  scope: 'public',
  throttle: perMinute(10),
  summary: 'Gives an access token for a mail address and password',
  body: z.strictObject({ email: EmailAddress, password: Password }),
  response: {
    200: z.strictObject({
      accessToken: z.string(),
      tokenType: z.literal('Bearer'),
      expiresIn: z.int().describe('Seconds until the token expires'),
    }),
  },
});

export const getProfile = route({
  method: 'GET',
  path: '/api/user/profile',
  scope: 'self',
  throttle: perMinute(120),
  summary: 'The caller',
  response: { 200: Profile },
});

export const putSettings = route({
  method: 'PUT',
  path: '/api/user/settings',
  scope: 'self',
  throttle: perMinute(30),
  summary: 'Sets where webhooks go; the answer holds the secret that signs them',
  body: Settings,
  response: { 200: Settings.extend({ webhookSecret: z.string().nullable() }) },
});
