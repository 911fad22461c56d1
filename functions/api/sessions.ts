import { type Binding, noContent, ok, on, type Reply } from '#functions/http/api';
import { openCursor, pageOf } from '#functions/http/page';
import type { OpenSession, Sessions } from '#shared/auth/sessions';
import { type SigningKey, SigningKeys } from '#shared/auth/signing-keys';
import type { SessionId } from '#shared/auth/stored-session';
import { accessTokenSeconds, issueAccessToken } from '#shared/auth/tokens';
import { NotFound } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { Users } from '#shared/users/users';
import * as routes from './sessions.routes.ts';

/** How sessions begin, go on and end. */
export const sessionBindings = (platform: Platform, users: Users, sessions: Sessions): readonly Binding[] => {
  const keys = new SigningKeys(platform);
  const tokensOf = async (key: SigningKey, { session, refreshToken }: OpenSession): Promise<Reply> => {
    const accessToken = await issueAccessToken(key, platform, session);
    return ok({ accessToken, refreshToken, tokenType: 'Bearer', expiresIn: accessTokenSeconds });
  };
  return [
    on(routes.login, async ({ body, sourceAddress: address, userAgent }) => {
      const userId = await users.checkPassword(body.email, body.password);
      const key = await keys.current();
      return await tokensOf(key, await sessions.open(userId, { address, userAgent }));
    }),
    on(routes.refresh, async ({ body, sourceAddress: address, userAgent }) => {
      // A refresh token is used up only when there is a key to sign with.
      const key = await keys.current();
      return await tokensOf(key, await sessions.refresh(body.refreshToken, { address, userAgent }));
    }),
    on(routes.logout, async ({ caller }) => {
      await sessions.end(caller.userId, caller.sessionId);
      return noContent();
    }),
    on(routes.listSessions, async ({ caller, query: { limit, cursor } }) => {
      const list = `sessions ${caller.userId}`;
      const page = await sessions.list(caller.userId, caller.sessionId, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
    on(routes.endSession, async ({ caller, params }) => {
      if (!(await sessions.end(caller.userId, params.id as SessionId))) throw new NotFound('There is no such session.');
      return noContent();
    }),
    on(routes.endOtherSessions, async ({ caller }) => {
      await sessions.endOthers(caller.userId, caller.sessionId);
      return noContent();
    }),
  ];
};
