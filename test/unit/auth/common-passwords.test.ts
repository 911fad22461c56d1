import languageCommon from '@zxcvbn-ts/language-common';
import { describe, expect, it } from 'vitest';
import { passwordWeakness } from '#shared/auth/password-policy';

const lengthMin = 12;
const known = languageCommon.dictionary['passwords-common'].filter((password) => [...password].length >= lengthMin);

/** The list is made of a package's larger one here; `vitest run --update=all` writes it anew when that changes. */
const source = `/** Passwords that leaked most often and are long enough for the policy (@zxcvbn-ts/language-common), in lower case. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  \`
${known.map((password) => password.toLowerCase()).join('\n')}
\`.split('\\n'),
);
`;

const ada = { email: 'ada.lovelace@example.com', name: 'Ada Lovelace' };

describe('the list of common passwords', () => {
  it('is that of the package', async () => {
    expect(known.length).toBeGreaterThan(200);
    expect(known.join('')).not.toMatch(/[`\\]|\$\{/);
    await expect(source).toMatchFileSnapshot('../../../shared/auth/common-passwords.ts');
  });
});

describe('a password', () => {
  it.each([
    ['that leaked often', '1q2w3e4r5t6y'],
    ['that leaked often, in capitals', '1Q2W3E4R5T6Y'],
    ['of one character', 'aaaaaaaaaaaaaa'],
    ['that says a word twice', 'passwordpassword'],
    ['that says a word again and again', 'HunterhunterHunter'],
    ['that is the mail address', 'Ada.Lovelace@example.com'],
    ['that is the name in the mail address', 'ada.lovelace'],
    ['that is the name', 'ada lovelace'],
    ['of counted digits', '12345678901234'],
    ['of the alphabet', 'ABCDEFGHIJKLMNO'],
  ])('%s is refused', (_what, password) => {
    expect(passwordWeakness(password, ada)).toMatch(/./);
  });

  it.each([
    'correct horse battery',
    'ütf-8 ist schön',
    '            x',
    'Tr0ub4dor&3 & co',
    '👩‍🚀🚀🌕🌖🌗🌘🌑🌒🌓🌔🌕🪐',
  ])('%s is good', (password) => {
    expect(passwordWeakness(password, ada)).toBeUndefined();
  });
});
