import { hkdfSync } from 'node:crypto';
import type { Random, Secrets } from '#shared/platform/ports';

/**
 * The key material of a name: created by the stack on AWS, at first use on one machine. It is never used as a key itself:
 * each purpose derives its own.
 * @param options `fresh`: bypass the cache
 */
export const keyMaterial = async (
  secrets: Secrets,
  random: Random,
  name: string,
  options: { readonly fresh?: boolean } = {},
): Promise<string> =>
  (await secrets.get(name, options)) ??
  (await secrets.create(name, Buffer.from(random.bytes(48)).toString('base64url')));

/** A key of 32 bytes for one purpose, derived from key material (HKDF, RFC 5869). */
export const derivedKey = (material: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', material, '', `alphapulse/${purpose}`, 32));
