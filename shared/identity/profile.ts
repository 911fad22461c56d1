import type { Config } from '#shared/platform/ports';
import { settingsOf } from './settings.ts';
import { isEmailVerified, type StoredUser } from './stored-user.ts';
import type { Profile } from './user.ts';

/** A user as they see themselves. */
export const profileOf = (user: StoredUser, config: Pick<Config, 'emailVerification'>): Profile => ({
  userId: user.userId,
  email: user.email,
  emailVerified: isEmailVerified(user, config),
  name: user.name,
  role: user.role,
  totpEnabled: user.totpEnabled ?? false,
  createdAt: user.createdAt,
  settings: settingsOf(user),
});
