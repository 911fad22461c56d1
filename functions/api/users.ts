import { api } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { created, ok } from '#functions/http/reply';
import { AuditLog } from '#shared/audit/audit-log';
import { Sessions } from '#shared/auth/sessions';
import type { UserId } from '#shared/model/user-id';
import { UserExport } from '#shared/personal-data/export';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { UserAdministration } from '#shared/users/administration';
import { EmailVerification } from '#shared/users/email-verification';
import { UserSettings } from '#shared/users/user-settings';
import { Users } from '#shared/users/users';
import { administrationBindings } from './administration.ts';
import { apiKeyBindings } from './api-keys.ts';
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
  const settings = new UserSettings(platform);
  const exports = new UserExport(platform);
  const audit = new AuditLog(platform);
  return api(platform, [
    on(routes.register, async ({ body, origin }) => {
      const profile = await users.register(body, origin);
      if (!profile.emailVerified) {
        // The user exists even if the mail could not be queued; it can be requested again.
        await verification.request(profile.userId as UserId).catch((error: unknown) => {
          platform.logger.warn('A verification mail could not be queued', { error: error as Error });
        });
      }
      return created(profile);
    }),
    on(routes.getProfile, async ({ caller }) => ok(await users.profile(caller.userId))),
    on(routes.putSettings, async ({ caller: { userId }, body, origin }) => {
      const changed = await settings.change(userId, body, origin);
      if (body.webhookUrl === undefined) return ok(changed);
      if (changed.webhookUrl === null) return ok({ ...changed, webhookSecret: null });
      await audit.append({ ...origin, type: 'secret.webhook-secret-shown', target: userId });
      return ok({ ...changed, webhookSecret: await users.webhookSecret(userId) });
    }),
    on(routes.exportUser, async ({ caller: { userId }, page, origin }) => {
      const exported = await exports.page(userId, page.request.cursor);
      const after = { items: exported.items.length };
      await audit.append({ ...origin, type: 'data.exported', target: userId, after });
      return page.of({ exportedAt: platform.clock.now(), ...exported });
    }),
    ...sessionBindings(platform, sessions),
    ...passwordBindings(platform, sessions),
    ...emailBindings(verification),
    ...totpBindings(platform, sessions),
    ...apiKeyBindings(platform),
    ...administrationBindings(new UserAdministration(platform, sessions)),
    jwksBinding(platform),
  ]);
};

export const handler = onLambda(createUsersApi);
