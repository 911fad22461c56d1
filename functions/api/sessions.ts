import { type Binding, on } from '#functions/http/binding';
import { noContent, ok } from '#functions/http/reply';
import { Confirmations } from '#shared/auth/confirmations';
import type { Sessions } from '#shared/auth/sessions';
import type { SessionId } from '#shared/auth/stored-session';
import { TokenIssuer } from '#shared/auth/token-issuer';
import { NotFound } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import * as routes from './sessions.routes.ts';

/** Login, logout, and the caller's sessions. */
export const sessionBindings = (platform: Platform, sessions: Sessions): readonly Binding[] => {
  const confirmations = new Confirmations(platform);
  const issuer = new TokenIssuer(platform, sessions);
  return [
    on(routes.login, async ({ body, origin }) => ok(await issuer.logIn(body, origin.source))),
    on(routes.refresh, async ({ body, origin }) => ok(await issuer.refresh(body.refreshToken, origin.source))),
    on(routes.confirm, async ({ caller, body, origin }) => {
      await confirmations.confirm(caller.userId, caller.sessionId, body, origin);
      return noContent();
    }),
    on(routes.logout, async ({ caller, origin }) => {
      await sessions.end(caller.userId, caller.sessionId, origin);
      return noContent();
    }),
    on(routes.listSessions, async ({ caller, page }) =>
      page.of(await sessions.list(caller.userId, caller.sessionId, page.request)),
    ),
    on(routes.endSession, async ({ caller, params, origin }) => {
      if (await sessions.end(caller.userId, params.id as SessionId, origin)) return noContent();
      throw new NotFound('You have no session with this id.');
    }),
    on(routes.endOtherSessions, async ({ caller, origin }) => {
      await sessions.endOthers(caller.userId, caller.sessionId, origin);
      return noContent();
    }),
  ];
};
