import { Secret, TOTP } from 'otpauth';
import type { Random } from '#shared/platform/ports';

/** RFC 4226, section 4: the secret should have 160 bits. */
const secretBytes = 20;
const periodSeconds = 30;
const digits = 6;
/** RFC 6238, section 5.2: one step to each side, for clock skew and the time it takes to type a code. */
const window = 1;
const codePattern = /^[0-9]{6}$/;
const issuer = 'AlphaPulse';

/** A secret for six-digit codes every 30 seconds (RFC 6238, HMAC-SHA-1, which every app supports), in base 32. */
export const newTotpSecret = (random: Random): string =>
  new Secret({ buffer: new Uint8Array(random.bytes(secretBytes)).buffer }).base32;

/** The content of the QR code for an authenticator app (the Key URI Format of Google Authenticator). */
export const totpUri = (secret: string, email: string): string => generatorOf(secret, email).toString();

/**
 * The time step that a code belongs to, or undefined if it is not valid at `now`. Codes are single-use: store the step, and
 * refuse codes of that step and earlier ones (RFC 6238, section 5.2).
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
