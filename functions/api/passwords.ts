import { type Binding, on } from '#functions/http/binding';
import { accepted, noContent } from '#functions/http/reply';
import type { Sessions } from '#shared/auth/sessions';
import type { Platform } from '#shared/platform/ports';
import { PasswordChanges } from '#shared/users/password-changes';
import * as routes from './passwords.routes.ts';

/** Changing and resetting passwords. */
export const passwordBindings = (platform: Platform, sessions: Sessions): readonly Binding[] => {
  const passwords = new PasswordChanges(platform, sessions);
  return [
    on(routes.changePassword, async ({ caller, body, origin }) => {
      await passwords.change(caller.userId, caller.sessionId, body, origin);
      return noContent();
    }),
    on(routes.requestPasswordReset, async ({ body, origin }) => {
      await passwords.requestReset(body.email, origin);
      return accepted();
    }),
    on(routes.resetPassword, async ({ body, origin }) => {
      await passwords.reset(body.token, body.newPassword, origin);
      return noContent();
    }),
  ];
};
