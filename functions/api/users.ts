import { api, created, ok, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import { Sessions } from '#shared/auth/sessions';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { UserAdministration } from '#shared/users/administration';
import { EmailVerification } from '#shared/users/email-verification';
import type { UserId } from '#shared/users/user';
import { Users } from '#shared/users/users';
import { administrationBindings } from './administration.ts';
import { emailBindings } from './email.ts';
import { jwksBinding } from './jwks.ts';
import { passwordBindings } from './passwords.ts';
import { sessionBindings } from './sessions.ts';
import { totpBindings } from './totp.ts';
import * as routes from './users.routes.ts';

export const createUsersApi = (platform: Platform) => {
  const users = new Users(platform);
  const sessions = new Sessions(platform);
  const verification = new EmailVerification(platform);
  return api(platform, [
    on(routes.register, async ({ body, ...request }) => {
      const profile = await users.register(body, originOf(request));
      if (!profile.emailVerified) {
        // The user is there whatever becomes of the mail, which can be asked for again.
        await verification.request(profile.userId as UserId).catch((error: unknown) => {
          platform.logger.warn('A verification mail could not be ordered', { error: error as Error });
        });
      }
      return created(profile);
    }),
    on(routes.getProfile, async ({ caller }) => ok(await users.profile(caller.userId))),
    on(routes.putSettings, async ({ caller, body }) => ok(await users.changeSettings(caller.userId, body))),
    ...sessionBindings(platform, sessions),
    ...passwordBindings(platform, sessions),
    ...emailBindings(verification),
    ...totpBindings(platform, sessions),
    ...administrationBindings(new UserAdministration(platform, sessions)),
    jwksBinding(platform),
  ]);
};

export const handler = onLambda(createUsersApi);
