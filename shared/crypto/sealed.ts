import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '#shared/platform/ports';

const cipher = 'aes-256-gcm';
/** NIST SP 800-38D, section 8.2.2: 96 random bits, for up to 2^32 texts under one key. */
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts a text that has to be readable again (AES-256-GCM).
 * @param key 32 bytes
 * @param place where it will be stored: it cannot be opened anywhere else
 */
export const seal = (key: Uint8Array, place: string, text: string, random: Random): string => {
  const nonce = Buffer.from(random.bytes(nonceBytes));
  const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(place));
  return Buffer.concat([nonce, sealing.update(text, 'utf8'), sealing.final(), sealing.getAuthTag()]).toString('base64');
};

/** @throws {Error} it was changed, or sealed with another key or for another place */
export const unseal = (key: Uint8Array, place: string, sealed: string): string => {
  const bytes = Buffer.from(sealed, 'base64');
  const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()]).toString('utf8');
};
