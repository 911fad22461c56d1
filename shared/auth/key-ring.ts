import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import * as z from 'zod';
import { derivedKey, keyMaterial } from '#shared/crypto/keys';
import type { Platform } from '#shared/platform/ports';
import type { PublicKey } from './published-keys.ts';

const secretName = 'token-signing';
const seedBytes = 32;

/** An Ed25519 key of the ring; its id is its thumbprint (RFC 7638). */
export interface RingKey {
  readonly kid: string;
  readonly key: KeyObject;
  readonly publicKey: PublicKey;
  readonly seed: Buffer;
}

/** The content of the secret once keys were rotated: the seeds of the keys, base64url, the newest last. */
const StoredRing = z.object({ seeds: z.array(z.string().regex(/^[\w-]{43}$/)).min(1) });

/**
 * The private keys that sign tokens, the newest last; never empty. The secret of a new installation is not a ring but key
 * material, from which the first key is derived.
 * @param options `fresh`: bypass the cache, in order to change the ring
 */
export const readRing = async (
  { secrets, random }: Pick<Platform, 'secrets' | 'random'>,
  options: { readonly fresh?: boolean } = {},
): Promise<readonly RingKey[]> => {
  const value = await keyMaterial(secrets, random, secretName, options);
  const seeds = value.startsWith('{')
    ? StoredRing.parse(JSON.parse(value)).seeds.map((seed) => Buffer.from(seed, 'base64url'))
    : [derivedKey(value, 'token-signing/ed25519')];
  return await Promise.all(seeds.map(keyOfSeed));
};

export const writeRing = async ({ secrets }: Pick<Platform, 'secrets'>, ring: readonly RingKey[]): Promise<void> => {
  const seeds = ring.map(({ seed }) => seed.toString('base64url'));
  await secrets.put(secretName, JSON.stringify({ seeds } satisfies z.infer<typeof StoredRing>));
};

/** A random key, unrelated to older ones that may have leaked. */
export const newRingKey = async ({ random }: Pick<Platform, 'random'>): Promise<RingKey> =>
  await keyOfSeed(Buffer.from(random.bytes(seedBytes)));

const keyOfSeed = async (seed: Buffer): Promise<RingKey> => {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
  const { kty = '', crv = '', x = '' } = createPublicKey(key).export({ format: 'jwk' }) as JWK;
  return { kid: await calculateJwkThumbprint({ kty, crv, x }), key, publicKey: { kty, crv, x }, seed };
};

/** The prefix of the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
