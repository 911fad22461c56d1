import { type Binding, noContent, ok, on, type Reply } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import { openCursor, pageOf } from '#functions/http/page';
import { Logins } from '#shared/auth/logins';
import type { OpenSession, Sessions } from '#shared/auth/sessions';
import { type SigningKey, SigningKeys } from '#shared/auth/signing-keys';
import type { SessionId } from '#shared/auth/stored-session';
import { accessTokenSeconds, issueAccessToken } from '#shared/auth/tokens';
import { NotFound } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import * as routes from './sessions.routes.ts';

/** How sessions begin, go on and end. */
export const sessionBindings = (platform: Platform, sessions: Sessions): readonly Binding[] => {
  const keys = new SigningKeys(platform);
  const logins = new Logins(platform, sessions);
  const tokensOf = async (key: SigningKey, { session, refreshToken }: OpenSession): Promise<Reply> => {
    const accessToken = await issueAccessToken(key, platform, session);
    return ok({ accessToken, refreshToken, tokenType: 'Bearer', expiresIn: accessTokenSeconds });
  };
  return [
    on(routes.login, async ({ body, sourceAddress: address, userAgent }) => {
      // A code is used up only when there is a key to sign with.
      const key = await keys.current();
      return await tokensOf(key, await logins.logIn(body, { address, userAgent }));
    }),
    on(routes.refresh, async ({ body, sourceAddress: address, userAgent }) => {
      // A refresh token is used up only when there is a key to sign with.
      const key = await keys.current();
      return await tokensOf(key, await sessions.refresh(body.refreshToken, { address, userAgent }));
    }),
    on(routes.logout, async ({ caller, ...request }) => {
      await sessions.end(caller.userId, caller.sessionId, originOf({ ...request, caller }));
      return noContent();
    }),
    on(routes.listSessions, async ({ caller, query: { limit, cursor } }) => {
      const list = `sessions ${caller.userId}`;
      const page = await sessions.list(caller.userId, caller.sessionId, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
    on(routes.endSession, async ({ caller, params, ...request }) => {
      const origin = originOf({ ...request, caller });
      if (await sessions.end(caller.userId, params.id as SessionId, origin)) return noContent();
      throw new NotFound('There is no such session.');
    }),
    on(routes.endOtherSessions, async ({ caller, ...request }) => {
      await sessions.endOthers(caller.userId, caller.sessionId, originOf({ ...request, caller }));
      return noContent();
    }),
  ];
};
