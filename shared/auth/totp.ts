import { Secret, TOTP } from 'otpauth';
import type { Random } from '#shared/platform/ports';

/** RFC 4226, section 4: the secret should have 160 bits. */
const secretBytes = 20;
const periodSeconds = 30;
const digits = 6;
/** RFC 6238, section 5.2: one step to each side, for clocks that differ and people who type. */
const window = 1;
const codePattern = /^[0-9]{6}$/;
const issuer = 'AlphaPulse';

/** A secret for codes of six digits each 30 seconds (RFC 6238, HMAC-SHA-1, which every app can), in base 32. */
export const newTotpSecret = (random: Random): string =>
  new Secret({ buffer: new Uint8Array(random.bytes(secretBytes)).buffer }).base32;

/** What an authenticator app reads out of a QR code (the Key URI Format of Google Authenticator). */
export const totpUri = (secret: string, email: string): string => generatorOf(secret, email).toString();

/**
 * The step of time that a code belongs to, or undefined where it is not good at `now`. A code is good once: remember its
 * step, and refuse those that are not above it (RFC 6238, section 5.2).
 * @param now epoch ms
 */
export const totpStep = (secret: string, code: string, now: number): number | undefined => {
  if (!codePattern.test(code)) return undefined;
  const totp = generatorOf(secret, issuer);
  const delta = totp.validate({ token: code, timestamp: now, window });
  return delta === null ? undefined : totp.counter({ timestamp: now }) + delta;
};

const generatorOf = (secret: string, label: string): TOTP =>
  new TOTP({ issuer, label, secret, algorithm: 'SHA1', digits, period: periodSeconds });
