import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiKeyHash, apiKeyHint, isApiKey, newApiKey } from '#shared/auth/api-key-format';
import { newRecoveryCodes, recoveryCodeHash } from '#shared/auth/recovery-codes';
import { seal, unseal } from '#shared/crypto/sealed';
import { systemRandom } from '#shared/platform/system';

describe('an API key', () => {
  it('is known for one', () => {
    for (let made = 0; made < 200; made++) expect(isApiKey(newApiKey(systemRandom))).toBe(true);
  });

  it('is none with any one character changed', () => {
    const key = newApiKey(systemRandom);
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom(...'0aZ_'), (index, character) => {
        fc.pre(key[index] !== character);
        expect(isApiKey(key.slice(0, index) + character + key.slice(index + 1))).toBe(false);
      }),
    );
  });

  it('is shown again by its first characters alone', () => {
    const key = newApiKey(systemRandom);
    expect(apiKeyHint(key)).toBe(key.slice(0, 8));
    expect(apiKeyHash(key)).not.toContain(key.slice(4));
  });
});

describe('recovery codes', () => {
  it('are ten different ones of 120 bits', () => {
    const codes = newRecoveryCodes(systemRandom);
    expect(new Set(codes).size).toBe(10);
    expect(codes.every((code) => /^([0-9a-z]{4}-){5}[0-9a-z]{4}$/.test(code))).toBe(true);
  });

  it('are the same however they are typed', () => {
    expect(recoveryCodeHash('AB12 cd34-ef56gh78')).toBe(recoveryCodeHash('ab12-cd34-ef56-gh78'));
  });
});

describe('a sealed text', () => {
  const key = systemRandom.bytes(32);
  const sealed = seal(key, 'here', 'sécret', systemRandom);

  it('opens with its key at its place', () => {
    expect(unseal(key, 'here', sealed)).toBe('sécret');
  });

  it.each([
    ['with another key', () => unseal(systemRandom.bytes(32), 'here', sealed)],
    ['at another place', () => unseal(key, 'there', sealed)],
    [
      'after it was changed',
      () => unseal(key, 'here', Buffer.from(sealed, 'base64').fill(0, 14, 15).toString('base64')),
    ],
    ['cut short', () => unseal(key, 'here', sealed.slice(0, 20))],
  ])('does not open %s', (_what, open) => {
    expect(open).toThrow();
  });
});
