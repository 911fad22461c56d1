import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Random } from '#shared/platform/ports';

/** Identifies a key to people and to scanners for leaked secrets. */
const prefix = 'apk_';
const keyBytes = 32;
const randomCharacters = 43;
const checksumCharacters = 6;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The format of an API key; suitable for secret scanners. */
export const API_KEY_PATTERN = new RegExp(`^${prefix}[0-9A-Za-z]{${randomCharacters + checksumCharacters}}$`);

/** A new key: the prefix, 256 random bits and their checksum, in base 62 (the format of GitHub's tokens). */
export const newApiKey = (random: Random): string => {
  const body = base62(BigInt(`0x${Buffer.from(random.bytes(keyBytes)).toString('hex')}`), randomCharacters);
  return `${prefix}${body}${checksum(body)}`;
};

/** Whether a text can be a key: a mistyped one is recognised without a read of the table. */
export const isApiKey = (text: string): boolean => {
  if (!API_KEY_PATTERN.test(text)) return false;
  const body = text.slice(prefix.length, -checksumCharacters);
  return text.endsWith(checksum(body));
};

/** The hash under which a key is stored. A key has 256 random bits, so a fast hash is enough. */
export const apiKeyHash = (key: string): string => createHash('sha256').update(key).digest('base64url');

/** The part of a key that its owner sees later, to distinguish it from others. */
export const apiKeyHint = (key: string): string => key.slice(0, prefix.length + 4);

const checksum = (body: string): string => base62(BigInt(crc32(body)), checksumCharacters);

const base62 = (number: bigint, length: number): string => {
  let text = '';
  for (let rest = number; rest > 0n; rest /= 62n) text = alphabet.charAt(Number(rest % 62n)) + text;
  return text.padStart(length, '0');
};
