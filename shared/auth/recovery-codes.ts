import { createHash } from 'node:crypto';
import type { Random } from '#shared/platform/ports';

const codes = 10;
/** Crockford's base 32 without the letters that look like digits; 24 characters are 120 bits, enough for a plain hash (OWASP ASVS 6.5.2). */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const codeBytes = 15;
const groupCharacters = 4;

/** Codes that each stand in for the second factor once, to be shown once: `k3v9-…` in six groups. */
export const newRecoveryCodes = (random: Random): string[] =>
  Array.from({ length: codes }, () => grouped(base32(random.bytes(codeBytes))));

/** A code as it is stored. It is random and long, so that a plain hash can't be turned back. */
export const recoveryCodeHash = (code: string): string =>
  createHash('sha256').update(code.toLowerCase().replaceAll(/[\s-]/g, '')).digest('base64url');

const base32 = (bytes: Uint8Array): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet.charAt(Number.parseInt(five, 2))).join('');
};

const grouped = (text: string): string => (text.match(new RegExp(`.{${groupCharacters}}`, 'g')) ?? []).join('-');
