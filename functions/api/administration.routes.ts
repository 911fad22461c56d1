import * as z from 'zod';
import { IdParams } from '#functions/http/id-params';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { UserChange, UserRecord } from '#shared/identity/user';

export const listUsers = route({
  method: 'GET',
  path: '/api/users',
  scope: 'users:admin',
  throttle: perMinute(300),
  summary: 'All users, in order of registration',
  query: z.strictObject(PageQuery),
  response: { 200: listOf(UserRecord) },
});

export const changeUser = route({
  method: 'PUT',
  path: '/api/users/{id}',
  scope: 'users:admin',
  throttle: perMinute(300),
  confirmation: ['role'],
  summary: "Changes a user's role, or disables the user, which ends their sessions",
  params: IdParams,
  body: UserChange,
  response: { 200: UserRecord },
});
