import { createHash } from 'node:crypto';
import type { Random } from '#shared/platform/ports';

const codes = 10;
/** Crockford's base 32, without letters that look like digits; 24 characters are 120 bits, enough for a fast hash (OWASP ASVS 6.5.2). */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const codeBytes = 15;
const groupCharacters = 4;

/** Single-use codes in place of the second factor: six groups such as `k3v9-…`. */
export const newRecoveryCodes = (random: Random): string[] =>
  Array.from({ length: codes }, () => grouped(base32(random.bytes(codeBytes))));

/** The hash under which a code is stored. A code has 120 random bits, so a fast hash is enough. */
export const recoveryCodeHash = (code: string): string =>
  createHash('sha256').update(code.toLowerCase().replaceAll(/[\s-]/g, '')).digest('base64url');

const base32 = (bytes: Uint8Array): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet.charAt(Number.parseInt(five, 2))).join('');
};

const grouped = (text: string): string => (text.match(new RegExp(`.{${groupCharacters}}`, 'g')) ?? []).join('-');
