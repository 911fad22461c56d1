import * as z from 'zod';
import { PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { Settings, SettingsUpdate } from '#shared/identity/settings';
import { NewUser, Profile } from '#shared/identity/user';
import { ExportPage } from '#shared/personal-data/export';

export const register = route({
  method: 'POST',
  path: '/api/user/register',
  scope: 'public',
  throttle: perMinute(30),
  summary: 'Registers a user, if registration is open; the first user becomes admin',
  body: NewUser,
  response: { 201: Profile },
});

export const getProfile = route({
  method: 'GET',
  path: '/api/user/profile',
  scope: 'self',
  throttle: perMinute(1200),
  summary: 'The profile of the caller',
  response: { 200: Profile },
});

export const putSettings = route({
  method: 'PUT',
  path: '/api/user/settings',
  scope: 'session',
  throttle: perMinute(60),
  confirmation: ['webhookUrl'],
  summary: 'Changes the given settings; if webhookUrl is one of them, the answer contains the webhook signing secret',
  body: SettingsUpdate,
  response: { 200: Settings.extend({ webhookSecret: z.string().nullable().exactOptional() }) },
});

export const exportUser = route({
  method: 'GET',
  path: '/api/user/export',
  scope: 'session',
  throttle: perMinute(30),
  confirmation: true,
  summary: 'All data stored about the caller, without secrets',
  query: z.strictObject({ cursor: PageQuery.cursor }),
  response: { 200: ExportPage },
});
