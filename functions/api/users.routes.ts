import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { NewUser, Profile, Settings } from '#shared/users/user';

export const register = route({
  method: 'POST',
  path: '/api/user/register',
  scope: 'public',
  throttle: perMinute(30),
  summary: 'Creates a user, where registration is open; the first one is admin',
  body: NewUser,
  response: { 201: Profile },
});

export const getProfile = route({
  method: 'GET',
  path: '/api/user/profile',
  scope: 'self',
  throttle: perMinute(1200),
  summary: 'The caller',
  response: { 200: Profile },
});

export const putSettings = route({
  method: 'PUT',
  path: '/api/user/settings',
  scope: 'self',
  throttle: perMinute(60),
  summary: 'Sets where webhooks go; the answer holds the secret that signs them',
  body: Settings,
  response: { 200: Settings.extend({ webhookSecret: z.string().nullable() }) },
});
