import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NewUser } from '#shared/identity/user';
import type { Platform } from '#shared/platform/ports';
import { Users } from '#shared/users/users';

const email = 'demo@example.com';
/** 120 bits, which are 20 characters. */
const passwordBytes = 15;

/** How a person gets in. */
export interface DemoLogin {
  readonly email: string;
  /** Returned only once, when the user is created. */
  readonly password: string | undefined;
  /** Where both are kept; undefined where the first user made a login of their own. */
  readonly file: string | undefined;
}

/** Makes the first user of a new installation, so that there is one to try it with. */
export const ensureDemoLogin = async (platform: Platform, dataFolder: string): Promise<DemoLogin> => {
  const file = join(dataFolder, 'demo-login.txt');
  const users = new Users(platform);
  if (!(await users.isEmpty())) return { email, password: undefined, file: existsSync(file) ? file : undefined };
  const password = Buffer.from(platform.random.bytes(passwordBytes)).toString('base64url');
  // The file is written first: a user without a known password would lock everybody out.
  await rm(file, { force: true });
  await writeFile(file, `email: ${email}\npassword: ${password}\n`, { mode: 0o600, flag: 'wx' });
  await users.register(NewUser.parse({ email, password, name: 'Demo' }));
  return { email, password, file };
};
