import type { Config } from '#shared/platform/ports';
import { isEmailVerified, type StoredUser, settingsOf } from './stored-user.ts';
import type { Profile } from './user.ts';

/** A user as seen by themselves. */
export const profileOf = (user: StoredUser, config: Pick<Config, 'users'>): Profile => ({
  userId: user.userId,
  email: user.email,
  emailVerified: isEmailVerified(user, config),
  name: user.name,
  role: user.role,
  totpEnabled: user.totpEnabled ?? false,
  createdAt: user.createdAt,
  settings: settingsOf(user),
});
