import { hkdfSync } from 'node:crypto';
import type { Random, Secrets } from '#shared/platform/ports';

/**
 * Key material of a name: on AWS the stack made it, on one machine it is made at first use.
 * Keys of different purposes are derived from it, never used as they are.
 */
export const keyMaterial = async (
  secrets: Secrets,
  random: Random,
  name: string,
  options: { readonly fresh?: boolean } = {},
): Promise<string> =>
  (await secrets.get(name, options)) ??
  (await secrets.create(name, Buffer.from(random.bytes(48)).toString('base64url')));

/** 32 bytes for one purpose out of key material (HKDF, RFC 5869). */
export const derivedKey = (material: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', material, '', `alphapulse/${purpose}`, 32));
