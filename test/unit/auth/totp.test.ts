import { describe, expect, it } from 'vitest';
import { newTotpSecret, totpStep, totpUri } from '#shared/auth/totp';
import { systemRandom } from '#shared/platform/system';

/** The secret of RFC 6238, appendix B, `12345678901234567890`, in base 32. */
const rfcSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const stepMs = 30_000;

describe('a code of an authenticator app', () => {
  // RFC 6238, appendix B, SHA-1; the last six of its eight digits.
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %i s is that of RFC 6238', (seconds, code) => {
    expect(totpStep(rfcSecret, code, seconds * 1000)).toBe(Math.floor(seconds / 30));
  });

  it.each([-1, 0, 1])('is good %i steps away, and tells its own step', (steps) => {
    expect(totpStep(rfcSecret, '287082', 59_000 + steps * stepMs)).toBe(1);
  });

  it.each([-2, 2])('is not good %i steps away', (steps) => {
    expect(totpStep(rfcSecret, '287082', 1_111_111_109_000 + steps * stepMs)).toBeUndefined();
  });

  it.each(['28708', '2870822', '', 'abcdef', '28 7082', '２８７０８２'])('%j is none', (code) => {
    expect(totpStep(rfcSecret, code, 59_000)).toBeUndefined();
  });
});

describe('a new secret', () => {
  it('has 160 bits and is another one each time', () => {
    const secrets = [newTotpSecret(systemRandom), newTotpSecret(systemRandom)];
    expect(secrets[0]).toMatch(/^[A-Z2-7]{32}$/);
    expect(secrets[0]).not.toBe(secrets[1]);
  });

  it('is told to the app with the name of the account', () => {
    const uri = new URL(totpUri(rfcSecret, 'ada+x@example.com'));
    expect(uri.protocol).toBe('otpauth:');
    expect(decodeURIComponent(uri.pathname)).toBe('/AlphaPulse:ada+x@example.com');
    expect(Object.fromEntries(uri.searchParams)).toMatchObject({ secret: rfcSecret, digits: '6', period: '30' });
  });
});
