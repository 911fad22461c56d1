import { acceptedWithoutBody, type Binding, noContent, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import type { Sessions } from '#shared/auth/sessions';
import type { Platform } from '#shared/platform/ports';
import { PasswordChanges } from '#shared/users/password-changes';
import * as routes from './passwords.routes.ts';

/** How passwords become other ones. */
export const passwordBindings = (platform: Platform, sessions: Sessions): readonly Binding[] => {
  const passwords = new PasswordChanges(platform, sessions);
  return [
    on(routes.changePassword, async ({ caller, body, ...request }) => {
      await passwords.change(caller.userId, caller.sessionId, body, originOf({ ...request, caller }));
      return noContent();
    }),
    on(routes.requestPasswordReset, async ({ body, ...request }) => {
      await passwords.requestReset(body.email, originOf(request));
      return acceptedWithoutBody();
    }),
    on(routes.resetPassword, async ({ body, ...request }) => {
      await passwords.reset(body.token, body.newPassword, originOf(request));
      return noContent();
    }),
  ];
};
