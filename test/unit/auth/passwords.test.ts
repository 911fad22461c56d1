import { argon2Sync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { hashPassword, passwordMatches } from '#shared/auth/passwords';
import { NewPassword, Password } from '#shared/identity/user';
import { systemRandom } from '#shared/platform/system';

const password = 'correct horse battery';

describe('password hashes', () => {
  let hash: string;
  beforeAll(async () => {
    hash = await hashPassword(password, systemRandom);
  });

  it('are PHC strings with the parameters that OWASP asks for', () => {
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  });

  it('hold a salt of their own', async () => {
    expect(await hashPassword(password, systemRandom)).not.toBe(hash);
  });

  it('match their password', async () => {
    expect(await passwordMatches(password, hash)).toBe(true);
  });

  it.each(['correct horse batterz', 'Correct horse battery', `${password} `, `${password}\0`, ''])(
    'do not match %j',
    async (wrong) => {
      expect(await passwordMatches(wrong, hash)).toBe(false);
    },
  );

  it('match nothing when there is none', async () => {
    expect(await passwordMatches(password, undefined)).toBe(false);
    expect(await passwordMatches('', undefined)).toBe(false);
  });

  it('are checked with the parameters that they carry', async () => {
    const nonce = Buffer.from('0123456789abcdef');
    const tag = argon2Sync('argon2id', {
      message: password,
      nonce,
      memory: 64,
      passes: 3,
      parallelism: 2,
      tagLength: 24,
    });
    const unpadded = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
    const old = `$argon2id$v=19$m=64,t=3,p=2$${unpadded(nonce)}$${unpadded(tag)}`;
    expect(await passwordMatches(password, old)).toBe(true);
    expect(await passwordMatches(`${password}!`, old)).toBe(false);
  });

  it.each(['', 'plain', '$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA', '$2b$10$abcdefghijklmnopqrstuv'])(
    'that are not of argon2id (%j) are an error, not a match',
    async (stored) => {
      await expect(passwordMatches(password, stored)).rejects.toThrow(TypeError);
    },
  );
});

describe('passwords', () => {
  const combining = '\u0301';

  it('are the same composed and decomposed', () => {
    expect(NewPassword.parse(`pass phrase caf${'e'}${combining}`)).toBe(NewPassword.parse('pass phrase café'));
  });

  it.each([
    [12, 'a', true],
    [11, 'a', false],
    [12, '𝒳', true],
    [11, '𝒳', false],
    [128, 'a', true],
    [129, 'a', false],
    [128, '𝒳', true],
    [129, '𝒳', false],
    // Counted after composition: one of these is three characters until then.
    [128, '각'.normalize('NFD'), true],
    [129, '각'.normalize('NFD'), false],
    [11, `e${combining}`, false],
    [200_000, 'a', false],
  ])('of %i times %j: %s', (times, character, isGood) => {
    expect(NewPassword.safeParse(character.repeat(times)).success).toBe(isGood);
  });

  it('may be short at login, where they are only compared', () => {
    expect(Password.safeParse('').success).toBe(true);
  });
});
