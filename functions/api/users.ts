import { api, created, ok, on } from '#functions/http/api';
import { Sessions } from '#shared/auth/sessions';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { UserAdministration } from '#shared/users/administration';
import { Users } from '#shared/users/users';
import { administrationBindings } from './administration.ts';
import { jwksBinding } from './jwks.ts';
import { sessionBindings } from './sessions.ts';
import * as routes from './users.routes.ts';

export const createUsersApi = (platform: Platform) => {
  const users = new Users(platform);
  const sessions = new Sessions(platform);
  return api(platform, [
    on(routes.register, async ({ body }) => created(await users.register(body))),
    on(routes.getProfile, async ({ caller }) => ok(await users.profile(caller.userId))),
    on(routes.putSettings, async ({ caller, body }) => ok(await users.changeSettings(caller.userId, body))),
    ...sessionBindings(platform, users, sessions),
    ...administrationBindings(new UserAdministration(platform, sessions)),
    jwksBinding(platform),
  ]);
};

export const handler = onLambda(createUsersApi);
