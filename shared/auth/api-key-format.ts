import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Random } from '#shared/platform/ports';

/** What every key begins with, so that people and secret scanners know one when they see it. */
const prefix = 'apk_';
const keyBytes = 32;
const randomCharacters = 43;
const checksumCharacters = 6;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** What an API key looks like; for secret scanners too. */
export const API_KEY_PATTERN = new RegExp(`^${prefix}[0-9A-Za-z]{${randomCharacters + checksumCharacters}}$`);

/** A new key: the prefix, 256 random bits, and their checksum, in base 62 (as GitHub's tokens are made). */
export const newApiKey = (random: Random): string => {
  const body = base62(BigInt(`0x${Buffer.from(random.bytes(keyBytes)).toString('hex')}`), randomCharacters);
  return `${prefix}${body}${checksum(body)}`;
};

/** Whether a text can be a key at all: a mistyped one is told without a look at what is stored. */
export const isApiKey = (text: string): boolean => {
  if (!API_KEY_PATTERN.test(text)) return false;
  const body = text.slice(prefix.length, -checksumCharacters);
  return text.endsWith(checksum(body));
};

/** A key as it is stored. It is random and long, so that a plain hash can't be turned back. */
export const apiKeyHash = (key: string): string => createHash('sha256').update(key).digest('base64url');

/** What its owner may see of a key later on, to tell it from others. */
export const apiKeyHint = (key: string): string => key.slice(0, prefix.length + 4);

const checksum = (body: string): string => base62(BigInt(crc32(body)), checksumCharacters);

const base62 = (number: bigint, length: number): string => {
  let text = '';
  for (let rest = number; rest > 0n; rest /= 62n) text = alphabet.charAt(Number(rest % 62n)) + text;
  return text.padStart(length, '0');
};
