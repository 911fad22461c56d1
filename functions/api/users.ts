import { api, created, ok, on } from '#functions/http/api';
import { openSigningKey, type SigningKey } from '#shared/auth/keys';
import { accessTokenSeconds, issueAccessToken } from '#shared/auth/tokens';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { Users } from '#shared/users/users';
import * as routes from './users.routes.ts';

export const createUsersApi = (platform: Platform) => {
  const users = new Users(platform);
  let opened: Promise<SigningKey> | undefined;
  const signingKey = () => {
    opened ??= openSigningKey(platform.secrets, platform.random, platform.table).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return api(platform, [
    on(routes.register, async ({ body }) => created(await users.register(body))),
    on(routes.login, async ({ body }) => {
      const user = await users.logIn(body.email, body.password);
      const accessToken = await issueAccessToken(await signingKey(), platform.clock, user);
      return ok({ accessToken, tokenType: 'Bearer', expiresIn: accessTokenSeconds });
    }),
    on(routes.getProfile, async ({ caller }) => ok(await users.profile(caller.userId))),
    on(routes.putSettings, async ({ caller, body }) => ok(await users.changeSettings(caller.userId, body))),
  ]);
};

export const handler = onLambda(createUsersApi);
